"""Reading flatstore accounting: INVITE and BYE are two lines of one call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr import pairing
from domain.cdr.record import Disposition, Half, Leg
from tests.domain.cdr.dialects import kinds, read

AT = 1_773_144_000
INVITE = ["INVITE", "a1", "b2", "call-1@10.0.0.1", "200", "OK", str(AT)]
EXTRA = ["*prepaid", "375171234567", "80291234567", "", "3401:2069362475"]


def invite(call="1", code="200", at=AT, tags=("a1", "b2"), extra=EXTRA):
    return "|".join(["INVITE", *tags, f"call-{call}", code, "Some reason", str(at), *extra])


def bye(call="1", at=AT + 60, tags=("a1", "b2")):
    return "|".join(["BYE", *tags, f"call-{call}", "200", "OK", str(at), "", "", "", "", "x"])


def text(*lines):
    return "".join(f"{line}\n" for line in lines)


SAMPLE = text(invite(), bye(), invite("2", "486"))


def test_an_answer_and_an_end_make_a_call():
    half, leg = read(text(invite(), bye()))
    assert isinstance(half, Half)
    assert (leg.started_at, leg.answered_at, leg.ended_at) == (AT, AT, AT + 60)
    assert (leg.a_number, leg.b_number) == ("375171234567", "375291234567")
    assert (leg.duration_s, leg.billable_s) == (60, 60)
    assert leg.disposition == Disposition.ANSWERED
    assert leg.uid == "call-1"
    assert (half.uid, half.leg) == (leg.uid, leg.leg)


def test_whichever_half_comes_first_the_call_is_the_same():
    assert read(text(invite(), bye()))[1] == read(text(bye(), invite()))[1]


def test_the_called_side_ends_a_call_with_its_tags_the_other_way_round():
    assert kinds(read(text(invite(), bye(tags=("b2", "a1"))))) == "HL"


def test_halves_of_different_dialogs_do_not_meet():
    assert kinds(read(text(invite(), bye("2")))) == "HH"
    assert kinds(read(text(invite(), bye(tags=("a1", "c3"))))) == "HH"


def test_the_first_answer_counts_when_a_dialog_is_changed_on_the_way():
    events = read(text(invite(), invite(at=AT + 20), bye()))
    assert kinds(events) == "HHL"
    assert events[-1].started_at == AT


def test_an_end_without_its_answer_waits():
    (half,) = read(text(bye()), name="opensips-flat")
    assert (half.uid, half.at, half.is_answer) == ("call-1", AT + 60, False)


@pytest.mark.parametrize(
    ("code", "disposition"),
    [
        ("486", Disposition.BUSY),
        ("600", Disposition.BUSY),
        ("487", Disposition.CANCELLED),
        ("408", Disposition.NO_ANSWER),
        ("480", Disposition.NO_ANSWER),
        ("404", Disposition.FAILED),
        ("503", Disposition.FAILED),
    ],
)
def test_an_attempt_that_failed_is_a_call_by_itself(code, disposition):
    (leg,) = read(text(invite(code=code)))
    assert (leg.disposition, leg.answered_at) == (disposition, None)
    assert (leg.duration_s, leg.billable_s) == (0, 0)


def test_attempts_of_one_call_share_its_id():
    first, half, whole = read(text(invite(code="486", tags=("a1", "")), invite(at=AT + 5), bye()))
    assert first.uid == half.uid == whole.uid
    assert first.leg != whole.leg


def test_other_methods_and_comments_are_no_records():
    lines = [line.replace("INVITE", method) for line in [invite()] for method in ("ACK", "CANCEL")]
    assert kinds(read(text(*lines, "", "# x", invite(), bye()))) == "SSSSHL"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (invite(at="yesterday"), "unreadable time"),
        (invite(at="0000000000"), "unreadable time"),
        (invite(code="OK"), "reply code"),
        (invite(extra=["*prepaid", "", ""]), "number"),
        (invite(extra=["*prepaid", "9" * 20, "8" * 20, "", ""]) + "|" * 3, None),
        (invite("9" * 300), "too long"),
        (invite().replace("INVITE", "DANCE"), "method"),
        ("INVITE|a|b", "columns"),
        (invite().replace("call-1", ""), "Call-ID"),
    ],
)
def test_nonsense_is_rejected_with_a_reason(line, words):
    (event,) = read(text(line), name="opensips-flat")
    assert isinstance(event, Half) if words is None else words in event.reason


def test_a_call_that_ends_before_its_answer_is_rejected():
    assert kinds(read(text(invite(), bye(at=AT - 5)))) == "HR"


@pytest.mark.parametrize(
    "extra",
    [
        EXTRA,
        [*EXTRA, ""],
        ["sip:375171234567@pbx.by", "sip:80291234567@10.0.0.1;user=phone"],
        ["10.0.0.1", "+375171234567", "80291234567", "5"],
        ["<sip:375171234567@pbx.by>;tag=1", "tel:80291234567", "12", "7"],
    ],
)
def test_numbers_are_found_among_what_the_operator_added(extra):
    _half, leg = read(text(invite(extra=extra), bye()))
    assert leg.a_number == "375171234567"
    assert leg.b_number == "375291234567"


def test_bare_quotes_part_nothing():
    assert kinds(read(text(invite(tags=('flat"1.0', "b")), invite(), bye()))) == "HHL"


def test_memory_is_bounded_and_what_gave_way_waits(monkeypatch):
    monkeypatch.setattr(pairing, "HALVES_IN_MEMORY", 10)
    lines = [invite(str(n)) for n in range(30)] + [bye(str(n)) for n in range(29, -1, -1)]
    assert kinds(read(text(*lines))).count("L") == 10


CALLS = st.lists(
    st.tuples(
        st.integers(946_700_000, 2_000_000_000),
        st.integers(0, 90_000),
        st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(CALLS, st.randoms(use_true_random=False))
def test_what_a_proxy_writes_is_read_back_in_any_order(calls, rng):
    lines = []
    for n, (at, talk_s, number, is_answered) in enumerate(calls):
        extra = ["*x", number, "375291234567", "", ""]
        lines.append(invite(str(n), "200" if is_answered else "486", at, extra=extra))
        if is_answered:
            lines.append(bye(str(n), at + talk_s))
    rng.shuffle(lines)
    legs = sorted(
        (e for e in read(text(*lines)) if isinstance(e, Leg)), key=lambda e: int(e.uid[5:])
    )
    assert [(e.started_at, e.billable_s, e.a_raw, e.answered_at is not None) for e in legs] == [
        (at, talk_s if is_answered else 0, number, is_answered)
        for at, talk_s, number, is_answered in calls
    ]


@given(st.binary(max_size=300))
def test_no_bytes_at_all_stop_the_reading(junk):
    assert kinds(read(SAMPLE.encode() + junk, name="opensips-flat")).startswith("HLL")
