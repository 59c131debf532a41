"""Reading BroadWorks' accounting files."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.discovery import discover
from domain.cdr.record import Disposition
from domain.cdr.registry import UnknownFormat
from domain.cdr.xml_records import ForbiddenXml
from tests.domain.cdr.dialects import kinds, read

AT = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
HEADER = {
    "eventCounter": "0000000001",
    "systemId": "as1.pbx.by",
    "date": "20260310120000.247",
    "systemTimeZone": "0+030000",
}
BASIC = {
    "userNumber": "+375171234567",
    "direction": "Originating",
    "callingNumber": "+375171234567",
    "calledNumber": "+375291234567",
    "startTime": "20260310120000.247",
    "userTimeZone": "0+030000",
    "localCallId": "100:0",
    "answerIndicator": "Yes",
    "answerTime": "20260310120010.813",
    "releaseTime": "20260310120110.296",
    "terminationCause": "016",
    "userId": "ivanov@pbx.by",
}


def fields(values):
    return "".join(f"<{name}>{text}</{name}>" for name, text in values.items() if text)


def record(kind="Normal", **changes):
    header, basic = HEADER | changes, BASIC | changes
    return (
        f"<cdrData><headerModule><recordId>{fields({k: header[k] for k in HEADER})}</recordId>"
        f"<type>{kind}</type></headerModule>"
        f"<basicModule>{fields({k: v for k, v in basic.items() if k not in HEADER})}</basicModule>"
        "<centrexModule><group>sales</group></centrexModule></cdrData>\n"
    )


def text(*records):
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE broadWorksCDR>\n'
        f'<broadWorksCDR version="22.0">\n{"".join(records)}</broadWorksCDR>'
    )


SAMPLE = text(record("Start"), record(), record("End"))


def event(zone=UTC, **changes):
    (found,) = read(text(record(**changes)), zone)
    return found


def test_a_record_gets_its_normal_form():
    found = event()
    assert (found.started_at, found.answered_at, found.ended_at) == (AT, AT + 10, AT + 70)
    assert (found.a_number, found.b_number) == ("375171234567", "375291234567")
    assert (found.duration_s, found.billable_s) == (70, 59)  # 59.483 s
    assert found.disposition == Disposition.ANSWERED
    assert found.account == "sales"


def test_times_are_utc_whatever_zone_stands_beside_them():
    assert event(ZoneInfo("Asia/Tokyo"), systemTimeZone="1+020000") == event()


def test_only_finished_calls_are_records():
    content = text(
        record("Start"), record("Long Duration"), record(), record("Failover"), record("End")
    )
    assert kinds(read(content)) == "SSLSS"


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [
        ("017", Disposition.BUSY),
        ("019", Disposition.NO_ANSWER),
        ("016", Disposition.CANCELLED),
        ("001", Disposition.FAILED),
        ("", Disposition.NO_ANSWER),
    ],
)
def test_without_an_answer_the_cause_tells(cause, disposition):
    found = event(answerIndicator="No", answerTime="", terminationCause=cause)
    assert (found.disposition, found.answered_at, found.billable_s) == (disposition, None, 0)


def test_an_answer_after_a_redirection_is_an_answer():
    assert event(answerIndicator="Yes-PostRedirection").billable_s == 59


def test_both_records_of_a_call_between_two_users_are_one_call():
    one = record(localCallId="100:0", remoteCallId="101:0")
    other = record(
        localCallId="101:0",
        remoteCallId="100:0",
        eventCounter="0000000002",
        direction="Terminating",
        userNumber="+375291234567",
    )
    first, second = read(text(one, other))
    assert first.uid == second.uid
    assert first.leg != second.leg
    assert discover([first, second]) == ["375171234567", "375291234567"]


def test_records_of_calls_to_outside_are_calls_by_themselves():
    first, second = read(text(record(), record(eventCounter="0000000002")))
    assert first.uid != second.uid


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"startTime": ""}, "unreadable time"),
        ({"startTime": "2026-03-10 12:00:00"}, "unreadable time"),
        ({"startTime": "19700101000000.000"}, "unreadable time"),
        ({"startTime": "20260230000000.000"}, "day"),
        ({"releaseTime": "20260310110000.000", "answerIndicator": "No"}, "negative"),
        ({"answerTime": "20260310120111.000"}, "outside"),
        ({"answerTime": "20260310110000.000"}, "outside"),
        ({"eventCounter": ""}, "eventCounter"),
        ({"calledNumber": "9" * 300}, "too long"),
        ({"kind": "Odd"}, "type"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    assert words in event(**changes).reason


def test_a_broken_record_is_a_reject_and_reading_goes_on():
    broken = record().replace("</startTime>", "")
    events = read(text(record(), broken, record()))
    assert kinds(events) == "LRL"
    assert events[1].line == 2


def test_a_file_still_being_written_gives_what_is_whole():
    assert kinds(read(SAMPLE[: SAMPLE.index("</basicModule>", 900)])) == "SR"
    assert kinds(read(text(record(), record())[:-16])) == "LL"


def test_a_document_with_entities_is_refused():
    content = SAMPLE.replace("broadWorksCDR>\n", 'broadWorksCDR [<!ENTITY x "y">]>\n', 1)
    with pytest.raises(ForbiddenXml):
        read(content)


def test_other_xml_is_no_file_of_this_format():
    with pytest.raises(UnknownFormat):
        read("<cdrs><cdr/></cdrs>")


@given(st.integers(AT - 10**8, AT + 10**8), st.integers(0, 90_999), st.integers(0, 9_000_999))
def test_what_an_exchange_writes_is_read_back(at, ring_ms, talk_ms):
    def stamp(ms):
        return f"{datetime.fromtimestamp(at + ms // 1000, UTC):%Y%m%d%H%M%S}.{ms % 1000:03}"

    found = event(
        startTime=stamp(0), answerTime=stamp(ring_ms), releaseTime=stamp(ring_ms + talk_ms)
    )
    assert (found.started_at, found.answered_at) == (at, at + ring_ms // 1000)
    assert (found.duration_s, found.billable_s) == ((ring_ms + talk_ms) // 1000, talk_ms // 1000)
