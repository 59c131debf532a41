"""What the calls of a report cost, asked of the tables: sums by number, month and destination, and
where a call went by its rate. How they are added up: `domain/call_costs.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice

from peewee import SQL, Case, Expression, ModelSelect, fn

from domain.billing.vat import TELECOM, vat_percent
from domain.call_costs import Costs, Destination, GroupSum, costs_of, minute_price
from domain.cdr.record import CallDirection
from domain.periods import DateRange, month_of, month_start
from domain.rating.states import UNRATED
from models import Call
from models_billing import TariffPackage, TariffRate
from services import clock, usage, vat_rates

TOGETHER = 20  # numbers asked for at once
UNRATED_CALL = (
    (Call.direction == CallDirection.OUT)
    & (Call.billable_s > 0)
    & Call.price.is_null()
    & (Call.rating.is_null() | Call.rating.in_(sorted(UNRATED)))
)


def read(numbers: Iterable[int], within: Expression, period: DateRange) -> Costs:
    """The sums of the calls of `numbers` (ids) that are `within` the report.

    A few numbers at a time: what the database sorts to group them is never large.
    """
    months = list(_months(period))
    rules = vat_rates.own()

    def vat_of(month: date) -> int:
        return int(vat_percent(TELECOM, month_of(month).end, rules) * 100)

    return costs_of(_sums(numbers, within, months), vat_of, months)


def _sums(numbers: Iterable[int], within: Expression, months: Sequence[date]) -> Iterator[GroupSum]:
    left = iter(numbers)
    while some := list(islice(left, TOGETHER)):
        for subscriber_id, n, group, *sums in sums_query(some, within, months).tuples():
            month = months[int(n)]
            yield GroupSum(subscriber_id, month, group or usage.UNKNOWN, *map(int, sums))


def sums_query(numbers: Sequence[int], within: Expression, months: Sequence[date]) -> ModelSelect:
    """Priced calls by number, ordinal of the month, destination group."""
    return (
        Call.select(
            Call.subscriber_id,
            _ordinal(months).alias("month"),
            TariffRate.destination_group,
            fn.COUNT(Call.seq),
            fn.SUM(Call.billed_s),
            fn.SUM(Call.package_s),
            fn.SUM(Call.price),
        )
        .join(TariffRate, on=Call.rate_id == TariffRate.id)
        .where(Call.subscriber_id.in_(numbers), within, Call.direction == CallDirection.OUT)
        .group_by(Call.subscriber_id, SQL("month"), TariffRate.destination_group)
    )


def _months(period: DateRange) -> Iterator[date]:
    month = month_start(period.start)
    while month <= period.end:
        yield month
        month = month_start(month, -1)


def _ordinal(months: Sequence[date]) -> Case | SQL:
    """The place of a call's month among `months`."""
    if len(months) == 1:
        return SQL("0")
    starts = (clock.epoch(month_of(month).bounds(clock.zone())[0]) for month in months)
    later = list(enumerate(starts))[:0:-1]
    return Case(None, [(Call.started_at >= start, n) for n, start in later], 0)


def destination_of(rate_id: int) -> Destination:
    """Where a call at that price went, and what a minute costs there."""
    rate = TariffRate.get_or_none(TariffRate.id == rate_id)
    if rate is None:
        return Destination()
    minute = minute_price(
        rate.steps, has_windows=bool(rate.windows), has_overage=_has_overage(rate)
    )
    return Destination(rate.name, minute)


def _has_overage(rate: TariffRate) -> bool:
    """Whether a package of the tariff has prices of its own for what goes beyond it."""
    packages = TariffPackage.select().where(TariffPackage.version == rate.version_id)
    return any(
        package.overage and (not package.groups or rate.destination_group in package.groups)
        for package in packages
    )
