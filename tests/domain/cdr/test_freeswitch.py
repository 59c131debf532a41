"""FreeSWITCH's records as CSV by its templates, and as JSON."""

import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr import registry
from domain.cdr.dates import UnclearDates
from domain.cdr.record import Disposition, Leg, Reject
from domain.cdr.times import parse_zone
from tests.domain.cdr.dialects import kinds, read, source

NOON = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
UUID = "5f0c6a6e-1b1c-11f1-9d3e-0242ac120002"
OTHER = "6a0c6a6e-1b1c-11f1-9d3e-0242ac120002"
FIELDS = {
    "caller_id_name": "Анна",
    "caller_id_number": "375171234567",
    "destination_number": "80291234567",
    "context": "default",
    "start_stamp": "2026-03-10 12:00:00",
    "answer_stamp": "2026-03-10 12:00:10",
    "end_stamp": "2026-03-10 12:01:10",
    "duration": "70",
    "billsec": "60",
    "hangup_cause": "NORMAL_CLEARING",
    "uuid": UUID,
    "bleg_uuid": "",
    "accountcode": "375171234567",
    "read_codec": "PCMA",
    "write_codec": "PCMA",
}
LINKSYS = {**FIELDS, "agent": "Linksys/SPA941", "rtp": "PS=10"}
SNOM = {**FIELDS, "agent": "snom", "code": "", "rx": "0", "tx": "0", "file": ""}
ASTERISK = {
    **dict.fromkeys(
        ["accountcode", "caller_id_number", "destination_number", "context", "caller_id"]
    ),
    **dict.fromkeys(["channel_name", "bridge_channel", "last_app", "last_arg"], ""),
    **dict.fromkeys(["start_stamp", "answer_stamp", "end_stamp", "duration", "billsec"]),
    **dict.fromkeys(["hangup_cause", "amaflags", "uuid", "userfield"]),
}
ASTERISK = {name: FIELDS.get(name, value or "") for name, value in ASTERISK.items()}
TEMPLATES = {"example": FIELDS, "linksys": LINKSYS, "snom": SNOM, "asterisk": ASTERISK}


def line(template=FIELDS, **changes):
    """A record as the module writes it: all in quotes, nothing escaped."""
    values = {**template, **{name: v for name, v in changes.items() if name in template}}
    return ",".join(f'"{value}"' for value in values.values()) + "\n"


def leg(template=FIELDS, zone=UTC, **changes):
    (event,) = read(line(template, **changes), zone)
    assert isinstance(event, Leg), event
    return event


def obj(**changes):
    """A record of mod_json_cdr."""
    variables = {
        "uuid": UUID,
        "start_epoch": str(NOON),
        "answer_epoch": str(NOON + 10),
        "end_epoch": str(NOON + 70),
        "start_stamp": quote("2031-01-01 00:00:00"),  # local somewhere: not to be used
        "duration": "70",
        "billsec": "60",
        "hangup_cause": "NORMAL_CLEARING",
        "accountcode": "375171234567",
        "sip_from_user": "nobody",
        **changes,
    }
    profile = {"caller_id_number": "375171234567", "destination_number": "80291234567"}
    flow = [{"profile_index": "1", "caller_profile": profile}]
    return {"core-uuid": OTHER, "variables": variables, "callflow": flow}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_each_template_is_known_by_its_content(template):
    content = line(template)
    assert registry.detect(source(content)).name == "freeswitch-csv"
    found = leg(template)
    assert (found.started_at, found.answered_at, found.ended_at) == (NOON, NOON + 10, NOON + 70)
    assert (found.a_number, found.b_number) == ("375171234567", "375291234567")
    assert (found.duration_s, found.billable_s, found.uid) == (70, 60, UUID)
    assert found.account == "375171234567"


def test_a_space_after_a_comma_is_read_over():
    with_space = line(SNOM).replace('"","375171234567"', '"", "375171234567"')
    assert with_space != line(SNOM)
    assert leg(SNOM) == read(with_space)[0]


