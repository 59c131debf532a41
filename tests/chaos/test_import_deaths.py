"""An import that dies before and behind the commit of a batch, and is begun again: the rows and
the counts of one that was never interrupted.
"""

import pytest

from models import Call, Exchange, ImportRun, UnmatchedLeg
from services import clock, import_turns, imports
from services.imports import ImportRequest
from tests.chaos.kill_points import IMPORTED
from tests.chaos.lives import DONE, KILLED

COUNTS = ("lines", "calls", "accepted", "duplicates", "rejected", "unmatched", "skipped")


def read(lives, exchange):
    """Import the demo's own file as that of an exchange, in small batches."""
    files = (lives.config.data_dir / "demo").glob("demo-*.csv")
    file = max(files, key=lambda path: path.stat().st_size)

    def work():
        imports.BATCH = 20  # in this child alone
        request = ImportRequest(path=file, zone="Europe/Minsk", exchange_name=exchange)
        with import_turns.one_at_a_time(lives.config.data_dir):
            imports.import_file(request, now=clock.now())

    return work


def stored(lives, name):
    """What an import has left: its one row, and the calls without what names the exchange."""
    with lives.here():
        exchange = Exchange.get(Exchange.name == name)
        (run,) = ImportRun.select().where(ImportRun.exchange == exchange)
        calls = Call.select(
            Call.subscriber_id, Call.started_at, Call.uid, Call.direction, Call.billable_s
        ).where(Call.exchange == exchange)
        nobodys = UnmatchedLeg.select().where(UnmatchedLeg.exchange == exchange).count()
        return [getattr(run, name) for name in COUNTS], sorted(calls.tuples()), nobodys


@pytest.mark.parametrize("point", IMPORTED)
def test_an_import_that_died_goes_on_where_it_stopped(lives, point):
    name = point.replace(":", "-")
    assert lives.run(read(lives, name), crash_at=point) == KILLED
    assert lives.run(read(lives, name)) == DONE
    if point == IMPORTED[0]:
        assert lives.run(read(lives, "never-interrupted")) == DONE
    assert stored(lives, name) == stored(lives, "never-interrupted")


def test_behind_the_imports_every_invariant_holds(lives):
    assert lives.breaches() == []
