"""Files read by a map of their columns, and what is said of mistakes in a map."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.column_map import MapMistake, parse_map
from domain.cdr.discovery import discover
from domain.cdr.generic import GENERIC, Generic
from domain.cdr.record import Disposition, Leg, Reject
from domain.cdr.times import parse_zone
from tests.domain.cdr.dialects import kinds, source

ROOT = Path(__file__).parents[3]
NOON = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
BY_SIDES = """
[columns]
start = "Begin"
caller = "A"
called = "B"
billable = "Seconds"
uid = "Id"
[time]
format = "%d.%m.%Y %H:%M:%S"
"""
LINES = "Id;Begin;A;B;Seconds\n1;10.03.2026 12:00:00;101;80291234567;60\n"
BY_OWNER = """
[file]
header = false
skip_lines = 2
delimiter = "tab"
comment = "//"
[columns]
own = 1
peer = 2
direction = 3
start = 4
end = 5
disposition = 6
[direction]
out = ["Исх", "out"]
in = ["Вх"]
[disposition]
answered = ["OK"]
busy = ["486"]
other = "failed"
[time]
format = "epoch"
"""


def read(column_map, content, zone=UTC):
    return list(Generic(parse_map(column_map.encode())).read(source(content), zone))


def leg(column_map, content, zone=UTC):
    (found,) = (e for e in read(column_map, content, zone) if isinstance(e, Leg))
    return found


def test_columns_are_found_by_their_titles():
    found = leg(BY_SIDES, LINES)
    assert (found.started_at, found.ended_at, found.billable_s) == (NOON, NOON + 60, 60)
    assert (found.a_number, found.b_number, found.uid) == ("101", "375291234567", "1")
    assert found.disposition == Disposition.ANSWERED
    assert leg(BY_SIDES, LINES.replace(";60", ";0")).disposition == Disposition.NO_ANSWER
    assert leg(BY_SIDES, LINES.replace("Begin", " BEGIN ")) == found


def test_columns_are_counted_from_one_and_directions_turn_them():
    content = (
        "Report\n\n//x\n"
        f"101\t80291234567\tИсх\t{NOON}\t{NOON + 60}\tok\n"
        f"101\t80291234567\tвх\t{NOON}\t{NOON + 60}\t486\n"
        f"101\t80291234567\tout\t{NOON}\t{NOON + 60}\tstrange\n"
        f"101\t80291234567\tboth\t{NOON}\t{NOON + 60}\tOK\n"
    )
    events = read(BY_OWNER, content)
    assert kinds(events) == "SSSLLLR"
    assert [(e.a_raw, e.b_raw, e.disposition, e.billable_s) for e in events[3:6]] == [
        ("101", "80291234567", Disposition.ANSWERED, 60),
        ("80291234567", "101", Disposition.BUSY, 0),
        ("101", "80291234567", Disposition.FAILED, 0),
    ]
    assert "direction" in events[6].reason
    assert discover(events[3:6]) == ["101"]
    assert len({event.uid for event in events[3:6]}) == 3


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("epoch", f"{NOON}"),
        ("epoch", f"{NOON}.75"),
        ("epoch_ms", f"{NOON}999"),
        ("epoch_us", f"{NOON}999999"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-03-10T15:00:00+0300"),
        ("%m/%d/%y %I:%M %p", "03/10/26 12:00 PM"),
    ],
)
def test_times_come_in_many_forms(form, text):
    column_map = BY_SIDES.replace("%d.%m.%Y %H:%M:%S", form)
    assert leg(column_map, LINES.replace("10.03.2026 12:00:00", text)).started_at == NOON


def test_the_zone_is_that_of_the_map_or_else_of_the_import():
    assert leg(BY_SIDES, LINES, parse_zone("Europe/Minsk")).started_at == NOON - 3 * 3600
    with_zone = BY_SIDES + 'zone = "Europe/Minsk"\n'
    assert leg(with_zone, LINES, parse_zone("Asia/Tokyo")).started_at == NOON - 3 * 3600


@pytest.mark.parametrize(
    ("unit", "text", "seconds"),
    [
        ("s", "60", 60),
        ("s", "60.9", 60),
        ("s", "60,9", 60),
        ("ms", "60999", 60),
        ("min", "1.5", 90),
        ("clock", "0:01:30", 90),
        ("clock", "1:30", 90),
        ("clock", "100:00:00", 360_000),
    ],
)
def test_durations_come_in_many_units(unit, text, seconds):
    column_map = f'{BY_SIDES}[duration]\nunit = "{unit}"\n'
    assert leg(column_map, LINES.replace(";60", f";{text}")).billable_s == seconds


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((";60", ";-5"), "negative"),
        ((";60", ";x"), "not a number"),
        (("10.03.2026 12:00:00", "2026-03-10"), "unreadable time"),
        (("10.03.2026", "10.03.1970"), "unreadable time"),
        (("10.03.2026 12:00:00", ""), "no start"),
        ((";60", ""), "4 columns instead of 5"),
        (("80291234567", "9" * 300), "too long"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(change, words):
    (event,) = read(BY_SIDES, LINES.replace(*change))[1:]
    assert isinstance(event, Reject)
    assert words in event.reason


def test_end_before_start_is_rejected():
    line = f"a\nb\n101\t1\tout\t{NOON}\t{NOON - 1}\tOK\n"
    assert isinstance(read(BY_OWNER, line)[2], Reject)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('start = "Begin"', ""), "columns.start is missing"),
        (('"Begin"', '"Start"'), "no column 'Start'; it has Id, Begin, A, B, Seconds"),
        (('"Begin"', "0"), "neither a title nor a position"),
        (('"Begin"', "true"), "neither a title nor a position"),
        (('"Begin"', '""'), "neither a title nor a position"),
        (("uid =", "id ="), r"\[columns\] has no key 'id'; there are account"),
        (("[time]", "[tiem]"), "the map has no key 'tiem'"),
        (("[columns]", "columns = 1\n[x]"), "no key 'x'"),
        (('caller = "A"', ""), "either caller and called, or own, peer and direction"),
        (('uid = "Id"', 'own = "Id"'), "either caller and called"),
        (('billable = "Seconds"', ""), "how long did a call last"),
        (("billable", "duration"), "which calls were answered"),
        (('uid = "Id"', 'disposition = "Id"'), "which words of that column mean answered"),
        (("%d.%m.%Y %H:%M:%S", "%d.%m %H:%M"), "does not tell a whole date and time"),
        (("%d.%m.%Y %H:%M:%S", "dd.mm.yyyy"), "does not tell a whole date and time"),
        (('"%d.%m.%Y %H:%M:%S"', "5"), "time.format is a text"),
        (("[time]", '[time]\nzone = "Mars"'), "time.zone: no time zone 'Mars'"),
        (("[time]", '[duration]\nunit = "h"\n[time]'), "duration.unit is one of s, ms, min, clock"),
        (("[time]", '[file]\ndelimiter = "."\n[time]'), "file.delimiter is one of"),
        (("[time]", "[file]\nheader = 1\n[time]"), "file.header is true or false"),
        (("[time]", "[file]\nskip_lines = -1\n[time]"), "0 or more"),
        (("[time]", "[file]\nheader = false\n[time]"), "columns are positions, not titles"),
        (("[time]", '[disposition]\nanswered = "OK"\n[time]'), "is a list of words"),
        (("[time]", '[disposition]\nok = ["OK"]\n[time]'), "no key 'ok'"),
        (("[time]", '[disposition]\nother = "x"\n[time]'), "disposition.other is one of"),
        (
            ("[time]", '[disposition]\nanswered = ["OK"]\nbusy = ["ok"]\n[time]'),
            "gives the word 'ok' two meanings",
        ),
        (("[time]", "time = 5"), "not TOML|no key|a table of its own"),
        (("[time]", "[time"), "not TOML"),
    ],
)
def test_a_mistake_in_a_map_is_one_sentence(change, sentence):
    assert change[0] in BY_SIDES
    with pytest.raises(MapMistake, match=sentence) as raised:
        read(BY_SIDES.replace(*change), LINES)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('in = ["Вх"]', ""), "which words mean out and which mean in"),
        (("direction = 3", ""), "either caller and called"),
        (('["Вх"]', '["out"]'), "gives the word 'out' two meanings"),
    ],
)
def test_a_mistake_in_the_rule_of_directions_is_one_sentence(change, sentence):
    with pytest.raises(MapMistake, match=sentence):
        read(BY_OWNER.replace(*change), "")


def test_a_file_in_another_encoding_or_too_large_is_no_map():
    with pytest.raises(MapMistake, match="not UTF-8"):
        parse_map("# Ёлка".encode("cp1251"))
    with pytest.raises(MapMistake, match="larger than 64 KiB"):
        parse_map(b"#" * 70_000)


def test_without_a_map_nothing_is_recognised_or_read():
    assert GENERIC.recognises(source(LINES)) == 0
    with pytest.raises(MapMistake, match="--map FILE"):
        GENERIC.read(source(LINES), UTC)


def test_the_map_in_the_manual_reads_the_file_beside_it():
    column_map = (ROOT / "docs" / "formats" / "generic.toml").read_text("utf-8")
    content = (ROOT / "docs" / "formats" / "generic.csv").read_bytes()
    events = read(column_map, content)
    assert kinds(events) == "SSLLLS"
    assert [(e.a_number, e.b_number, e.billable_s) for e in events if isinstance(e, Leg)] == [
        ("375171234567", "375291234567", 63),
        ("375291234567", "375171234567", 0),
        ("375171234567", "102", 10),
    ]


@given(
    st.lists(
        st.tuples(
            st.integers(1_500_000_000, 1_900_000_000),
            st.integers(0, 9000),
            st.sampled_from(["101", "80291234567", "+48221234567"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H-%M-%S", "epoch", "epoch_ms"]),
)
def test_any_calls_are_read_back(calls, delimiter, form):
    def stamp(moment):
        if form.startswith("epoch"):
            return str(moment * (1000 if form == "epoch_ms" else 1))
        return datetime.fromtimestamp(moment, UTC).strftime(form)

    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["n", "own", "peer", "way", "from", "till", "how"])
    for n, (start, talk, peer, is_out) in enumerate(calls):
        way = "out" if is_out else "in"
        writer.writerow([n, "102", peer, way, stamp(start), stamp(start + talk), "yes"])
    column_map = (
        '[columns]\nown="own"\npeer="peer"\ndirection="way"\nstart="from"\nend="till"\n'
        'disposition="how"\nuid="n"\n[direction]\nout=["out"]\nin=["in"]\n'
        f'[disposition]\nanswered=["yes"]\n[time]\nformat="{form}"\n'
    )
    found = read(column_map, out.getvalue())[1:]
    assert [(e.started_at, e.billable_s, e.a_raw, e.b_raw, e.uid) for e in found] == [
        (start, talk, *(("102", peer) if is_out else (peer, "102")), str(n))
        for n, (start, talk, peer, is_out) in enumerate(calls)
    ]
