"""Legs into calls: whatever their order, repeats and files."""

from hypothesis import given
from hypothesis import strategies as st

from domain.cdr.joining import Part, dump, join, load, richer
from domain.cdr.record import Disposition


def part(start, *, talk=None, ring=5, end=None, leg=1, peer="375291234567", on_net=0, how=None):
    """A leg from `start`; answered when it has talk."""
    answered = None if talk is None else start + ring
    ended = end if end is not None else start + ring + (talk or 0)
    if how is None:
        how = Disposition.NO_ANSWER if talk is None else Disposition.ANSWERED
    return Part(start, ended, leg, answered, talk or 0, int(how), peer, on_net)


def test_fail_over_counts_the_leg_that_was_answered():
    call = join([part(100, leg=1, how=Disposition.FAILED), part(106, talk=300, leg=2)])
    assert (call.started_at, call.answered_at, call.duration_s) == (100, 111, 311)
    assert (call.billable_s, call.disposition) == (300, Disposition.ANSWERED)


def test_transfer_counts_both_talks_and_keeps_the_first_peer():
    call = join([part(165, talk=30, ring=0, leg=2, peer="102"), part(100, talk=60, leg=1)])
    assert (call.billable_s, call.duration_s, call.peer) == (90, 95, "375291234567")


def test_parallel_legs_are_not_counted_twice():
    call = join([part(100, talk=60, leg=1), part(100, talk=50, ring=8, leg=2)])
    assert call.billable_s == 60


def test_a_call_that_nobody_took_ends_as_its_last_leg():
    busy = part(110, leg=2, how=Disposition.BUSY)
    assert join([busy, part(100, leg=1)]).disposition == Disposition.BUSY


PARTS = st.builds(
    part,
    st.integers(0, 500),
    talk=st.none() | st.integers(0, 200),
    ring=st.integers(0, 20),
    leg=st.integers(1, 12),
    peer=st.sampled_from(["101", "375291234567", 'Ёж "1"']),
    on_net=st.integers(0, 1),
)


def merged(batches):
    """What the store does with parts that come in batches."""
    known: dict[int, Part] = {}
    for batch in batches:
        known = {p.leg: p for p in load(dump(known.values()))}  # as read back from the table
        for one in batch:
            known[one.leg] = richer(known[one.leg], one) if one.leg in known else one
    return known


@given(st.lists(PARTS, min_size=1, max_size=12), st.randoms(), st.integers(1, 4))
def test_any_order_split_and_repeat_gives_the_same_row(parts, random, pieces):
    at_once = merged([parts])
    shuffled = [*parts, *random.choices(parts, k=3)]
    random.shuffle(shuffled)
    split = merged([shuffled[n::pieces] for n in range(pieces)])
    assert join(split.values()) == join(at_once.values())
    assert dump(split.values()) == dump(at_once.values())


@given(st.lists(PARTS, min_size=1, max_size=8, unique_by=lambda p: p.leg))
def test_talk_is_every_second_in_which_somebody_talked(parts):
    talked = set()
    for one in parts:
        if one.answered_at is not None:
            talked |= set(range(one.answered_at, one.answered_at + one.billable_s))
    call = join(parts)
    assert call.billable_s == len(talked)
    assert call.started_at == min(p.started_at for p in parts)
    assert call.started_at + call.duration_s == max(p.ended_at for p in parts)
    assert (call.answered_at is None) == (call.disposition != Disposition.ANSWERED)


@given(st.lists(PARTS, max_size=8, unique_by=lambda p: p.leg))
def test_parts_survive_the_table(parts):
    assert sorted(load(dump(parts))) == sorted(parts)
