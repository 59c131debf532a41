"""What stands on an invoice, frozen when it is given out. Money is kopecks, VAT hundredths of a per
cent. The document in every form, and its hash, are made of this and of nothing else.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any


class LineKind(StrEnum):
    """What a line is for."""

    FEE = "fee"
    CALLS = "calls"
    LATE_CALLS = "late_calls"  # of months whose invoice was given out before they came
    ONE_OFF = "one_off"
    INSTALMENT = "instalment"
    DISCOUNT = "discount"


@dataclass(frozen=True, kw_only=True)
class Party:
    """One side of an invoice, as it was then."""

    name: str
    unp: str
    address: str = ""
    bank: str = ""
    iban: str = ""
    bic: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line: what for, how much of it, and the sum without VAT."""

    ordinal: int  # from 1
    kind: LineKind
    name: str
    quantity: int  # numbers, calls, pieces
    net: int
    vat_percent: int
    code: str = ""  # of the fee; the destination group of calls
    seconds: int = 0  # paid ones, of calls
    service: str = "telecom"
    gross: int = 0  # of a price that holds its VAT: what `net` was taken out of
    corrects_line: int = 0  # on a credit note: the line of which it gives something back


@dataclass(frozen=True, kw_only=True)
class VatTotal:
    """The lines of one rate of VAT together."""

    percent: int
    net: int
    vat: int


@dataclass(frozen=True, kw_only=True)
class PaymentLine:
    """Money received in the period."""

    paid_on: date
    document_no: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class AnnexRow:
    """What one number has on the invoice; `sums`: ordinal of a line → (quantity, seconds, net)."""

    subscriber_id: int
    number: str
    full_name: str
    plan: str
    sums: Mapping[int, tuple[int, int, int]]

    @property
    def net(self) -> int:
        """All of it without VAT."""
        return sum(net for _quantity, _seconds, net in self.sums.values())


@dataclass(frozen=True, kw_only=True)
class InvoiceContent:
    """A whole invoice but for its annex, which `annex_sha256` binds to it."""

    number: str  # as people write it: «2026-000123»
    key: str  # of `/verify/<key>`
    corrects: str = ""  # a credit note's invoice, by its number
    period: date  # first day of the month
    issued_on: date
    due_on: date
    operator: Party
    client: Party
    account_no: str
    contract_no: str = ""
    contract_date: date | None = None
    lines: tuple[Line, ...]
    vat: tuple[VatTotal, ...]
    opening: int  # what the client owed before; less than nothing: was ahead by
    payments: tuple[PaymentLine, ...] = ()
    subscribers: int = 0  # rows of the annex
    annex_sha256: str = ""

    @property
    def net(self) -> int:
        """All lines without VAT."""
        return sum(part.net for part in self.vat)

    @property
    def vat_sum(self) -> int:
        """VAT of all rates."""
        return sum(part.vat for part in self.vat)

    @property
    def total(self) -> int:
        """With VAT."""
        return self.net + self.vat_sum

    @property
    def paid(self) -> int:
        """Payments of the period."""
        return sum(payment.amount for payment in self.payments)

    @property
    def closing(self) -> int:
        """To pay by `due_on`; less than nothing: the client is ahead by that."""
        return self.opening + self.total - self.paid


def to_json(content: InvoiceContent) -> str:
    """Canonical: the same content is always the same text."""
    return _dump(asdict(content))


def from_json(text: str) -> InvoiceContent:
    """The content of a stored text."""
    told = json.loads(text)
    told.update(
        operator=Party(**told["operator"]),
        client=Party(**told["client"]),
        lines=tuple(Line(**line | {"kind": LineKind(line["kind"])}) for line in told["lines"]),
        vat=tuple(VatTotal(**part) for part in told["vat"]),
        payments=tuple(
            PaymentLine(**payment | {"paid_on": date.fromisoformat(payment["paid_on"])})
            for payment in told["payments"]
        ),
    )
    for field in fields(InvoiceContent):
        if field.type in {date, date | None} and told[field.name] is not None:
            told[field.name] = date.fromisoformat(told[field.name])
    return InvoiceContent(**told)


def content_hash(previous: str, text: str) -> str:
    """The link of an invoice to the one before it in its series."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def annex_hash(rows: list[AnnexRow]) -> str:
    """Digest of the annex, in the order of its numbers."""
    ordered = sorted(rows, key=lambda row: (row.number, row.subscriber_id))
    return hashlib.sha256(_dump([asdict(row) for row in ordered]).encode()).hexdigest()


def _dump(value: Any) -> str:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat
    )


def number_text(series: str, year: int, number: int) -> str:
    """How people write an invoice's number.

    >>> number_text("", 2026, 7), number_text("A", 2026, 7)
    ('2026-000007', 'A-2026-000007')
    """
    return f"{series}{'-' if series else ''}{year}-{number:06}"


def read_number(text: str) -> tuple[str, int, int] | None:
    """Series, year and number of what people write; None for no number of an invoice.

    >>> read_number("A-2026-000007"), read_number("2026-7"), read_number("7")
    (('A', 2026, 7), ('', 2026, 7), None)
    """
    series, _dash, rest = text.strip().rpartition("-")
    series, _dash, year = series.rpartition("-")
    if not (year.isascii() and year.isdigit() and rest.isascii() and rest.isdigit()):
        return None
    return (series, int(year), int(rest)) if len(year) == 4 and len(rest) < 10 else None
