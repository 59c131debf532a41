"""Files of call records into the table."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from domain.cdr.joining import load
from domain.cdr.record import Disposition
from domain.cdr.registry import UnknownFormat
from domain.errors import InvalidValue, NotFound
from models import AuditEvent, Call, Exchange, ImportRun, Subscriber, UnmatchedLeg
from services import imports, verify
from services.imports import ImportRequest, import_file
from services.rematch import rematch
from services.subscribers import add_subscriber
from tests import databases
from tests.domain.cdr.dialects import CSV_NEW, CUSTOM, row, text
from tests.factories import NOON, make_client, make_subscriber

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bring(base, tmp_path):
    """Import a file of these rows, or of this text."""

    def import_rows(*rows, content=None, name="Master.csv", **request):
        path = tmp_path / name
        path.write_text(text(*rows) if content is None else content, "utf-8")
        return import_file(ImportRequest(path=path, zone="UTC", **request), now=NOON)

    return import_rows


@pytest.fixture
def own(client_row):
    """Our number in the rows."""
    return make_subscriber(client_row, number="375171234567")


def calls():
    """The whole table but the runs that stored each row and leg."""
    rows = Call.select().order_by(Call.subscriber_id, Call.started_at, Call.seq).dicts()
    return [
        {k: v for k, v in row.items() if k != "import_run"}
        | {"legs": [part.telling for part in load(row["legs"])]}
        for row in rows
    ]


def later(n, **changes):
    """A row that begins n minutes after the first."""
    stamps = {
        "start": f"2026-03-10 12:{n:02}:00",
        "answer": f"2026-03-10 12:{n:02}:10",
        "end": f"2026-03-10 12:{n + 1:02}:10",
        "uniqueid": f"{1773144000 + 60 * n}.1",
    }
    return row(**{**stamps, **changes})


def test_every_line_has_one_fate(bring, own):
    outcome = bring(
        later(0),
        later(0),
        later(1, src="102", dst="103"),
        later(2, billsec="-1"),
        ["#"],
        later(3, src="375291234567", dst="375171234567"),
    )
    assert outcome.counts == {
        "accepted": 2,
        "duplicates": 1,
        "rejected": 1,
        "unmatched": 1,
        "skipped": 1,
    }
    assert (outcome.lines, outcome.calls) == (6, 3)
    assert [(reject.line, reject.reason) for reject in outcome.rejects] == [
        (4, "negative duration")
    ]
    assert [call["direction"] for call in calls()] == [0, 1]
    assert verify.run() == []
    run = ImportRun.get()
    assert (run.state, run.lines, run.rejects[0]["line"]) == ("done", 6, 4)
    assert AuditEvent.select().where(AuditEvent.event == "records_imported").count() == 1


def test_importing_again_changes_nothing(bring, own):
    bring(later(0), later(1, src="102"))
    before = calls()
    outcome = bring(later(0), later(1, src="102"))
    assert (outcome.accepted, outcome.duplicates, outcome.unmatched) == (0, 1, 1)
    assert outcome.known_since is not None
    assert calls() == before
    assert UnmatchedLeg.select().count() == 1


def test_another_dialect_of_the_same_calls_adds_nothing(bring, own):
    bring(later(0), later(1))
    values = dict(zip(CSV_NEW, row(CSV_NEW), strict=True))
    outcome = bring(row(CUSTOM), content=None, name="custom.csv")
    assert outcome.format == "asterisk-custom"
    assert outcome.counts["duplicates"] == 1
    assert values["uniqueid"] == calls()[0]["uid"]


def test_legs_of_one_call_are_one_row_whatever_file_they_come_in(bring, own):
    failed = later(0, disposition="FAILED", answer="", billsec="0", dstchannel="SIP/a-1")
    answered = later(1, uniqueid="1773144000.1", dstchannel="SIP/b-2")
    outcome = bring(failed, answered)
    at_once = calls()
    assert (outcome.accepted, outcome.calls) == (2, 1)
    assert len(at_once) == 1
    assert at_once[0]["billable_s"] == 60
    assert at_once[0]["disposition"] == Disposition.ANSWERED
    Call.delete().execute()
    bring(answered, name="late-first.csv")
    moved = calls()[0]["started_at"]
    bring(failed, name="early-last.csv")
    assert calls() == at_once
    assert calls()[0]["started_at"] < moved


def test_a_call_between_two_own_numbers_is_two_rows(bring, own):
    make_subscriber(number="375291234567")
    assert bring(later(0)).accepted == 1
    assert sorted((c["number"], c["direction"], c["peer"], c["on_net"]) for c in calls()) == [
        ("375171234567", 0, "375291234567", True),
        ("375291234567", 1, "375171234567", True),
    ]
    assert verify.run() == []


def test_a_call_belongs_to_the_owner_at_its_start(bring, own):
    Subscriber.update(valid_to=NOON).where(Subscriber.id == own.id).execute()
    heir = make_subscriber(number="375171234567", valid_from=NOON)
    bring(later(0, start="2026-03-10 08:59:59"), later(1))  # NOON is 9:00 UTC
    assert [call["subscriber_id"] for call in calls()] == [own.id, heir.id]
    assert verify.run() == []


def test_with_a_client_only_its_numbers_count(bring, own):
    client = own.client
    make_subscriber(client, number="101")
    make_subscriber(number="375291234567")
    outcome = bring(later(0), later(1, src="101"), later(2, src="375291234567"), client=client)
    assert (outcome.accepted, outcome.unmatched) == (2, 1)
    assert not any(call["on_net"] for call in calls())
    assert Exchange.get().client is None  # the one without a name is everybody's


def test_an_exchange_named_for_a_client_stays_that_clients(bring, own):
    bring(later(0), client=own.client, exchange_name="pbx")
    assert Exchange.get(Exchange.name == "pbx").client == own.client
    with pytest.raises(InvalidValue):
        bring(later(0), client=make_client(), exchange_name="pbx")


def test_a_file_read_for_nobody_and_then_for_its_client_is_one_file(bring, own):
    rows = [later(n, src="101") for n in range(3)]
    assert bring(*rows).unmatched == 3
    make_subscriber(own.client, number="101")
    assert bring(*rows, client=own.client).accepted == 3
    rematch(now=NOON)
    assert Call.select().count() == 3
    assert verify.run() == []


def test_extensions_without_a_client_are_nobodys(bring, own):
    make_subscriber(own.client, number="101")
    assert bring(later(1, src="101")).unmatched == 1


def test_what_was_unmatched_is_accepted_once_its_number_is_there(bring, own):
    assert bring(later(0, src="375170000001")).unmatched == 1
    add_subscriber(own.client, "375170000001", now=NOON)
    outcome = bring(later(0, src="375170000001"))
    assert (outcome.accepted, outcome.unmatched) == (1, 0)
    assert UnmatchedLeg.select().count() == 0
    assert verify.run() == []


def test_rematch_does_what_a_clean_import_would(bring, own):
    rows = [
        later(0),
        later(1, src="375170000001"),
        later(2, src="375170000001", dst="375170000002"),
        later(3, uniqueid="1773144000.1", dst="375170000001"),
    ]
    bring(*rows)
    add_subscriber(own.client, "375170000001", now=NOON)
    add_subscriber(own.client, "375291234567", now=NOON)
    done = rematch(now=NOON)
    assert (done.matched, done.unmatched) == (2, 0)
    matched = calls()
    assert verify.run() == []
    Call.delete().execute()
    bring(*rows, name="again.csv")
    assert calls() == matched
    assert rematch(now=NOON) == (0, 0, 0)


def test_discovery_registers_the_numbers_of_our_side(bring, client_row):
    path = {"src": "101", "dst": "102", "channel": "SIP/101-1", "dstchannel": "SIP/102-2"}
    trial = bring(later(0, **path), client=client_row, discover=True, dry_run=True)
    assert trial.discovered == ["101", "102"]
    assert trial.accepted == 1
    assert not Subscriber.of(client_row).exists()
    outcome = bring(later(0, **path), client=client_row, discover=True)
    assert outcome.discovered == ["101", "102"]
    assert {row.number for row in Subscriber.of(client_row)} == {"101", "102"}
    assert len(calls()) == 2
    assert bring(later(0, **path), client=client_row, discover=True).discovered == []


def test_a_dry_run_counts_the_same_and_stores_nothing(bring, own):
    rows = [later(0), later(0), later(1, src="102"), later(2, billsec="x")]
    trial = bring(*rows, dry_run=True)
    assert not Call.select().exists()
    assert not ImportRun.select().exists()
    assert not Exchange.select().exists()
    assert bring(*rows).counts == trial.counts
    assert bring(*rows, dry_run=True).counts == {**trial.counts, "accepted": 0, "duplicates": 2}


def test_a_refused_file_leaves_nothing_behind(bring, own, tmp_path):
    for content in ("", "no, call, records\n"):
        with pytest.raises(UnknownFormat):
            bring(content=content)
    with pytest.raises(NotFound):
        import_file(ImportRequest(path=tmp_path / "none", zone="UTC"), now=NOON)
    assert not ImportRun.select().exists()
    assert not Exchange.select().exists()


def test_a_failed_import_goes_on_where_it_stopped(bring, own, monkeypatch):
    rows = [later(n % 50, uniqueid=f"1773144{n:03}.1") for n in range(30)]
    monkeypatch.setattr(imports, "BATCH", 10)
    store = imports.fresh_calls.store
    batches = []

    def run_out_of_space(*arguments):
        batches.append(arguments)
        if len(batches) == 2:
            raise OSError("no space")
        store(*arguments)

    monkeypatch.setattr(imports.fresh_calls, "store", run_out_of_space)
    with pytest.raises(OSError, match="no space"):
        bring(*rows)
    run = ImportRun.get()
    assert (run.state, run.error, run.lines) == ("failed", "OSError: no space", 10)
    outcome = bring(*rows)
    assert (outcome.resumed_at, outcome.accepted, outcome.duplicates) == (10, 30, 0)
    run = ImportRun.get()
    assert (run.state, run.error, run.lines, run.calls) == ("done", "", 30, 30)


# --- Killed for real ------------------------------------------------------------------------------


SMALL_BATCHES = """
import sys
from pathlib import Path
from app import create_app
from models import db
from services import accounts, clock, database, import_turns, imports, subscribers
app = create_app()
imports.BATCH = 500
with app.app_context(), db.connection_context():
    if sys.argv[1] == "prepare":
        database.upgrade()
        client = accounts.add_client(
            name="T", account_no="1", unp="190000001", invoice_email="a@b.by", now=clock.now()
        )
        for number in ("375171234567", "375291234567"):
            subscribers.add_subscriber(client, number, now=clock.now())
    else:
        with import_turns.one_at_a_time(app.config["CABINET"].data_dir):
            request = imports.ImportRequest(path=Path(sys.argv[1]), zone="UTC")
            imports.import_file(request, now=clock.now())
