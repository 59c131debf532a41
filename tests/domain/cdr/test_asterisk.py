"""Reading Asterisk's Master.csv in its dialects and with its defects."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr import registry
from domain.cdr.record import Disposition, Leg, Reject
from domain.cdr.times import LocalTimes, parse_zone
from domain.errors import InvalidValue
from tests.domain.cdr.dialects import (
    CSV,
    CSV_NEW,
    CUSTOM,
    kinds,
    leg,
    read,
    reason,
    row,
    source,
    text,
)

NOON = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())


def test_a_record_gets_its_normal_form():
    found = leg()
    assert (found.started_at, found.answered_at, found.ended_at) == (NOON, NOON + 10, NOON + 70)
    assert (found.a_number, found.b_number) == ("375171234567", "375291234567")
    assert found.b_raw == "80291234567"
    assert (found.duration_s, found.billable_s) == (70, 60)
    assert found.disposition == Disposition.ANSWERED
    assert found.uid == "1773144000.1"
    assert (found.a_endpoint, found.b_endpoint) == ("375171234567", "carrier")
    assert found.trunk == "carrier"


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (CSV, "asterisk-csv"),
        (CSV[:17], "asterisk-csv"),
        ([*CSV[:16], "userfield"], "asterisk-csv"),
        (CSV[:16], "asterisk-csv"),
        (CSV_NEW, "asterisk-csv"),
        ([*CSV_NEW[:17], *CSV_NEW[18:]], "asterisk-csv"),
        ([*CSV_NEW[:16], *CSV_NEW[17:]], "asterisk-csv"),
        ([*CSV_NEW[:16], *CSV_NEW[18:]], "asterisk-csv"),
        (CUSTOM, "asterisk-custom"),
        (CUSTOM[:-1], "asterisk-custom"),
    ],
)
def test_dialects_are_told_apart_by_content(columns, name):
    content = text(row(columns))
    assert registry.detect(source(content)).name == name
    assert leg(columns)[:10] == leg()[:10]


@pytest.mark.parametrize("columns", [CSV, CSV_NEW, CUSTOM])
def test_the_same_leg_is_the_same_in_every_dialect(columns):
    assert leg(columns).uid == leg().uid
    assert leg(columns).leg == leg().leg


@pytest.mark.parametrize(
    "content", ["", "\n\n", "hello, world\n", "a;b;c\n1;2;3\n", "{}", "\0" * 99]
)
def test_a_file_of_no_known_format_is_refused(content):
    with pytest.raises(registry.UnknownFormat):
        registry.detect(source(content))


def test_a_linked_id_is_the_id_of_the_call():
    assert leg(CSV_NEW, linkedid="1773143999.7").uid == "1773143999.7"
    assert leg(CSV_NEW, linkedid="").uid == "1773144000.1"


def test_records_without_ids_get_one_by_content_and_ordinal():
    columns = CSV[:16]
    first, again, other = read(text(row(columns), row(columns), row(columns, dst="102")))
    assert len({first.uid, again.uid, other.uid}) == 3
    assert [event.uid for event in read(text(row(columns), row(columns)))] == [first.uid, again.uid]


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("NO ANSWER", Disposition.NO_ANSWER),
        ("BUSY", Disposition.BUSY),
        ("FAILED", Disposition.FAILED),
        ("CONGESTION", Disposition.FAILED),
        ("CHANUNAVAIL", Disposition.FAILED),
        ("CANCEL", Disposition.CANCELLED),
    ],
)
def test_a_call_that_nobody_took_is_kept_and_not_billable(word, disposition):
    found = leg(disposition=word, answer="", billsec="0")
    assert (found.disposition, found.answered_at, found.billable_s) == (disposition, None, 0)
    assert leg(disposition=word, billsec="60").billable_s == 0


@pytest.mark.parametrize(
    ("changes", "answered_s", "billable_s", "duration_s"),
    [
        ({"answer": ""}, 10, 60, 70),
        ({"answer": "NULL"}, 10, 60, 70),
        ({"answer": "0000-00-00 00:00:00"}, 10, 60, 70),
        ({"answer": "2026-03-10 11:59:59", "billsec": "70"}, -1, 70, 70),
        ({"billsec": "61"}, 10, 61, 70),
        ({"billsec": "58"}, 10, 58, 70),
        ({"duration": "71"}, 10, 60, 71),
        ({"duration": "500"}, 10, 60, 70),  # a counter that the stamps do not bear out
        ({"duration": "NULL"}, 10, 60, 70),
        ({"billsec": ""}, 10, 60, 70),
        ({"billsec": "60.4", "duration": "70.9"}, 10, 60, 70),
        ({"end": "2026-03-10 12:01:11"}, 10, 60, 70),
        ({"start": "2026-03-10 12:00:00.123456"}, 10, 60, 70),
    ],
)
def test_rounding_of_exchanges_is_no_error(changes, answered_s, billable_s, duration_s):
    found = leg(**changes)
    assert found.answered_at == NOON + answered_s
    assert (found.billable_s, found.duration_s) == (billable_s, duration_s)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"duration": "-5"}, "negative"),
        ({"billsec": "-1"}, "negative"),
        ({"billsec": "one"}, "not a number"),
        ({"duration": "1_0"}, "not a number"),
        ({"end": "2026-03-10 11:59:00"}, "end before start"),
        ({"end": ""}, "no end"),
        ({"start": "yesterday"}, "unreadable time"),
        ({"start": "2026-02-30 12:00:00"}, "day"),
        ({"start": "1970-01-01 00:00:00"}, "unreadable time"),
        ({"end": "9999-12-31 23:59:59"}, "unreadable time"),
        ({"end": "2026-05-10 12:00:00"}, "longer than a month"),
        ({"answer": "2026-03-10 11:00:00"}, "outside"),
        ({"answer": "2026-03-10 13:00:00"}, "outside"),
        ({"billsec": "600"}, "billed longer"),
        ({"answer": "2026-03-10 12:01:00", "billsec": "60"}, "billed longer"),
        ({"disposition": "PERHAPS"}, "disposition"),
        ({"dst": "9" * 300}, "too long"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    assert words in reason(**changes)


def test_each_line_has_one_fate_in_its_order():
    content = (
        "\ufeff"
        + ",".join(CSV)
        + "\r\n# by hand\r\n\r\n"
        + text(row()).replace("\n", "\r\n")
        + "a,b,c\r\n"
        + text(row(billsec="-1"), row())
    )
    events = read(content)
    assert kinds(events) == "SSSLRRL"
    assert [event.line for event in events if hasattr(event, "line")] == [1, 2, 3, 5, 6]


@pytest.mark.parametrize(
    "clid",
    [
        '"Bar "Bridge"" <101>',
        '"no end <101>',
        'Петров; "бухгалтерия"',
        '""" <client1>',
        "\0nul",
    ],
)
def test_quotes_gone_wrong_spoil_no_other_line(clid):
    broken = ",".join(f'"{field}"' for field in row(clid=clid)) + "\n"
    events = read(text(row(), row()) + broken + text(row(), row()))
    assert len(events) == 5
    assert kinds(events[:2] + events[3:]) == "LLLL"
    assert events[2][:10] == events[0][:10]


