"""Reading Cisco Unified Communications Manager's flat files."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.discovery import discover
from domain.cdr.record import Disposition, Leg, Reject
from domain.errors import InvalidValue
from tests.domain.cdr.dialects import kinds, read

NOON = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
FIELDS = {
    "cdrRecordType": "1",
    "globalCallID_callManagerId": "2",
    "globalCallID_callId": "142101",
    "origLegCallIdentifier": "19391000",
    "dateTimeOrigination": str(NOON),
    "callingPartyNumber": "2001",
    "callingPartyUnicodeLoginUserID": "",
    "origCause_value": "0",
    "destCause_value": "16",
    "originalCalledPartyNumber": "80291234567",
    "finalCalledPartyNumber": "80291234567",
    "callingPartyNumberPartition": "internal",
    "dateTimeConnect": str(NOON + 10),
    "dateTimeDisconnect": str(NOON + 70),
    "pkid": "5b1a3d0e-0000-4000-8000-000000000001",
    "duration": "60",
    "origDeviceName": "SEP001122334455",
    "destDeviceName": "SIP-trunk-carrier",
    "globalCallID_ClusterID": "StandAloneCluster",
}
TYPES = ["INTEGER", "INTEGER", "VARCHAR(50)", "UNIQUEIDENTIFIER", *["INTEGER"] * 15]
CMR = [
    "cdrRecordType,globalCallID_callManagerId,globalCallID_callId,nodeId,directoryNum,pkid",
    "INTEGER,INTEGER,INTEGER,INTEGER,VARCHAR(50),UNIQUEIDENTIFIER",
    '2,2,142101,2,"2001","x"',
]


def row(**changes):
    return ",".join(
        value if value.isdigit() else f'"{value}"' for value in (FIELDS | changes).values()
    )


def text(*rows, names=tuple(FIELDS), types=True):
    header = ",".join(f'"{name}"' for name in names)
    return "\n".join([header, *([",".join(TYPES)] if types else []), *rows]) + "\n"


SAMPLE = text(row())


def leg(**changes):
    (event,) = [e for e in read(text(row(**changes))) if isinstance(e, Leg | Reject)]
    return event


def test_a_record_gets_its_normal_form():
    found = leg()
    assert (found.started_at, found.answered_at, found.ended_at) == (NOON, NOON + 10, NOON + 70)
    assert (found.a_number, found.b_number) == ("2001", "375291234567")
    assert (found.duration_s, found.billable_s) == (70, 60)
    assert found.disposition == Disposition.ANSWERED
    assert found.uid == "StandAloneCluster-2-142101"
    assert found.trunk == "SIP-trunk-carrier"


def test_columns_are_found_by_name_in_any_order_and_number():
    names = sorted(FIELDS, reverse=True)
    shuffled = ",".join(FIELDS[name] for name in names)
    header = ",".join(names)
    (_, found) = read(f"{header}\n{shuffled}\n")
    assert found == leg()
    more = f"{header},newInThisRelease\n{shuffled},7\n"
    assert read(more)[1] == leg()


def test_header_types_and_blank_lines_are_no_records():
    assert kinds(read(text(row(), "", row(pkid="x")))) == "SSLSL"
    assert kinds(read(text(row(), types=False))) == "SL"


def test_a_file_of_call_quality_has_no_calls_and_spoils_nothing():
    assert kinds(read("\n".join(CMR))) == "SSS"
    assert kinds(read(text(row(), row(cdrRecordType="2")))) == "SSLS"


@pytest.mark.parametrize(
    ("changes", "disposition"),
    [
        ({"destCause_value": "17"}, Disposition.BUSY),
        ({"destCause_value": "19"}, Disposition.NO_ANSWER),
        ({"destCause_value": "21"}, Disposition.BUSY),
        ({"destCause_value": "1"}, Disposition.FAILED),
        ({"destCause_value": "16"}, Disposition.CANCELLED),
        ({"destCause_value": "0", "origCause_value": "16"}, Disposition.CANCELLED),
        ({"destCause_value": "0", "origCause_value": "34"}, Disposition.FAILED),
        ({"destCause_value": "0", "origCause_value": "0"}, Disposition.CANCELLED),
    ],
)
def test_without_a_connection_the_cause_tells(changes, disposition):
    found = leg(dateTimeConnect="0", duration="0", **changes)
    assert (found.disposition, found.answered_at, found.billable_s) == (disposition, None, 0)
    assert found.duration_s == 70


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dateTimeOrigination": "0"}, "unreadable time"),
        ({"dateTimeOrigination": "yesterday"}, "unreadable time"),
        ({"dateTimeDisconnect": str(NOON - 100)}, "end before start"),
        ({"dateTimeConnect": str(NOON + 900)}, "outside"),
        ({"duration": "600"}, "billed longer"),
        ({"duration": "-5"}, "negative"),
        ({"cdrRecordType": "3"}, "record type"),
        ({"globalCallID_callId": ""}, "callId"),
        ({"finalCalledPartyNumber": "9" * 300}, "too long"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    assert words in leg(**changes).reason


def test_parts_of_one_call_share_its_id_and_are_different_legs():
    first, second = read(text(row(), row(pkid="other")))[2:]
    assert first.uid == second.uid
    assert first.leg != second.leg
    assert leg().leg == first.leg


def test_phones_are_ours_and_trunks_are_not():
    inner = row(destDeviceName="CSFIVANOV", finalCalledPartyNumber="2002")
    assert discover(read(text(row(), inner))[2:]) == ["2001", "2002"]


def test_without_a_header_nothing_can_be_read():
    with pytest.raises(InvalidValue, match="header"):
        list(read(row() + "\n", name="cucm"))


@given(
    st.integers(946_700_000, 2_000_000_000),
    st.integers(0, 300),
    st.integers(0, 9000),
    st.from_regex(r"[0-9]{2,15}", fullmatch=True),
)
def test_what_an_exchange_writes_is_read_back(started, ring_s, talk_s, number):
    found = leg(
        dateTimeOrigination=str(started),
        dateTimeConnect=str(started + ring_s),
        dateTimeDisconnect=str(started + ring_s + talk_s),
        duration=str(talk_s),
        callingPartyNumber=number,
    )
    assert (found.started_at, found.answered_at) == (started, started + ring_s)
    assert (found.duration_s, found.billable_s) == (ring_s + talk_s, talk_s)
    assert found.a_raw == number


@given(st.binary(max_size=300))
def test_no_bytes_at_all_stop_the_reading(junk):
    events = read(SAMPLE.encode() + junk + b"\n" + row().encode(), name="cucm")
    assert kinds(events).startswith("SSL")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_file_that_went_through_a_spreadsheet_is_read(delimiter):
    assert read(SAMPLE.replace(",", delimiter))[-1] == leg()
