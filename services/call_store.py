"""Calls in the table: legs merged into rows, many at a time. Called inside a write transaction.

Rows are written past the ORM (`services/bulk.py`): 20 times faster. There is no ON CONFLICT on
calls: what is stored is read before, and imports take turns (`services/imports.py`), so that a
conflict is an error to be seen.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from domain.cdr.joining import Part, dump, join, load, richer
from domain.cdr.record import Leg, stable_hash
from models import Call, Exchange, UnmatchedLeg, db
from services import bulk, call_months, clock
from services.matching import Seen

CHUNK = 500  # ids asked for in one statement
_CALL = (
    "subscriber_id",
    "started_at",
    "seq",
    "direction",
    "on_net",
    "number",
    "peer",
    "answered_at",
    "duration_s",
    "billable_s",
    "disposition",
    "exchange_id",
    "uid",
    "legs",
    "import_run_id",
)
_SELECT = (
    'SELECT uid, subscriber_id, direction, number, import_run_id, started_at, seq, legs FROM "call"'
)
_UNMATCHED = ("exchange_id", "uid", "leg", "client_id", "record", "import_run_id")

Key = tuple[str, int, int]  # uid, subscriber, direction


class Sighting(NamedTuple):
    """A leg of the call `uid` as our subscribers saw it."""

    uid: str
    seen: Sequence[Seen]


class _Row:
    """A call being put together. `primary_key` is None until it is stored."""

    __slots__ = ("changed", "number", "parts", "primary_key", "run_id")

    def __init__(
        self,
        number: str,
        run_id: int,
        primary_key: tuple[int, int, int] | None = None,
        parts: Iterable[Part] = (),
    ) -> None:
        self.number, self.run_id, self.primary_key = number, run_id, primary_key
        self.parts = {part.leg: part for part in parts}
        self.changed = False

    def take(self, part: Part) -> bool:
        """Put a part in; False when its leg was there."""
        known = self.parts.get(part.leg)
        better = part if known is None else richer(known, part)
        if better != known:
            self.parts[part.leg] = better
            self.changed = True
        return known is None


def store_calls(
    exchange: Exchange, run_id: int, sightings: Sequence[Sighting], *, write: bool = True
) -> list[bool]:
    """Merge legs into calls; say of each whether it brought something new."""
    rows = _load(exchange, {sighting.uid for sighting in sightings})
    fresh = []
    for uid, seen in sightings:
        is_new = False
        for subscriber_id, direction, number, part in seen:
            key = (uid, subscriber_id, int(direction))
            row = rows.get(key)
            if row is None:
                row = rows[key] = _Row(number, run_id)
            is_new |= row.take(part)
        fresh.append(is_new)
    if write:
        _save(exchange, {key: row for key, row in rows.items() if row.changed})
    return fresh


def _load(exchange: Exchange, uids: Iterable[str]) -> dict[Key, _Row]:
    """The stored calls with these ids. The statement is text, for it is the same every time."""
    rows: dict[Key, _Row] = {}
    for chunk in _chunks(uids):
        marks = ", ".join([db.param] * len(chunk))
        statement = f"{_SELECT} WHERE exchange_id = {db.param} AND uid IN ({marks})"
        found = db.execute_sql(statement, (exchange.id, *chunk))
        for uid, subscriber_id, direction, number, run_id, started_at, seq, legs in found:
            primary_key = (subscriber_id, started_at, seq)
            rows[uid, subscriber_id, direction] = _Row(number, run_id, primary_key, load(legs))
    return rows


def _save(exchange: Exchange, rows: dict[Key, _Row]) -> None:
    """Write rows; one that was stored is replaced, for its start is part of its key."""
    if stored := [row.primary_key for row in rows.values() if row.primary_key]:
        bulk.run_many(
            db.obj,
            f"DELETE FROM {bulk.table_of(Call)}"  # noqa: S608 - names of our own
            " WHERE subscriber_id = ? AND started_at = ? AND seq = ?",
            stored,
        )
    values = sorted(
        (_values(exchange, key, row) for key, row in rows.items()), key=lambda value: value[:3]
    )
    if values:
        call_months.make_for({value[1] for value in values}, now=clock.now())
        bulk.insert_rows(db.obj, Call, _CALL, values)


def _values(exchange: Exchange, key: Key, row: _Row) -> tuple[Any, ...]:
    uid, subscriber_id, direction = key
    call = join(row.parts.values())
    return (
        subscriber_id,
        call.started_at,
        stable_hash(exchange.name, uid, direction),
        direction,
        bool(call.on_net),
        row.number,
        call.peer,
        call.answered_at,
        call.duration_s,
        call.billable_s,
        call.disposition,
        exchange.id,
        uid,
        dump(row.parts.values()),
        row.run_id,
    )


def store_unmatched(
    exchange: Exchange, client_id: int | None, run_id: int, legs: Iterable[Leg]
) -> None:
    """Keep legs without a number of ours, each once."""
    values = sorted(
        (exchange.id, leg.uid, leg.leg, client_id, json.dumps(leg, ensure_ascii=False), run_id)
        for leg in legs
    )
    if values:
        bulk.insert_rows(db.obj, UnmatchedLeg, _UNMATCHED, values, ignore_conflicts=True)


def load_leg(record: str) -> Leg:
    """A leg as `store_unmatched` kept it."""
    return Leg(*json.loads(record))


def forget_unmatched(exchange: Exchange, legs: Iterable[tuple[str, int]]) -> None:
    """Take legs, as (uid, leg), out of those kept for later: they are stored as calls now."""
    if gone := [(exchange.id, uid, leg) for uid, leg in legs]:
        bulk.run_many(
            db.obj,
            f"DELETE FROM {bulk.table_of(UnmatchedLeg)}"  # noqa: S608 - names of our own
            " WHERE exchange_id = ? AND uid = ? AND leg = ?",
            gone,
        )


def _chunks(values: Iterable) -> Iterator[list]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
