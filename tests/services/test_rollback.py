"""An import taken out again: as if its file had never been read."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import NotFound, NothingToRollBack
from domain.imports import ImportState
from models import AuditEvent, Call, ImportRun, Subscriber, UnmatchedLeg, WaitingHalf, db
from services import call_store, rollback, verify
from services.imports import ImportRequest, import_file
from services.rematch import rematch
from services.subscribers import add_subscriber
from tests.domain.cdr.dialects import row, text
from tests.factories import NOON, make_import_run, make_subscriber
from tests.services.test_imports import later


@pytest.fixture
def bring(base, tmp_path):
    """Import a file of these rows; gives its run."""

    def import_rows(*rows, name="Master.csv", **request):
        path = tmp_path / name
        path.write_text(text(*rows), "utf-8")
        import_file(ImportRequest(path=path, zone="UTC", **request), now=NOON)
        return ImportRun.select().order_by(ImportRun.id.desc()).get()

    return import_rows


@pytest.fixture
def own(client_row):
    """Our number in the rows."""
    return make_subscriber(client_row, number="375171234567")


def contents():
    """All that imports write of calls. Runs are numbered in a row, so they are left as they are."""
    return {
        model: sorted(map(repr, model.select().tuples()))
        for model in (Call, UnmatchedLeg, WaitingHalf)
    }


def test_calls_of_one_file_vanish_with_it(bring, own):
    bring(later(0), name="a.csv")
    before = contents()
    run = bring(later(1), later(2, src="999"), name="b.csv")
    done = rollback.roll_back(run, now=NOON)
    assert (done.removed, done.changed, done.unmatched, done.repeated) == (1, 0, 1, [])
    assert contents() == before
    run = ImportRun.get_by_id(run.id)
    assert (run.state, run.rolled_back_at) == (ImportState.ROLLED_BACK, NOON)
    assert verify.run() == []


def test_a_joined_call_is_computed_anew(bring, own):
    first = bring(later(0), name="a.csv")
    before = contents()
    second = bring(later(5, uniqueid="1773144000.1"), name="b.csv")
    assert Call.get().billable_s == 120
    done = rollback.roll_back(second, now=NOON)
    assert (done.removed, done.changed) == (0, 1)
    assert contents() == before
    assert Call.get().import_run_id == first.id


def test_the_first_of_two_files_can_go_too(bring, own):
    first = bring(later(0), name="a.csv")
    second = bring(later(5, uniqueid="1773144000.1"), name="b.csv")
    rollback.roll_back(first, now=NOON)
    call = Call.get()
    assert (call.billable_s, call.import_run_id) == (60, second.id)
    assert verify.run() == []


def test_a_leg_told_again_belongs_to_the_first_and_comes_back_with_the_second(bring, own):
    first = bring(later(0), name="a.csv")
    second = bring(later(0), later(1), name="b.csv")
    done = rollback.roll_back(first, now=NOON)
    assert (Call.select().count(), done.repeated) == (1, [second])
    again = bring(later(0), later(1), name="b.csv")
    assert (again.accepted, again.duplicates) == (1, 1)
    assert again.id != second.id
    assert Call.select().count() == 2


def test_a_leg_told_otherwise_by_two_files_is_kept_for_each(bring, own):
    bring(later(0, billsec="60"), name="a.csv")
    before = contents()
    second = bring(later(0, billsec="61", duration="71"), name="b.csv")
    assert contents() != before
    rollback.roll_back(second, now=NOON)
    assert contents() == before


def test_both_sides_of_a_call_go_together(bring, own, client_row):
    pair = later(0, src="375171234567", dst="375291234567")
    bring(pair, name="a.csv")
    add_subscriber(client_row, "375291234567", now=NOON)
    second = bring(pair, later(1), name="b.csv")
    assert Call.select().count() == 4
    rollback.roll_back(second, now=NOON)
    assert verify.run() == []
    assert Call.select().count() == 2, "the call is the first file's, on both sides"
    rematch(now=NOON)
    assert Call.select().count() == 2
    first = ImportRun.get(ImportRun.file_name == "a.csv")
    rollback.roll_back(first, now=NOON)
    assert not Call.select().exists()


def test_what_was_nobodys_stays_the_first_files_when_it_finds_an_owner(bring, own, client_row):
    stranger = later(0, src="375291111111", dst="375292222222")
    bring(stranger, name="a.csv")
    add_subscriber(client_row, "375291111111", now=NOON)
    second = bring(stranger, name="b.csv")
    assert second.accepted == 1
    rollback.roll_back(second, now=NOON)
    assert Call.get().import_run.file_name == "a.csv"
    assert verify.run() == []


def test_a_rollback_that_was_interrupted_goes_on(bring, own, monkeypatch):
    run = bring(*(later(n) for n in range(10)))
    monkeypatch.setattr(rollback, "BATCH", 4)
    take_out, calls = call_store.take_out, []

    def fail_later(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError("killed")
        return take_out(*arguments, **options)

    monkeypatch.setattr(call_store, "take_out", fail_later)
    with pytest.raises(OSError, match="killed"):
        rollback.roll_back(run, now=NOON)
    run = ImportRun.get_by_id(run.id)
    assert (run.state, Call.select().count()) == (ImportState.ROLLING_BACK, 6)
    rollback.roll_back(run, now=NOON)
    assert not Call.select().exists()


def test_an_import_is_rolled_back_once(bring, own):
    run = bring(later(0))
    rollback.roll_back(run, now=NOON)
    with pytest.raises(NothingToRollBack):
        rollback.roll_back(ImportRun.get_by_id(run.id), now=NOON)
    with pytest.raises(NothingToRollBack):
        rollback.roll_back(make_import_run(state=ImportState.CHECKED), now=NOON)
    with pytest.raises(NotFound):
        rollback.find_run(run.id + 100)


def test_a_file_rolled_back_is_read_anew(bring, own):
    run = bring(later(0))
    rollback.roll_back(run, now=NOON)
    again = bring(later(0))
    assert (again.id != run.id, again.accepted, again.state) == (True, 1, ImportState.DONE)


def test_it_is_written_down(bring, own):
    run = bring(later(0))
    rollback.roll_back(run, now=NOON)
    event = AuditEvent.get(AuditEvent.event == "import_rolled_back")
    assert (event.subject, event.detail["removed"]) == (f"import_run:{run.id}", 1)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_came_in_without_it_is_as_without_it(bring, own, client_row, data):
    """Files of legs that no two of them share: taking one out is as never having read it."""
    numbers = ["375171234567", "375291234567", "375293333333"]
    pieces = data.draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=14))
    goes = data.draw(st.integers(0, 2))
    with db.atomic() as undone:
        add_subscriber(client_row, "375291234567", now=NOON)
        files = {0: [], 1: [], 2: []}
        for n, (call, file) in enumerate(pieces):
            talk = random.Random(n).randrange(60)  # noqa: S311 - test data
            files[file].append(
                row(
                    src=numbers[n % 3],
                    dst=numbers[(n + 1 + n % 2) % 3],
                    start=f"2026-03-10 12:{n:02}:00",
                    answer=f"2026-03-10 12:{n:02}:00",
                    end=f"2026-03-10 12:{n:02}:{talk:02}",
                    duration=str(talk),
                    billsec=str(talk),
                    uniqueid=f"{1773144000 + call}.1",
                )
            )
        seen = []
        for read in ([0, 1, 2], [n for n in range(3) if n != goes]):
            with db.atomic() as inner:
                runs = {n: bring(*files[n], name=f"{n}.csv") for n in read if files[n]}
                if goes in runs:
                    rollback.roll_back(runs[goes], now=NOON)
                assert verify.run() == []
                seen.append(told())
                inner.rollback()
        assert seen[0] == seen[1]
        undone.rollback()


def told():
    """Calls and kept legs without the numbers of runs and exchanges: what is undone leaves gaps in
    them, on PostgreSQL.
    """
    counted = ("import_run", "exchange", "legs")
    columns = [f for f in Call._meta.sorted_fields if f.name not in counted]
    legs = UnmatchedLeg.select(UnmatchedLeg.uid, UnmatchedLeg.leg, UnmatchedLeg.record)
    return sorted(Call.select(*columns).tuples()), sorted(legs.tuples())


def test_subscribers_stay(bring, own, client_row):
    run = bring(later(0))
    count = Subscriber.select().count()
    rollback.roll_back(run, now=NOON)
    assert Subscriber.select().count() == count
