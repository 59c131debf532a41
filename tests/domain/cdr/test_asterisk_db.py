"""Exports of Asterisk's cdr table: their columns, their dates, their broken quotes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr import registry
from domain.cdr.asterisk_db import ASTERISK_DB
from domain.cdr.dates import DateOrder, UnclearDates
from domain.cdr.record import Disposition, Inner, Leg, Reject
from domain.cdr.source import Source
from domain.cdr.times import parse_zone
from tests.domain.cdr import dialects
from tests.domain.cdr.dialects import kinds, read, source, text

NOON = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
FIELDS = {name: value for name, value in dialects.FIELDS.items() if name not in ("answer", "end")}
FIELDS |= {"calldate": FIELDS.pop("start"), "amaflags": "3", "did": "", "recordingfile": ""}
FIELDS |= dict.fromkeys(
    ("cnum", "cnam", "outbound_cnum", "outbound_cnam", "dst_cnam", "flag", "last"), ""
)
FIELDS |= {"AcctId": "77", "tenant": "", "billamount": "NULL", "trunk": "", "sipcallid": ""}
FIELDS |= {"agiuniqueid": "NULL", "inboundsipcallid": "NULL", "linkedid": ""}

ELASTIX = [
    *("calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp"),
    *("lastdata", "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid"),
    "userfield",
]
FREEPBX = [
    *ELASTIX,
    *("did", "recordingfile", "cnum", "cnam", "outbound_cnum", "outbound_cnam", "dst_cnam"),
    *("flag", "last"),
]
FREEPBX_NEW = [*FREEPBX[:23], "linkedid", "peeraccount", "sequence"]
MYSQL = [
    *("AcctId", "tenant", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp"),
    *("lastdata", "calldate", "duration", "billsec", "billamount", "disposition", "amaflags"),
    *("accountcode", "uniqueid", "userfield", "linkedid", "sequence", "agiuniqueid", "trunk"),
    *("did", "sipcallid", "inboundsipcallid"),
]
REDUCED = ["calldate", "src", "dst", "duration", "billsec", "disposition"]
EXPORTS = [ELASTIX, FREEPBX, FREEPBX_NEW, MYSQL]


def row(columns=ELASTIX, **changes):
    values = FIELDS | changes
    return [values[name] for name in columns]


def one(columns=ELASTIX, zone=UTC, **changes):
    """What becomes of the one record of a file."""
    (event,) = read(text(row(columns, **changes)), zone)
    return event


@pytest.mark.parametrize("columns", [*EXPORTS, REDUCED])
@pytest.mark.parametrize("header", [True, False])
def test_an_export_is_known_by_its_content_and_read(columns, header):
    content = text(*[columns] * header, row(columns))
    assert registry.detect(source(content)).name == "asterisk-db"
    found = read(content)[-1]
    assert (found.started_at, found.answered_at, found.ended_at) == (NOON, NOON + 10, NOON + 70)
    assert (found.a_number, found.b_number) == ("375171234567", "375291234567")
    assert (found.duration_s, found.billable_s) == (70, 60)
    assert kinds(read(content)) == "S" * header + "L"


@pytest.mark.parametrize("columns", EXPORTS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"disposition": "BUSY", "billsec": "0", "answer": ""},
        {"dstchannel": "", "lastapp": "VoiceMail"},
        {"channel": "Local/101@from-queue-0000001a;2"},
    ],
)
def test_the_master_file_and_every_export_tell_the_same_leg(columns, changes):
    changes = {"linkedid": "", **changes}
    master = read(text(dialects.row(**changes)))[0]
    changes.pop("answer", None)
    told = one(columns, **changes)
    assert type(told) is type(master)
    if isinstance(told, Leg):
        assert (told.uid, told.leg, told[:10]) == (master.uid, master.leg, master[:10])


def test_titles_are_found_in_any_order_and_writing():
    titles = ["`Disposition`", "DST", "billsec", "src", "CALLDATE", "duration", "uniqueid", "x"]
    values = row(["disposition", "dst", "billsec", "src", "calldate", "duration", "uniqueid"])
    found = read(text(titles, [*values, ""]))[1]
    assert (found.started_at, found.billable_s, found.uid) == (NOON, 60, "1773144000.1")


def test_an_answer_by_the_machine_alone_is_a_call_with_nothing_to_bill():
    found = one(dstchannel="", lastapp="VoiceMail", lastdata="105@default,u")
    assert (found.disposition, found.billable_s) == (Disposition.NO_ANSWER, 0)
    assert (found.answered_at, found.duration_s) == (None, 70)
    assert one(REDUCED).billable_s == 60  # there nobody tells who answered


def test_the_second_half_of_a_local_channel_is_no_call_of_its_own():
    half = {"channel": "Local/101@from-queue-0000001a;2"}
    assert one(**half) == Inner(1)
    joined = one(FREEPBX_NEW, **half, linkedid="1773143990.7")
    assert joined.uid == "1773143990.7"
    assert one(FREEPBX_NEW, **half, linkedid="NULL") == Inner(1)


@pytest.mark.parametrize(
    "line",
    [
        '"2026-03-10 12:00:00","Anna "Bridge" <101>","101",',
        '"2026-03-10 12:00:00",""Anna, the "1st"" <101>","101",',
        '"2026-03-10 12:00:00","\\"Anna, B\\" <101>","101",',
        '"2026-03-10 12:00:00","Anna"s, room <101>","101",',
    ],
)
def test_quotes_gone_wrong_are_put_right(line):
    rest = ",".join(f'"{field}"' for field in row()[3:]) + "\n"
    events = read(text(row()) + line + rest + text(row()))
    assert kinds(events) == "LLL"
    assert events[1].a_number == "101"
    assert events[1][2:9] != events[0][2:9]
    assert events[1].billable_s == 60


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"billsec": "-1"}, "negative"),
        ({"billsec": "x"}, "not a number"),
        ({"billsec": "75"}, "billed longer"),
        ({"duration": ""}, "no duration"),
        ({"disposition": "PERHAPS"}, "disposition"),
        ({"calldate": "yesterday"}, "unreadable time"),
        ({"calldate": "2026-02-30 12:00:00"}, "out of range"),
        ({"calldate": "30/02/2026 12:00:00"}, "no such date"),
        ({"calldate": "0000-00-00 00:00:00"}, "unreadable time"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    good = row()
    events = read(text(good, good, row(**changes)))
    assert isinstance(events[2], Reject)
    assert words in events[2].reason


def test_a_torn_row_is_rejected_and_named():
    events = read(text(row(), row()) + "a,b\n\n# note\n" + text(row()))
    assert kinds(events) == "LLRSSL"
    assert events[2].reason == "2 columns instead of 16"


# --- Dates ----------------------------------------------------------------------------------------


def dated(*stamps, uid="", columns=ELASTIX, dates=None):
    """The starts of records with these dates."""
    rows = [row(columns, calldate=stamp, uniqueid=uid) for stamp in stamps]
    file = Source(source(text(*rows))._open, dates)
    return [getattr(e, "started_at", "R") for e in ASTERISK_DB.read(file, UTC)]


SEPTEMBER_1 = int(datetime(2017, 9, 1, 16, 33, 1, tzinfo=UTC).timestamp())
JANUARY_9 = int(datetime(2017, 1, 9, 16, 33, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(("moment", "uid"), [(SEPTEMBER_1, SEPTEMBER_1), (JANUARY_9, JANUARY_9)])
def test_the_id_of_the_call_tells_days_from_months(moment, uid):
    assert dated("1/9/2017 16:33:01", uid=f"{uid}.1") == [moment]


@pytest.mark.parametrize(
    ("stamp", "dates", "moment"),
    [
        ("1/9/2017 16:33:01", "dmy", SEPTEMBER_1),
        ("1/9/2017 16:33:01", "mdy", JANUARY_9),
        ("01.09.17 16:33:01", "dmy", SEPTEMBER_1),
        ("9-1-2017 4:33:01 PM", "mdy", SEPTEMBER_1),
        ("2017/9/1 16:33:01", "dmy", SEPTEMBER_1),
        ("2017-09-01 16:33:01", "iso", SEPTEMBER_1),
        ("1/9/2017 16:33:01", "iso", "R"),
    ],
)
def test_who_imports_may_say_the_order(stamp, dates, moment):
    assert dated(stamp, dates=DateOrder(dates)) == [moment]


def test_a_day_above_twelve_proves_the_order_for_all():
    assert dated("1/9/2017 16:33:01", "13/9/2017 16:33:01")[0] == SEPTEMBER_1
    assert dated("9/1/2017 16:33:01", "9/13/2017 16:33:01")[0] == SEPTEMBER_1
    late = ["1/9/2017 16:33:01"] * 700 + ["13/9/2017 16:33:01"]
    assert dated(*late)[0] == SEPTEMBER_1


def test_the_same_day_and_month_need_no_proof():
    assert dated("9/9/2017 00:00:00") == [int(datetime(2017, 9, 9, tzinfo=UTC).timestamp())]


@pytest.mark.parametrize(
    "stamps", [["1/9/2017 16:33:01"], ["13/9/2017 10:00:00", "9/14/2017 10:00:00"]]
)
@pytest.mark.parametrize("columns", [ELASTIX, REDUCED])
def test_unclear_dates_are_refused_and_the_way_out_is_named(stamps, columns):
    with pytest.raises(UnclearDates, match="--dates dmy or --dates mdy"):
        dated(*stamps, columns=columns)


def test_reports_without_seconds_and_with_old_line_ends_are_read():
    rows = text(*(row(REDUCED, calldate=f"{day}/03/26 12:00") for day in (10, 13)))
    found = read(rows.replace("\n", "\r").encode("cp1251"))
    assert [event.started_at for event in found] == [NOON, NOON + 3 * 86400]
    assert found[0].uid != found[1].uid


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_delimiters_and_encodings_are_told_by_content(delimiter, encoding):
    rows = [row(clid="Ёлкина, А. <1>"), row(lastdata="PJSIP/a,30,tr")]
    lines = "\r\n".join(delimiter.join(f'"{field}"' for field in one) for one in rows)
    found = read(lines.encode(encoding))
    assert kinds(found) == "LL"
    assert found[0][:10] == one()[:10]


@given(
    st.lists(
        st.tuples(
            st.integers(1_500_000_000, 1_900_000_000),
            st.integers(0, 90),
            st.integers(0, 9000),
            st.sampled_from(["ANSWERED", "NO ANSWER", "BUSY", "FAILED"]),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(EXPORTS),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"]),
    st.sampled_from(["Europe/Minsk", "Europe/Lisbon", "America/New_York"]),
    st.booleans(),
)
def test_any_calls_in_any_export_are_read_back(calls, columns, form, zone_name, header):
    zone = parse_zone(zone_name)
    rows = [
        row(
            columns,
            calldate=datetime.fromtimestamp(start, zone).strftime(form),
            duration=str(ring + talk),
            billsec=str(talk),
            disposition=word,
            uniqueid=f"{start}.5",
        )
        for start, ring, talk, word in calls
    ]
    found = read(text(*[columns] * header, *rows), zone)[header:]
    assert [(e.started_at, e.duration_s, e.billable_s, e.uid) for e in found] == [
        (start, ring + talk, talk if word == "ANSWERED" else 0, f"{start}.5")
        for start, ring, talk, word in calls
    ]


@given(st.binary(max_size=300))
def test_no_bytes_at_all_stop_the_reading(junk):
    good = text(row()).encode()
    events = list(ASTERISK_DB.read(source(good * 3 + junk + b"\n" + good), UTC))
    assert kinds(events).startswith("LLL")
