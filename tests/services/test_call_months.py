"""Calls by month on PostgreSQL, in one table on SQLite: what differs, and what does not."""

from datetime import UTC, datetime

import pytest
from peewee import IntegrityError

from domain.cdr.record import stable_hash
from models import Call, UnmatchedLeg, db
from services import bulk, call_months, clock, import_turns, reconcile, verify
from services.imports import ImportRequest, import_file
from tests import databases
from tests.domain.cdr.dialects import row, text
from tests.factories import NOON, make_call, make_import_run, make_subscriber

on_postgresql = pytest.mark.skipif(
    "config.getoption('--database') == 'sqlite'", reason="SQLite keeps calls in one table"
)


def places():
    """Table, and moments of the calls in it."""
    query = 'SELECT tableoid::regclass::text, started_at FROM "call" ORDER BY 2'
    return [(name, f"{clock.from_epoch(at):%Y-%m-%d %H}") for name, at in db.execute_sql(query)]


def at(*moment):
    return clock.epoch(datetime(*moment, tzinfo=UTC))


@pytest.fixture
def bring(base, client_row, tmp_path):
    """Import records of a number of ours."""
    make_subscriber(client_row, number="375171234567")

    def import_rows(*rows):
        path = tmp_path / "Master.csv"
        path.write_text(text(*rows), "utf-8")
        return import_file(ImportRequest(path=path, zone="UTC"), now=NOON)

    return import_rows


def leg(start, end, seconds):
    """One of the legs of a call around midnight."""
    length = {"duration": str(seconds), "billsec": str(seconds)}
    return row(start=start, answer=start, end=end, uniqueid="1772323190.1", **length)


@on_postgresql
def test_a_call_lies_in_the_month_in_which_it_began(base):
    subscriber = make_subscriber()
    moments = at(2026, 2, 28, 23), at(2026, 3, 1), at(2026, 3, 31, 23)
    assert call_months.make_for(moments, now=NOON) == 2
    assert call_months.make_for(moments, now=NOON) == 0
    for moment in moments:
        make_call(subscriber, clock.from_epoch(moment))
    months = [name for name, _moment in places()]
    assert months == ["call_2026_02", "call_2026_03", "call_2026_03"]


@on_postgresql
def test_nothing_is_refused_and_what_waited_moves_into_its_month(base):
    subscriber = make_subscriber()
    for moment in (at(1971, 1, 1), at(2026, 3, 5), at(2098, 1, 1)):
        make_call(subscriber, clock.from_epoch(moment))
    assert {name for name, _moment in places()} == {"call_default"}
    starts = [started for (started,) in Call.select(Call.started_at).tuples()]
    assert call_months.make_for(starts, now=NOON) == 1, "decades away: no table for each"
    assert [name for name, _moment in places()] == ["call_default", "call_2026_03", "call_default"]


@on_postgresql
def test_the_reconciler_makes_months_before_they_begin(base):
    december = datetime(2027, 12, 31, 22, tzinfo=UTC)
    assert reconcile.tick(now=december).months == 3
    assert reconcile.tick(now=december).months == 0
    assert {"call_2027_12", "call_2028_01", "call_2028_02"} <= set(db.get_tables())


def test_a_leg_of_the_month_before_moves_the_call_whole(bring):
    """It began in February: the row leaves March, and is there once."""
    later = leg("2026-03-01 00:00:10", "2026-03-01 00:01:00", 50)
    first = leg("2026-02-28 23:59:50", "2026-03-01 00:00:05", 15)
    bring(later)
    bring(first)
    assert [f"{clock.from_epoch(call.started_at):%m-%d %H:%M}" for call in Call.select()] == [
        "02-28 23:59"
    ]
    assert Call.get().legs.count("],[") == 1
    assert verify.run() == []
    if databases.kind == "postgresql":
        assert places() == [("call_2026_02", "2026-02-28 23")]


@pytest.mark.parametrize("days", [1, 40])
def test_a_call_stored_around_the_importer_a_second_time_is_refused_or_found(bring, days):
    bring(row())
    again = {**Call.get().__data__, "started_at": Call.get().started_at - days * 86_400}
    if databases.kind == "sqlite" or days == 1:
        with pytest.raises(IntegrityError), db.atomic():
            Call.create(**again)
    else:  # no index spans two months
        Call.create(**again)
        assert "a_call_is_stored_once" in {breach.check for breach in verify.run()}


def rows_of(n, run, subscriber):
    """Rows of calls with everything that is hard to write: Cyrillic, tabs, backslashes, nothing."""
    peers = ("375291234567", "ё\tж", "\\N", "a\\nb", "", '"', "line\nbreak", "NULL")
    for i in range(n):
        uid = f"1773144000.{i}"
        yield (
            *(subscriber.id, at(2026, 3, 1 + i % 28), stable_hash("x", uid, 0), 0, bool(i % 2)),
            *(subscriber.number, peers[i % len(peers)], None if i % 3 else at(2026, 3, 2), 9, 0, 1),
            *(run.exchange_id, uid, "[[1, 2]]", run.id),
        )


def test_rows_written_at_once_are_those_written_one_by_one(base):
    names = [
        *("subscriber_id", "started_at", "seq", "direction", "on_net", "number", "peer"),
        *("answered_at", "duration_s", "billable_s", "disposition", "exchange_id", "uid", "legs"),
        "import_run_id",
    ]
    rows = list(rows_of(100, make_import_run(), make_subscriber()))
    found = []
    for insert in (bulk.insert_rows, bulk.insert_plainly):
        insert(db.obj, Call, names, rows)
        found.append(db.execute_sql(f'SELECT {", ".join(names)} FROM "call"').fetchall())  # noqa: S608
        Call.delete().execute()
    assert sorted(found[0], key=lambda r: r[12]) == sorted(found[1], key=lambda r: r[12])
    assert [tuple(r) for r in sorted(found[0], key=lambda r: r[12])] == sorted(
        rows, key=lambda r: r[12]
    )


def test_rows_that_are_there_are_passed_over_when_asked(base):
    run = make_import_run()
    names = ("exchange_id", "uid", "leg", "record", "import_run_id")
    rows = [(run.exchange_id, "1", leg, "ё\\", run.id) for leg in range(3)]
    for part in (rows[:2], rows, rows):
        bulk.insert_rows(db.obj, UnmatchedLeg, names, part, ignore_conflicts=True)
    assert UnmatchedLeg.select().count() == 3
    with pytest.raises(Exception, match=r"(?i)unique"), db.atomic():
        bulk.insert_rows(db.obj, UnmatchedLeg, names, rows)


@on_postgresql
def test_imports_take_turns_on_different_machines(app, tmp_path):
    """Two data dirs, one database: the second waits for the first."""
    waited = []
    with app.app_context(), db.connection_context():
        other = db.obj.__class__(db.obj.database, prefer_psycopg3=True, **db.obj.connect_params)
        with other.connection_context():
            key = import_turns.IMPORT_LOCK
            other.execute_sql("SELECT pg_advisory_lock(%s)", (key,))

            def let_go():
                waited.append(1)
                other.execute_sql("SELECT pg_advisory_unlock(%s)", (key,))

            with import_turns.one_at_a_time(tmp_path, let_go):
                taken = other.execute_sql("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
            free = other.execute_sql("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    assert (waited, taken, free) == ([1], (False,), (True,))
