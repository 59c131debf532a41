"""Files of several formats of one exchange, packed files, and what is said about their reading."""

import gzip
import io
import zipfile

import pytest

from domain.cdr.archives import RefusedArchive
from domain.cdr.column_map import MapMistake, parse_map
from domain.cdr.dates import DateOrder, UnclearDates
from domain.errors import InvalidValue
from models import Call, Exchange, ImportRun, UnmatchedLeg
from services import imports, verify
from services.imports import ImportRequest, import_file, look_inside
from tests.domain.cdr import test_asterisk_db as db
from tests.domain.cdr import test_threecx as threecx
from tests.domain.cdr.dialects import CUSTOM, row, text
from tests.factories import NOON, make_subscriber

MAP = "[columns]\nstart=1\ncaller=2\ncalled=3\nbillable=5\n[file]\nheader=false\n"


@pytest.fixture
def bring(base, tmp_path):
    """Import a file of this content."""

    def import_content(content, **request):
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_file(ImportRequest(path=path, zone="UTC", **request), now=NOON)

    return import_content


@pytest.fixture
def own(client_row):
    """Our number in the rows."""
    return make_subscriber(client_row, number="375171234567")


def calls():
    """The whole table but the run that stored each row."""
    rows = Call.select().order_by(Call.subscriber_id, Call.started_at, Call.seq).dicts()
    return [{k: v for k, v in found.items() if k != "import_run"} for found in rows]


def zipped(*files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


VOICE_MAIL = {"dstchannel": "", "lastapp": "VoiceMail", "uniqueid": "1773144001.9"}
OF_ONE_EXCHANGE = {
    "asterisk-csv": text(row(), row(**VOICE_MAIL)),
    "asterisk-custom": text(row(CUSTOM), row(CUSTOM, **VOICE_MAIL)),
    **{
        f"asterisk-db {len(columns)}": text(columns, db.row(columns), db.row(columns, **VOICE_MAIL))
        for columns in db.EXPORTS
    },
}


@pytest.mark.parametrize("first", OF_ONE_EXCHANGE)
def test_no_call_is_doubled_by_another_format_of_the_same_exchange(bring, own, first):
    at_once = bring(OF_ONE_EXCHANGE[first])
    assert at_once.counts["accepted"] == 2
    before = calls()
    for content in OF_ONE_EXCHANGE.values():
        outcome = bring(content)
        assert (outcome.accepted, outcome.duplicates) == (0, 2)
    assert calls() == before
    assert sorted(call["billable_s"] for call in before) == [0, 60]
    assert verify.run() == []


def test_3cx_with_and_without_header_is_the_same_calls(bring, own):
    rows = [threecx.row(from_no="375171234567", callid=threecx.call_id(NOW + n)) for n in range(3)]
    assert bring(text(*rows)).accepted == 3
    outcome = bring(text(threecx.COLUMNS, *reversed(rows)))
    assert (outcome.accepted, outcome.duplicates, outcome.skipped) == (0, 3, 1)


NOW = threecx.NOON


def test_halves_of_local_channels_are_accounted_for_and_are_no_calls(bring, own):
    half = db.row(channel="Local/102@from-queue-0000001a;2", uniqueid="1773144000.2")
    outcome = bring(text(db.row(), half))
    assert (outcome.lines, outcome.accepted, outcome.skipped, outcome.calls) == (2, 1, 1, 1)
    assert sum(outcome.counts.values()) == outcome.lines
    assert UnmatchedLeg.select().count() == 0


def test_a_packed_file_is_the_file(bring, own):
    plain = bring(text(row()))
    packed = bring(gzip.compress(text(row()).encode()))
    assert (plain.accepted, packed.duplicates) == (1, 1)
    assert packed.known_since is not None
    assert bring(zipped(("Master.csv", text(row())))).duplicates == 1


def test_a_file_of_an_archive_bears_both_names(bring, tmp_path, own):
    path = tmp_path / "calls.zip"
    path.write_bytes(zipped(("a.csv", text(row())), ("b.csv", text(row(uniqueid="1773144000.7")))))
    with pytest.raises(InvalidValue, match="holds 2 files"):
        import_file(ImportRequest(path=path, zone="UTC"), now=NOON)
    for member in look_inside(path):
        outcome = import_file(ImportRequest(path=path, zone="UTC", member=member), now=NOON)
        assert outcome.file == f"{path}/{member.name}"
        assert outcome.accepted == 1
    assert [run.file_name for run in ImportRun.select().order_by(ImportRun.id)] == [
        "a.csv",
        "b.csv",
    ]


def test_an_archive_that_is_damaged_in_the_middle_stores_nothing(bring, own):
    lines = text(*(row(uniqueid=f"1773144{n:03}.1", clid=f"{n * 7919}") for n in range(999)))
    with pytest.raises(RefusedArchive, match="damaged"):
        bring(gzip.compress(lines.encode() * 20)[:-9])
    assert (Call.select().count(), ImportRun.select().count()) == (0, 0)


def test_unclear_dates_and_maps_are_refused_whole(bring, own):
    unclear = text(db.row(db.REDUCED, calldate="1/9/2026 10:00"))
    with pytest.raises(UnclearDates, match="--dates dmy"):
        bring(unclear)
    with pytest.raises(MapMistake, match="needs a map"):
        bring(unclear, format_name="generic")
    assert (ImportRun.select().count(), Exchange.select().count()) == (0, 0)
    assert bring(unclear, dates=DateOrder.DMY).accepted == 1


def test_an_interrupted_import_goes_on_only_if_it_is_told_the_same(bring, own, monkeypatch):
    content = text(db.row(db.REDUCED, calldate="1/9/2026 10:00")) * 2

    def stop(_self):
        raise KeyError("pulled out")

    monkeypatch.setattr(imports._Run, "finish", stop)
    with pytest.raises(KeyError):
        bring(content, dates=DateOrder.MDY)
    monkeypatch.undo()
    assert bring(content, dates=DateOrder.DMY).resumed_at == 0
    assert bring(content, dates=DateOrder.MDY).resumed_at == 2


def test_a_map_reads_what_no_format_knows(bring, own):
    content = "2026-03-10 12:00:00,375171234567,102,x,60\n"
    outcome = bring(content, format_name="generic", column_map=parse_map(MAP.encode()))
    assert (outcome.format, outcome.accepted) == ("generic", 1)
    assert calls()[0]["billable_s"] == 60