def test_an_open_quote_does_not_swallow_the_rest():
    content = text(row()) + 'x"y,"z\n' + text(*[row()] * 3000)
    assert kinds(read(content)) == "LR" + "L" * 3000


def test_a_line_without_end_is_cut_and_is_one_line():
    for length in (65_535, 65_536, 65_537, 131_072, 1_000_000):
        assert kinds(read(text(row(), row()) + "x," * (length // 2) + "\n" + text(row()))) == "LLRL"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_all_read(encoding, ends):
    content = text(row(), row(clid="Ёлкина <1>")).replace("\n", ends)
    assert kinds(read(content.encode(encoding))) == "LL"


@given(st.binary(max_size=400))
def test_no_bytes_at_all_stop_the_reading(junk):
    events = read(
        text(row()).encode() * 3 + junk + b"\n" + text(row()).encode(), name="asterisk-csv"
    )
    assert kinds(events).startswith("LLL")


ZONES = st.sampled_from(["Europe/Minsk", "UTC", "Europe/Lisbon", "America/New_York", "+05:30"])
CLOCKS_CHANGE = [
    int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp())
    for month, day, hour in ((3, 8, 7), (3, 29, 1), (10, 25, 1), (11, 1, 6))
]
MOMENTS = st.integers(int(datetime(2016, 1, 1, tzinfo=UTC).timestamp()), 1_900_000_000) | st.builds(
    int.__add__, st.sampled_from(CLOCKS_CHANGE), st.integers(-12_000, 8_000)
)


@given(MOMENTS, st.integers(0, 90), st.integers(0, 9000), ZONES, st.sampled_from([CSV, CUSTOM]))
def test_what_an_exchange_writes_is_read_back(started, ring_s, talk_s, zone_name, columns):
    """In any zone and at any time, also in the hour that comes twice: the unique id tells."""
    zone = parse_zone(zone_name)

    def stamp(seconds):
        return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M:%S}"

    answered, ended = started + ring_s, started + ring_s + talk_s
    found = leg(
        columns,
        zone,
        start=stamp(started),
        answer=stamp(answered),
        end=stamp(ended),
        duration=str(ring_s + talk_s),
        billsec=str(talk_s),
        uniqueid=f"{started}.5",
    )
    assert (found.started_at, found.answered_at, found.ended_at) == (started, answered, ended)
    assert (found.duration_s, found.billable_s) == (ring_s + talk_s, talk_s)


def test_an_hour_that_comes_twice_is_the_first_unless_the_id_knows_better():
    zone = ZoneInfo("Europe/Warsaw")  # on 25 October 2026 2:00 to 3:00 comes twice
    first = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp())
    stamps = {
        "start": "2026-10-25 02:30:00",
        "answer": "2026-10-25 02:30:10",
        "end": "2026-10-25 02:31:10",
    }
    assert leg(zone=zone, **stamps, uniqueid=f"{first}.1").started_at == first
    assert leg(zone=zone, **stamps, uniqueid=f"{first + 3600}.1").started_at == first + 3600
    assert leg(zone=zone, **stamps, uniqueid="x").started_at == first
    second = leg(zone=zone, **stamps, uniqueid=f"{first + 3600}.1")
    assert second.answered_at == first + 3610


