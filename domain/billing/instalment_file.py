"""Many instalment plans as a file, a line each. A file with a mistake in it is refused whole, each
mistake with its line; whose a plan is decides `services/instalment_files.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from domain.errors import InvalidValue
from domain.tables import Bad, Mistake, Row, Table, by_word, day, kopecks

LONGEST_TEXT = 255
DATES = ("%d.%m.%Y", "%Y-%m-%d")
NEEDED = ("account", "contract", "goods", "price", "months", "start")

# What a column means, by its title without case, spaces and signs.
TITLES: Mapping[str, str] = MappingProxyType(
    by_word(
        {
            "account": "account accountno лицевойсчет лицевойсчёт номерлицевогосчета лс",
            "number": "number phone phonenumber номер номертелефона телефон абонент",
            "contract": (
                "contract contractno договор номердоговора договоррассрочки номердоговорарассрочки"
            ),
            "goods": "goods товар модель товармодель наименованиетовара",
            "serial": "serial serialno serialnumber imei серийныйномер imeiсерийныйномер",
            "price": "price pricewithvat стоимость цена стоимостьсндс ценасндс",
            "first": "first firstpayment первыйвзнос первоначальныйвзнос",
            "months": "months parts взносов частей количествовзносов числовзносов месяцев",
            "start": "start startson from начало датаначала датапервоговзноса",
            "payer": "payer плательщик",
        }
    )
)
PAYERS: Mapping[str, str] = MappingProxyType(
    {
        "": "client",
        **dict.fromkeys(("client", "company", "клиент", "компания", "организация"), "client"),
        **dict.fromkeys(("employee", "сотрудник", "работник"), "employee"),
    }
)


class PlanLine(NamedTuple):
    """A plan as it is told. Sums are kopecks with VAT."""

    line: int
    account: str
    number: str
    contract: str
    goods: str
    serial: str
    price: int
    first: int
    months: int
    start: date
    payer: str


@dataclass
class PlanFile:
    """What was read of a file."""

    lines: list[PlanLine] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def read_plans(content: bytes) -> PlanFile:
    """Read plans: UTF-8 or Windows-1251, parted by `;` `,` or tabs, titles on the first line.

    Raises `InvalidValue` when a title that is needed is not there, or stands there twice.
    """
    table = Table(content, TITLES, what="file")
    _check_titles(table.meanings)
    told = PlanFile()
    for row in table.rows():
        try:
            told.lines.append(_read_row(table, row))
        except Bad as bad:
            told.mistakes.append(Mistake(row.last_line, bad.code, bad.value))
    return told


def _check_titles(meanings: list[str | None]) -> None:
    for name in dict.fromkeys((*NEEDED, *filter(None, meanings))):
        if meanings.count(name) != 1:
            raise InvalidValue(f"not one column holds {name}", what="columns", value=name)


def _read_row(table: Table, row: Row) -> PlanLine:
    cells = {name: " ".join(cell.split()) for name, cell in table.meant(row.cells)}
    for name in NEEDED:
        if not cells.get(name):
            raise Bad("nothing_in", name)
    for text in cells.values():
        if len(text) > LONGEST_TEXT:
            raise Bad("too_long", f"{text[:40]}…")
    payer = PAYERS.get(cells.get("payer", "").casefold())
    if payer is None:
        raise Bad("no_payer", cells["payer"])
    return PlanLine(
        row.last_line,
        cells["account"],
        cells.get("number", ""),
        cells["contract"],
        cells["goods"],
        cells.get("serial", ""),
        kopecks(cells["price"]),
        kopecks(cells.get("first") or "0"),
        _whole(cells["months"]),
        day(cells["start"], DATES),
        payer,
    )


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", text):
        raise Bad("no_count", text)
    return int(text)
