"""A file of call records as text: whatever its encoding, line ends and quotes, reading goes on."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from itertools import islice
from typing import BinaryIO

from domain.cdr.dates import DateOrder

HEAD_BYTES = 65536
SAMPLE_ROWS = 200
LONGEST_LINE = 65536  # characters
PIECE = 1 << 18  # characters
DELIMITERS = ",;\t|"
_FALLBACK = "cabinet-windows-1251"


def _as_windows_1251(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as Windows-1251: exchanges write names as the phones send
    them.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    broken = error.object[error.start : error.end]
    return broken.decode("cp1251", "replace"), error.end


codecs.register_error(_FALLBACK, _as_windows_1251)


class Source:
    """Text of a file that can be opened again and again.

    `dates`: the order of its dates, where somebody said it.
    """

    def __init__(self, opener: Callable[[], BinaryIO], dates: DateOrder | None = None) -> None:
        self._open = opener
        self.dates = dates
        self.is_cut = False  # whether the line just read has no end: it may still be being written

    @cached_property
    def _head_bytes(self) -> bytes:
        with self._open() as file:
            return file.read(HEAD_BYTES)

    @cached_property
    def head(self) -> str:
        """The beginning of the file: what formats are told apart by."""
        return self._head_bytes.decode(self._encoding, _FALLBACK)

    @property
    def _encoding(self) -> str:
        utf16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        return "utf-16" if self._head_bytes.startswith(utf16) else "utf-8-sig"

    def pieces(self) -> Iterator[str]:
        """The text in pieces of some size, for formats without lines: an array may be one line."""
        with self._open() as file, self._text(file) as text:
            yield from iter(lambda: text.read(PIECE), "")

    def _text(self, file: BinaryIO) -> io.TextIOWrapper:
        errors = "replace" if self._encoding == "utf-16" else _FALLBACK
        return io.TextIOWrapper(file, self._encoding, errors)

    def lines(self) -> Iterator[str]:
        """Each physical line, cut where no record is so long. CR, LF and CR LF all end one."""
        with self._open() as file, self._text(file) as text:
            for line in iter(partial(text.readline, LONGEST_LINE), ""):
                if len(line) == LONGEST_LINE:
                    _skip_rest(line, text)
                self.is_cut = line[-1] != "\n"
                yield line.replace("\0", "") if "\0" in line else line

    @cached_property
    def delimiter(self) -> str:
        """What parts the fields: the sign that cuts the most lines into the same many pieces."""
        return max(DELIMITERS, key=lambda sign: _regularity(self.sample(sign)))

    def rows(self, delimiter: str | None = None) -> Iterator[list[str]]:
        """Each physical line as CSV fields, blank lines as []: row and line numbers agree.

        A quote left open would swallow the lines after it; such a line is read without quotes.
        """
        return read_rows(self.lines(), delimiter or self.delimiter)

    def sample(self, delimiter: str | None = None) -> list[list[str]]:
        """The first rows that have fields; the last line of the head may be cut off, so it is
        left out of a longer file.
        """
        delimiter = delimiter or self.delimiter
        lines = list(io.StringIO(self.head.replace("\0", ""), newline=None))
        if len(self._head_bytes) == HEAD_BYTES:
            lines.pop()
        return list(islice(filter(None, read_rows(iter(lines), delimiter)), SAMPLE_ROWS))


def _regularity(rows: list[list[str]]) -> float:
    """How much rows look like a table: columns × the square of the share of rows that have them."""
    widths = Counter(map(len, rows))
    return max(
        (width * (count / len(rows)) ** 2 for width, count in widths.items() if width > 1),
        default=0,
    )


def _skip_rest(line: str, text: io.TextIOWrapper) -> None:
    """Read on to the end of a line that was cut."""
    while line and not line.endswith("\n"):
        line = text.readline(LONGEST_LINE)


def read_rows(lines: Iterator[str], delimiter: str = ",") -> Iterator[list[str]]:
    """One list of fields per line, however its quotes stand."""
    pulled: list[str] = []  # lines of the record that `csv` is reading
    line = ""

    def feed() -> Iterator[str]:
        while (text := next(lines, None) if pulled else line) is not None:
            pulled.append(text)
            yield text.replace('"', "") if text.count('"') & 1 else text

    reader = csv.reader(feed(), delimiter=delimiter)
    for line in lines:
        row = _plain_fields(line, delimiter)
        if row is not None:
            yield row
            continue
        try:
            row = next(reader)
        except csv.Error:
            reader = csv.reader(feed(), delimiter=delimiter)
        if row is not None and len(pulled) == 1:
            yield row
        else:
            yield from _rows_without_quotes(pulled, delimiter)
        pulled.clear()


def _plain_fields(line: str, delimiter: str) -> list[str] | None:
    """The fields of a line in which all are quoted or none is: what `csv` makes of it, in a third
    of the time. None for other lines. Line ends are LF, and there is no NUL in a line.
    """
    if '"' not in line:
        text = line.removesuffix("\n")
        return text.split(delimiter) if text else []
    if not (line[0] == '"' and line[-2:] == '"\n' and len(line) > 2):
        return None
    inside = line[1:-2].replace(f'"{delimiter}"', "\n")
    if '"' in inside:
        inside = inside.replace('""', "\0")
        if '"' in inside:  # it stands for itself, or ends a field in which there is more
            return None
        inside = inside.replace("\0", '"')
    return inside.split("\n")


def _rows_without_quotes(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    for line in lines:
        yield line.rstrip("\r\n").replace('"', "").split(delimiter) if line.strip() else []
