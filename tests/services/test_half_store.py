"""Answers and ends of calls that come in different files, batches and runs."""

import os
import random
import signal
import time

import pytest

from domain.cdr.record import Disposition
from models import Call, UnmatchedLeg, WaitingHalf
from services import imports, verify
from services.imports import ImportRequest, import_file
from tests.domain.cdr import test_kamailio_acc as acc
from tests.domain.cdr.test_opensips_flat import AT, bye, invite, text
from tests.factories import NOON, make_subscriber
from tests.services.test_imports import prepared


@pytest.fixture
def bring(base, tmp_path):
    """Import a file of these lines."""

    def import_lines(*lines, content=None, **request):
        path = tmp_path / "acc.log"
        path.write_text(text(*lines) if content is None else content, "utf-8")
        request = {"format_name": "opensips-flat", "zone": "UTC"} | request
        return import_file(ImportRequest(path=path, **request), now=NOON)

    return import_lines


@pytest.fixture
def own(client_row):
    """Our number in the lines."""
    return make_subscriber(client_row, number="375171234567")


def calls():
    rows = Call.select().order_by(Call.subscriber_id, Call.started_at, Call.seq).dicts()
    return [{k: v for k, v in row.items() if k not in {"import_run", "legs"}} for row in rows]


def fates(outcome):
    """Accepted, duplicates, rejected, unmatched, skipped."""
    assert sum(outcome.counts.values()) == outcome.lines
    return tuple(outcome.counts.values())


def test_both_lines_of_a_call_count_as_its_legs(bring, own):
    outcome = bring(invite(), bye(), invite("2", "486", AT + 9))
    assert fates(outcome) == (3, 0, 0, 0, 0)
    assert outcome.calls == 2
    assert [(c["billable_s"], c["disposition"]) for c in calls()] == [
        (60, Disposition.ANSWERED),
        (0, Disposition.BUSY),
    ]
    assert not WaitingHalf.select().exists()
    assert verify.run() == []


def test_a_call_under_way_waits_and_is_no_call_yet(bring, own):
    assert fates(bring(invite())) == (0, 0, 0, 1, 0)
    assert calls() == []
    assert WaitingHalf.select().count() == 1
    assert fates(bring(bye())) == (1, 0, 0, 0, 0)
    assert calls()[0]["billable_s"] == 60
    assert not WaitingHalf.select().exists()


@pytest.mark.parametrize("first_end", [False, True])
def test_files_in_any_order_give_what_one_file_gives(bring, own, first_end):
    bring(invite(), bye())
    at_once = calls()
    Call.delete().execute()
    for line in sorted([invite(), bye()], reverse=not first_end):
        bring(line)
    assert calls() == at_once


def test_importing_again_changes_nothing(bring, own):
    for lines in ([invite()], [bye()], [invite(), bye()]):
        bring(*lines)
    before = calls()
    assert fates(bring(invite())) == (0, 1, 0, 0, 0)
    assert fates(bring(bye())) == (0, 1, 0, 0, 0)
    assert fates(bring(invite(), bye(), bye())) == (0, 3, 0, 0, 0)
    assert calls() == before
    assert not WaitingHalf.select().exists()


def test_a_half_told_twice_waits_once(bring, own):
    bring(invite())
    outcome = bring(invite(), invite())
    assert fates(outcome) == (0, 0, 0, 2, 0)
    assert WaitingHalf.select().count() == 1
    assert fates(bring(invite(), bye())) == (2, 0, 0, 0, 0)


