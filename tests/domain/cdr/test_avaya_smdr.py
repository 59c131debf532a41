"""Reading Avaya IP Office's SMDR."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.discovery import discover
from domain.cdr.record import Disposition, Leg
from tests.domain.cdr.dialects import kinds, read

NOON = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
FIELDS = {
    "start": "2026/03/10 12:00:00",
    "connected": "00:01:00",
    "ring": "10",
    "caller": "215",
    "direction": "O",
    "called": "80291234567",
    "dialled": "80291234567",
    "account": "",
    "internal": "0",
    "call_id": "1000021",
    "continuation": "0",
    "device1": "E215",
    "name1": "Иванов И.",
    "device2": "T9001",
    "name2": "LINE 5.1",
    "hold": "0",
    "park": "0",
}


def row(width=30, **changes):
    values = [*(FIELDS | changes).values()]
    return ",".join([*values, *[""] * (width - len(values))])


def text(*rows):
    return "".join(f"{line}\r\n" for line in rows)


SAMPLE = text(row(), row(35, call_id="1000022"))


def leg(zone=UTC, **changes):
    (event,) = read(text(row(**changes)), zone, "avaya-smdr")
    return event


@pytest.mark.parametrize("width", [30, 35])
def test_a_record_gets_its_normal_form(width):
    (found,) = read(text(row(width)))
    assert (found.started_at, found.answered_at, found.ended_at) == (NOON, NOON + 10, NOON + 70)
    assert (found.a_number, found.b_number) == ("215", "375291234567")
    assert (found.duration_s, found.billable_s) == (70, 60)
    assert found.disposition == Disposition.ANSWERED
    assert found.uid == f"1000021-{NOON}"
    assert (found.a_endpoint, found.trunk) == ("215", "T9001")


def test_times_are_those_of_the_zone():
    assert leg(ZoneInfo("Europe/Minsk")).started_at == NOON - 3 * 3600


def test_a_call_that_nobody_took_is_kept():
    found = leg(connected="00:00:00", ring="23")
    assert (found.disposition, found.answered_at) == (Disposition.NO_ANSWER, None)
    assert (found.duration_s, found.billable_s) == (23, 0)


def test_time_on_hold_lasts_and_is_not_connected():
    found = leg(hold="30", park="5")
    assert (found.duration_s, found.billable_s) == (105, 60)


def test_parts_follow_each_other_though_all_bear_the_start_of_the_call():
    first = row(continuation="1", connected="00:00:13", ring="7", hold="11")
    second = row(connected="00:00:21", ring="0", device1="V9502")
    one, two = read(text(first, second))
    assert one.uid == two.uid
    assert (one.started_at, one.answered_at) == (NOON, NOON + 7)
    assert (two.started_at, two.answered_at) == (NOON + 31, NOON + 31)


def test_a_line_that_comes_twice_is_the_same_part():
    first = row(continuation="1", connected="00:00:13")
    second = row(connected="00:00:21", ring="0")
    events = read(text(first, first, second, first, second))
    assert len({event.leg for event in events}) == 2
    assert len(set(events)) == 2


def test_calls_with_one_number_after_a_restart_are_two():
    one, two = read(text(row(), row(start="2026/03/11 12:00:00")))
    assert one.uid != two.uid


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": "2026-03-10 12:00:00"}, "unreadable time"),
        ({"start": "1970/01/01 00:00:00"}, "unreadable time"),
        ({"start": "2026/02/30 00:00:00"}, "day"),
        ({"connected": "60"}, "hh:mm:ss"),
        ({"connected": "00:61:00"}, "hh:mm:ss"),
        ({"connected": "9999:00:00"}, "longer than a month"),
        ({"ring": "-1"}, "counter"),
        ({"ring": "ten"}, "counter"),
        ({"direction": "X"}, "direction"),
        ({"call_id": ""}, "call id"),
        ({"called": "9" * 300}, "too long"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    assert words in leg(**changes).reason


def test_each_line_has_one_fate():
    events = read(text("# by hand", "", row(), "a,b,c", row(ring="-1"), row()))
    assert kinds(events) == "SSLRRL"


def test_our_side_is_the_extension():
    incoming = row(caller="80171112233", direction="I", called="403", device1="E403")
    inner = row(called="4207", internal="1", device2="E4207", call_id="7")
    found = read(text(row(), incoming, inner))
    assert discover(found) == ["215", "403", "4207"]


CALLS = st.tuples(
    st.integers(NOON - 10**8, NOON + 10**8),
    st.integers(0, 90),
    st.integers(1, 9000),
    st.sampled_from("IO"),
    st.from_regex(r"[0-9]{3,12}", fullmatch=True),
)


@given(st.lists(CALLS, min_size=1, max_size=5, unique_by=lambda call: call[0]))
def test_what_an_exchange_writes_is_read_back(calls):
    rows = [
        row(
            start=f"{datetime.fromtimestamp(started, UTC):%Y/%m/%d %H:%M:%S}",
            connected=f"{talk_s // 3600:02}:{talk_s // 60 % 60:02}:{talk_s % 60:02}",
            ring=str(ring_s),
            direction=direction,
            caller=number,
            call_id=str(n),
        )
        for n, (started, ring_s, talk_s, direction, number) in enumerate(calls)
    ]
    found = read(text(*rows))
    assert [(e.started_at, e.answered_at - e.started_at, e.billable_s, e.a_raw) for e in found] == [
        (started, ring_s, talk_s, number) for started, ring_s, talk_s, _, number in calls
    ]


@given(st.binary(max_size=300))
def test_no_bytes_at_all_stop_the_reading(junk):
    events = read(SAMPLE.encode() + junk + b"\n" + row().encode(), name="avaya-smdr")
    assert all(isinstance(event, Leg) for event in events[:2])
