"""What a client's month consists of, read from the tables: numbers and their plans by days, priced
calls, and what else is to be paid. Made into an invoice by `billing.py`, and into a forecast.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from peewee import Expression, fn

from domain.billing.forming import CallSum, DiscountRule, Extra, Month, Number, PlanDays
from domain.billing.instalments import PlanEnd
from domain.cdr.record import CallDirection
from domain.periods import DateRange, month_of
from domain.rating.plan_file import Fee
from domain.rating.states import UNRATED, CallRating
from models import Call, Client, ImportRun, Subscriber
from models_billing import (
    Discount,
    Instalment,
    InstalmentPlan,
    Invoice,
    OneOffCharge,
    TariffVersion,
)
from services import clock, tariffs, usage
from services.plans import Plans

GROUPS = ("local", "onnet", "mobile", "international", "service")  # known ones, as lines stand


@dataclass(frozen=True)
class Cut:
    """Up to which import calls are counted: those of the ones named open are not."""

    until_run: int
    open_runs: tuple[int, ...] = ()

    def holds(self) -> Expression:
        """Condition: the call was stored by then."""
        return (Call.import_run <= self.until_run) & Call.import_run.not_in(self.open_runs)

    def later(self) -> Expression:
        """Condition: it was stored after."""
        return (Call.import_run > self.until_run) | Call.import_run.in_(self.open_runs)


class Fees:
    """Fees of versions, each read once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, tuple[Fee, ...]]] = {}

    def of(self, version_id: int) -> tuple[str, tuple[Fee, ...]]:
        """Name of the plan, and the fees of this version of it."""
        if version_id not in self._known:
            version = TariffVersion.get_by_id(version_id)
            self._known[version_id] = version.plan.name, tuple(tariffs.fees_of(version))
        return self._known[version_id]


def numbers_of(client: Client, period: DateRange, plans: Plans, fees: Fees) -> list[Number]:
    """The client's numbers that were theirs within the days, with their plans."""
    start, end = period.bounds(clock.zone())
    rows = (
        Subscriber.of(client)
        .where(
            Subscriber.valid_from.is_null() | (Subscriber.valid_from < end),
            Subscriber.valid_to.is_null() | (Subscriber.valid_to > start),
        )
        .order_by(Subscriber.number, Subscriber.id)
    )
    return [
        Number(
            row.id,
            row.number,
            row.full_name,
            tuple(plan_days(row, start, end, plans, fees)),
        )
        for row in rows
    ]


def plan_days(
    row: Subscriber, start: datetime, end: datetime, plans: Plans, fees: Fees
) -> Iterator[PlanDays]:
    """A day belongs to the plan that holds at its beginning, or at the number's own."""
    first, last = max(start, row.valid_from or start), min(end, row.valid_to or end)
    parts = plans.within(row.id, clock.epoch(first), clock.epoch(last))
    ends = [moment for moment, _version in parts[1:]] + [clock.epoch(last)]
    for (moment, version_id), until in zip(parts, ends, strict=True):
        days = _days(moment, until)
        if version_id is None or not days:
            continue
        before = plans.plan_at(row.id, moment - 1)
        is_new = row.valid_from is not None and clock.epoch(row.valid_from) == moment
        begins = is_new or before != plans.plan_at(row.id, moment)
        name, own = fees.of(version_id)
        yield PlanDays(name, own, days, begins)


def _days(start: int, end: int) -> int:
    """Local days touched by `[start, end)`."""
    first = clock.local(clock.from_epoch(start)).date()
    last = clock.local(clock.from_epoch(end - 1)).date()
    return (last - first).days + 1 if end > start else 0


# --- Calls ----------------------------------------------------------------------------------------


def cut_now() -> Cut:
    """Everything that imports have stored by now. Ask inside `import_turns.one_at_a_time`."""
    last = ImportRun.select(fn.MAX(ImportRun.id)).scalar() or 0
    unfinished = ImportRun.select(ImportRun.id).where(ImportRun.state.not_in(ENDED))
    return Cut(last, tuple(run.id for run in unfinished.order_by(ImportRun.id)))


ENDED = ("done", "rolled_back")


def calls_of(client: Client, period: DateRange, cut: Cut) -> Iterator[CallSum]:
    """Priced calls of the days, stored by `cut`, by number and destination group."""
    yield from _sums(client, within(period) & cut.holds(), is_late=False)


def late_calls_of(client: Client, previous: Invoice, cut: Cut) -> Iterator[CallSum]:
    """Priced calls of the months up to that of the invoice before, stored since it was formed."""
    yield from _sums(client, come_late(client, previous, cut), is_late=True)


def come_late(client: Client | int, previous: Invoice, cut: Cut) -> Expression:
    """Condition: the call is of a month up to that of the invoice before, and came after it."""
    _start, end = month_of(previous.period).bounds(clock.zone())
    first = Invoice.of(client, fn.MIN(Invoice.period)).scalar()
    start, _end = month_of(first).bounds(clock.zone())
    is_earlier = (Call.started_at >= clock.epoch(start)) & (Call.started_at < clock.epoch(end))
    return is_earlier & cut_of(previous).later() & cut.holds()


