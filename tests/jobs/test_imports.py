"""Uploaded files of call records: each step of the job, and steps that are killed."""

import io
import os
import shutil
import zipfile
from contextlib import suppress
from datetime import timedelta

import pytest
from rq.timeouts import JobTimeoutException

from domain.cdr.archives import RefusedArchive
from domain.cdr.registry import UnknownFormat
from domain.errors import NothingToRollBack
from domain.imports import ImportState
from domain.roles import Role
from jobs import imports as job
from models import AuditEvent, Call, ImportRun
from services import clock, import_turns, imports, queue, upload_work, uploads, verify
from services.uploads import Upload
from tests.domain.cdr.dialects import row, text
from tests.factories import NOON, make_client, make_subscriber, make_user
from tests.services.test_imports import later


@pytest.fixture
def hints(app, base, monkeypatch):
    """Ids that workers were woken for; no Redis is there."""
    given = []
    monkeypatch.setattr(queue, "hint_import", lambda run_id: given.append(run_id) or True)
    monkeypatch.setattr(queue, "waiting", lambda: 0)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    yield given
    shutil.rmtree(app.config["CABINET"].upload_dir, ignore_errors=True)


@pytest.fixture
def who(hints):
    return {"user": make_user(role=Role.OPERATOR_ADMINISTRATOR), "ip": "10.0.0.1", "now": NOON}


@pytest.fixture
def own(base, client_row):
    return make_subscriber(client_row, number="375171234567")


@pytest.fixture
def send(who):
    """Upload rows, or bytes; gives the import as it is now."""

    def upload(*rows, content=None, name="Master.csv", zone="UTC", **values):
        data = text(*rows).encode() if content is None else content
        runs = uploads.take(name, io.BytesIO(data), Upload(zone=zone, **values), **who)
        return runs[0]

    return upload


def reread(run):
    return ImportRun.get_by_id(run.id)


def test_a_file_is_checked_then_stored(send, own, who, hints):
    rows = [later(0), later(0), later(1, src="102"), later(2, billsec="-1"), ["#"]]
    run = send(*rows)
    assert (run.state, hints) == (ImportState.TO_CHECK, [run.id])
    job.read(run.id)
    checked = reread(run)
    assert (checked.state, checked.format, checked.lines) == ("checked", "asterisk-csv", 5)
    assert (checked.accepted, checked.duplicates, checked.rejected) == (1, 1, 1)
    assert not Call.select().exists()
    assert uploads.load(checked, force_zone=False, **who)
    job.read(run.id)
    done = reread(run)
    assert (done.state, done.lines, done.accepted, done.skipped) == ("done", 5, 1, 1)
    assert (done.bytes_read, done.finished_at) == (done.size, NOON)
    assert Call.get().import_run_id == run.id
    assert verify.run() == []
    told = [event.event for event in AuditEvent.select().order_by(AuditEvent.id)]
    assert told == ["records_uploaded", "import_confirmed", "records_imported"]
    assert {event.user_id for event in AuditEvent.select()} == {who["user"].id}


def test_all_refused_lines_are_kept_beside_the_file(send, own):
    run = send(later(0), *(later(1, billsec="-1") for _ in range(120)))
    job.read(run.id)
    run = reread(run)
    assert len(run.rejects) == 100
    kept = list(uploads.rejects(run))
    assert len(kept) == 120
    assert kept[0][:2] == ["2", "negative duration"]


def test_a_job_for_what_needs_nothing_does_nothing(send, own):
    run = send(later(0))
    job.read(run.id)
    job.read(run.id)
    assert reread(run).attempts == 1
    job.read(run.id + 100)


def test_only_one_changes_records_at_a_time(send, own, app):
    run = send(later(0))
    with import_turns.one_at_a_time(app.config["CABINET"].data_dir):
        job.read(run.id)
        assert upload_work.hint_due() == 0
    assert reread(run).attempts == 0
    assert upload_work.hint_due() == 1


def test_the_end_of_one_wakes_a_worker_for_the_next(send, own, hints):
    first, second = send(later(0)), send(later(1), name="b.csv")
    hints.clear()
    job.read(first.id)
    assert hints == [second.id]


