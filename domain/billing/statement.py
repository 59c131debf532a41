"""Bank statements as files: which sums came from whom. A file with a mistake in it is refused
whole, each mistake with its line; who a payer is decides `services/payments.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from domain.billing.methods import TRANSFER, read_method
from domain.errors import InvalidValue
from domain.tables import Bad, Mistake, Row, Table, by_word, day, kopecks

MISTAKES_SHOWN = 100
LONGEST_TEXT = 255
DATES = ("%d.%m.%Y", "%Y-%m-%d", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S")

# What a column means, by its title without case, spaces and signs.
TITLES: Mapping[str, str] = MappingProxyType(
    by_word(
        {
            "date": "date paidon операционныйдень датаоплаты датаплатежа датазачисления дата",
            "amount": "amount sum credit сумма суммаплатежа кредит зачислено приход",
            "debit": "debit дебет списано расход",
            "account": "account accountno лицевойсчет лицевойсчёт номерлицевогосчета лс",
            "unp": "unp taxid унп унпплательщика унн",
            "document_no": (
                "document documentno documentnumber number номердокумента номерплатежки документ"
                " номер документа"
            ),
            "document_on": (
                "documentdate documenton датадокумента датапп датаплатежногопоручения"
                " датаплатёжногопоручения датаплатежки датаплатёжки"
            ),
            "method": ("method paymentmethod wayofpayment способ способоплаты способплатежа"),
            "payer": "payer name плательщик наименованиеплательщика контрагент корреспондент",
            "purpose": "purpose details назначение назначениеплатежа",
        }
    )
)


class StatementLine(NamedTuple):
    """Money that came."""

    line: int
    paid_on: date
    amount: int  # kopecks
    account: str
    unp: str
    document_no: str
    payer: str
    purpose: str
    document_on: date | None = None
    method: str = TRANSFER


@dataclass
class Statement:
    """What was read of a statement."""

    lines: list[StatementLine] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    outgoing: int = 0  # lines of what the operator has paid itself


def read_statement(content: bytes) -> Statement:
    """Read a statement: UTF-8 or Windows-1251, parted by `;` `,` or tabs, titles on its first line.

    Raises `InvalidValue` when the titles name no date, no sum, or nothing that tells the payer.
    """
    table = Table(content, TITLES, what="statement")
    _check_titles(table.meanings)
    told = Statement()
    for row in table.rows():
        try:
            read = _read_row(table, row)
        except Bad as bad:
            if len(told.mistakes) < MISTAKES_SHOWN:
                told.mistakes.append(Mistake(row.last_line, bad.code, bad.value))
            continue
        if read is None:
            told.outgoing += 1
        else:
            told.lines.append(read)
    return told


def _check_titles(meanings: list[str | None]) -> None:
    for names in ({"date"}, {"amount"}, {"account", "unp"}):
        if not names & set(meanings):
            what = " / ".join(sorted(names))
            raise InvalidValue(f"no column holds {what}", what="statement", value=what)


def _read_row(table: Table, row: Row) -> StatementLine | None:
    cells: dict[str, str] = {}
    for meaning, cell in table.meant(row.cells):
        if cell.strip():
            cells.setdefault(meaning, " ".join(cell.split())[:LONGEST_TEXT])
    if kopecks(cells.get("debit", "0")) and not kopecks(cells.get("amount", "0")):
        return None
    amount = kopecks(cells.get("amount", ""))
    if amount <= 0:
        raise Bad("not_received", cells["amount"])
    texts = (cells.get(name, "") for name in ("account", "unp", "document_no", "payer", "purpose"))
    document_on, method = (_said(cells, name) for name in ("document_on", "method"))
    document_on = day(document_on, DATES) if document_on else None
    paid_on, method = day(cells.get("date", ""), DATES), _method(method)
    return StatementLine(row.last_line, paid_on, amount, *texts, document_on, method)


def _said(cells: dict[str, str], name: str) -> str:
    """A cell, "" for one that only says that there is nothing, as «-» does."""
    told = cells.get(name, "")
    return told if any(sign.isalnum() for sign in told) else ""


def _method(text: str) -> str:
    try:
        return read_method(text)
    except InvalidValue:
        raise Bad("unknown_method", text) from None
