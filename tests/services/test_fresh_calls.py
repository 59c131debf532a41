"""The fast path of storing gives what the plain one gives."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Call, Exchange, ImportRun, UnmatchedLeg, WaitingHalf, db
from services import fresh_calls, imports, verify
from services.call_book import CallBook
from services.fresh_calls import Fresh
from services.imports import ImportRequest, import_file
from services.matching import Matcher
from services.rematch import rematch
from services.subscribers import add_subscriber
from services.transactions import write_tx
from tests.domain.cdr.dialects import CSV_NEW, read, row, text
from tests.factories import NOON, make_import_run, make_subscriber

NUMBERS = ("375171234567", "375291234567", "375293333333", "375294444444")  # two are ours
LINES = st.lists(
    st.tuples(
        st.integers(0, 7),  # call
        st.integers(0, 2),  # leg
        st.integers(0, 3),  # caller, and with the next the called
        st.integers(0, 3),
        st.sampled_from(["", "", "", "odd", "reject", "skip"]),
    ),
    max_size=10,
)


def line(call, leg, caller, called, kind):
    """One line of a file; the same numbers give the same line."""
    if kind == "skip":
        return ["#"]
    changes = {"odd": {"disposition": "answered ", "duration": ""}, "reject": {"billsec": "-1"}}
    return row(
        CSV_NEW,
        **{
            "src": NUMBERS[caller],
            "dst": NUMBERS[called],
            "start": f"2026-03-10 12:{call:02}:{leg:02}",
            "answer": f"2026-03-10 12:{call:02}:{leg + 10:02}",
            "end": f"2026-03-10 12:{call:02}:{leg + 40:02}",
            "duration": "40",
            "billsec": "30",
            "dstchannel": f"SIP/{leg}-1",
            "uniqueid": f"{1773144000 + call}.{leg}",
            "linkedid": f"{1773144000 + call}.0",
            **changes.get(kind, {}),
        },
    )


def contents():
    """All that imports write; ids that sequences gave are left out, or counted from the first."""
    first = ImportRun.select(ImportRun.id).order_by(ImportRun.id).limit(1).scalar() or 0
    runs = ImportRun.select(
        *(ImportRun.lines, ImportRun.calls, ImportRun.accepted, ImportRun.duplicates),
        *(ImportRun.rejected, ImportRun.unmatched, ImportRun.skipped, ImportRun.first_at),
        *(ImportRun.last_at, ImportRun.rejects),
    )
    found = {"runs": list(runs.order_by(ImportRun.id).tuples())}
    for model in (Call, UnmatchedLeg):
        found[model] = []
        for values in model.select().dicts():
            values["import_run"] -= first
            del values["exchange"]
            values.pop("subscriber_id", None)  # `number` stands for it
            if "legs" in values:
                values["legs"] = [
                    (*part[:8], part[8] - first) for part in imports.call_store.load(values["legs"])
                ]
            found[model].append(sorted(values.items()))
        found[model].sort(key=str)
    return found


def plainly(_exchange, _run_id, _matcher, batch):
    """As `fresh_calls.split`, but everything is for the plain path."""
    return Fresh(0, [], [], batch)


SOME = settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FILES = st.lists(LINES, min_size=1, max_size=4)


@SOME
@given(files=FILES, batch=st.integers(1, 6))
def test_files_become_what_the_plain_path_makes_of_them(base, tmp_path, client_row, files, batch):
    check_both_paths(tmp_path, client_row, files, batch)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(SOME, max_examples=400)
@given(files=FILES, batch=st.integers(1, 6))
def test_many_files_become_what_the_plain_path_makes(base, tmp_path, client_row, files, batch):
    check_both_paths(tmp_path, client_row, files, batch)


def check_both_paths(tmp_path, client_row, files, batch):
    """One file after the other and the first once more; before that one more number is ours."""
    seen = []
    for split in (fresh_calls.split, plainly):
        with db.atomic() as undone, pytest.MonkeyPatch.context() as patch:
            patch.setattr(fresh_calls, "split", split)
            patch.setattr(imports, "BATCH", batch)
            for number in NUMBERS[:2]:
                make_subscriber(client_row, number=number)
            for n, lines in enumerate([*files, files[0]]):
                if n == len(files):
                    add_subscriber(client_row, NUMBERS[2], now=NOON)
                path = tmp_path / f"{n}.csv"
                path.write_text(text(["#"], *(line(*each) for each in lines)), "utf-8")
                request = ImportRequest(path=path, zone="UTC", format_name="asterisk-csv")
                if any(each[4] in {"", "odd"} for each in lines):
                    import_file(request, now=NOON)
            rematch(now=NOON)
            seen.append(contents())
            assert split is plainly or verify.run() == []
            undone.rollback()
    assert seen[0] == seen[1]


@pytest.fixture
def run(base):
    """An import under way."""
    return make_import_run(exchange=Exchange.create(name="x"))


def split(run, *lines):
    """What the fast path makes of a batch."""
    return fresh_calls.split(
        run.exchange, run.id, Matcher(only=None, extensions_of=None), read(text(*lines))
    )


def store(run, found):
    """Put what the fast path made into the table."""
    with write_tx():
        fresh_calls.store(run.exchange, run.id, None, found, CallBook())


def test_only_calls_of_one_leg_that_are_new_are_for_the_fast_path(run, client_row):
    make_subscriber(client_row, number=NUMBERS[0])
    first, twice = line(1, 0, 0, 1, ""), [line(2, leg, 0, 1, "") for leg in (0, 1)]
    nobodys = line(3, 0, 2, 3, "")
    found = split(run, first, *twice, nobodys, line(4, 0, 0, 1, "reject"))
    assert (found.calls, len(found.rows), len(found.nobodys)) == (1, 1, 1)
    assert [type(event).__name__ for event in found.others] == ["Leg", "Leg", "Reject"]
    store(run, found)
    assert split(run, first, nobodys)[:3] == (0, [], [])
    assert Call.select().count() == UnmatchedLeg.select().count() == 1


def test_a_call_whose_half_waits_is_not_for_the_fast_path(run, client_row):
    make_subscriber(client_row, number=NUMBERS[0])
    half = {"leg": 1, "record": "[]", "lines": 1, "import_run": run}
    uid = read(text(line(1, 0, 0, 1, "")))[0].uid
    with write_tx():
        WaitingHalf.create(exchange=run.exchange, uid=uid, **half)
    assert split(run, line(1, 0, 0, 1, "")).calls == 0
    assert split(run, line(2, 0, 0, 1, "")).calls == 1


def test_ids_that_are_there_are_found_wherever_they_stand(run, client_row):
    """Ids after the greatest that is stored are not asked for; those before it are."""
    make_subscriber(client_row, number=NUMBERS[0])
    for stored in (5, 2):
        store(run, split(run, line(stored, 0, 0, 1, "")))
    found = split(run, *(line(call, 0, 0, 1, "") for call in range(8)))
    assert found.calls == 6
    assert sorted(event.uid for event in found.others) == ["1773144002.0", "1773144005.0"]
