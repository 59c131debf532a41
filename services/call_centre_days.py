"""Days of a call centre, each made of its calls once and kept: a day is read again when its calls
or the list of numbers have changed, and not before.

That they have is seen by the sums that imports keep beside the calls (`usage.py`).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from peewee import Field, ModelSelect, fn

from domain.call_centre import SLOT_MIN, Day, Figures, Missed, Seen, sum_up
from domain.periods import QUARTER_S, DateRange, month_start
from models import Call, Client, ImportRun, Subscriber, db
from models_billing import UsageDay
from models_subscribers import CentreDay, CentreNumber
from services import clock
from services.transactions import DiskFull, write_tx

FORM = 2  # of what is kept: another one makes all days anew
AT_ONCE = 5  # days read in one query
SEPARATOR = "\n"  # of numbers


def days_of(
    client: Client,
    members: Sequence[int],
    period: DateRange,
    *,
    by_slot: frozenset[int] = frozenset(),
) -> Iterator[Day]:
    """Every day of the period, one at a time: a day may name ten thousand callers. What has to be
    counted is kept for the next time. Of what is kept the slots of the numbers in `by_slot` alone
    are read: there are many.
    """
    stamps = _stamps(client, members, period)
    unkept = _make_missing(client, members, stamps, period)
    kept = _kept(client, period, stamps, by_slot)
    at, found = next(kept, (None, None))
    for day in period.days():
        if day == at:
            yield found or Day()
            at, found = next(kept, (None, None))
        elif day in stamps and day not in unkept:  # an import has come in between
            yield _make(client, members, DateRange(day, day))[day]
        else:
            yield unkept.get(day) or Day()


def make_missing(client: Client, members: Sequence[int], period: DateRange) -> None:
    """Count and keep the days of the period that are not kept, or do not hold any more."""
    _make_missing(client, members, _stamps(client, members, period), period)


def _make_missing(
    client: Client, members: Sequence[int], stamps: dict[date, str], period: DateRange
) -> dict[date, Day]:
    """Those that could not be kept are returned."""
    unkept = {}
    for some in _runs(_outdated(client, stamps, period)):
        made = _make(client, members, DateRange(some[0], some[-1]))
        if not _keep(client, {day: (stamps[day], made[day]) for day in some}):
            unkept |= made
    return unkept


def _outdated(client: Client, stamps: dict[date, str], period: DateRange) -> list[date]:
    rows = _of_days(client, period, CentreDay.day, CentreDay.stamp).tuples()
    kept = {date.fromordinal(day): stamp for day, stamp in rows}
    return [day for day, stamp in stamps.items() if kept.get(day) != stamp]


def _of_days(client: Client, period: DateRange, *fields: Field) -> ModelSelect:
    days = CentreDay.day.between(period.start.toordinal(), period.end.toordinal())
    return CentreDay.of(client, *fields).where(days).order_by(CentreDay.day)


def _stamps(client: Client, members: Sequence[int], period: DateRange) -> dict[date, str]:
    """Days that have calls, each with what tells whether its figures still hold."""
    listed = hashlib.sha256(repr(sorted(members)).encode()).hexdigest()[:16]
    query = (
        UsageDay.of(client, UsageDay.day, fn.SUM(UsageDay.calls), fn.SUM(UsageDay.seconds))
        .where(UsageDay.day.between(period.start.toordinal(), period.end.toordinal()))
        .group_by(UsageDay.day)
        .order_by(UsageDay.day)
    )
    return {
        date.fromordinal(day): f"{FORM}:{calls}:{seconds}:{listed}"
        for day, calls, seconds in query.tuples()
        if calls
    }


def _kept(
    client: Client, period: DateRange, stamps: dict[date, str], by_slot: frozenset[int]
) -> Iterator[tuple[date, Day]]:
    for row in _of_days(client, period).iterator():
        day = date.fromordinal(row.day)
        if stamps.get(day) == row.stamp:
            yield day, _unpack(row.figures, row.callers, by_slot)


def _runs(days: Iterable[date]) -> Iterator[list[date]]:
    """Days that follow each other, a few together."""
    run: list[date] = []
    for day in days:
        if run and (day != run[-1] + timedelta(days=1) or len(run) == AT_ONCE):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _make(client: Client, members: Sequence[int], period: DateRange) -> dict[date, Day]:
    slots = Slots()
    calls: dict[int, list[Seen]] = {day.toordinal(): [] for day in period.days()}
    for call in _calls(client, period):
        calls[slots.day_of(call.started_at)].append(call)
    return {date.fromordinal(day): sum_up(some, members, slots) for day, some in calls.items()}


def _calls(client: Client, period: DateRange) -> Iterator[Seen]:
    start, end = (clock.epoch(moment) for moment in period.bounds(clock.zone()))
    query = Call.select(
        Call.subscriber_id,
        Call.started_at,
        Call.direction,
        Call.peer,
        Call.answered_at,
        Call.duration_s,
        Call.billable_s,
        Call.exchange,
        Call.uid,
    ).where(
        Call.subscriber_id.in_(Subscriber.of(client, Subscriber.id)),
        Call.started_at >= start,
        Call.started_at < end,
    )
    for *row, exchange, uid in db.execute(query):
        yield Seen(*row, (exchange, uid))


class Slots(dict[int, int]):
    """Slot of the day by quarter of an hour of the epoch."""

    def __init__(self) -> None:
        super().__init__()
        self._days: dict[int, int] = {}

    def __missing__(self, quarter: int) -> int:
        local = clock.local(clock.from_epoch(quarter * QUARTER_S))
        self._days[quarter] = local.toordinal()
        self[quarter] = slot = (local.hour * 60 + local.minute) // SLOT_MIN
        return slot

    def day_of(self, moment: int) -> int:
        """Ordinal of the local day."""
        quarter = moment // QUARTER_S
        if quarter not in self._days:
            self[quarter]
        return self._days[quarter]


def _keep(client: Client, made: dict[date, tuple[str, Day]]) -> bool:
    with suppress(DiskFull), write_tx():  # the page can be shown all the same
        for day, (stamp, figures) in made.items():
            values: dict[Any, Any] = {
                CentreDay.stamp: stamp,
                CentreDay.figures: _figures(figures),
                CentreDay.callers: _callers(figures),
            }
            CentreDay.insert(
                {CentreDay.client: client, CentreDay.day: day.toordinal(), **values}
            ).on_conflict(
                conflict_target=[CentreDay.client, CentreDay.day], update=values
            ).execute()
        return True
    return False


def wrong_days(client: Client) -> Iterator[date]:
    """Kept days that hold, and are not what their calls make."""
    first, last = CentreDay.of(client, fn.MIN(CentreDay.day), fn.MAX(CentreDay.day)).tuples().get()
    if first is None:
        return
    members = _members(client)
    period = DateRange(date.fromordinal(first), date.fromordinal(last))
    stamps = _stamps(client, members, period)
    for row in _of_days(client, period).iterator():
        day = date.fromordinal(row.day)
        if stamps.get(day) == row.stamp:
            made = _make(client, members, DateRange(day, day))[day]
            if made != _unpack(row.figures, row.callers, frozenset(members)):
                yield day


def _members(client: Client) -> list[int]:
    return [key for (key,) in CentreNumber.of(client, CentreNumber.subscriber).tuples()]


# --- As they are kept -----------------------------------------------------------------------------


def _figures(day: Day) -> dict[str, Any]:
    return {
        "all": _rows(day.all),
        "members": _rows(day.members),
        "slots": {key: _rows(slots) for key, slots in day.slots.items()},
        "nameless": day.nameless,
    }


def _callers(day: Day) -> dict[str, Any]:
    return {
        "missed": [list(day.missed[peer]) for peer in sorted(day.missed)],
        "spoken_to": SEPARATOR.join(sorted(day.spoken_to)),  # one text is read fastest
    }


def _unpack(figures: dict[str, Any], callers: dict[str, Any], by_slot: frozenset[int]) -> Day:
    slots = figures["slots"]
    return Day(
        _unrow(figures["all"]),
        _unrow(figures["members"]),
        {key: _unrow(slots[str(key)]) for key in by_slot if str(key) in slots},
        {row[0]: Missed(*row) for row in callers["missed"]},
        set(filter(None, callers["spoken_to"].split(SEPARATOR))),
        figures["nameless"],
    )


def _rows(found: dict[int, Figures]) -> list[list[int]]:
    return [[key, *figures] for key, figures in sorted(found.items())]


def _unrow(rows: list[list[int]]) -> dict[int, Figures]:
    return {key: Figures._make(row) for key, *row in rows}


def keep_up(*, now: datetime) -> int:
    """Make what pages will ask for before they do, a few days in a round, and drop what none asks
    for any more; return how many days were made or dropped.
    """
    state = _state(now)
    if state == _done.get("state"):
        return 0
    first = month_start(now.date(), 1)
    done = 0
    served = Client.id.in_(CentreNumber.select(CentreNumber.client))
    for client in list(Client.select().where(served)):  # a cursor left open would hold the log
        members = _members(client)
        period = DateRange(first, now.date())
        stamps = _stamps(client, members, period)
        for some in _runs(_outdated(client, stamps, period)):
            make_missing(client, members, DateRange(some[0], some[-1]))
            done += len(some)
            if done >= AT_ONCE:
                return done
    with write_tx():
        done += CentreDay.delete().where(CentreDay.day < first.toordinal()).execute()
    _done["state"] = state
    return done


_done: dict[str, tuple[Any, ...]] = {}


def _state(now: datetime) -> tuple[Any, ...]:
    """What has to change before there is anything to do."""
    runs = ImportRun.select(
        fn.MAX(ImportRun.id), fn.MAX(ImportRun.finished_at), fn.MAX(ImportRun.rolled_back_at)
    )
    numbers = CentreNumber.across_clients(fn.COUNT(CentreNumber.id), fn.MAX(CentreNumber.id))
    return now.date(), *runs.tuples().get(), *numbers.tuples().get()