@pytest.mark.parametrize("name", ['Anna "the 1st"', "Петров, склад", 'x","y', '"', '""'])
@pytest.mark.parametrize("template", [FIELDS, LINKSYS, SNOM])
def test_names_that_are_not_escaped_spoil_at_most_their_own_line(name, template):
    events = read(line(template) + line(template, caller_id_name=name) + line(template, uuid=OTHER))
    assert len(events) == 3
    assert (kinds(events)[0], kinds(events)[2]) == ("L", "L")
    if name != 'x","y':
        assert events[1][:9] == events[0][:9]


@pytest.mark.parametrize(
    ("changes", "disposition", "billable_s"),
    [
        ({}, Disposition.ANSWERED, 60),
        ({"hangup_cause": "RECOVERY_ON_TIMER_EXPIRE"}, Disposition.ANSWERED, 60),
        ({"hangup_cause": "USER_BUSY"}, Disposition.BUSY, 0),
        ({"hangup_cause": "NO_USER_RESPONSE"}, Disposition.NO_ANSWER, 0),
        ({"hangup_cause": "ORIGINATOR_CANCEL", "answer_stamp": ""}, Disposition.CANCELLED, 0),
        ({"answer_stamp": "", "billsec": "0"}, Disposition.CANCELLED, 0),
        ({"hangup_cause": "UNALLOCATED_NUMBER", "billsec": "0"}, Disposition.FAILED, 0),
        ({"hangup_cause": "SOMETHING_NEW", "billsec": "0", "answer_stamp": ""}, 3, 0),
        ({"answer_stamp": ""}, Disposition.ANSWERED, 60),
    ],
)
def test_the_cause_tells_how_a_call_ended(changes, disposition, billable_s):
    found = leg(**changes)
    assert (found.disposition, found.billable_s, found.duration_s) == (disposition, billable_s, 70)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"end_stamp": "2026-03-10 11:00:00"}, "end before start"),
        ({"end_stamp": ""}, "no end"),
        ({"billsec": "-1"}, "negative"),
        ({"duration": "long"}, "not a number"),
        ({"hangup_cause": ""}, "cause"),
        ({"uuid": ""}, "no id"),
        ({"start_stamp": ""}, "unreadable time"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(changes, words):
    events = read(line() * 3 + line(**changes))
    assert isinstance(events[3], Reject)
    assert words in events[3].reason


def test_after_a_spreadsheet_the_counters_tell_the_seconds():
    cut = {"start_stamp": "2026/3/10 12:00", "answer_stamp": "2026/3/10 12:00"}
    found = leg(**cut, end_stamp="2026/3/10 12:01")
    assert (found.started_at, found.answered_at, found.ended_at) == (NOON, NOON + 10, NOON + 70)
    assert (found.duration_s, found.billable_s) == (70, 60)
    (event,) = read(line(**cut, end_stamp="2026/3/10 13:01"), name="freeswitch-csv")
    assert event.duration_s == 3660  # stamps an hour apart are not a matter of lost seconds
    assert isinstance(
        read(line(**cut, end_stamp="2026/3/10 11:01"), name="freeswitch-csv")[0], Reject
    )


def test_dates_that_could_be_two_days_are_refused():
    stamps = dict.fromkeys(("start_stamp", "end_stamp"), "1/9/2026 12:00")
    with pytest.raises(UnclearDates, match="--dates"):
        read(line(**stamps, answer_stamp=""))


def test_one_id_told_again_with_another_cause_is_one_call():
    events = read(line() + line() + line(hangup_cause="USER_BUSY"))
    assert {event.uid for event in events} == {UUID}
    assert len({event.leg for event in events}) == 2


# --- JSON -----------------------------------------------------------------------------------------

SHAPES = {
    "one object": lambda objects: json.dumps(objects[0], indent=2),
    "a line each": lambda objects: "\n".join(map(json.dumps, objects)) + "\n",
    "an array": json.dumps,
    "an array, indented": lambda objects: json.dumps(objects, indent=4),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_objects_are_read_in_every_arrangement(shape):
    objects = [obj(), obj(uuid=OTHER)]
    content = shape(objects)
    assert registry.detect(source(content)).name == "freeswitch-json"
    events = read(content, parse_zone("Asia/Tokyo"))
    assert kinds(events) in ("L", "LL")
    assert events[0][:3] == (NOON, NOON + 10, NOON + 70)


def test_csv_and_json_of_one_exchange_tell_the_same_leg():
    (by_json,) = read(json.dumps(obj()))
    by_csv = leg()
    assert (by_json.uid, by_json.leg) == (by_csv.uid, by_csv.leg)
    assert by_json[5:] == (*by_csv[5:13], "", *by_csv[14:])


def test_values_encoded_as_in_urls_are_decoded():
    record = obj(accountcode=quote("отдел 1"))
    record["callflow"][0]["caller_profile"]["caller_id_number"] = quote("+375 17 1234567")
    (found,) = read(json.dumps(record))
    assert (found.a_raw, found.a_number) == ("+375 17 1234567", "375171234567")
    assert found.account == "отдел 1"


def test_legs_that_one_another_originated_are_one_call():
    events = read(json.dumps([obj(), obj(uuid=OTHER, call_uuid=UUID, start_epoch=str(NOON + 2))]))
    assert {event.uid for event in events} == {UUID}


def test_a_broken_object_spoils_no_other():
    lines = [json.dumps(obj()), '{"variables": {"uuid": "x"', json.dumps(obj(uuid=OTHER)), "[]"]
    events = read("\n".join(lines))
    assert [event.uid for event in events if isinstance(event, Leg)] == [UUID, OTHER]
    assert any(isinstance(event, Reject) for event in events)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start_epoch": ""}, "no start or end"),
        ({"end_epoch": "0"}, "no start or end"),
        ({"end_epoch": str(NOON - 5)}, "end before start"),
        ({"start_epoch": "soon"}, "unreadable time"),
        ({"start_epoch": "99999999999999"}, "unreadable time"),
        ({"billsec": "-4"}, "negative"),
        ({"uuid": ""}, "no id"),
    ],
)
def test_nonsense_in_json_is_rejected_with_a_reason(changes, words):
    (event,) = read(json.dumps(obj(**changes)))
    assert isinstance(event, Reject)
    assert words in event.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"answer_epoch": "0", "billsec": "0", "hangup_cause": "NO_ANSWER"},
        {"answer_epoch": "", "answer_uepoch": "0", "billsec": "0", "hangup_cause": "NO_ANSWER"},
    ],
)
def test_without_an_answer_nothing_is_billable(changes):
    (found,) = read(json.dumps(obj(**changes)))
    assert (found.answered_at, found.billable_s) == (None, 0)
    assert found.disposition == Disposition.NO_ANSWER