"""


class Place:
    """A data dir and a database to import into by processes of their own."""

    def __init__(self, data_dir):
        self.data_dir, self.url = data_dir, databases.new_url()

    def start(self, argument):
        """A process that imports a file, or prepares a cabinet with two numbers."""
        settings = {"DATA_DIR": self.data_dir, "DATABASE_URL": self.url, "DEMO": 0}
        env = {**os.environ, **{f"CABINET_{name}": str(value) for name, value in settings.items()}}
        command = [sys.executable, "-c", SMALL_BATCHES, str(argument)]
        return subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)  # noqa: S603 - our own command

    def ask(self, sql):
        return databases.ask(self.url, self.data_dir, sql)

    def lines_done(self):
        return self.ask("SELECT max(lines) FROM import_run")[0][0] or 0

    def contents(self):
        """The tables that an import writes, without the moments at which it did."""
        tables = {
            name: sorted(self.ask(f'SELECT * FROM "{name}"'))  # noqa: S608
            for name in ("call", "unmatched_leg", "exchange")
        }
        run = "id, file_sha256, state, lines, calls, accepted, duplicates, rejected, unmatched"
        tables["import_run"] = self.ask(f"SELECT {run}, skipped FROM import_run")  # noqa: S608
        return tables


def big_file(path):
    """Eight thousand records, some of them twice, some in pieces far from each other."""
    rng = random.Random(1)  # noqa: S311 - test data
    rows = []
    for n in range(8_000):
        hour, minute, second = n // 3600, n // 60 % 60, n % 60
        changes = {
            "src": rng.choice(("375171234567", "375291234567", "101")),
            "dst": rng.choice(("375291234567", "80171112233")),
            "start": f"2026-03-10 {hour:02}:{minute:02}:{second:02}",
            "answer": "",
            "end": f"2026-03-10 {hour + 1:02}:{minute:02}:{second:02}",
            "duration": "3600",
            "billsec": str(rng.randrange(3600)),
            "uniqueid": f"{1773100000 + rng.randrange(6_000)}.{n % 2}",
        }
        rows.append(row(**changes))
    path.write_text(text(*rows), "utf-8")


def prepared(folder):
    """A cabinet with two numbers."""
    place = Place(folder)
    assert place.start("prepare").wait() == 0
    return place


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The big file, and a cabinet into which it came at once."""
    folder = tmp_path_factory.mktemp("undisturbed")
    file = folder / "Master.csv"
    big_file(file)
    clean = prepared(folder / "var")
    assert clean.start(file).wait() == 0
    return file, clean


