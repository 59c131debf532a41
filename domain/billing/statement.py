"""Bank statements as files: which sums came from whom. A file with a mistake in it is refused
whole, each mistake with its line; who a payer is decides `services/payments.py`.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from domain.billing.methods import TRANSFER, read_method
from domain.errors import InvalidValue
from domain.money import read_kopecks

MISTAKES_SHOWN = 100
LONGEST_TEXT = 255
DATES = ("%d.%m.%Y", "%Y-%m-%d", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S")
_SIGNS = re.compile(r"[\W_]+")

# What a column means, by its title without case, spaces and signs.
TITLES: Mapping[str, str] = MappingProxyType(
    {
        title: meaning
        for meaning, titles in {
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
        }.items()
        for title in titles.split()
    }
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


class Mistake(NamedTuple):
    """What is wrong with a line. `code` is one of those in `texts.STATEMENT_MISTAKES`."""

    line: int
    code: str
    value: str = ""


@dataclass
class Statement:
    """What was read of a statement."""

    lines: list[StatementLine] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    outgoing: int = 0  # lines of what the operator has paid itself


class _Bad(Exception):
    def __init__(self, code: str, value: str) -> None:
        super().__init__(code)
        self.code, self.value = code, value


def read_statement(content: bytes) -> Statement:
    """Read a statement: UTF-8 or Windows-1251, parted by `;` `,` or tabs, titles on its first line.

    Raises `InvalidValue` when the titles name no date, no sum, or nothing that tells the payer.
    """
    text = decode(content)
    if "\0" in text:  # two bytes a letter, or no text: PostgreSQL keeps none of it
        raise InvalidValue("a NUL in the text", what="statement", value="NUL")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=first.count))
    told = Statement()
    try:
        meanings = [TITLES.get(_SIGNS.sub("", title.casefold())) for title in next(rows, [])]
        _check_titles(meanings)
        for row in rows:
            if any(cell.strip() for cell in row):
                _take(told, meanings, row, rows.line_num)
    except csv.Error as error:
        raise InvalidValue(str(error), what="statement", value=str(error)) from error
    return told


def decode(content: bytes) -> str:
    """A statement's text: UTF-8, or else Windows-1251."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1251", "replace")


def _check_titles(meanings: list[str | None]) -> None:
    for names in ({"date"}, {"amount"}, {"account", "unp"}):
        if not names & set(meanings):
            what = " / ".join(sorted(names))
            raise InvalidValue(f"no column holds {what}", what="statement", value=what)


def _take(told: Statement, meanings: list[str | None], row: list[str], line: int) -> None:
    try:
        read = _read_row(meanings, row, line)
    except _Bad as bad:
        if len(told.mistakes) < MISTAKES_SHOWN:
            told.mistakes.append(Mistake(line, bad.code, bad.value))
        return
    if read is None:
        told.outgoing += 1
    else:
        told.lines.append(read)


def _read_row(meanings: list[str | None], row: list[str], line: int) -> StatementLine | None:
    if len(row) > len(meanings) and any(cell.strip() for cell in row[len(meanings) :]):
        raise _Bad("too_many_cells", str(len(row)))
    cells: dict[str, str] = {}
    for meaning, cell in zip(meanings, row, strict=False):
        if meaning and cell.strip() and meaning not in cells:
            cells[meaning] = " ".join(cell.split())[:LONGEST_TEXT]
    if _amount(cells.get("debit", "0")) and not _amount(cells.get("amount", "0")):
        return None
    amount = _amount(cells.get("amount", ""))
    if amount <= 0:
        raise _Bad("not_received", cells["amount"])
    texts = (cells.get(name, "") for name in ("account", "unp", "document_no", "payer", "purpose"))
    document_on, method = (_said(cells, name) for name in ("document_on", "method"))
    document_on = _day(document_on) if document_on else None
    paid_on, method = _day(cells.get("date", "")), _method(method)
    return StatementLine(line, paid_on, amount, *texts, document_on, method)


def _amount(text: str) -> int:
    try:
        return read_kopecks(text)
    except InvalidValue:
        raise _Bad("no_amount", text) from None


def _said(cells: dict[str, str], name: str) -> str:
    """A cell, "" for one that only says that there is nothing, as «-» does."""
    told = cells.get(name, "")
    return told if any(sign.isalnum() for sign in told) else ""


def _method(text: str) -> str:
    try:
        return read_method(text)
    except InvalidValue:
        raise _Bad("unknown_method", text) from None


def _day(text: str) -> date:
    for shape in DATES:
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day, nothing more
        except ValueError:
            continue
    raise _Bad("no_date", text)
