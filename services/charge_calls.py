"""What the figures of a client's month are made of: its calls of a day or a month, all of them or
those to one destination group, across the numbers, the latest first. Calls of one number:
`charges.py`.

Calls lie by number and time. Those of a great company are read from its last day on, in stretches
that its sums by day make short enough, and each page begins where the one before has ended.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from peewee import Expression, ModelSelect, fn

from domain.cdr.record import CallDirection
from domain.periods import DateRange, month_of
from models import Call, Client, Subscriber, scope_in_force
from models_billing import TariffRate, UsageMonth
from services import charges, clock, usage
from services.charge_sheet import DayUse, usage_by_day
from services.charges import PricedCall
from services.scopes import whole_company
from services.subscriber_choice import within
from services.transactions import read_by_index, read_tx

READ_AT_ONCE = 20_000  # calls in a stretch
GREATEST_ID = 2**31 - 1  # of a number: all calls of its second come after such a place
READ_AT_MOST = 200_000  # for a page: of a rare destination there may be less on it than it holds


@dataclass(frozen=True)
class Choice:
    """Which calls: of a month, or of one of its days."""

    month: date  # its first day
    day: date | None = None
    group: str = ""  # "": all
    chosen: Subscriber | None = None

    @property
    def period(self) -> DateRange:
        """The days."""
        return DateRange(self.day, self.day) if self.day else month_of(self.month)


class Place(NamedTuple):
    """A call in the order of the list: older ones come after it."""

    started_at: int
    subscriber_id: int
    seq: int


class Listed(NamedTuple):
    """A call of the list, and whose it is."""

    priced: PricedCall
    subscriber: Subscriber


class Total(NamedTuple):
    """What calls come to."""

    calls: int
    seconds: int
    micros: int


@dataclass(frozen=True)
class CallsPage:
    """A page of the list. `total` is None where no such sum is kept: of a day of chosen numbers."""

    rows: list[Listed]
    older: Place | None  # the next page comes after it; None: there is no more
    total: Total | None


class _Stretch(NamedTuple):
    """Epoch seconds `[start, end)` with about so many calls."""

    start: int
    end: int
    calls: int


def find_page(client: Client, choice: Choice, *, before: Place | None, size: int) -> CallsPage:
    """The calls after the place `before`, or the latest."""
    with read_tx():  # the sums and the calls of one moment
        with whole_company():  # the sums only tell where to look
            uses = list(usage_by_day(client, month_of(choice.month)))
        part = _of_part(client, choice)
        stretches = _stretches(choice, uses, part)
        total = _total(choice, uses, part)
        read_by_index()
        calls, older = _read(_own(client, choice), choice, stretches, before, size)
        return CallsPage(_with_numbers(client, calls), older, total)


def groups_of(client: Client, choice: Choice, days: DateRange) -> set[str]:
    """Groups to which calls of these whole months went."""
    if _is_whole(choice):
        return {use.group for use in usage_by_day(client, days) if use.calls}
    months = usage.month_number(days.start), usage.month_number(days.end)
    query = UsageMonth.select(UsageMonth.destination_group).where(
        UsageMonth.subscriber_id.in_(_own(client, choice)),
        UsageMonth.month.between(*months),
        UsageMonth.calls > 0,
    )
    return {group for (group,) in query.distinct().tuples()}


# --- Sums -----------------------------------------------------------------------------------------


def _own(client: Client, choice: Choice) -> ModelSelect:
    """Ids of the numbers that are looked at."""
    whose = Subscriber.of(client, Subscriber.id)
    return whose.where(within(choice.chosen)) if choice.chosen else whose


def _is_whole(choice: Choice) -> bool:
    return choice.chosen is None and scope_in_force() is None


def _of_part(client: Client, choice: Choice) -> dict[str, Total] | None:
    """What a part of the numbers comes to in the month, by group; None: the whole company is
    looked at.
    """
    if _is_whole(choice):
        return None
    sums = (fn.SUM(getattr(UsageMonth, name)) for name in Total._fields)
    query = UsageMonth.select(UsageMonth.destination_group, *sums).where(
        UsageMonth.subscriber_id.in_(_own(client, choice)),
        UsageMonth.month == usage.month_number(choice.month),
    )
    rows = query.group_by(UsageMonth.destination_group).tuples()
    return {group: Total(*map(int, values)) for group, *values in rows if values[0]}


def _total(choice: Choice, uses: list[DayUse], part: dict[str, Total] | None) -> Total | None:
    if part is None:
        return _sum(use for use in uses if use.day in choice.period and _is_wanted(use, choice))
    if choice.day:
        return None
    return _sum(total for group, total in part.items() if choice.group in ("", group))


def _sum(rows: Iterable[DayUse | Total]) -> Total:
    calls = seconds = micros = 0
    for row in rows:
        calls, seconds, micros = calls + row.calls, seconds + row.seconds, micros + row.micros
    return Total(calls, seconds, micros)


def _is_wanted(use: DayUse, choice: Choice) -> bool:
    return choice.group in ("", use.group)


# --- Where to read --------------------------------------------------------------------------------


def _stretches(
    choice: Choice, uses: list[DayUse], part: dict[str, Total] | None
) -> Iterator[_Stretch]:
    """The days in which there is something, the last first: few at once, or a day in pieces."""
    calls: dict[date, int] = {}
    for use in uses:
        calls[use.day] = calls.get(use.day, 0) + use.calls
    wanted = {use.day for use in uses if use.calls and _is_wanted(use, choice)}
    every = sum(calls.values())
    mine = every if part is None else sum(total.calls for total in part.values())
    kept: _Stretch | None = None
    for day in sorted(wanted, reverse=True):
        if day not in choice.period:
            continue
        start, end = _bounds(DateRange(day, day))
        count = -(-calls[day] * mine // max(1, every))  # as if the part spoke as all do
        if kept and kept.calls + count <= READ_AT_ONCE:
            kept = _Stretch(start, kept.end, kept.calls + count)
            continue
        if kept:
            yield from _pieces(kept)
        kept = _Stretch(start, end, count)
    if kept:
        yield from _pieces(kept)


def _bounds(days: DateRange) -> tuple[int, int]:
    start, end = (clock.epoch(moment) for moment in days.bounds(clock.zone()))
    return start, end


def _pieces(stretch: _Stretch) -> Iterator[_Stretch]:
    count = max(1, -(-stretch.calls // READ_AT_ONCE))
    step = -(-(stretch.end - stretch.start) // count)
    for end in range(stretch.end, stretch.start, -step):
        yield _Stretch(max(stretch.start, end - step), end, stretch.calls // count)


# --- Calls ----------------------------------------------------------------------------------------


def _read(
    own: ModelSelect,
    choice: Choice,
    stretches: Iterable[_Stretch],
    before: Place | None,
    size: int,
) -> tuple[list[Call], Place | None]:
    """Calls of a page, and the place after which there are more."""
    found: list[Call] = []
    read = 0
    for start, end, calls in stretches:
        if before and start > before.started_at:
            continue
        if read and read + calls > READ_AT_MOST:
            return found, Place(end - 1, GREATEST_ID, 1)
        until = min(end, before.started_at + 1) if before else end
        query = _such(Call.select(Call), choice.group).where(
            Call.subscriber_id.in_(own), Call.started_at >= start, Call.started_at < until
        )
        query = query.where(_is_after(before)) if before else query
        order = (Call.started_at.desc(), Call.subscriber_id.desc(), Call.seq.desc())
        found.extend(query.order_by(*order).limit(size + 1 - len(found)))
        read += calls
        if len(found) > size:
            last = found[size - 1]
            return found[:size], Place(last.started_at, last.subscriber_id, last.seq)
    return found, None


def _is_after(place: Place) -> Expression:
    same_number = (Call.subscriber_id == place.subscriber_id) & (Call.seq < place.seq)
    same_moment = (Call.started_at == place.started_at) & (
        (Call.subscriber_id < place.subscriber_id) | same_number
    )
    return (Call.started_at < place.started_at) | same_moment


def _such(query: ModelSelect, group: str) -> ModelSelect:
    """As `usage.group_of` counts them."""
    if not group:
        return query
    if group == usage.INCOMING:
        return query.where(Call.direction == CallDirection.IN)
    query = query.left_outer_join(TariffRate, on=(Call.rate_id == TariffRate.id))
    query = query.where(Call.direction == CallDirection.OUT)
    if group == usage.UNKNOWN:
        nameless = TariffRate.destination_group.is_null() | (TariffRate.destination_group == "")
        return query.where(nameless)
    return query.where(TariffRate.destination_group == group)


def _with_numbers(client: Client, calls: list[Call]) -> list[Listed]:
    ids = {call.subscriber_id for call in calls}
    known = {row.id: row for row in Subscriber.of(client).where(Subscriber.id.in_(ids))}
    return [Listed(told, known[told.call.subscriber_id]) for told in charges.tell(client, calls)]