def cut_of(invoice: Invoice) -> Cut:
    """Up to which import calls are on an invoice."""
    return Cut(invoice.until_run, tuple(invoice.open_runs))


def within(period: DateRange) -> Expression:
    """Condition: the call began in these days."""
    start, end = period.bounds(clock.zone())
    return (Call.started_at >= clock.epoch(start)) & (Call.started_at < clock.epoch(end))


def _sums(client: Client, condition: Expression, *, is_late: bool) -> Iterator[CallSum]:
    groups = usage.groups_of_rates()
    query = (
        Call.select(
            Call.subscriber_id,
            Call.rate_id,
            fn.COUNT(Call.seq),
            fn.SUM(Call.billed_s),
            fn.SUM(Call.price),
        )
        .where(_of(client), condition, Call.rating == CallRating.PRICED)
        .group_by(Call.subscriber_id, Call.rate_id)
    )
    found: dict[tuple[int, str], list[int]] = {}
    for subscriber_id, rate_id, *sums in query.tuples():
        row = found.setdefault((subscriber_id, groups.get(rate_id, usage.UNKNOWN)), [0, 0, 0])
        for n, value in enumerate(sums):
            row[n] += int(value)
    for (subscriber_id, group), sums in sorted(found.items()):
        yield CallSum(subscriber_id, group, *sums, is_late)


def _of(client: Client) -> Expression:
    return Call.subscriber_id.in_(Subscriber.of(client, Subscriber.id))


def count_unrated(client: Client, period: DateRange, previous: Invoice | None, cut: Cut) -> int:
    """Calls of the days without a price, and those of them that came late for the invoices before:
    they block the next one.
    """
    which = within(period)
    if previous is not None:
        which |= come_late(client, previous, cut)
    return Call.select().where(_of(client), which, unrated()).count()


def unrated() -> Expression:
    """Condition: an answered outgoing call without a price."""
    without = Call.rating.is_null() | Call.rating.in_(UNRATED)
    return (Call.direction == CallDirection.OUT) & (Call.billable_s > 0) & without


# --- Whatever else --------------------------------------------------------------------------------


def one_offs_of(client: Client, until: date) -> list[OneOffCharge]:
    """What is paid once, up to a day, and stands on no invoice yet."""
    query = OneOffCharge.of(client).where(
        OneOffCharge.day <= until, OneOffCharge.invoice_id.is_null()
    )
    return list(query.order_by(OneOffCharge.day, OneOffCharge.id))


def instalments_of(client: Client, until: date) -> list[Instalment]:
    """Parts of instalment plans that are due by a day and stand on no invoice yet: none of those
    called off, and none that an employee pays.
    """
    plans = InstalmentPlan.of(client).where(
        InstalmentPlan.closed_on.is_null() | (InstalmentPlan.closed_as == PlanEnd.REPAID)
    )
    query = (
        Instalment.select(Instalment, InstalmentPlan)
        .join(InstalmentPlan)
        .where(
            Instalment.plan.in_(plans),
            Instalment.due_on <= until,
            Instalment.invoice_id.is_null(),
            InstalmentPlan.payer == "client",
        )
    )
    return list(query.order_by(Instalment.due_on, Instalment.id))


def discounts_of(client: Client, first: date) -> list[DiscountRule]:
    """Discounts of a month that begins on `first`."""
    query = Discount.of(client).where(
        Discount.valid_from <= first,
        Discount.valid_to.is_null() | (Discount.valid_to >= first),
    )
    return [DiscountRule(row.name, row.percent) for row in query.order_by(Discount.id)]


@dataclass(frozen=True)
class Due:
    """What of a month is not in the tariff: calls, and what stands on no invoice yet."""

    calls: list[CallSum]
    one_offs: list[OneOffCharge]
    instalments: list[Instalment]


class InstalmentNames(NamedTuple):
    """How lines call a part and what ends a plan early: places for contract, goods, part, parts."""

    part: str
    repaid: str


def month_for(
    client: Client, first: date, due: Due, *, plans: Plans, fees: Fees, names: InstalmentNames
) -> Month:
    """All of it together."""
    period = month_of(first)
    return Month(
        len(list(period.days())),
        numbers_of(client, period, plans, fees),
        due.calls,
        [Extra(row.subscriber_id, row.name, row.amount, row.service) for row in due.one_offs],
        [_instalment(row, names) for row in due.instalments],
        discounts_of(client, first),
    )


def _instalment(row: Instalment, names: InstalmentNames) -> Extra:
    plan = row.plan
    name = names.repaid if plan.closed_as == PlanEnd.REPAID else names.part
    values: Mapping[str, object] = {
        "contract": plan.contract_no,
        "goods": plan.goods,
        "part": row.ordinal,
        "parts": plan.parts.count(),
    }
    return Extra(plan.subscriber_id, name.format(**values), row.amount, plan.service)
