"""Reading the answers of Grandstream's interface for call records."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.discovery import discover
from domain.cdr.record import Disposition
from tests.domain.cdr.dialects import kinds, read

AT = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
FIELDS = {
    "AcctId": "17",
    "accountcode": "",
    "src": "1001",
    "dst": "80291234567",
    "dcontext": "from-internal",
    "clid": '"Иванов" <1001>',
    "channel": "PJSIP/1001-00000012",
    "dstchannel": "PJSIP/trunk_1-00000013",
    "lastapp": "Dial",
    "lastdata": "PJSIP/80291234567@trunk_1,60",
    "start": "2026-03-10 12:00:00",
    "answer": "2026-03-10 12:00:10",
    "end": "2026-03-10 12:01:10",
    "duration": "70",
    "billsec": "60",
    "disposition": "ANSWERED",
    "amaflags": "DOCUMENTATION",
    "uniqueid": f"{AT}.18",
    "userfield": "Outbound",
    "channel_ext": "1001",
    "dstchannel_ext": "80291234567",
    "service": "s",
    "caller_name": "Иванов",
    "session": f"{AT}771-1001",
    "action_owner": "1001",
    "action_type": "DIAL",
    "src_trunk_name": "",
    "dst_trunk_name": "carrier",
    "sn": "",
}


def text(*records):
    return json.dumps({"cdr_root": [FIELDS | changes for changes in records]}, ensure_ascii=False)


SAMPLE = text({}, {"AcctId": "18"})


def event(**changes):
    (found,) = read(text(changes), name="grandstream-json")
    return found


def test_a_record_gets_its_normal_form():
    (found,) = read(text({}))
    assert (found.started_at, found.answered_at, found.ended_at) == (AT, AT + 10, AT + 70)
    assert (found.a_number, found.b_number) == ("1001", "375291234567")
    assert (found.duration_s, found.billable_s) == (70, 60)
    assert found.disposition == Disposition.ANSWERED
    assert (found.uid, found.trunk) == (f"{AT}771-1001", "carrier")


def test_records_of_one_session_are_legs_of_one_call():
    first, second = read(text({"disposition": "NO ANSWER"}, {"dstchannel": "PJSIP/1002-1"}))
    assert first.uid == second.uid
    assert first.leg != second.leg


def test_without_a_session_the_channel_names_the_call():
    assert event(session="").uid == f"{AT}.18"


def test_a_call_in_parts_is_its_parts_and_their_sum_is_no_call():
    parts = {
        "cdr": "x",
        "sub_cdr_1": FIELDS,
        "sub_cdr_2": FIELDS | {"dst": "1002"},
        "main_cdr": FIELDS,
    }
    assert kinds(read(json.dumps({"cdr_root": [parts, FIELDS]}))) == "ILLL"
    assert kinds(read(json.dumps({"cdr_root": [{"cdr": "x", "main_cdr": FIELDS}]}))) == "L"


@pytest.mark.parametrize(
    "content",
    [SAMPLE, SAMPLE + "\n" + SAMPLE, json.dumps([FIELDS, FIELDS]), json.dumps(FIELDS)],
)
def test_several_answers_in_one_file_and_bare_records_are_read(content):
    assert set(kinds(read(content))) == {"L"}


@pytest.mark.parametrize("answer", ["", "0000-00-00 00:00:00"])
@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("NO ANSWER", Disposition.NO_ANSWER),
        ("BUSY", Disposition.BUSY),
        ("FAILED", Disposition.FAILED),
    ],
)
def test_a_call_that_nobody_took_is_kept_and_not_billable(word, disposition, answer):
    found = event(disposition=word, answer=answer, billsec="0")
    assert (found.disposition, found.answered_at, found.billable_s) == (disposition, None, 0)


def test_our_side_is_told_by_the_kind_of_call():
    incoming = {"userfield": "Inbound", "src": "80171112233", "src_trunk_name": "t", "dst": "1003"}
    inner = {"userfield": "Internal", "dst": "1004"}
    assert discover(read(text({}, incoming, inner))) == ["1001", "1003", "1004"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": ""}, "unreadable time"),
        ({"end": ""}, "no end"),
        ({"end": "2026-03-10 11:00:00"}, "end before start"),
        ({"billsec": "600"}, "billed longer"),
        ({"billsec": "-1"}, "negative"),
        ({"duration": "x"}, "not a number"),
        ({"disposition": "PERHAPS"}, "disposition"),
        ({"session": "", "uniqueid": ""}, "session"),
        ({"dst": "9" * 300}, "too long"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    assert words in event(**changes).reason


def test_a_broken_record_is_a_reject_and_reading_goes_on():
    broken = text({}, {"billsec": 424242}, {}).replace("424242", "NaN")
    assert kinds(read(broken)) == "LRL"


@given(st.integers(AT - 10**8, AT + 10**8), st.integers(0, 90), st.integers(0, 9000))
def test_what_an_exchange_writes_is_read_back(at, ring_s, talk_s):
    stamps = [
        f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"
        for moment in (at, at + ring_s, at + ring_s + talk_s)
    ]
    found = event(
        **dict(zip(("start", "answer", "end"), stamps, strict=True)),
        duration=str(ring_s + talk_s),
        billsec=str(talk_s),
    )
    assert (found.started_at, found.answered_at) == (at, at + ring_s)
    assert (found.duration_s, found.billable_s) == (ring_s + talk_s, talk_s)
