"""The calls behind an invoice: which ones they are, and whether they still make its lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from peewee import Expression, fn

from domain.billing.invoice import InvoiceContent, Line, LineKind
from domain.billing.reconciliation import Compared, Figures, Reason, compare, total_of
from domain.cdr.joining import load
from domain.cdr.record import CallDirection
from domain.periods import month_of
from domain.rating.states import UNRATED, CallRating
from models import Call, ImportRun, Subscriber
from models_billing import Invoice, TariffRate, UsageMonth
from services import charges, invoices, months, usage
from services.charges import Page, PricedCall

CALL_LINES = frozenset({LineKind.CALLS, LineKind.LATE_CALLS})


# --- Which calls ----------------------------------------------------------------------------------


def of_month(invoice: Invoice) -> Expression:
    """Condition: the call is of the invoice's month, and was there when it was formed."""
    return months.within(month_of(invoice.period)) & months.cut_of(invoice).holds()


def come_later(invoice: Invoice) -> Expression:
    """Condition: it is of that month, and came after."""
    return months.within(month_of(invoice.period)) & months.cut_of(invoice).later()


def of_earlier_months(invoice: Invoice) -> Expression | None:
    """Condition: it stands on the invoice as late. None: there is no invoice before this one."""
    before = previous_of(invoice)
    if before is None:
        return None
    return months.come_late(invoice.client_id, before, months.cut_of(invoice))


def previous_of(invoice: Invoice) -> Invoice | None:
    """The invoice of the month before, or None."""
    query = Invoice.of(invoice.client_id).where(
        Invoice.ordinal == 0, Invoice.period < invoice.period
    )
    return query.order_by(Invoice.period.desc()).first()


def carriers_of(invoice: Invoice) -> tuple[list[Invoice], bool]:
    """The invoices on which calls of this month stand that came after; and whether some still wait
    for theirs.
    """
    query = Invoice.of(invoice.client_id).where(
        Invoice.ordinal == 0, Invoice.period > invoice.period
    )
    calls = Call.select().where(
        _of_client(invoice), come_later(invoice), Call.rating == CallRating.PRICED
    )
    found, later = [], months.cut_of(invoice).later()
    for each in query.order_by(Invoice.period):
        cut = months.cut_of(each)
        if calls.where(later & cut.holds()).exists():
            found.append(each)
        later = cut.later()
    return found, calls.where(later).exists()


def _on_line(invoice: Invoice, line: Line) -> Expression:
    late = of_earlier_months(invoice) if line.kind is LineKind.LATE_CALLS else None
    return (of_month(invoice) if late is None else late) & _of_group(line.code)


def _of_group(group: str) -> Expression:
    rates = TariffRate.select(TariffRate.id).where(TariffRate.destination_group == group)
    return Call.rate_id.in_(rates)


def _on_any_line(invoice: Invoice) -> Expression:
    late = of_earlier_months(invoice)
    return of_month(invoice) if late is None else of_month(invoice) | late


# --- Calls of a number ----------------------------------------------------------------------------


@dataclass(frozen=True)
class NumberCalls:
    """A page of the calls that a number has on an invoice, and what all of them make."""

    page: Page[PricedCall]
    seconds: int  # paid ones
    micros: int


def calls_of(
    invoice: Invoice, subscriber_id: int, line: Line | None, *, number: int, size: int
) -> NumberCalls:
    """The number's priced calls on the invoice, or on one of its lines, the latest first."""
    condition = _on_any_line(invoice) if line is None else _on_line(invoice, line)
    query = Call.select().where(
        Call.subscriber_id == subscriber_id, Call.rating == CallRating.PRICED, condition
    )
    sums = query.select(fn.COUNT(Call.seq), fn.SUM(Call.billed_s), fn.SUM(Call.price))
    found, seconds, micros = (int(value or 0) for value in sums.tuples().get())
    number, pages = charges.page_within(number, found, size)
    rows = list(query.order_by(Call.started_at.desc(), Call.seq.desc()).paginate(number, size))
    told = charges.tell(invoice.client, rows)
    return NumberCalls(Page(told, number, pages, size, found), seconds, micros)


def is_on(invoice: Invoice, call: Call) -> bool:
    """Whether a call stands on the invoice."""
    same = (
        (Call.subscriber_id == call.subscriber_id)
        & (Call.started_at == call.started_at)
        & (Call.seq == call.seq)
    )
    priced = Call.rating == CallRating.PRICED
    return Call.select().where(same & priced, _on_any_line(invoice)).exists()


# --- Invoice, call detail and charges -------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """The three side by side."""

    rows: list[Compared]
    total: Compared
    waived: int  # calls of the month that are not charged
    unrated: int  # calls of the month that have no price, and came after the invoice
    carriers: list[Invoice]  # those that have what came later
    waits: bool  # some of it is on no invoice yet

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        return not self.total.reasons and all(not row.reasons for row in self.rows)


