"""Credit notes: what is given back of an invoice, which itself never changes. Invoices are
`billing.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from domain.accounts import check_name
from domain.billing.forming import vat_totals
from domain.billing.invoice import InvoiceContent, Line, VatTotal
from domain.billing.totals import refunded
from domain.errors import CorrectedMeanwhile, InvalidValue
from domain.languages import OWN, language
from domain.money import split
from models_billing import Invoice
from services import audit, billing, invoice_orders, invoices, queue
from services.audit import AuditEventKind, By
from services.months import Cut
from services.transactions import lock_client, write_tx

LONGEST_REASON = 120  # it stands before the name of each line


@dataclass(frozen=True)
class Correction:
    """So much of a line is given back; without a part, all that is left of it."""

    ordinal: int
    part: Fraction | None = None


@dataclass(frozen=True)
class Left:
    """What of a line can still be given back: kopecks, with the sign of the line."""

    line: Line
    net: int
    gross: int  # of a price that holds its VAT

    @property
    def sum(self) -> int:
        """As the operator types it: with VAT where the price holds it."""
        return self.gross if self.line.gross else self.net


def left_of(invoice: Invoice) -> list[Left]:
    """The lines of an invoice with what credit notes have left of them."""
    known = _known(invoice)
    found = []
    for line in known.original.lines:
        net, gross = _sums_of(known.given_back, line)
        found.append(Left(line, line.net + net, line.gross + gross))
    return found


def corrections_of(invoice: Invoice, sums: Mapping[int, int] | None) -> list[Correction]:
    """What gives back the `sums` (ordinal of a line → kopecks, as `Left.sum` but without a sign);
    None: all that is left.

    Raises `InvalidValue` for a sum that is no more there, and when nothing is given back.
    """
    made: list[Correction] = []
    lefts = left_of(invoice)
    if strange := set(sums or ()) - {left.line.ordinal for left in lefts}:
        raise InvalidValue(what="line", value=min(strange))
    for left in lefts:
        wanted = abs(left.sum) if sums is None else sums.get(left.line.ordinal, 0)
        if not wanted:
            continue
        if not 0 < wanted <= abs(left.sum):
            raise InvalidValue(what="line", value=left.line.ordinal)
        whole = abs(left.line.gross or left.line.net)
        part = None if wanted == abs(left.sum) else Fraction(wanted, whole)
        made.append(Correction(left.line.ordinal, part))
    if not made:
        raise InvalidValue("nothing is given back", what="correction", value="")
    return made


def rates_of(lefts: Sequence[Left]) -> dict[int, int]:
    """What is left of each rate of VAT (hundredths of a per cent), of lines whose VAT is counted on
    their sum: the highest rate first.
    """
    sums: dict[int, int] = {}
    for left in sorted(lefts, key=lambda each: -each.line.vat_percent):
        if not left.line.gross:
            sums[left.line.vat_percent] = sums.get(left.line.vat_percent, 0) + left.net
    return {percent: net for percent, net in sums.items() if net > 0}


def parted(lefts: Sequence[Left], by_rate: Mapping[int, int]) -> dict[int, int]:
    """Sums given back of rates of VAT, parted over their lines by what is left of those; with what
    is given back discounts fall.

    Raises `InvalidValue` for a sum that is no more there.
    """
    rates, sums = rates_of(lefts), {}
    for percent, wanted in by_rate.items():
        if not wanted:
            continue
        if not 0 < wanted <= rates.get(percent, 0):
            raise InvalidValue(what="rate", value=percent)
        own = [left for left in lefts if left.line.vat_percent == percent and not left.line.gross]
        parts = split(wanted, [left.net for left in own])
        sums.update({left.line.ordinal: abs(n) for left, n in zip(own, parts, strict=True)})
    return sums


@language(OWN)
def look(
    invoice: Invoice, corrections: Sequence[Correction], *, reason: str, now: datetime
) -> InvoiceContent:
    """What would stand on the credit note; it has no number yet. Raises as `correct` does."""
    if invoice.ordinal:
        raise InvalidValue("a credit note itself", what="invoice", value=invoice.number)
    known = _known(invoice)
    original = known.original
    lines: list[Line] = []
    for each in corrections:
        before = [*known.given_back, *lines]
        lines.append(_given_back(original, before, each, len(lines) + 1, reason))
    if original.net > 0 and sum(line.net for line in lines) >= 0:  # discounts taken back, no more
        raise InvalidValue("nothing is given back", what="correction", value="")
    return replace(
        original,
        number="",
        key="",
        corrects=original.number,
        issued_on=now.date(),
        lines=tuple(lines),
        vat=_vat_of(known, lines),
        opening=billing.last_document(invoice.client).closing,
        payments=(),
        subscribers=0,
        annex_sha256="",
    )


def correct(
    invoice: Invoice, corrections: Sequence[Correction], *, reason: str, now: datetime
) -> Invoice:
    """Give out a credit note on an invoice: its lines are those given back, less than nothing.
    `reason` stands before the name of each.

    Raises `InvalidValue` for a line that is not there, or when more is given back than is left.
    """
    with write_tx():
        lock_client(invoice.client)
        content = look(invoice, corrections, reason=reason, now=now)
        note, _content = billing.give_out(
            invoice.client,
            content,
            cut=Cut(invoice.until_run, tuple(invoice.open_runs)),
            run=None,
            ordinal=len(invoices.credit_notes_of(invoice)) + 1,
            corrects=invoice,
            now=now,
        )
    return note


def give(
    invoice: Invoice,
    sums: Mapping[int, int] | None,
    *,
    reason: str,
    after: int | None = None,
    mail: bool = True,
    by: By,
) -> Invoice:
    """`correct` by somebody's hand, written down, and mailed as the month's own letter is. `sums`
    are those of `corrections_of`; `after`: how many credit notes whoever asks has seen.

    Raises `CorrectedMeanwhile` when there are more by now, and as `corrections_of` does.
    """
    reason = check_reason(reason)
    with write_tx():
        lock_client(invoice.client)
        if after is not None and after != len(invoices.credit_notes_of(invoice)):
            raise CorrectedMeanwhile
        note = correct(invoice, corrections_of(invoice, sums), reason=reason, now=by.now)
        order = invoice_orders.place_regular(note, now=by.now) if mail else None
        subject = f"invoice:{note.id}"
        kind = AuditEventKind.BILL_CORRECTED
        audit.record_by(kind, by, client=invoice.client, subject=subject, bill=invoice.id)
    if order is not None:
        queue.hint(order.id)
    return note


def check_reason(text: str) -> str:
    """The reason as it is printed. Raises `InvalidValue` for none, and for one that is too long."""
    plain = check_name(text)
    if len(plain) > LONGEST_REASON:
        raise InvalidValue("too long", what="reason", value=len(plain))
    return plain


@dataclass(frozen=True)
class _Known:
    """An invoice, and what credit notes have given back of it."""

    original: InvoiceContent
    given_back: list[Line]
    vat: list[VatTotal]  # of the invoice and of its notes


def _known(invoice: Invoice) -> _Known:
    original = invoices.content_of(invoice)
    notes = [invoices.content_of(note) for note in invoices.credit_notes_of(invoice)]
    return _Known(
        original,
        [line for note in notes for line in note.lines],
        [rate for content in (original, *notes) for rate in content.vat],
    )


def _sums_of(given_back: Sequence[Line], line: Line) -> tuple[int, int]:
    """What has been given back of a line: net and gross, less than nothing."""
    before = [each for each in given_back if each.corrects_line == line.ordinal]
    return sum(each.net for each in before), sum(each.gross for each in before)


def _given_back(
    original: InvoiceContent,
    given_back: Sequence[Line],
    correction: Correction,
    ordinal: int,
    reason: str,
) -> Line:
    line = next((each for each in original.lines if each.ordinal == correction.ordinal), None)
    part = correction.part
    if line is None or not (part is None or 0 < part <= 1):
        raise InvalidValue(what="line", value=correction.ordinal)
    net_before, gross_before = _sums_of(given_back, line)
    if part is None:
        net, gross = -(line.net + net_before), -(line.gross + gross_before)
    else:
        net, gross = -refunded(line.net, part), -refunded(line.gross, part)
    if abs(net_before + net) > abs(line.net) or abs(gross_before + gross) > abs(line.gross):
        raise InvalidValue(what="line", value=correction.ordinal)
    return replace(
        line,
        ordinal=ordinal,
        name=f"{reason}: {line.name}",
        net=net,
        gross=gross,
        corrects_line=line.ordinal,
    )


def _vat_of(known: _Known, lines: Sequence[Line]) -> tuple[VatTotal, ...]:
    """Once per rate on the sum of the note's own lines; the note that leaves nothing of a rate
    takes what is left of its VAT, and none takes more.
    """
    totals = []
    for rate in vat_totals(lines):
        vat_left = sum(each.vat for each in known.vat if each.percent == rate.percent)
        every = (*known.original.lines, *known.given_back, *lines)
        net_left = sum(each.net for each in every if each.vat_percent == rate.percent)
        is_more = abs(rate.vat) > abs(vat_left)
        totals.append(replace(rate, vat=-vat_left) if is_more or not net_left else rate)
    return tuple(totals)