def test_halves_meet_across_batches(bring, own, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    lines = [invite(str(n), at=AT + n) for n in range(5)]
    lines += [bye(str(n), at=AT + 100) for n in range(4, 0, -1)]
    outcome = bring(*lines)
    assert fates(outcome) == (8, 0, 0, 1, 0)
    assert Call.select().count() == 4
    assert WaitingHalf.get().uid == "call-0"


def test_an_earlier_answer_in_another_file_is_the_answer(bring, own):
    bring(invite())
    bring(invite(at=AT + 20), bye())
    assert [(c["started_at"], c["billable_s"]) for c in calls()] == [(AT, 60)]


def test_an_end_before_its_answer_is_rejected_with_its_line(bring, own):
    bring(invite())
    outcome = bring("# x", bye(at=AT - 5))
    assert fates(outcome) == (0, 0, 1, 0, 1)
    assert (outcome.rejects[0].line, outcome.rejects[0].reason) == (
        2,
        "ended before it was answered",
    )
    assert WaitingHalf.select().count() == 1


def test_a_call_of_nobody_is_kept_as_such_once_it_is_whole(bring, own):
    nobody = ["*x", "375170000001", "375170000002", "", ""]
    lines = [invite(extra=nobody), bye()]
    assert fates(bring(*lines)) == (0, 0, 0, 2, 0)
    assert UnmatchedLeg.select().count() == 1
    assert not WaitingHalf.select().exists()
    assert fates(bring(lines[0])) == (0, 0, 0, 1, 0)
    make_subscriber(own.client, number="375170000001")
    assert fates(bring(*lines)) == (1, 0, 0, 1, 0)


def test_a_dry_run_counts_the_same_and_stores_nothing(bring, own, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    lines = [invite(), invite("2"), invite("3"), bye(), bye(), bye("2"), bye("9")]
    trial = bring(*lines, dry_run=True)
    assert not WaitingHalf.select().exists()
    assert not Call.select().exists()
    assert fates(bring(*lines)) == fates(trial) == (4, 1, 0, 2, 0)


def test_a_failed_import_goes_on_where_it_stopped(bring, own, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 3)
    lines = [invite(str(n), at=AT + n) for n in range(5)] + [bye(str(n)) for n in range(5)]
    store = imports.fresh_calls.store
    batches = []

    def run_out_of_space(*arguments):
        batches.append(arguments)
        if len(batches) == 3:
            raise OSError("no space")
        store(*arguments)

    monkeypatch.setattr(imports.fresh_calls, "store", run_out_of_space)
    with pytest.raises(OSError, match="no space"):
        bring(*lines)
    outcome = bring(*lines)
    assert outcome.resumed_at == 6
    assert fates(outcome) == (10, 0, 0, 0, 0)
    assert Call.select().count() == 5
    assert not WaitingHalf.select().exists()


def test_the_answer_in_a_flat_file_and_the_end_in_the_table_meet(bring, own):
    bring(invite())
    outcome = bring(content=acc.text(acc.BYE), format_name="kamailio-acc")
    assert fates(outcome) == (1, 0, 0, 0, 1)
    assert calls()[0]["billable_s"] == 60


def test_exchanges_do_not_share_their_halves(bring, own):
    bring(invite(), exchange_name="one")
    assert fates(bring(bye(), exchange_name="two")) == (0, 0, 0, 1, 0)
    assert WaitingHalf.select().count() == 2


# --- Killed for real ------------------------------------------------------------------------------


def big_file(path):
    """Six thousand events: halves far from each other, ends first, repeats, halves left open."""
    rng = random.Random(1)  # noqa: S311 - test data
    lines = []
    for n in range(3_000):
        caller = rng.choice(("375171234567", "375291234567", "101"))
        at = AT + rng.randrange(100_000)
        extra = ["*x", caller, rng.choice(("375291234567", "102")), "", ""]
        lines.append(invite(str(n), "200", at, extra=extra))
        lines.append(bye(str(n), at + rng.randrange(1_000)))
    rng.shuffle(lines)
    path.write_text(text(*lines[:-200], *lines[:300]), "utf-8")


def test_killed_anywhere_and_repeated_it_is_as_one_clean_import(tmp_path, length):
    file = tmp_path / "acc.log"
    big_file(file)
    clean, killed = prepared(tmp_path / "clean"), prepared(tmp_path / "killed")
    assert clean.start(file).wait() == 0
    for past in length(short=(1_500,), long=(1, 1_500, 3_000)):  # wherever in the batch after that
        process = killed.start(file)
        while process.poll() is None and killed.lines_done() < past:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert 0 < killed.lines_done() < 6_100, "it was over before it was killed"
    assert killed.start(file).wait() == 0
    assert killed.contents() == clean.contents()
    halves = "SELECT uid, leg, record, lines FROM waiting_half ORDER BY 1, 2"
    assert killed.ask(halves) == clean.ask(halves)
    assert 100 < len(clean.ask(halves)) < 300
