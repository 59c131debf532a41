"""What calls come to by month and day: sums kept beside the calls, in the same transactions, so
that pages and forecasts need not read a month of calls.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from peewee import Model, fn

from domain.cdr.record import CallDirection
from domain.periods import QUARTER_S
from domain.rating.states import UNRATED
from models import Call, Subscriber, db
from models_billing import TariffRate, UsageDay, UsageMonth
from services import bulk, clock
from services.transactions import write_tx

INCOMING, UNKNOWN = "in", "?"  # groups of calls that came in, and of those without a price
SUMS = ("calls", "seconds", "billed_s", "package_s", "micros", "unrated")
MONTH_KEY = ("subscriber_id", "month", "destination_group")
DAY_KEY = ("client_id", "day", "destination_group")
_ZERO = (0,) * len(SUMS)


class Counted(NamedTuple):
    """Of a call, what the sums are made of."""

    subscriber_id: int
    started_at: int
    direction: int
    billable_s: int
    rating: int | None
    price: int | None
    billed_s: int | None
    package_s: int | None
    group: str  # of the destination

    @property
    def sums(self) -> tuple[int, ...]:
        """Its part in SUMS."""
        is_unrated = self.rating in UNRATED
        return (
            1,
            self.billable_s,
            self.billed_s or 0,
            self.package_s or 0,
            self.price or 0,
            int(is_unrated),
        )


def of_row(call: Call, rate_group: str | None = None) -> Counted:
    """A row of the table as the sums see it."""
    return Counted(
        call.subscriber_id,
        call.started_at,
        int(call.direction),
        call.billable_s,
        call.rating,
        call.price,
        call.billed_s,
        call.package_s,
        group_of(call.direction, rate_group),
    )


def group_of(direction: int, rate_group: str | None) -> str:
    """The group under which a call is counted."""
    return INCOMING if direction == CallDirection.IN else rate_group or UNKNOWN


class Days:
    """Local days of epoch seconds."""

    def __init__(self) -> None:
        self._quarters: dict[int, tuple[int, int]] = {}

    def of(self, moment: int) -> tuple[int, int]:
        """Ordinal of the day, and the month as year * 12 + month - 1."""
        quarter = moment // QUARTER_S
        found = self._quarters.get(quarter)
        if found is None:
            day = datetime.fromtimestamp(quarter * QUARTER_S, clock.zone()).date()
            found = self._quarters[quarter] = day.toordinal(), month_number(day)
        return found


def month_number(day: date) -> int:
    """Months are counted through: year * 12 + month - 1."""
    return day.year * 12 + day.month - 1


class Change:
    """Calls that come and go within a transaction; `save` brings the sums up to date."""

    def __init__(self, client_of: Mapping[int, int], days: Days | None = None) -> None:
        self._client_of, self._days = client_of, days or Days()
        self._months: defaultdict[tuple, list[int]] = defaultdict(lambda: list(_ZERO))
        self._by_day: defaultdict[tuple, list[int]] = defaultdict(lambda: list(_ZERO))

    def add(self, call: Counted, sign: int = 1) -> None:
        """A call has come, or with -1 has gone."""
        sums = call.sums if sign == 1 else tuple(sign * value for value in call.sums)
        self.note(call.subscriber_id, call.started_at, call.group, sums)

    def note(self, subscriber_id: int, started_at: int, group: str, sums: tuple[int, ...]) -> None:
        """The same of a call's SUMS: a million of them are noted in an import."""
        calls, seconds, billed_s, package_s, micros, unrated = sums
        day, month = self._days.of(started_at)
        row = self._months[subscriber_id, month, group]
        row[0] += calls
        row[1] += seconds
        row[2] += billed_s
        row[3] += package_s
        row[4] += micros
        row[5] += unrated
        client = self._client_of.get(subscriber_id)
        if client is None:
            return
        row = self._by_day[client, day, group]
        row[0] += calls
        row[1] += seconds
        row[2] += billed_s
        row[3] += package_s
        row[4] += micros
        row[5] += unrated

    def save(self) -> None:
        """Add all that to the tables, inside a write transaction."""
        _add(UsageMonth, MONTH_KEY, self._months)
        _add(UsageDay, DAY_KEY, self._by_day)
        self._months.clear()
        self._by_day.clear()


def _add(model: type[Model], key: tuple[str, ...], rows: Mapping[tuple, list[int]]) -> None:
    changed = [(*where, *sums) for where, sums in sorted(rows.items()) if any(sums)]
    if not changed:
        return
    table = bulk.table_of(model)
    columns = ", ".join((*key, *SUMS))
    marks = ", ".join("?" * len((*key, *SUMS)))
    sets = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)
    bulk.run_many(
        db.obj,
        f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - names of our own
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}",
        changed,
    )


def counted() -> Iterable[Counted]:
    """Every call as it is stored: what the sums must say."""
    query = Call.select(
        Call.subscriber_id,
        Call.started_at,
        Call.direction,
        Call.billable_s,
        Call.rating,
        Call.price,
        Call.billed_s,
        Call.package_s,
        Call.rate_id,
    )
    groups = groups_of_rates()
    for *row, rate_id in db.execute(query):
        yield Counted(*row, group_of(row[2], groups.get(rate_id)))


def groups_of_rates() -> dict[int, str]:
    """Destination group by rate: a few thousand rows, read once a job."""
    return dict(TariffRate.select(TariffRate.id, TariffRate.destination_group).tuples())


def clients() -> dict[int, int]:
    """Client by subscriber."""
    return dict(Subscriber.across_clients(Subscriber.id, Subscriber.client).tuples())


def make_anew() -> None:
    """Count everything again, inside a write transaction: after a migration, or to repair."""
    UsageMonth.delete().execute()
    UsageDay.delete().execute()
    change = Change(clients())
    for call in counted():
        change.add(call)
    change.save()


def make_if_missing() -> None:
    """Count the calls of a database that is older than the sums."""
    if Call.select().exists() and not UsageMonth.select().exists():
        with write_tx():
            make_anew()


def of_client(client_id: int, month: int) -> dict[str, tuple[int, ...]]:
    """SUMS of a client's month by group."""
    first = date(month // 12, month % 12 + 1, 1).toordinal()
    after = date((month + 1) // 12, (month + 1) % 12 + 1, 1).toordinal()
    query = (
        UsageDay.select(UsageDay.destination_group, *(fn.SUM(getattr(UsageDay, n)) for n in SUMS))
        .where(UsageDay.client == client_id, UsageDay.day >= first, UsageDay.day < after)
        .group_by(UsageDay.destination_group)
    )
    return {group: tuple(int(value) for value in sums) for group, *sums in query.tuples()}
