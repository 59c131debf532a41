"""Halves of calls that wait for each other between batches and files. Called inside a write
transaction; what they become is stored by `call_store`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from peewee import fn

from domain.cdr.joining import load
from domain.cdr.pairing import answered_earlier, earlier, pair
from domain.cdr.record import Half, Leg, Nonsense, Reject, Skip
from models import Call, Exchange, UnmatchedLeg, WaitingHalf
from services.call_store import CHUNK

Key = tuple[str, int]  # uid, leg


@dataclass
class Row:
    """A half that waits, and how many lines of the run `run_id` told it."""

    half: Half
    run_id: int
    lines: int


@dataclass
class Whole:
    """A leg to store, and the other lines that belong to it."""

    leg: Leg
    lines_before: int = 0  # of this run, counted as waiting when they were read
    lines_after: int = 0  # told the same again


@dataclass
class Met:
    """What the legs and halves of a batch have become."""

    wholes: list[Whole] = field(default_factory=list)
    waiting: int = 0  # lines
    duplicates: int = 0  # halves of calls that are stored
    unmatched: int = 0  # halves of legs that are kept, for they are nobody's
    rejects: list[Reject] = field(default_factory=list)


class HalfStore:
    """The halves of one exchange, as one import sees them. A dry run keeps them in memory."""

    def __init__(self, exchange: Exchange, run_id: int, *, write: bool) -> None:
        self._exchange, self._run_id, self._write = exchange, run_id, write
        waiting = WaitingHalf.select().where(WaitingHalf.exchange == exchange)
        self._has_any = exchange.id is not None and waiting.exists()
        self._trial: dict[Key, Row] = {}
        self._tried: set[Key] = set()  # made whole in a dry run

    def meet(self, batch: Sequence[Leg | Half | Reject | Skip]) -> Met:
        """Put halves together, with each other and with those that wait; store the rest."""
        met = Met()
        events = [event for event in batch if isinstance(event, Leg | Half)]
        if not self._has_any and not any(isinstance(event, Half) for event in events):
            met.wholes = [Whole(leg) for leg in events if isinstance(leg, Leg)]
            return met
        self._has_any = True
        uids = {event.uid for event in events}
        before = self._load(uids)
        rows, wholes = dict(before), {}
        stored, kept = self._stored(uids), self._kept(uids)
        for event in events:
            key = event.uid, event.leg
            if isinstance(event, Leg):
                met.wholes.append(self._whole(event, rows.pop(key, None)))
                wholes[key] = met.wholes[-1]
            elif key in wholes:
                wholes[key].lines_after += 1
            elif key in stored or key in self._tried:
                met.duplicates += 1
            elif key in kept:
                met.unmatched += 1
            elif whole := self._take(event, rows, met):
                met.wholes.append(whole)
                wholes[key] = whole
        self._save(before, rows, wholes)
        return met

    def waiting_lines(self) -> int:
        """How many lines of this import wait for the other half of their call."""
        if not self._has_any:
            return 0
        if not self._write:
            waiting = (row for key, row in self._trial.items() if key not in self._tried)
            return sum(map(self._lines, waiting))
        mine = WaitingHalf.import_run == self._run_id
        return WaitingHalf.select(fn.SUM(WaitingHalf.lines)).where(mine).scalar() or 0

    def _whole(self, leg: Leg, row: Row | None) -> Whole:
        """A leg that the reader made of two halves; the first of them may wait here."""
        if row and row.half.is_answer:
            with suppress(Nonsense):
                leg = answered_earlier(leg, row.half)
        return Whole(leg, self._lines(row))

    def _take(self, half: Half, rows: dict[Key, Row], met: Met) -> Whole | None:
        """The leg that `half` completes; without one it waits, or is nonsense."""
        key = half.uid, half.leg
        row = rows.get(key)
        if row is None or row.half.is_answer == half.is_answer:
            first = earlier(half, row.half) if row else half
            rows[key] = Row(first, self._run_id, self._lines(row) + 1)
            met.waiting += 1
            return None
        try:
            leg = pair(half, row.half)
        except Nonsense as error:
            met.rejects.append(Reject(half.line, str(error)))
            return None
        del rows[key]
        return Whole(leg, self._lines(row))

    def _lines(self, row: Row | None) -> int:
        return row.lines if row and row.run_id == self._run_id else 0

    def _load(self, uids: set[str]) -> dict[Key, Row]:
        if not self._write:
            kept = {key: row for key, row in self._trial.items() if key[0] in uids}
        else:
            kept = {}
        for chunk in _chunks(uids):
            query = WaitingHalf.select().where(
                WaitingHalf.exchange == self._exchange, WaitingHalf.uid.in_(chunk)
            )
            for row in query:
                half = Half(*json.loads(row.record))
                kept.setdefault((row.uid, row.leg), Row(half, row.import_run_id, row.lines))
        return {key: row for key, row in kept.items() if key not in self._tried}

    def _stored(self, uids: set[str]) -> set[Key]:
        """Legs of calls in the table."""
        found: set[Key] = set()
        for chunk in _chunks(uids):
            calls = Call.select(Call.uid, Call.legs).where(
                Call.exchange == self._exchange, Call.uid.in_(chunk)
            )
            for uid, legs in calls.tuples():
                found.update((uid, part.leg) for part in load(legs))
        return found

    def _kept(self, uids: set[str]) -> set[Key]:
        """Legs without a number of ours."""
        found: set[Key] = set()
        for chunk in _chunks(uids):
            query = UnmatchedLeg.select(UnmatchedLeg.uid, UnmatchedLeg.leg).where(
                UnmatchedLeg.exchange == self._exchange, UnmatchedLeg.uid.in_(chunk)
            )
            found.update(query.tuples())
        return found

    def _save(self, before: dict[Key, Row], rows: dict[Key, Row], wholes: Iterable[Key]) -> None:
        """Write what has changed: rows that wait now, and those that no longer do."""
        if not self._write:
            self._trial.update(rows)
            self._tried.update(wholes)
            return
        changed = [(key, row) for key, row in rows.items() if before.get(key) is not row]
        gone = before.keys() - rows.keys() | {key for key, _row in changed if key in before}
        for uid, leg in sorted(gone):
            WaitingHalf.delete().where(
                WaitingHalf.exchange == self._exchange,
                WaitingHalf.uid == uid,
                WaitingHalf.leg == leg,
            ).execute()
        fields = (
            WaitingHalf.exchange,
            WaitingHalf.uid,
            WaitingHalf.leg,
            WaitingHalf.record,
            WaitingHalf.lines,
            WaitingHalf.import_run,
        )
        for chunk in _chunks(sorted(changed, key=lambda item: item[0])):
            values = [
                (self._exchange, *key, json.dumps(row.half), row.lines, row.run_id)
                for key, row in chunk
            ]
            WaitingHalf.insert_many(values, fields).execute()


def _chunks(values: Iterable) -> Iterator[list]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
