"""3CX's call history, with its header and without, in any order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr import registry
from domain.cdr.dates import UnclearDates
from domain.cdr.discovery import discover
from domain.cdr.record import Disposition, Leg, Reject
from domain.cdr.threecx import COLUMNS
from domain.cdr.times import parse_zone, uid_epoch, zone_error_s
from tests.domain.cdr.dialects import kinds, read, source, text

NOON = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())


def call_id(moment, ordinal=1):
    return f"{moment * 1000 + 250:016X}_{ordinal}"


FIELDS = {
    **dict.fromkeys(COLUMNS, ""),
    "historyid": "Call 12",
    "callid": call_id(NOON),
    "duration": "00:00:59",
    "time_start": "2026/03/10 12:00:00",
    "time_answered": "2026/03/10 12:00:10",
    "time_end": "2026/03/10 12:01:10",
    "reason_terminated": "TerminatedBySrc",
    "from_no": "Ext.101",
    "to_no": "80291234567",
    "from_dn": "101",
    "to_dn": "10001",
    "dial_no": "80291234567",
    "chain": "Chain: Ext.101,80291234567,",
    "from_type": "Internal",
    "to_type": "External",
    "final_type": "External",
}


def row(**changes):
    values = FIELDS | changes
    return [values[name] for name in COLUMNS]


def leg(zone=UTC, **changes):
    (event,) = read(text(row(**changes)), zone)
    assert isinstance(event, Leg), event
    return event


@pytest.mark.parametrize("header", [True, False])
def test_it_is_known_by_content_and_read(header):
    content = text(*[COLUMNS] * header, row())
    assert registry.detect(source(content)).name == "3cx"
    assert kinds(read(content)) == "S" * header + "L"
    found = read(content)[-1]
    assert (found.started_at, found.answered_at, found.ended_at) == (NOON, NOON + 10, NOON + 70)
    assert (found.a_number, found.b_number) == ("101", "375291234567")
    assert (found.duration_s, found.billable_s) == (70, 60)  # not what "duration" says


def test_header_and_order_of_rows_do_not_matter():
    rows = [row(callid=call_id(NOON + n, n), dial_no=f"8029123456{n}") for n in range(9)]
    legs = read(text(*rows))
    rows = [*rows[4:], *reversed(rows[:4])]
    again = read(text(COLUMNS, *rows))[1:]
    assert {(e.uid, e.leg) for e in legs} == {(e.uid, e.leg) for e in again}
    assert sorted(e[:10] for e in legs) == sorted(e[:10] for e in again)


def test_columns_are_found_by_the_header_in_any_order():
    order = sorted(COLUMNS)
    values = dict(zip(COLUMNS, row(), strict=True))
    found = read(text(order, [values[name] for name in order]))[1]
    assert found == leg()


@pytest.mark.parametrize(
    ("changes", "a", "b"),
    [
        ({}, "101", "80291234567"),
        ({"to_no": "0291234567", "dial_no": "80291234567"}, "101", "80291234567"),
        (
            {
                "from_type": "External",
                "to_type": "Internal",
                "from_no": "80291234567",
                "to_no": "Ext.611",
                "dial_no": "611",
                "final_number": "Ext.194",
            },
            "80291234567",
            "611",
        ),
        ({"to_type": "Internal", "to_no": "Ext.102", "dial_no": "102"}, "101", "102"),
    ],
)
def test_the_kinds_of_the_parties_tell_who_called_whom(changes, a, b):
    found = leg(**changes)
    assert (found.a_raw, found.b_raw) == (a, b)


def test_extensions_are_ours_and_trunks_are_not():
    rows = [row(dial_no=f"8029123456{n}", to_no=f"8029123456{n}") for n in range(5)]
    inbound = {"from_type": "External", "to_type": "Internal", "from_dn": "10001"}
    rows.append(row(**inbound, from_no="80291234560", to_no="Ext.102", to_dn="102"))
    failed = {"to_dn": "80291234561", "dial_no": "80291234561", "to_no": "80291234561"}
    rows.append(row(**failed, time_answered="", reason_terminated="Failed"))
    assert discover(read(text(*rows))) == ["101", "102"]


@pytest.mark.parametrize(
    ("reason", "answered", "disposition"),
    [
        ("TerminatedBySrc", "2026/03/10 12:00:10", Disposition.ANSWERED),
        ("Failed_Cancelled", "2026/03/10 12:00:10", Disposition.ANSWERED),
        ("Failed_Cancelled", "", Disposition.CANCELLED),
        ("Failed_Busy", "", Disposition.BUSY),
        ("Failed_NoAnswer", "", Disposition.NO_ANSWER),
        ("Failed", "", Disposition.FAILED),
        ("Connected", "", Disposition.NO_ANSWER),
        ("TerminatedBySrc", "", Disposition.CANCELLED),
    ],
)
def test_a_call_was_answered_if_there_was_an_answer(reason, answered, disposition):
    found = leg(reason_terminated=reason, time_answered=answered)
    assert found.disposition == disposition
    assert found.billable_s == (60 if answered else 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time_end": "2026/03/10 11:00:00", "time_answered": ""}, "end before start"),
        ({"time_end": ""}, "no end"),
        ({"time_answered": "2026/03/10 13:00:00"}, "outside"),
        ({"time_start": "noon"}, "unreadable time"),
        ({"to_no": "9" * 300, "dial_no": "9" * 300}, "too long"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    events = read(text(row(), row(), row(**changes)))
    assert isinstance(events[2], Reject)
    assert words in events[2].reason


def test_a_torn_row_is_rejected():
    events = read(text(row(), row(), row()[:20], [""]))
    assert kinds(events) == "LLRS"
    assert events[2].reason == "20 columns instead of 27"


def test_the_id_knows_the_moment_for_zone_and_dates():
    assert uid_epoch(call_id(NOON)) == NOON
    legs = [leg(parse_zone("Europe/Minsk"))]
    assert zone_error_s((e.started_at, e.uid) for e in legs) == -3 * 3600
    stamps = {"time_start": "10/03/2026 12:00:00", "time_end": "10/03/2026 12:01:10"}
    stamps["time_answered"] = "10/03/2026 12:00:10"
    assert leg(**stamps)[:3] == leg()[:3]
    with pytest.raises(UnclearDates):
        leg(**stamps, callid="")


def test_without_an_id_equal_records_are_told_apart():
    first, second = read(text(row(callid=""), row(callid="")))
    assert first.uid != second.uid


@given(
    st.lists(
        st.tuples(
            st.integers(1_500_000_000, 1_900_000_000), st.integers(0, 90), st.integers(0, 9000)
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
    st.sampled_from(["Europe/Paris", "Europe/Minsk", "UTC"]),
)
def test_any_calls_are_read_back(calls, header, zone_name):
    zone = parse_zone(zone_name)

    def stamp(moment):
        return f"{datetime.fromtimestamp(moment, zone):%Y/%m/%d %H:%M:%S}"

    rows = [
        row(
            callid=call_id(start),
            time_start=stamp(start),
            time_answered=stamp(start + ring),
            time_end=stamp(start + ring + talk),
            duration=str(timedelta(seconds=talk)),
        )
        for start, ring, talk in calls
    ]
    in_the_hour_that_comes_twice = any(
        datetime.fromtimestamp(start + ring + talk, zone).utcoffset()
        != datetime.fromtimestamp(start - 7200, zone).utcoffset()
        for start, ring, talk in calls
    )
    if in_the_hour_that_comes_twice:
        return
    found = read(text(*[COLUMNS] * header, *rows), zone)[header:]
    assert [(e.started_at, e.answered_at, e.billable_s) for e in found] == [
        (start, start + ring, talk) for start, ring, talk in calls
    ]


def test_a_row_that_is_shorter_than_a_header_with_a_name_twice_is_refused():
    header = [*COLUMNS[:5], "chain", "chain", *COLUMNS[5:]]
    content = text(header, [*row(), ""], [*row()[:-1], "", ""])
    events = read(content, name="3cx")
    assert kinds(events) == "SRR"
    assert events[1].reason == f"{len(COLUMNS) + 1} columns instead of {len(header)}"
