"""Reading exported rows of Kamailio's table of accounting."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.record import Disposition, Half
from domain.errors import InvalidValue
from tests.domain.cdr import test_opensips_flat as flat
from tests.domain.cdr.dialects import kinds, read

AT = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
FIELDS = {
    "id": "1",
    "method": "INVITE",
    "from_tag": "a1",
    "to_tag": "b2",
    "callid": "call-1",
    "sip_code": "200",
    "sip_reason": "OK",
    "time": "2026-03-10 12:00:00",
    "src_user": "375171234567",
    "src_domain": "pbx.by",
    "src_ip": "10.0.0.1",
    "dst_ouser": "80291234567",
    "dst_user": "375291234567",
    "dst_domain": "carrier.by",
}
BYE = {"method": "BYE", "time": "2026-03-10 12:01:00"}


def text(*rows, names=tuple(FIELDS), delimiter=","):
    """Rows, each as what it changes, under their header."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([*(FIELDS | changes).values()] for changes in rows)
    return out.getvalue()


SAMPLE = text({}, BYE)


def event(**changes):
    return read(text(changes))[1]


def test_two_rows_are_a_call():
    _, half, leg = read(SAMPLE)
    assert isinstance(half, Half)
    assert (leg.started_at, leg.answered_at, leg.billable_s) == (AT, AT, 60)
    assert (leg.a_raw, leg.b_raw) == ("375171234567", "80291234567")
    assert leg.uid == "call-1"
    assert leg.account == "pbx.by"


def test_the_same_call_is_the_same_in_flat_files_of_the_proxy():
    (_, leg), (_, _, row) = read(flat.text(flat.invite(), flat.bye())), read(SAMPLE)
    assert (leg.uid, leg.leg) == (row.uid, row.leg)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_whatever_parts_the_fields_is_found_out(delimiter):
    assert read(text({}, BYE, delimiter=delimiter))[1:] == read(SAMPLE)[1:]


def test_other_names_of_the_columns_are_known():
    other = {"callid": "call_id", "sip_code": "code", "sip_reason": "reason", "src_user": "a"}
    names = [other.get(name, name).upper() for name in FIELDS]
    assert read(text({}, BYE, names=names))[1:] == read(SAMPLE)[1:]


def test_times_are_those_of_the_zone_or_epochs():
    minsk = read(SAMPLE, ZoneInfo("Europe/Minsk"))[1]
    assert minsk.at == AT - 3 * 3600
    epochs = text({"time": str(AT)}, {**BYE, "time": f"{AT + 60}.123"})
    assert read(epochs, ZoneInfo("Europe/Minsk"))[2].billable_s == 60


def test_an_attempt_that_failed_is_a_call():
    found = event(sip_code="486", sip_reason="Busy here")
    assert (found.disposition, found.billable_s) == (Disposition.BUSY, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": ""}, "unreadable time"),
        ({"time": "2026-13-10 12:00:00"}, "month"),
        ({"time": "0000-00-00 00:00:00"}, "unreadable time"),
        ({"sip_code": "x"}, "reply code"),
        ({"src_user": "NULL"}, "number"),
        ({"callid": ""}, "Call-ID"),
        ({"method": "DANCE"}, "method"),
        ({"callid": "9" * 300}, "too long"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    assert words in event(**changes).reason


def test_each_line_has_one_fate():
    content = SAMPLE + "# x\n\na,b\n" + text({"method": "ACK"}, {"callid": "2"})
    assert kinds(read(content)) == "SHLSSRSSH"


def test_without_a_header_nothing_can_be_read():
    with pytest.raises(InvalidValue, match="header"):
        list(read(SAMPLE.split("\n", 1)[1], name="kamailio-acc"))


@given(
    st.integers(AT - 10**8, AT + 10**8),
    st.integers(0, 90_000),
    st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True),
)
def test_what_a_proxy_writes_is_read_back(at, talk_s, number):
    times = [f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d %H:%M:%S}" for t in (at, at + talk_s)]
    leg = read(text({"time": times[0], "src_user": number}, {**BYE, "time": times[1]}))[2]
    assert (leg.started_at, leg.billable_s, leg.a_raw) == (at, talk_s, number)


@given(st.binary(max_size=300))
def test_no_bytes_at_all_stop_the_reading(junk):
    assert kinds(read(SAMPLE.encode() + junk, name="kamailio-acc")).startswith("SHL")
