"""Tables that people and banks send as files: CSV in UTF-8 or Windows-1251, parted by `;` `,` or
tabs, its titles on the first line. What the columns mean is told by whoever reads them.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from domain.errors import InvalidValue
from domain.money import read_kopecks

_SIGNS = re.compile(r"[\W_]+")


class Mistake(NamedTuple):
    """What is wrong with a line. `code` is one of those that `texts` has for files of the kind."""

    line: int
    code: str
    value: str = ""


class Bad(Exception):
    """A line that cannot be taken, as a `Mistake` tells it."""

    def __init__(self, code: str, value: str = "") -> None:
        super().__init__(code)
        self.code, self.value = code, value


class Row(NamedTuple):
    """A row that is not blank. A cell may hold several lines: it begins on one and ends on one."""

    first_line: int
    last_line: int
    cells: list[str]


class Table:
    """A file being read. `meanings` are what `titles_known` says of the titles, None of others.

    `what` names the file in an `InvalidValue`, which is raised, here or by `rows`, for what is no
    table.
    """

    def __init__(self, content: bytes, titles_known: Mapping[str, str], *, what: str) -> None:
        text = decode(content)
        if "\0" in text:  # two bytes a letter, or no text: PostgreSQL keeps none of it
            raise InvalidValue("a NUL in the text", what=what, value="NUL")
        self.head = text.partition("\n")[0]
        delimiter = max(";,\t", key=self.head.count)
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        self._what = what
        self.titles = next(self._read(), [])
        self.meanings = [titles_known.get(word_of(title)) for title in self.titles]

    def rows(self) -> Iterator[Row]:
        """The rows below the titles that are not blank."""
        before = self._reader.line_num
        for cells in self._read():
            first_line, before = before + 1, self._reader.line_num
            if any(cell.strip() for cell in cells):
                yield Row(first_line, before, cells)

    def meant(self, cells: list[str]) -> Iterator[tuple[str, str]]:
        """Cells with what they mean, without those of columns that are not known. Raises `Bad` when
        more stands there than there are titles.
        """
        if any(cell.strip() for cell in cells[len(self.meanings) :]):
            raise Bad("too_many_cells", str(len(cells)))
        return ((name, cell) for name, cell in zip(self.meanings, cells, strict=False) if name)

    def _read(self) -> Iterator[list[str]]:
        try:
            yield from self._reader
        except csv.Error as error:
            raise InvalidValue(str(error), what=self._what, value=str(error)) from error


def decode(content: bytes) -> str:
    """A file's text: UTF-8, or else Windows-1251."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1251", "replace")


def word_of(text: str) -> str:
    """A title or a word as it is looked up: without case, spaces and signs.

    >>> word_of(" Ф.И.О. "), word_of("Paid_on")
    ('фио', 'paidon')
    """
    return _SIGNS.sub("", text.casefold())


def by_word(words: Mapping[str, str]) -> dict[str, str]:
    """Meanings by word, of words by meaning.

    >>> by_word({"sum": "amount credit", "day": "date"})
    {'amount': 'sum', 'credit': 'sum', 'date': 'day'}
    """
    return {word: meaning for meaning, each in words.items() for word in each.split()}


def kopecks(text: str) -> int:
    """A sum; raises `Bad`."""
    try:
        return read_kopecks(text)
    except InvalidValue:
        raise Bad("no_amount", text) from None


def day(text: str, shapes: Iterable[str]) -> date:
    """A day in one of these shapes; raises `Bad`."""
    for shape in shapes:
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day, nothing more
        except ValueError:
            continue
    raise Bad("no_date", text)
