"""Invariants of money: sums kept beside the calls, invoices and the chain they make."""

from collections import defaultdict
from collections.abc import Iterator

from domain.cdr.record import CallDirection
from domain.rating.states import CallRating
from models import Call
from models_billing import (
    Invoice,
    InvoiceSeries,
    UsageDay,
    UsageMonth,
    WaivedCall,
    Waiver,
)
from services import invoice_calls, invoices, usage
from services.verify.registry import check


@check
def sums_are_those_of_the_calls() -> Iterator[str]:
    """What months and days come to is what their calls come to."""
    clients, days = usage.clients(), usage.Days()
    months: defaultdict[tuple, list[int]] = defaultdict(lambda: [0] * len(usage.SUMS))
    by_day: defaultdict[tuple, list[int]] = defaultdict(lambda: [0] * len(usage.SUMS))
    for call in usage.counted():
        day, month = days.of(call.started_at)
        _add(months[call.subscriber_id, month, call.group], call.sums)
        _add(by_day[clients.get(call.subscriber_id), day, call.group], call.sums)
    columns = [getattr(UsageMonth, name) for name in (*usage.MONTH_KEY, *usage.SUMS)]
    yield from _differences("month", months, UsageMonth.select(*columns).tuples())
    sums = (getattr(UsageDay, name) for name in usage.SUMS)
    rows = UsageDay.across_clients(UsageDay.client, UsageDay.day, UsageDay.destination_group, *sums)
    yield from _differences("day", by_day, rows.tuples())


def _add(row: list[int], sums: tuple[int, ...]) -> None:
    for n, value in enumerate(sums):
        row[n] += value


def _differences(what: str, told: dict[tuple, list[int]], rows: Iterator[tuple]) -> Iterator[str]:
    kept = {row[:3]: list(row[3:]) for row in rows if any(row[3:])}
    for key in sorted(told.keys() | kept.keys(), key=str):
        if told.get(key) != kept.get(key):
            yield f"{what} {key}: kept {kept.get(key)}, the calls make {told.get(key)}"


@check
def invoices_are_numbered_without_gaps() -> Iterator[str]:
    """1, 2, 3 … in each series and year, and each carries on the hash of the one before."""
    found: defaultdict[tuple[str, int], list[Invoice]] = defaultdict(list)
    for invoice in Invoice.across_clients().order_by(Invoice.number):
        found[invoice.series, invoice.year].append(invoice)
    counters = {(row.series, row.year): row for row in InvoiceSeries.select()}
    for key, chain in found.items():
        name = f"{key[0]}{key[1]}"
        if [invoice.number for invoice in chain] != list(range(1, len(chain) + 1)):
            yield f"series {name} has gaps or repeats"
        counter = counters.get(key)
        if counter is None or counter.last_number != len(chain):
            yield f"series {name}: the counter is not at {len(chain)}"
        previous = ""
        for invoice in chain:
            if invoice.previous_hash != previous:
                yield f"invoice {invoice.number} of series {name} does not carry on the chain"
            previous = invoice.content_hash


@check
def invoices_say_what_was_given_out() -> Iterator[str]:
    """Content, columns, lines and annex agree, and the hash is that of the content."""
    for invoice in Invoice.across_clients().order_by(Invoice.id):
        yield from (f"invoice {invoice.id}: {what}" for what in invoices.contradictions(invoice))


@check
def lines_of_calls_are_those_of_the_calls() -> Iterator[str]:
    """What an invoice charges for calls is what these calls cost, unless an import has changed or
    taken out some of them since.
    """
    for invoice in Invoice.across_clients().where(Invoice.ordinal == 0).order_by(Invoice.id):
        yield from (f"invoice {invoice.id}: {what}" for what in invoice_calls.unexplained(invoice))


@check
def waived_calls_are_those_of_the_waivers() -> Iterator[str]:
    """A call that could cost something is waived when a waiver in force names it, and then only."""
    in_force = Waiver.across_clients(Waiver.id).where(Waiver.undone_at.is_null())
    named = WaivedCall.select(WaivedCall.subscriber_id, WaivedCall.seq, WaivedCall.waiver)
    waived = {(row[0], row[1]): row[2] for row in named.tuples()}
    valid = {waiver_id for (waiver_id,) in in_force.tuples()}
    yield from (f"waiver {each} was taken back" for each in set(waived.values()) - valid)
    talked = (Call.direction == CallDirection.OUT) & (Call.billable_s > 0)
    named_or_waived = (Call.rating == CallRating.WAIVED) | Call.subscriber_id.in_(
        WaivedCall.select(WaivedCall.subscriber_id)
    )
    query = Call.select(Call.subscriber_id, Call.seq, Call.rating).where(
        talked, ~Call.answered_at.is_null(), named_or_waived
    )
    for subscriber_id, seq, rating in query.tuples():
        if ((subscriber_id, seq) in waived) != (rating == CallRating.WAIVED):
            yield f"a call of number {subscriber_id} is rated {rating} against its waiver"
