"""Many instalment plans as a file, a line each. A file with a mistake in it is refused whole, each
mistake with its line; whose a plan is decides `services/instalment_files.py`.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from domain.billing.statement import decode
from domain.errors import InvalidValue
from domain.money import read_kopecks

LONGEST_TEXT = 255
DATES = ("%d.%m.%Y", "%Y-%m-%d")
NEEDED = ("account", "contract", "goods", "price", "months", "start")
_SIGNS = re.compile(r"[\W_]+")

# What a column means, by its title without case, spaces and signs.
TITLES: Mapping[str, str] = MappingProxyType(
    {
        title: meaning
        for meaning, titles in {
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
        }.items()
        for title in titles.split()
    }
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


class Mistake(NamedTuple):
    """What is wrong with a line. `code` is one of those in `texts.INSTALMENT_MISTAKES`."""

    line: int
    code: str
    value: str = ""


@dataclass
class PlanFile:
    """What was read of a file."""

    lines: list[PlanLine] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


class _Bad(Exception):
    def __init__(self, code: str, value: str = "") -> None:
        super().__init__(code)
        self.code, self.value = code, value


def read_plans(content: bytes) -> PlanFile:
    """Read plans: UTF-8 or Windows-1251, parted by `;` `,` or tabs, titles on the first line.

    Raises `InvalidValue` when a title that is needed is not there, or stands there twice.
    """
    text = decode(content)
    if "\0" in text:  # two bytes a letter, or no text: PostgreSQL keeps none of it
        raise InvalidValue("a NUL in the text", what="file", value="NUL")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=first.count))
    told = PlanFile()
    try:
        meanings = [TITLES.get(_SIGNS.sub("", title.casefold())) for title in next(rows, [])]
        _check_titles(meanings)
        for row in rows:
            if any(cell.strip() for cell in row):
                try:
                    told.lines.append(_read_row(meanings, row, rows.line_num))
                except _Bad as bad:
                    told.mistakes.append(Mistake(rows.line_num, bad.code, bad.value))
    except csv.Error as error:
        raise InvalidValue(str(error), what="file", value=str(error)) from error
    return told


def _check_titles(meanings: list[str | None]) -> None:
    for name in dict.fromkeys((*NEEDED, *filter(None, meanings))):
        if meanings.count(name) != 1:
            raise InvalidValue(f"not one column holds {name}", what="columns", value=name)


def _read_row(meanings: list[str | None], row: list[str], line: int) -> PlanLine:
    if any(cell.strip() for cell in row[len(meanings) :]):
        raise _Bad("too_many_cells", str(len(row)))
    texts = (" ".join(cell.split()) for cell in row)
    cells = {name: text for name, text in zip(meanings, texts, strict=False) if name}
    for name in NEEDED:
        if not cells.get(name):
            raise _Bad("nothing_in", name)
    for text in cells.values():
        if len(text) > LONGEST_TEXT:
            raise _Bad("too_long", f"{text[:40]}…")
    payer = PAYERS.get(cells.get("payer", "").casefold())
    if payer is None:
        raise _Bad("no_payer", cells["payer"])
    return PlanLine(
        line,
        cells["account"],
        cells.get("number", ""),
        cells["contract"],
        cells["goods"],
        cells.get("serial", ""),
        _sum(cells["price"]),
        _sum(cells.get("first") or "0"),
        _whole(cells["months"]),
        _day(cells["start"]),
        payer,
    )


def _sum(text: str) -> int:
    try:
        return read_kopecks(text)
    except InvalidValue:
        raise _Bad("no_amount", text) from None


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", text):
        raise _Bad("no_count", text)
    return int(text)


def _day(text: str) -> date:
    for shape in DATES:
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day, nothing more
        except ValueError:
            continue
    raise _Bad("no_date", text)
