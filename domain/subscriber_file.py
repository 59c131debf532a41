"""Files with what is known of a client's numbers. Each mistake is told with its line; whose a
number is decides `services/subscriber_import.py`.
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from domain.accounts import check_detail
from domain.errors import InvalidValue
from domain.msisdn import is_well_formed, normalise
from domain.subscribers import SubscriberStatus
from domain.tables import Bad, Mistake, Row, Table, by_word, word_of

MISTAKES_SHOWN = 100
NOTHING = frozenset("-–—")  # a cell with that empties what is held; an empty one leaves it


# What a column means, by its title without case, spaces and signs.
TITLES = MappingProxyType(
    by_word(
        {
            "number": "number phone phonenumber номер номертелефона телефон абонентскийномер",
            "full_name": "name fullname фио абонент имя",
            "connection": "connection sipconnection соединение sipсоединение",
            "status": "status статус состояние",
            "status_reason": "reason statusreason reasonofthestatus причина причинастатуса",
        }
    )
)
STATUSES = MappingProxyType(
    by_word(
        {
            SubscriberStatus.ACTIVE: "active активный активен активна",
            SubscriberStatus.BLOCKED: "blocked заблокированный заблокирован заблокирована",
            SubscriberStatus.CLOSED: "closed закрытый закрыт закрыта",
        }
    )
)


class SubscriberLine(NamedTuple):
    """A number and what the file says of it: None is nothing, "" that there is none."""

    line: int
    number: str  # normal form
    full_name: str | None = None
    connection: str | None = None  # normal form
    status: str | None = None
    status_reason: str | None = None


@dataclass
class SubscriberFile:
    """What was read of a file."""

    lines: list[SubscriberLine] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # titles of columns without a meaning here


def read_subscribers(content: bytes) -> SubscriberFile:
    """Read a list: UTF-8 or Windows-1251, parted by `;` `,` or tabs, titles on its first line.

    Raises `InvalidValue` when the titles name no number, or nothing beside it that is known.
    """
    table = Table(content, TITLES, what="file")
    titles, meanings = table.titles, table.meanings
    if "number" not in meanings or not (len(titles) == 1 or {*meanings} - {None, "number"}):
        raise InvalidValue("no column of numbers", what="titles", value=table.head.strip()[:80])
    told = SubscriberFile()
    told.ignored = [
        " ".join(title.split())
        for title, meaning in zip(titles, meanings, strict=True)
        if meaning is None and title.strip()
    ]
    _read_rows(told, table)
    return told


def _read_rows(told: SubscriberFile, table: Table) -> None:
    seen: dict[str, int] = {}
    for row in table.rows():
        line = row.first_line
        try:
            read = _read_row(table, row)
        except Bad as bad:
            told.mistakes.append(Mistake(line, bad.code, bad.value))
            continue
        if (first := seen.setdefault(read.number, line)) == line:
            told.lines.append(read)
        else:
            told.mistakes.append(Mistake(line, "repeated", str(first)))


def _read_row(table: Table, row: Row) -> SubscriberLine:
    cells: dict[str, str] = {}
    for meaning, cell in table.meant(row.cells):
        if cell.strip():
            cells.setdefault(meaning, cell.strip())
    number = normalise(cells.pop("number", ""))
    if not is_well_formed(number):
        raise Bad("no_number", number)
    read = SubscriberLine(row.first_line, number)
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
        raise Bad("too_long", cell[:40] + "…") from None


def _status(cell: str) -> str:
    word = word_of(cell)
    if word not in STATUSES:
        raise Bad("unknown_status", cell)
    return str(STATUSES[word])
