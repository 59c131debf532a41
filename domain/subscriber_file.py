"""Files with what is known of a client's numbers. Each mistake is told with its line; whose a
number is decides `services/subscriber_import.py`.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from domain.accounts import check_detail
from domain.billing.statement import decode
from domain.errors import InvalidValue
from domain.msisdn import is_well_formed, normalise
from domain.subscribers import SubscriberStatus

MISTAKES_SHOWN = 100
NOTHING = frozenset("-–—")  # a cell with that empties what is held; an empty one leaves it
_SIGNS = re.compile(r"[\W_]+")


def _by_word(words: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {word: meaning for meaning, each in words.items() for word in each.split()}
    )


# What a column means, by its title without case, spaces and signs.
TITLES = _by_word(
    {
        "number": "number phone phonenumber номер номертелефона телефон абонентскийномер",
        "full_name": "name fullname фио абонент имя",
        "connection": "connection sipconnection соединение sipсоединение",
        "status": "status статус состояние",
        "status_reason": "reason statusreason reasonofthestatus причина причинастатуса",
    }
)
STATUSES = _by_word(
    {
        SubscriberStatus.ACTIVE: "active активный активен активна",
        SubscriberStatus.BLOCKED: "blocked заблокированный заблокирован заблокирована",
        SubscriberStatus.CLOSED: "closed закрытый закрыт закрыта",
    }
)


class SubscriberLine(NamedTuple):
    """A number and what the file says of it: None is nothing, "" that there is none."""

    line: int
    number: str  # normal form
    full_name: str | None = None
    connection: str | None = None  # normal form
    status: str | None = None
    status_reason: str | None = None


class Mistake(NamedTuple):
    """What is wrong with a line. `code` is one of those in `texts.SUBSCRIBER_MISTAKES`."""

    line: int
    code: str
    value: str = ""


@dataclass
class SubscriberFile:
    """What was read of a file."""

    lines: list[SubscriberLine] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # titles of columns without a meaning here


class _Bad(Exception):
    def __init__(self, code: str, value: str) -> None:
        super().__init__(code)
        self.code, self.value = code, value


def read_subscribers(content: bytes) -> SubscriberFile:
    """Read a list: UTF-8 or Windows-1251, parted by `;` `,` or tabs, titles on its first line.

    Raises `InvalidValue` when the titles name no number, or nothing beside it that is known.
    """
    text = decode(content)
    if "\0" in text:  # two bytes a letter, or no text
        raise InvalidValue("a NUL in the text", what="file", value="NUL")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=first.count))
    told = SubscriberFile()
    try:
        titles = next(rows, [])
        meanings = [TITLES.get(_SIGNS.sub("", title.casefold())) for title in titles]
        if "number" not in meanings or not (len(titles) == 1 or {*meanings} - {None, "number"}):
            raise InvalidValue("no column of numbers", what="titles", value=first.strip()[:80])
        told.ignored = [
            " ".join(title.split())
            for title, meaning in zip(titles, meanings, strict=True)
            if meaning is None and title.strip()
        ]
        _read_rows(told, meanings, rows)
    except csv.Error as error:
        raise InvalidValue(str(error), what="file", value=str(error)) from error
    return told


def _read_rows(told: SubscriberFile, meanings: list[str | None], rows: Iterable[list[str]]) -> None:
    seen: dict[str, int] = {}
    before = rows.line_num  # type: ignore[attr-defined]
    for row in rows:  # a cell may hold several lines: a row is called by its first
        line, before = before + 1, rows.line_num  # type: ignore[attr-defined]
        if not any(cell.strip() for cell in row):
            continue
        try:
            read = _read_row(meanings, row, line)
        except _Bad as bad:
            told.mistakes.append(Mistake(line, bad.code, bad.value))
            continue
        if (first := seen.setdefault(read.number, line)) == line:
            told.lines.append(read)
        else:
            told.mistakes.append(Mistake(line, "repeated", str(first)))


def _read_row(meanings: list[str | None], row: list[str], line: int) -> SubscriberLine:
    if any(cell.strip() for cell in row[len(meanings) :]):
        raise _Bad("too_many_cells", str(len(row)))
    cells: dict[str, str] = {}
    for meaning, cell in zip(meanings, row, strict=False):
        if meaning and cell.strip():
            cells.setdefault(meaning, cell.strip())
    number = normalise(cells.pop("number", ""))
    if not is_well_formed(number):
        raise _Bad("no_number", number)
    read = SubscriberLine(line, number)
    for meaning, cell in cells.items():
        read = read._replace(**{meaning: _value(meaning, "" if cell in NOTHING else cell)})
    return read


def _value(meaning: str, cell: str) -> str | None:
    if meaning == "status":
        return _status(cell) if cell else None
    if meaning == "connection":
        return normalise(cell)
    try:
        return check_detail(" ".join(cell.split()))
    except InvalidValue:
        raise _Bad("too_long", cell[:40] + "…") from None


def _status(cell: str) -> str:
    word = _SIGNS.sub("", cell.casefold())
    if word not in STATUSES:
        raise _Bad("unknown_status", cell)
    return str(STATUSES[word])