@pytest.mark.parametrize("killed_by", [JobTimeoutException, KeyboardInterrupt])
def test_a_step_that_is_cut_off_goes_on_where_it_was(send, own, who, monkeypatch, killed_by):
    monkeypatch.setattr(imports, "BATCH", 4)
    run = send(*(later(n) for n in range(10)), check_only=False)
    store, batches = imports.fresh_calls.store, []

    def cut(*arguments, **options):
        batches.append(arguments)
        if len(batches) == 2:
            raise killed_by
        return store(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(imports.fresh_calls, "store", cut)
        with suppress(KeyboardInterrupt):
            job.read(run.id)
    assert (reread(run).state, reread(run).lines) == (ImportState.RUNNING, 4)
    assert [each.id for each in upload_work.due()] == [run.id]
    job.read(run.id)
    done = reread(run)
    assert (done.state, done.lines, done.accepted, done.duplicates) == ("done", 10, 10, 0)


def test_an_import_by_command_leaves_uploads_alone(send, own, tmp_path):
    run = send(later(0), check_only=False)
    ImportRun.update(state=ImportState.RUNNING).execute()
    path = tmp_path / "Master.csv"
    path.write_text(text(later(0)), "utf-8")
    imports.import_file(imports.ImportRequest(path=path, zone="UTC"), now=NOON)
    assert reread(run).state == ImportState.RUNNING
    job.read(run.id)
    assert (reread(run).state, reread(run).duplicates) == (ImportState.DONE, 1)


def test_a_file_that_kills_its_workers_is_given_up(send, own, app):
    run = send(later(0))
    ImportRun.update(attempts=app.config["CABINET"].MAX_ATTEMPTS).execute()
    job.read(run.id)
    assert (reread(run).state, reread(run).error) == (ImportState.FAILED, "worker_lost")


def test_a_wrong_zone_stops_before_anything_is_stored_until_it_is_forced(send, own, who):
    run = send(later(0), zone="Europe/Minsk")
    job.read(run.id)
    assert (reread(run).state, reread(run).zone_error_s) == (ImportState.CHECKED, -10_800)
    uploads.load(reread(run), force_zone=False, **who)
    job.read(run.id)
    failed = reread(run)
    assert (failed.state, failed.error) == (ImportState.FAILED, "ZoneContradicted")
    assert failed.zone_error_s == -10_800
    assert not Call.select().exists()
    uploads.load(failed, force_zone=True, **who)
    job.read(run.id)
    assert reread(run).state == ImportState.DONE


def test_a_failure_says_why_and_can_be_tried_again(send, own, who, monkeypatch):
    run = send(later(0), check_only=False)
    with monkeypatch.context() as patch:
        patch.setattr(imports.call_store, "store_unmatched", lambda *_: 1 / 0)
        job.read(run.id)
    failed = reread(run)
    assert (failed.state, failed.error) == ("failed", "ZeroDivisionError: division by zero")
    assert uploads.load(failed, force_zone=False, **who)
    job.read(run.id)
    assert reread(run).state == ImportState.DONE


def test_what_is_stored_is_not_stored_twice(send, own, who):
    run = send(later(0), check_only=False)
    job.read(run.id)
    assert not uploads.load(reread(run), force_zone=False, **who)


def test_one_file_uploaded_eight_times_is_stored_once(send, own, who):
    rows = [*(later(n) for n in range(9)), later(9, src="102", dst="103")]
    runs = [send(*rows, check_only=False) for _ in range(8)]
    for run in reversed(runs):  # whichever job comes first
        job.read(run.id)
    counts = [(run.accepted, run.duplicates, run.unmatched) for run in map(reread, runs)]
    assert counts == [(0, 9, 1)] * 7 + [(9, 0, 1)]
    assert Call.select().count() == 9
    assert verify.run() == []


def test_an_import_is_taken_out_by_the_job(send, own, who):
    run = send(later(0), check_only=False)
    job.read(run.id)
    uploads.ask_rollback(reread(run), **who)
    with pytest.raises(NothingToRollBack):
        uploads.ask_rollback(reread(run), **who)
    job.read(run.id)
    assert reread(run).state == ImportState.ROLLED_BACK
    assert not Call.select().exists()
    asked = AuditEvent.get(AuditEvent.event == "import_rollback_asked")
    assert (asked.user, asked.ip) == (who["user"], "10.0.0.1")


def test_an_archive_is_an_import_for_each_file_of_records(who, own):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", text(later(0)))
        archive.writestr("b.csv", text(later(1), later(2)))
        archive.writestr("readme.txt", "nothing here")
    packed.seek(0)
    runs = uploads.take("march.zip", packed, Upload(zone="UTC", check_only=False), **who)
    assert [run.file_name for run in runs] == ["march.zip/a.csv", "march.zip/b.csv"]
    for run in runs:
        job.read(run.id)
    assert [reread(run).accepted for run in runs] == [1, 2]


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", UnknownFormat), (b"no call records\n", UnknownFormat), (b"PK\x03\x04x", RefusedArchive)],
)
def test_what_cannot_be_read_is_not_kept(send, app, content, error):
    with pytest.raises(error):
        send(content=content)
    assert not ImportRun.select().exists()
    assert list(app.config["CABINET"].upload_dir.iterdir()) == []


def test_files_go_when_their_time_is_over_and_so_do_orphans(send, own, app):
    run, waiting = send(later(0), check_only=False), send(later(1), name="b.csv")
    job.read(run.id)
    orphan = app.config["CABINET"].upload_dir / "orphan"
    orphan.mkdir()
    os.utime(orphan, (0, 0))
    assert uploads.remove_expired(now=NOON) == 1
    assert not orphan.exists()
    assert uploads.remove_expired(now=NOON + timedelta(days=7)) == 1
    assert reread(run).upload_key == ""
    assert not uploads.path_of(run).exists()
    assert uploads.path_of(waiting).exists(), "somebody still has to read it"


def test_the_client_and_exchange_of_an_upload_hold(send, own, client_row):
    make_subscriber(make_client(), number="375291234567")
    run = send(row(), client=client_row, exchange_name="pbx", check_only=False)
    job.read(run.id)
    assert (reread(run).accepted, Call.get().subscriber_id) == (1, own.id)
    exchange = reread(run).exchange
    assert (exchange.name, exchange.client) == ("pbx", client_row)