def test_microseconds_do_where_there_are_no_seconds():
    changes = {"start_epoch": "", "start_uepoch": f"{NOON}123456"}
    assert read(json.dumps(obj(**changes)))[0].started_at == NOON


CALLS = st.tuples(
    st.integers(1_500_000_000, 1_900_000_000), st.integers(0, 90), st.integers(1, 9000)
)


@given(CALLS, st.sampled_from([*TEMPLATES.values()]), st.sampled_from(["Europe/Minsk", "UTC"]))
def test_any_call_in_any_template_is_read_back(call, template, zone_name):
    start, ring, talk = call
    zone = parse_zone(zone_name)
    moments = {"start_stamp": start, "answer_stamp": start + ring, "end_stamp": start + ring + talk}
    stamps = {
        name: f"{datetime.fromtimestamp(moment, zone):%Y-%m-%d %H:%M:%S}"
        for name, moment in moments.items()
    }
    found = leg(template, zone, **stamps, duration=str(ring + talk), billsec=str(talk))
    assert (found.started_at, found.answered_at, found.ended_at) == (*moments.values(),)
    assert (found.duration_s, found.billable_s) == (ring + talk, talk)


@given(st.lists(CALLS, min_size=1, max_size=4), st.sampled_from([*SHAPES.values()][1:]))
def test_any_calls_in_json_are_read_back(calls, shape):
    objects = [
        obj(
            start_epoch=str(start),
            answer_epoch=str(start + ring),
            end_epoch=str(start + ring + talk),
            duration=str(ring + talk),
            billsec=str(talk),
        )
        for start, ring, talk in calls
    ]
    assert [(e.started_at, e.answered_at, e.billable_s) for e in read(shape(objects))] == [
        (start, start + ring, talk) for start, ring, talk in calls
    ]
