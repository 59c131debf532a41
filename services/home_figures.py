"""Figures of the home page: this month by day, destination and number, and beside the last month.

All out of the sums that imports keep beside the calls; no call is read. Days are kept for whole
companies only: whoever looks at one subscriber, or sees chosen numbers, has months to compare.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from peewee import Expression, ModelSelect, fn

from domain.periods import DateRange, month_of
from models import Client, Subscriber, scope_in_force
from models_billing import UsageMonth
from services import clock, usage
from services.charge_sheet import DayUse, data_until, usage_by_day
from services.charges import Day, Destination
from services.scopes import whole_company
from services.subscriber_choice import within

TOP = 5


class Sums(NamedTuple):
    """What calls come to, those that came in too."""

    calls: int = 0
    seconds: int = 0
    micros: int = 0

    def plus(self, calls: int, seconds: int, micros: int) -> "Sums":
        """More of them."""
        return Sums(self.calls + calls, self.seconds + seconds, self.micros + micros)


@dataclass(frozen=True)
class Compared:
    """This month beside the last: as many whole days of each, or of one subscriber what there is of
    this month beside the whole of the last.
    """

    days: DateRange
    sums: Sums
    last_days: DateRange
    last: Sums
    is_like: bool  # as many days of each, unless the last month is the shorter one


class TopNumber(NamedTuple):
    """A number whose calls cost most."""

    subscriber: Subscriber
    calls: int
    micros: int


@dataclass(frozen=True)
class Figures:
    """The month. `days` is empty for a part of the numbers."""

    period: DateRange
    data_until: datetime | None
    days: list[Day]
    compared: Compared | None  # None: there is no whole day of this month yet
    destinations: list[Destination]
    numbers: list[TopNumber]


class MonthUse(NamedTuple):
    """Calls of a month to one destination group."""

    month: int
    group: str
    calls: int
    seconds: int
    micros: int


class _Read(NamedTuple):
    """What was read out of the sums by number."""

    top: list[tuple[int, int, int]]  # subscriber, calls, micros
    months: list[MonthUse]  # of a part of the numbers


@dataclass(frozen=True)
class Known:
    """What figures are made of: as long as it is the same, so are they. (Numbers change hands and
    names without a call.)
    """

    today: date
    until: datetime | None
    days: list[DayUse]

    @property
    def calls(self) -> int:
        """How many there are in both months."""
        return sum(use.calls for use in self.days)


def ask(client: Client, *, now: datetime) -> Known:
    """What there is at `now`."""
    today = clock.local(now).date()
    both = DateRange(month_of(today, 1).start, month_of(today).end)
    with whole_company():  # it only tells whether what is kept still holds
        return Known(today, data_until(client, now), sorted(usage_by_day(client, both)))


def make(client: Client, chosen: Subscriber | None, known: Known) -> Figures:
    """The figures; with somebody `chosen` those of that one and its numbers. Who sees chosen
    numbers has those of these, by month as well.
    """
    this, last = month_of(known.today), month_of(known.today, 1)
    is_part = chosen is not None or scope_in_force() is not None
    read = _read(client, chosen, this, last, is_part=is_part)
    days = [use for use in known.days if use.day in this]
    if is_part:
        mine = [use for use in read.months if use.month == usage.month_number(this.start)]
        compared = _months_compared(this, last, read.months, known.today)
    else:
        mine = days
        until = _first_unknown(this, known.until, known.today)
        compared = _days_compared(this, last, known.days, until)
    return Figures(
        this,
        known.until,
        [] if is_part else _by_day(this, days, _last_known(this, known.until)),
        compared,
        _by_destination(mine),
        _named(client, read.top),
    )


# --- By day ---------------------------------------------------------------------------------------


def _last_known(period: DateRange, until: datetime | None) -> date:
    """The day of the last call that is known: days after it have no sum."""
    return clock.local(until).date() if until else period.start


def _first_unknown(period: DateRange, until: datetime | None, today: date) -> date:
    """The first day of which calls may still come: those before it are known wholly."""
    return min(max(_last_known(period, until), period.start), today)


def _by_day(period: DateRange, uses: Iterable[DayUse], last: date) -> list[Day]:
    sums: dict[date, Sums] = {}
    for use in uses:
        sums[use.day] = sums.get(use.day, Sums()).plus(use.calls, use.seconds, use.micros)
    none = Sums()
    return [
        Day(day, found.calls, found.micros if day in sums or day < last else None)
        for day in period.days()
        for found in (sums.get(day, none),)
    ]


def _days_compared(
    this: DateRange, last: DateRange, uses: Sequence[DayUse], until: date
) -> Compared | None:
    whole = (until - this.start).days
    if not whole:
        return None
    days = DateRange(this.start, until - timedelta(days=1))
    last_days = DateRange(last.start, min(last.end, last.start + timedelta(days=whole - 1)))
    return Compared(days, _sum(uses, days), last_days, _sum(uses, last_days), is_like=True)


def _sum(uses: Iterable[DayUse], days: DateRange) -> Sums:
    sums = Sums()
    for use in uses:
        if use.day in days:
            sums = sums.plus(use.calls, use.seconds, use.micros)
    return sums


# --- By destination and number --------------------------------------------------------------------


def _by_destination(uses: Iterable[DayUse | MonthUse]) -> list[Destination]:
    """Outgoing calls by destination group, the dearest first."""
    found: dict[str, Sums] = {}
    for use in uses:
        if use.group != usage.INCOMING:
            sums = found.get(use.group, Sums())
            found[use.group] = sums.plus(use.calls, use.seconds, use.micros)
    rows = [Destination(group, *sums) for group, sums in found.items() if any(sums)]
    return sorted(rows, key=lambda row: (-row.micros, -row.calls, row.group))


def _months_compared(
    this: DateRange, last: DateRange, uses: Iterable[MonthUse], today: date
) -> Compared:
    sums = {usage.month_number(month.start): Sums() for month in (this, last)}
    for use in uses:
        sums[use.month] = sums[use.month].plus(use.calls, use.seconds, use.micros)
    now, before = sums.values()
    return Compared(DateRange(this.start, today), now, last, before, is_like=False)


def _named(client: Client, top: Sequence[tuple[int, int, int]]) -> list[TopNumber]:
    """With the rows of the numbers."""
    query = Subscriber.of(client).where(Subscriber.id.in_([key for key, _, _ in top]))
    known = {row.id: row for row in query} if top else {}
    return [TopNumber(known[key], *sums) for key, *sums in top if key in known]


def _read(
    client: Client, chosen: Subscriber | None, this: DateRange, last: DateRange, *, is_part: bool
) -> _Read:
    whose = Subscriber.of(client, Subscriber.id)
    if chosen:
        whose = whose.where(within(chosen))
    own = UsageMonth.subscriber_id.in_(whose)
    months = usage.month_number(this.start), usage.month_number(last.start)
    return _Read(_top(own, months[0]), _by_month(own, months) if is_part else [])


def _top(own: Expression, month: int) -> list[tuple[int, int, int]]:
    cost = fn.SUM(UsageMonth.micros)
    query = (
        UsageMonth.select(UsageMonth.subscriber_id, fn.SUM(UsageMonth.calls), cost)
        .where(
            own,
            UsageMonth.month == month,
            UsageMonth.destination_group != usage.INCOMING,
            UsageMonth.micros > 0,
        )
        .group_by(UsageMonth.subscriber_id)
        .order_by(cost.desc(), UsageMonth.subscriber_id)
        .limit(TOP)
    )
    return [(key, int(calls), int(micros)) for key, calls, micros in query.tuples()]


def _by_month(own: Expression, months: tuple[int, int]) -> list[MonthUse]:
    keys = (UsageMonth.month, UsageMonth.destination_group)
    sums = (fn.SUM(getattr(UsageMonth, name)) for name in ("calls", "seconds", "micros"))
    query: ModelSelect = UsageMonth.select(*keys, *sums).where(own, UsageMonth.month.in_(months))
    return [
        MonthUse(month, group, *(int(value) for value in values))
        for month, group, *values in query.group_by(*keys).tuples()
    ]
