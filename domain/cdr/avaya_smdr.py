"""Avaya IP Office SMDR: a line per part of a call, without a header; parts follow each other."""

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import NamedTuple

from domain.cdr.legs import check_room, leg_of
from domain.cdr.record import (
    Disposition,
    Leg,
    Nonsense,
    Reject,
    Skip,
    check_timing,
    reject,
    stable_hash,
)
from domain.cdr.source import DELIMITERS, Source
from domain.cdr.times import LocalTimes

# call start, connected time, ring, caller, direction, called, dialled, account, is internal,
# call id, continuation, party 1 device and name, party 2 device and name, hold, park; then
# authorisation, charges, targeting (30 in all) and addresses of servers (35)
FEWEST, MOST = 17, 60
CALLS_IN_MEMORY = 10_000  # whose parts are told apart
_STAMP = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", re.ASCII)
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)", re.ASCII)
_SECONDS = re.compile(r"\d{1,7}", re.ASCII)
_INTERNAL = frozenset({"1", "I"})


class AvayaSmdr:
    """A reader of SMDR output. Times are local."""

    name = "avaya-smdr"

    def recognises(self, source: Source) -> float:
        """The share of sample rows that have this shape, 0 to 1."""
        return max(_share(source.sample(delimiter)) for delimiter in DELIMITERS)

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per physical line."""
        delimiter = max(DELIMITERS, key=lambda sign: _share(source.sample(sign)))
        times, earlier_parts = LocalTimes(zone), _EarlierParts()
        for line, row in enumerate(source.rows(delimiter), 1):
            if not any(row) or row[0].startswith("#") or row[0].strip().lower() == "call start":
                yield Skip(line)
                continue
            try:
                yield _leg(row, times, earlier_parts)
            except ValueError as error:
                yield reject(line, row, str(error))


def _share(rows: list[list[str]]) -> float:
    return sum(map(_fits, rows)) / len(rows) if rows else 0.0


def _fits(row: list[str]) -> bool:
    return (
        FEWEST <= len(row) <= MOST
        and _STAMP.fullmatch(row[0].strip()) is not None
        and _CLOCK.fullmatch(row[1].strip()) is not None
        and row[4].strip() in {"I", "O"}
        and row[10].strip() in {"0", "1"}
    )


class Part(NamedTuple):
    """What a line tells of times, in seconds."""

    ring_s: int
    connected_s: int
    held_s: int  # on hold and parked: not connected, but not over

    @property
    def total_s(self) -> int:
        return self.ring_s + self.connected_s + self.held_s


class _EarlierParts:
    """How long the parts of calls under way have lasted: all of them bear the call's start. A
    line that comes twice is the same part.
    """

    def __init__(self) -> None:
        self._starts_s: dict[str, dict[int, int]] = {}  # by call and leg
        self._lasted_s: dict[str, int] = {}

    def offset(self, uid: str, leg: int, lasts_s: int) -> int:
        """Seconds from the call's start to the start of this part of it."""
        starts_s = self._starts_s.setdefault(uid, {})
        if leg not in starts_s:
            starts_s[leg] = self._lasted_s.get(uid, 0)
            self._lasted_s[uid] = starts_s[leg] + lasts_s
        if len(self._starts_s) > CALLS_IN_MEMORY:
            oldest = next(iter(self._starts_s))
            del self._starts_s[oldest], self._lasted_s[oldest]
        return starts_s[leg]


def _leg(row: list[str], times: LocalTimes, earlier_parts: _EarlierParts) -> Leg:
    """The normal form of one line; raises `ValueError` with the reason."""
    row = [field.strip() for field in row]
    if not FEWEST <= len(row) <= MOST:
        raise Nonsense(f"{len(row)} columns instead of 30 or 35")
    if row[4] not in {"I", "O"}:
        raise Nonsense("direction is not I or O")
    if not _STAMP.fullmatch(row[0]):
        raise Nonsense("unreadable time")
    part = Part(_counter(row[2]), _clock(row[1]), _counter(row[15]) + _counter(row[16]))
    call_started_at = times.epoch(row[0].replace("/", "-"))
    a_raw, b_raw, call_id = row[3], row[5], row[9]
    if not call_id:
        raise Nonsense("no call id")
    uid = f"{call_id}-{call_started_at}"  # the exchange counts anew when it is started anew
    check_room(uid, a_raw, b_raw)  # before the part is remembered
    leg = stable_hash(call_started_at, *row[1:3], *row[10:12], row[13], *row[15:17])
    started_at = call_started_at + earlier_parts.offset(uid, leg, part.total_s)
    answered = Disposition.ANSWERED if part.connected_s else Disposition.NO_ANSWER
    timing = check_timing(
        started_at,
        started_at + part.ring_s if part.connected_s else None,
        started_at + part.total_s,
        part.total_s,
        part.connected_s,
        answered,
    )
    a_end, b_end = _endpoints(row)
    return leg_of(
        uid=uid,
        leg=leg,
        started_at=started_at,
        timing=timing,
        disposition=answered,
        a_raw=a_raw,
        b_raw=b_raw,
        account=row[7],
        a_endpoint=a_end,
        b_endpoint=b_end,
    )


def _endpoints(row: list[str]) -> tuple[str, str]:
    """Our side under its own number. Devices are E and an extension, T and a line, V and a voice
    mail channel.
    """
    caller, direction, called, is_internal = row[3], row[4], row[5], row[8]
    first, second = row[11], row[13]
    ours = f"E{caller}" == first if direction == "O" else f"E{called}" == first
    if direction == "I":
        return second, called if ours else first
    far = called if is_internal in _INTERNAL and second == f"E{called}" else second
    return (caller if ours else first), far


def _clock(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if not found:
        raise Nonsense("connected time is not hh:mm:ss")
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


def _counter(text: str) -> int:
    if text and not _SECONDS.fullmatch(text):
        raise Nonsense("a counter of seconds is not a number")
    return int(text or 0)


AVAYA_SMDR = AvayaSmdr()