def test_killed_anywhere_and_repeated_it_is_as_one_clean_import(undisturbed, tmp_path, length):
    file, clean = undisturbed
    killed = prepared(tmp_path / "killed")
    for past in length(short=(1, 3_000), long=(1, 1_000, 3_000)):  # wherever in the batch after
        process = killed.start(file)
        while process.poll() is None and killed.lines_done() < past:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert 0 < killed.lines_done() < 8_000, "it was over before it was killed"
    assert killed.start(file).wait() == 0
    assert killed.contents() == clean.contents()
    assert killed.ask("SELECT count(*) FROM import_run") == [(1,)]
    assert killed.ask("SELECT count(*) FROM \"call\" WHERE legs LIKE '%],[%'")[0][0] > 99


@pytest.mark.timeout(600)
def test_of_many_processes_with_one_file_one_stores_it(undisturbed, tmp_path, length):
    file, clean = undisturbed
    crowded = prepared(tmp_path / "crowded")
    processes = [crowded.start(file) for _ in range(length(short=3, long=8))]
    assert [process.wait() for process in processes] == [0] * len(processes)
    once, often = clean.contents(), crowded.contents()
    for table in ("call", "unmatched_leg", "exchange"):
        assert often[table] == once[table]
    counts = "SELECT accepted, duplicates, unmatched FROM import_run ORDER BY id"
    first, *others = crowded.ask(counts)
    assert [first] == clean.ask(counts)
    accepted, duplicates, unmatched = first
    assert others == [(0, accepted + duplicates, unmatched)] * (len(processes) - 1)
