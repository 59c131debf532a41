"""Months of calls on PostgreSQL: the table is divided by the start of the call, in UTC. On SQLite
all calls lie in one table, and nothing here does anything.

Months are made before they are written to; what lies too far away goes to `call_default`. That a
call is there once is promised by an index inside each month, and across months by imports that
take turns and look first: docs/decisions/0060-calls-by-month.md.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from peewee import SqliteDatabase

from domain.periods import month_start
from models import db
from services import clock
from services.transactions import write_tx

AHEAD = 2  # months made before they begin
FARTHEST_BACK = 120  # months: damaged dates in a file must not make a thousand tables
_LOCK = 0x5349_5001  # of PostgreSQL's advisory locks: one process at a time makes months


def make_ahead(*, now: datetime) -> int:
    """Make this month and the next ones; return how many were missing."""
    this = month_start(now.astimezone(UTC).date())
    return make_for((_epoch(month_start(this, -n)) for n in range(AHEAD + 1)), now=now)


def make_for(starts: Iterable[int], *, now: datetime) -> int:
    """Make the months of calls that begin at `starts`, in epoch seconds; return how many were
    missing. Inside a transaction they are made with it.
    """
    if isinstance(db.obj, SqliteDatabase):
        return 0
    this = month_start(now.astimezone(UTC).date())
    oldest, newest = month_start(this, FARTHEST_BACK), month_start(this, -AHEAD)
    wanted = {month_start(clock.from_epoch(start).date()) for start in starts}
    missing = {month for month in wanted if oldest <= month <= newest} - set(_existing())
    if not missing:
        return 0
    with write_tx():
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        missing -= set(_existing())  # another process may have been faster
        for month in sorted(missing):
            _make(month)
    return len(missing)


def _existing() -> Iterator[date]:
    rows = db.execute_sql(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass('\"call\"') AND c.relname ~ '^call_[0-9]{4}_[0-9]{2}$'"
    )
    for (name,) in rows.fetchall():
        yield date(int(name[5:9]), int(name[10:12]), 1)


def _make(month: date) -> None:
    """A table beside the others first, then attached: readers of other months are not waited for.
    Rows of the month that lie in `call_default` move over.
    """
    name = f"call_{month:%Y_%m}"
    start, end = _epoch(month), _epoch(month_start(month, -1))
    inside = f"started_at >= {start} AND started_at < {end}"
    moved = f"DELETE FROM call_default WHERE {inside} RETURNING *"  # noqa: S608 - numbers
    for statement in (
        f'CREATE TABLE {name} (LIKE "call" INCLUDING ALL)',
        f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved",  # noqa: S608
        f"CREATE UNIQUE INDEX {name}_once ON {name} (exchange_id, uid, subscriber_id, direction)",
        f'ALTER TABLE "call" ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})',
    ):
        db.execute_sql(statement)


def _epoch(day: date) -> int:
    return clock.epoch(datetime(day.year, day.month, day.day, tzinfo=UTC))