def comparison_of(invoice: Invoice) -> Comparison:
    """What the invoice, the call detail and the charges of its month say."""
    rows = [compare(figures) for figures in _figures(invoice, invoices.content_of(invoice))]
    of_client = _of_client(invoice) & months.within(month_of(invoice.period))
    answered = (Call.direction == CallDirection.OUT) & (Call.billable_s > 0)
    without = Call.rating.in_(UNRATED) | Call.rating.is_null()
    has_later = any(row.later_calls for row in rows)
    carriers, waits = carriers_of(invoice) if has_later else ([], False)
    return Comparison(
        rows,
        total_of(rows),
        Call.select().where(of_client, Call.rating == CallRating.WAIVED).count(),
        Call.select().where(of_client, answered, without).count(),
        carriers,
        waits,
    )


def _figures(invoice: Invoice, content: InvoiceContent) -> Iterator[Figures]:
    lines = {
        (line.kind, line.code or usage.UNKNOWN): line
        for line in content.lines
        if line.kind in CALL_LINES
    }
    counted, later = _sums(invoice, of_month(invoice)), _sums(invoice, come_later(invoice))
    kept = _kept(invoice)
    on_lines = [code for kind, code in lines if kind is LineKind.CALLS]
    for group in dict.fromkeys([*on_lines, *counted, *later, *kept]):
        line = lines.get((LineKind.CALLS, group))
        yield Figures(
            group,
            line.net if line else 0,
            counted.get(group, (0, 0))[1],
            later.get(group, (0, 0))[1],
            kept.get(group, 0),
            line.quantity if line else 0,
            later.get(group, (0, 0))[0],
        )
    late = [line for line in lines.values() if line.kind is LineKind.LATE_CALLS]
    condition = of_earlier_months(invoice) if late else None
    sums = {} if condition is None else _sums(invoice, condition)
    for line in late:
        micros = sums.get(line.code or usage.UNKNOWN, (0, 0))[1]
        yield Figures(line.code, line.net, micros, 0, None, line.quantity)


def _sums(invoice: Invoice, condition: Expression) -> Mapping[str, tuple[int, int]]:
    """Priced calls by destination group: how many, and their micros."""
    groups = usage.groups_of_rates()
    query = (
        Call.select(Call.rate_id, fn.COUNT(Call.seq), fn.SUM(Call.price))
        .where(_of_client(invoice), condition, Call.rating == CallRating.PRICED)
        .group_by(Call.rate_id)
    )
    found: dict[str, tuple[int, int]] = {}
    for rate_id, count, micros in query.tuples():
        group = groups.get(rate_id) or usage.UNKNOWN
        before = found.get(group, (0, 0))
        found[group] = before[0] + count, before[1] + int(micros)
    return found


def _kept(invoice: Invoice) -> dict[str, int]:
    """Micros of the roll-up by destination group, where there are any."""
    query = (
        UsageMonth.select(UsageMonth.destination_group, fn.SUM(UsageMonth.micros))
        .where(
            UsageMonth.subscriber_id.in_(Subscriber.of(invoice.client_id, Subscriber.id)),
            UsageMonth.month == usage.month_number(invoice.period),
        )
        .group_by(UsageMonth.destination_group)
    )
    return {group: int(micros) for group, micros in query.tuples() if micros}


def _of_client(invoice: Invoice) -> Expression:
    return Call.subscriber_id.in_(Subscriber.of(invoice.client_id, Subscriber.id))


# --- For `flask verify` ---------------------------------------------------------------------------


def unexplained(invoice: Invoice) -> Iterator[str]:
    """Lines of calls that their calls no longer make, though no import has touched these since."""
    wrong = [
        (figures.group, amount)
        for figures in _figures(invoice, invoices.content_of(invoice))
        for reason, amount in compare(figures).reasons
        if reason is Reason.CHANGED
    ]
    if wrong and not _was_touched(invoice):
        for group, amount in wrong:
            yield f"calls to {group!r} make {amount} kopecks more than the line"


def _was_touched(invoice: Invoice) -> bool:
    """Whether an import on the invoice was taken out since, or a later one has told parts of its
    calls.
    """
    taken_out = ImportRun.select().where(
        ImportRun.id <= invoice.until_run, ImportRun.rolled_back_at >= invoice.issued_at
    )
    if taken_out.exists():
        return True
    legs = Call.select(Call.legs).where(
        _of_client(invoice), _on_any_line(invoice), Call.rating == CallRating.PRICED
    )
    return any(
        part.run > invoice.until_run for (text,) in legs.tuples().iterator() for part in load(text)
    )