def test_an_hour_that_never_was_is_counted_by_the_time_before():
    zone = ZoneInfo("Europe/Warsaw")  # on 29 March 2026 2:00 to 3:00 is left out
    moment = LocalTimes(zone).epoch("2026-03-29 02:30:00")
    assert moment == int(datetime(2026, 3, 29, 1, 30, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text_", "zone"),
    [
        ("+03:00", timezone(timedelta(hours=3))),
        ("-0330", timezone(-timedelta(hours=3, minutes=30))),
        ("Europe/Minsk", ZoneInfo("Europe/Minsk")),
        ("UTC", UTC),
    ],
)
def test_a_zone_is_a_name_or_an_offset(text_, zone):
    assert parse_zone(text_) == zone


@pytest.mark.parametrize("text_", ["", "Mars", "+25:00", "+03:75", "../etc/passwd", "3"])
def test_no_other_zone_is_taken(text_):
    with pytest.raises(InvalidValue):
        parse_zone(text_)


def test_without_an_id_the_end_tells_which_of_two_hours_it_was():
    zone = ZoneInfo("Europe/Warsaw")
    end = int(datetime(2026, 10, 25, 2, 0, 55, tzinfo=UTC).timestamp())  # 3:00:55, shown once
    stamps = {
        "start": "2026-10-25 02:59:50",
        "answer": "2026-10-25 02:59:55",
        "end": "2026-10-25 03:00:55",
        "duration": "65",
    }
    found = leg(zone=zone, **stamps, uniqueid="x")
    assert (found.started_at, found.duration_s) == (end - 65, 65)


@pytest.mark.parametrize("cut", [3, 12, 40])
def test_a_last_line_that_is_still_being_written_is_no_call_yet(cut):
    whole = text(row(), row(uniqueid="1773144000.2"))
    *_, last = read(whole.rstrip("\n")[:-cut])
    assert isinstance(last, Reject)
    assert last.reason == "the line is cut off"
    *_, last = read(whole.rstrip("\n"))
    assert isinstance(last, Leg)


@pytest.mark.parametrize(
    ("application", "disposition", "billable_s"),
    [
        ("Dial", Disposition.ANSWERED, 60),
        ("", Disposition.ANSWERED, 60),
        ("VoiceMail", Disposition.NO_ANSWER, 0),
        ("Queue", Disposition.NO_ANSWER, 0),
    ],
)
def test_a_machine_that_answers_is_no_far_end(application, disposition, billable_s):
    found = leg(dstchannel="", lastapp=application)
    assert (found.disposition, found.billable_s) == (disposition, billable_s)
