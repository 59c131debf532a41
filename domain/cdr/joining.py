"""Legs of one call joined into the call that a subscriber saw.

The result depends on the set of legs alone: not on their order, on repeats, or on which of them
came with which file. Files that tell the same leg differently leave a part each, so that any of
them can be taken out again; the richest one counts.
"""

import json
from collections.abc import Collection, Iterable
from json.encoder import encode_basestring
from typing import NamedTuple

from domain.cdr.record import Disposition


class Part(NamedTuple):
    """A leg as one subscriber saw it. The order of the fields is the order of joining."""

    started_at: int
    ended_at: int
    leg: int
    answered_at: int | None
    billable_s: int
    disposition: int
    peer: str
    on_net: int  # 0 or 1
    run: int = 0  # the import that told it first: it is no part of what is told

    @property
    def telling(self) -> tuple:
        """What was told of the leg. (Whether both sides are ours is not in the record.)"""
        return self[:7]


class Joined(NamedTuple):
    """A call made of its parts."""

    started_at: int
    answered_at: int | None
    duration_s: int
    billable_s: int
    disposition: int
    peer: str
    on_net: int


def join(parts: Collection[Part]) -> Joined:
    """The call that `parts` (at least one) make up; of several tellings of a leg the richest.

    The first part gives start and peer. Talk is the union of `[answered, answered + billable)`:
    fail-over counts the part that was answered, transfer counts each, parallel talk counts once.
    """
    if len(parts) == 1:
        (only,) = parts
        return Joined(
            only.started_at,
            only.answered_at,
            only.ended_at - only.started_at,
            only.billable_s,
            only.disposition,
            only.peer,
            only.on_net,
        )
    legs: dict[int, Part] = {}
    for part in parts:
        legs[part.leg] = richer(legs[part.leg], part) if part.leg in legs else part
    ordered = sorted(legs.values(), key=_order)
    first, last = ordered[0], ordered[-1]
    talks = [part for part in ordered if part.answered_at is not None]
    return Joined(
        first.started_at,
        min((part.answered_at for part in talks), default=None),
        max(part.ended_at for part in ordered) - first.started_at,
        _union_s((p.answered_at, p.answered_at + p.billable_s) for p in talks),
        int(Disposition.ANSWERED) if talks else last.disposition,
        first.peer,
        first.on_net,
    )


def _order(part: Part) -> tuple[int, int, int]:
    return part[:3]


def _place(part: Part) -> tuple[int, ...]:
    return *part[:3], part.run


def _union_s(intervals: Iterable[tuple[int, int]]) -> int:
    """Seconds covered by half-open intervals, those covered twice counted once."""
    total, reached = 0, -1
    for start, end in sorted(intervals):
        if end > reached:
            total += end - max(start, reached)
            reached = end
    return total


def richer(one: Part, other: Part) -> Part:
    """Of two tellings of the same leg the one to keep, whichever came first.

    An answer stamp may differ within the rounding; what was nobody's may have become ours.
    """
    return max(one, other, key=_richness)


def _richness(part: Part) -> tuple:
    return part.on_net, (part.answered_at or -1, *part[:3], *part[4:8])


def dump(parts: Iterable[Part]) -> str:
    """Parts as compact JSON, in their own order."""
    return f"[{','.join(map(dump_part, sorted(parts, key=_place)))}]"


def dump_part(part: tuple) -> str:
    """One part as it stands in the list; the fields of `Part` in a plain tuple do."""
    started_at, ended_at, leg, answered_at, billable_s, disposition, peer, on_net, run = part
    answered = "null" if answered_at is None else answered_at
    return (
        f"[{started_at},{ended_at},{leg},{answered},{billable_s},{disposition},"
        f"{encode_basestring(peer)},{on_net},{run}]"
    )


def load(text: str) -> list[Part]:
    """Parts of a stored call."""
    return [Part(*values) for values in json.loads(text)]
