"""«Мобильный колл-центр»: its working hours, and what a day's calls come to: how many were answered
and missed, how long people waited, and who was missed and never spoken to after.

Nothing here knows whose numbers they are or where calls are kept.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from domain.cdr.record import CallDirection
from domain.errors import InvalidValue
from domain.holidays import is_holiday
from domain.periods import QUARTER_S

SLOT_MIN = 30  # the finest that working hours can be told apart
SLOTS = 24 * 60 // SLOT_MIN
_HOURS = re.compile(r"([1-7])(?:-([1-7]))?\s+(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")


class MemberKind(StrEnum):
    """What a number does in the call centre."""

    LINE = "line"  # «Номер входа»: it is called by customers
    EMPLOYEE = "employee"


Span = tuple[int, int]  # minutes of the day, half-open


@dataclass(frozen=True)
class Hours:
    """Working hours by weekday, from Monday on; None is a day off."""

    week: tuple[Span | None, ...]
    works_on_holidays: bool = False

    def of(self, day: date) -> Span | None:
        """Those of one day."""
        if is_holiday(day) and not self.works_on_holidays:
            return None
        return self.week[day.weekday()]

    def are_on(self, day: date, slot: int) -> bool:
        """Whether people work in a slot of a day."""
        span = self.of(day)
        return span is not None and span[0] <= slot * SLOT_MIN < span[1]


USUAL_HOURS = Hours(((540, 1080),) * 5 + (None, None))


def read_hours(text: str, *, works_on_holidays: bool = False) -> Hours:
    """Hours written as `1-5 9:00-18:00; 6 10:00-15:00`: weekdays from 1 for Monday. Raises
    `InvalidValue`.

    >>> read_hours("1-2 9:00-18:30; 7 0:00-24:00").week[:3]
    ((540, 1110), (540, 1110), None)
    """
    week: list[Span | None] = [None] * 7
    for part in filter(None, (part.strip() for part in text.split(";"))):
        found = _HOURS.fullmatch(part)
        if found is None:
            raise InvalidValue(what="working hours", value=part)
        first, last = int(found[1]), int(found[2] or found[1])
        start, end = (int(found[n]) * 60 + int(found[n + 1]) for n in (3, 5))
        is_span = 0 <= start < end <= 24 * 60 and first <= last
        if not is_span or start % SLOT_MIN or end % SLOT_MIN:
            raise InvalidValue(what="working hours", value=part)
        week[first - 1 : last] = [(start, end)] * (last - first + 1)
    return Hours(tuple(week), works_on_holidays)


def write_hours(hours: Hours) -> str:
    """The week as `read_hours` reads it: days alike that follow each other stand together.

    >>> write_hours(USUAL_HOURS), write_hours(read_hours("1 9:00-18:30; 2-3 9:00-24:00"))
    ('1-5 9:00-18:00', '1 9:00-18:30; 2-3 9:00-24:00')
    """
    parts: list[tuple[int, int, Span]] = []
    for day, span in enumerate(hours.week, 1):
        if span is None:
            continue
        if parts and parts[-1][1:] == (day - 1, span):
            parts[-1] = (parts[-1][0], day, span)
        else:
            parts.append((day, day, span))
    return "; ".join(
        f"{first if first == last else f'{first}-{last}'} {_minute(span[0])}-{_minute(span[1])}"
        for first, last, span in parts
    )


def _minute(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


# --- Figures --------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """A call as one number of the company saw it. Times are UTC epoch seconds."""

    subscriber_id: int
    started_at: int
    direction: int
    peer: str
    answered_at: int | None
    duration_s: int
    billable_s: int
    call: tuple[int, str]  # exchange and its id: what the numbers that a call went through share


class Figures(NamedTuple):
    """What calls come to. Averages are made of sums, so that days can be added up."""

    calls: int = 0  # that came in
    answered: int = 0
    wait_s: int = 0  # until the answer
    talk_s: int = 0
    lost_wait_s: int = 0  # of those that were missed, until they gave up
    out: int = 0
    out_answered: int = 0
    out_talk_s: int = 0

    @property
    def missed(self) -> int:
        """Calls that nobody took."""
        return self.calls - self.answered


NOTHING = Figures()


def total(some: Iterable[Figures]) -> Figures:
    """All together."""
    return Figures(*map(sum, zip(NOTHING, *some, strict=True)))


class Missed(NamedTuple):
    """A caller whom nobody took, since somebody last spoke to them or tried to."""

    peer: str
    first_at: int
    last_at: int
    tries: int
    subscriber_id: int  # called last


@dataclass
class Day:
    """A day of a call centre. `all` counts a call once, however many numbers it went through."""

    all: dict[int, Figures] = field(default_factory=dict)  # by slot
    members: dict[int, Figures] = field(default_factory=dict)  # by number
    slots: dict[int, dict[int, Figures]] = field(default_factory=dict)  # by number and slot
    missed: dict[str, Missed] = field(default_factory=dict)  # open when the day was over
    spoken_to: set[str] = field(default_factory=set)  # whom somebody took, or called
    nameless: int = 0  # missed calls that showed no number


def has_number(peer: str) -> bool:
    """Whether a caller can be called back.

    >>> has_number("375291112233"), has_number("anonymous"), has_number("")
    (True, False, False)
    """
    return peer.isdigit() or any(letter.isdigit() for letter in peer)


def sum_up(calls: Iterable[Seen], members: Iterable[int], slot_of: Mapping[int, int]) -> Day:
    """A day's calls of the whole company, of which `members` are in the call centre. `slot_of` has
    the slot of each quarter of an hour of the epoch.
    """
    return _Counter(frozenset(members), slot_of).count(calls)


class _Counter:
    """Goes through a day once: numbers' own figures, then calls as wholes, then who is left."""

    def __init__(self, members: frozenset[int], slot_of: Mapping[int, int]) -> None:
        self._members, self._slot_of = members, slot_of
        self._day = Day()
        self._came: dict[tuple[int, str], list[Seen]] = {}  # calls to members
        self._taken: dict[tuple[int, str], Seen] = {}  # answered by anybody of the company
        self._by_slot: dict[int, list[Figures]] = {}
        self._by_number: dict[tuple[int, int], list[Figures]] = {}
        self._events: list[tuple[int, int, str, int]] = []  # when, 0 missed or 1 spoken, who, whom

    def count(self, calls: Iterable[Seen]) -> Day:
        """All of it."""
        for call in calls:
            if call.direction == CallDirection.OUT:
                self._event(call, is_spoken=True)
            elif call.answered_at is not None:
                self._taken.setdefault(call.call, call)
                self._event(call, is_spoken=True)
            if call.subscriber_id in self._members:
                self._add_member(call)
                if call.direction == CallDirection.IN:
                    self._came.setdefault(call.call, []).append(call)
        for key, parts in self._came.items():
            self._add_whole(key, parts)
        self._day.all = {slot: total(some) for slot, some in self._by_slot.items()}
        for (key, slot), some in self._by_number.items():
            self._day.slots.setdefault(key, {})[slot] = total(some)
        self._day.members = {key: total(slots.values()) for key, slots in self._day.slots.items()}
        self._close()
        return self._day

    def _add_member(self, call: Seen) -> None:
        self._by_number.setdefault((call.subscriber_id, self._slot(call)), []).append(
            _figures(call)
        )

    def _add_whole(self, key: tuple[int, str], parts: list[Seen]) -> None:
        first = min(parts, key=lambda part: part.started_at)
        taken = self._taken.get(key)
        if taken is not None:
            talk_s = max(part.billable_s for part in (*parts, taken))
            wait_s = max(0, (taken.answered_at or 0) - first.started_at)
            figures = Figures(1, 1, wait_s, talk_s)
        else:
            figures = Figures(1, lost_wait_s=max(part.duration_s for part in parts))
            self._event(first, is_spoken=False)
        self._by_slot.setdefault(self._slot(first), []).append(figures)

    def _event(self, call: Seen, *, is_spoken: bool) -> None:
        if has_number(call.peer):
            event = (call.started_at, int(is_spoken), call.peer, call.subscriber_id)
            self._events.append(event)
        elif not is_spoken:
            self._day.nameless += 1

    def _close(self) -> None:
        day = self._day
        for at, is_spoken, peer, subscriber_id in sorted(self._events):
            if is_spoken:
                day.spoken_to.add(peer)
                day.missed.pop(peer, None)
            else:
                again = Missed(peer, at, at, 1, subscriber_id)
                day.missed[peer] = together(day.missed.get(peer), again)

    def _slot(self, call: Seen) -> int:
        return self._slot_of[call.started_at // QUARTER_S]


def _figures(call: Seen) -> Figures:
    is_answered = call.answered_at is not None
    if call.direction == CallDirection.OUT:
        return Figures(out=1, out_answered=int(is_answered), out_talk_s=call.billable_s)
    if not is_answered:
        return Figures(1, lost_wait_s=call.duration_s)
    return Figures(1, 1, max(0, call.answered_at - call.started_at), call.billable_s)


def together(earlier: Missed | None, later: Missed) -> Missed:
    """The same caller, missed again."""
    if earlier is None:
        return later
    tries = earlier.tries + later.tries
    return later._replace(first_at=earlier.first_at, tries=tries)


def left_alone(days: Iterable[Day], counted: int) -> list[Missed]:
    """Callers missed in the first `counted` of the days to whom nobody spoke up to the last of
    them; who was missed last comes first.
    """
    waiting: dict[str, Missed] = {}
    for n, day in enumerate(days):
        for peer in waiting.keys() & day.spoken_to:
            del waiting[peer]
        for peer, missed in day.missed.items():
            if n < counted or peer in waiting:
                waiting[peer] = together(waiting.get(peer), missed)
    return sorted(waiting.values(), key=lambda missed: (-missed.last_at, missed.peer))
