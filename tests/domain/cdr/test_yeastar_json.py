"""Reading Yeastar's events of finished calls."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.discovery import discover
from domain.cdr.record import Disposition
from tests.domain.cdr.dialects import kinds, read

AT = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
FIELDS = {
    "action": "NewCdr",
    "callid": f"{AT}.371",
    "timestart": "2026-03-10 12:00:00",
    "callfrom": "1002",
    "callto": "80291234567",
    "desttrunkname": "sip-142",
    "callduraction": "70",
    "talkduraction": "60",
    "status": "ANSWERED",
    "type": "Outbound",
}
SAMPLE = json.dumps(FIELDS) + "\n"


def event(zone=UTC, **changes):
    (found,) = read(json.dumps(FIELDS | changes), zone, "yeastar-json")
    return found


def test_an_event_gets_its_normal_form():
    (found,) = read(SAMPLE)
    assert (found.started_at, found.answered_at, found.ended_at) == (AT, AT + 10, AT + 70)
    assert (found.a_number, found.b_number) == ("1002", "375291234567")
    assert (found.duration_s, found.billable_s) == (70, 60)
    assert found.disposition == Disposition.ANSWERED
    assert (found.uid, found.trunk) == (f"{AT}.371", "sip-142")


@pytest.mark.parametrize(
    "content",
    [SAMPLE * 3, json.dumps([FIELDS] * 3), json.dumps([FIELDS] * 3, indent=2), SAMPLE.strip() * 3],
)
def test_a_line_each_or_an_array(content):
    assert kinds(read(content)) == "LLL"


def test_times_are_those_of_the_zone():
    assert event(ZoneInfo("Europe/Minsk")).started_at == AT - 3 * 3600


def test_numbers_may_be_numbers():
    assert event(callduraction=70, talkduraction=60, callfrom=1002)[:10] == event()[:10]


@pytest.mark.parametrize(
    ("status", "disposition"),
    [
        ("NO ANSWER", Disposition.NO_ANSWER),
        ("NO ANSWERED", Disposition.NO_ANSWER),
        ("VOICEMAIL", Disposition.NO_ANSWER),
        ("BUSY", Disposition.BUSY),
        ("FAILED", Disposition.FAILED),
    ],
)
def test_a_call_that_nobody_took_is_kept_and_not_billable(status, disposition):
    found = event(status=status, talkduraction="0")
    assert (found.disposition, found.answered_at, found.billable_s) == (disposition, None, 0)


def test_our_side_is_told_by_the_type():
    incoming = FIELDS | {"type": "Inbound", "srctrunkname": "sip-142", "callto": "1003"}
    inner = FIELDS | {"type": "Internal", "callto": "1004", "desttrunkname": ""}
    found = read("\n".join(map(json.dumps, (FIELDS, incoming, inner))))
    assert discover(found) == ["1002", "1003", "1004"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timestart": "10.03.2026"}, "unreadable time"),
        ({"timestart": None}, "unreadable time"),
        ({"callduraction": "-5", "talkduraction": "-5"}, "negative"),
        ({"callduraction": "long"}, "not a number"),
        ({"talkduraction": "600"}, "talked longer"),
        ({"status": "PERHAPS"}, "status"),
        ({"callid": ""}, "callid"),
        ({"callid": {"x": 1}}, "callid"),
        ({"callto": "9" * 300}, "too long"),
        ({"callduraction": "99999999"}, "longer than a month"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    assert words in event(**changes).reason


def test_one_broken_line_is_a_reject_and_reading_goes_on():
    content = SAMPLE + '{"callid": "1\n' + SAMPLE + '{"callid": NaN}\n' + SAMPLE
    events = read(content)
    assert kinds(events) == "LRLRL"
    assert [e.line for e in events if hasattr(e, "line")] == [2, 4]


@given(
    st.integers(AT - 10**8, AT + 10**8),
    st.integers(0, 90),
    st.integers(0, 9000),
    st.text(min_size=1, max_size=20).filter(str.strip),
)
def test_what_an_exchange_writes_is_read_back(at, ring_s, talk_s, name):
    found = event(
        timestart=f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}",
        callduraction=str(ring_s + talk_s),
        talkduraction=str(talk_s),
        callfrom=name,
    )
    assert (found.started_at, found.answered_at) == (at, at + ring_s)
    assert (found.duration_s, found.billable_s) == (ring_s + talk_s, talk_s)
    assert found.a_raw == name.replace("\0", "").strip()
