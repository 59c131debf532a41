"""Calls in the table: legs merged into rows, many at a time. Called inside a write transaction.

Rows are written past the ORM (`services/bulk.py`): 20 times faster. There is no ON CONFLICT on
calls: what is stored is read before, and imports take turns (`services/imports.py`), so that a
conflict is an error to be seen.

A leg belongs to the import that told it first; `take_out` removes what belongs to one.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from peewee import Model

from domain.cdr.joining import Part, dump, join, load, richer
from domain.cdr.record import Leg, stable_hash
from models import Call, Exchange, UnmatchedLeg, WaitingHalf, db
from services import bulk, call_months, clock
from services.call_book import PRICE_COLUMNS, CallBook, Stored
from services.matching import Seen

CHUNK = 500  # ids asked for in one statement
COLUMNS = (
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
_SELECT = f'SELECT uid, number, import_run_id, legs, {", ".join(Stored._fields)} FROM "call"'  # noqa: S608 - names of our own
_UNMATCHED = ("exchange_id", "uid", "leg", "client_id", "record", "import_run_id")

Key = tuple[str, int, int]  # uid, subscriber, direction


class Sighting(NamedTuple):
    """A leg of the call `uid` as our subscribers saw it. Parts without a run are of the present."""

    uid: str
    seen: Sequence[Seen]


class _Row:
    """A call being put together. `stored` is None until it is."""

    __slots__ = ("changed", "number", "stored", "tellings")

    def __init__(
        self, number: str, stored: Stored | None = None, parts: Iterable[Part] = ()
    ) -> None:
        self.number, self.stored = number, stored
        self.tellings: dict[int, list[Part]] = {}  # by leg; one of each run at most
        for part in parts:
            self.tellings.setdefault(part.leg, []).append(part)
        self.changed = False

    @property
    def parts(self) -> list[Part]:
        """All tellings of all legs."""
        return [part for tellings in self.tellings.values() for part in tellings]

    def first_run(self, part: Part) -> int:
        """The import that told the same of this leg before, else 0."""
        known = self.tellings.get(part.leg, ())
        return next((each.run for each in known if each.telling == part.telling), 0)

    def take(self, part: Part) -> bool:
        """Put a part in; False when its leg was there."""
        tellings = self.tellings.setdefault(part.leg, [])
        is_new = not tellings
        for n, known in enumerate(tellings):
            if known.run == part.run or known.telling == part.telling:
                better = richer(known, part._replace(run=known.run))
                self.changed |= better != known
                tellings[n] = better
                return is_new
        tellings.append(part)
        self.changed = True
        return is_new

    def take_out(self, run_id: int) -> None:
        """Forget what an import told."""
        kept = [part for part in self.parts if part.run != run_id]
        self.changed = len(kept) < len(self.parts)
        self.tellings = {}
        for part in kept:
            self.tellings.setdefault(part.leg, []).append(part)


def store_calls(
    exchange: Exchange, run_id: int, sightings: Sequence[Sighting], *, book: CallBook | None
) -> list[bool]:
    """Merge legs into calls; say of each whether it brought something new. Without a book nothing
    is written.
    """
    rows = _load(exchange, {sighting.uid for sighting in sightings})
    fresh = []
    for uid, seen in sightings:
        sides = [_row_of(rows, uid, each) for each in seen]
        told = (row.first_run(each.part) for row, each in zip(sides, seen, strict=True))
        first = next(filter(None, told), run_id)  # both sides of a leg belong to one import
        is_new = False
        for row, each in zip(sides, seen, strict=True):
            part = each.part
            is_new |= row.take(part if part.run else part._replace(run=first))
        fresh.append(is_new)
    if book is not None:
        _save(exchange, {key: row for key, row in rows.items() if row.changed}, book)
    return fresh


def known_uids(exchange: Exchange, uids: Collection[str]) -> set[str]:
    """Those of `uids` of which there is anything: a call, a leg kept for later, a waiting half."""
    known: set[str] = set()
    for model in (Call, UnmatchedLeg, WaitingHalf):
        known.update(_uids_in(model, exchange, uids))
    return known


def _uids_in(model: type[Model], exchange: Exchange, uids: Collection[str]) -> Iterator[str]:
    """Ids mostly grow with time, so that those of a new file come after all that are stored. What
    comes after the greatest stored one (of those up to the greatest of `uids`) need not be asked.
    """
    if not uids:
        return
    table, mark = bulk.table_of(model), db.param
    statement = (
        f"SELECT uid FROM {table} WHERE exchange_id = {mark} AND uid <= {mark}"  # noqa: S608 - names of our own
        " ORDER BY uid DESC LIMIT 1"
    )
    greatest = db.execute_sql(statement, (exchange.id, max(uids))).fetchone()
    if greatest is None:
        return
    for chunk in _chunks(uid for uid in uids if uid <= greatest[0]):
        marks = ", ".join([mark] * len(chunk))
        statement = f"SELECT uid FROM {table} WHERE exchange_id = {mark} AND uid IN ({marks})"  # noqa: S608
        yield from (uid for (uid,) in db.execute_sql(statement, (exchange.id, *chunk)))


def _row_of(rows: dict[Key, _Row], uid: str, seen: Seen) -> _Row:
    key = (uid, seen.subscriber_id, int(seen.direction))
    row = rows.get(key)
    if row is None:
        row = rows[key] = _Row(seen.number)
    return row


def _load(exchange: Exchange, uids: Iterable[str]) -> dict[Key, _Row]:
    """The stored calls with these ids. The statement is text, for it is the same every time."""
    rows: dict[Key, _Row] = {}
    for chunk in _chunks(uids):
        marks = ", ".join([db.param] * len(chunk))
        statement = f"{_SELECT} WHERE exchange_id = {db.param} AND uid IN ({marks})"
        found = db.execute_sql(statement, (exchange.id, *chunk))
        for uid, number, run_id, legs, *values in found:
            stored = Stored(*values)
            row = _Row(number, stored, _parts(legs, run_id))
            rows[uid, stored.subscriber_id, stored.direction] = row
    return rows


def _parts(legs: str, run_id: int) -> list[Part]:
    """Stored parts; those written before parts knew their import are their row's."""
    return [part if part.run else part._replace(run=run_id) for part in load(legs)]


def _save(exchange: Exchange, rows: dict[Key, _Row], book: CallBook) -> None:
    """Write rows; one that was stored is replaced, for its start is part of its key."""
    if stored := [row.stored for row in rows.values() if row.stored]:
        book.go(stored)
        bulk.run_many(
            db.obj,
            f"DELETE FROM {bulk.table_of(Call)}"  # noqa: S608 - names of our own
            " WHERE subscriber_id = ? AND started_at = ? AND seq = ?",
            [each.primary_key for each in stored],
        )
    insert_calls([_values(exchange, key, row) for key, row in rows.items() if row.tellings], book)


def insert_calls(rows: list[tuple[Any, ...]], book: CallBook) -> None:
    """Put rows of `COLUMNS` into the table with their prices, in the order of its key: they lie
    together there.
    """
    if rows:
        rows.sort()  # the first three columns are the key: no two rows compare beyond it
        call_months.make_for({row[1] for row in rows}, now=clock.now())
        bulk.insert_rows(db.obj, Call, (*COLUMNS, *PRICE_COLUMNS), book.come(rows))
    book.save()


def _values(exchange: Exchange, key: Key, row: _Row) -> tuple[Any, ...]:
    uid, subscriber_id, direction = key
    parts = row.parts
    call = join(parts)
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
        dump(parts),
        min(part.run for part in parts),
    )


class TakenOut(NamedTuple):
    """What taking an import out has done so far."""

    gone: int  # calls without a leg left
    changed: int  # calls computed anew
    last: tuple[int, int, int] | None  # the key to go on after; None: that was all


def take_out(
    exchange: Exchange, run_id: int, book: CallBook, *, after: tuple[int, int, int], limit: int
) -> TakenOut:
    """Take the legs of an import out of the next `limit` calls that have any, by their key."""
    mark = db.param
    statement = (
        f"{_SELECT} WHERE (subscriber_id, started_at, seq) > ({mark}, {mark}, {mark})"
        f" AND exchange_id = {mark} AND (legs LIKE {mark} OR import_run_id = {mark})"
        f" ORDER BY subscriber_id, started_at, seq LIMIT {mark}"
    )
    pattern = f"%,{run_id}]%"  # the run stands last in each part
    found = db.execute_sql(statement, (*after, exchange.id, pattern, run_id, limit)).fetchall()
    rows: dict[Key, _Row] = {}
    last = None
    for uid, number, row_run_id, legs, *values in found:
        stored = Stored(*values)
        last = stored.primary_key
        row = _Row(number, stored, _parts(legs, row_run_id))
        row.take_out(run_id)
        if row.changed:
            rows[uid, stored.subscriber_id, stored.direction] = row
    _save(exchange, rows, book)
    gone = sum(not row.tellings for row in rows.values())
    return TakenOut(gone, len(rows) - gone, last if len(found) == limit else None)


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


def kept_unmatched(exchange: Exchange, legs: Iterable[tuple[str, int]]) -> dict[int, list[Leg]]:
    """Those of `legs`, as (uid, leg), that are kept for later, by the import that told them."""
    wanted = set(legs)
    found: dict[int, list[Leg]] = {}
    for chunk in _chunks({uid for uid, _leg in wanted}):
        rows = UnmatchedLeg.select().where(
            UnmatchedLeg.exchange == exchange, UnmatchedLeg.uid.in_(chunk)
        )
        for row in rows:
            if (row.uid, row.leg) in wanted:
                found.setdefault(row.import_run_id, []).append(load_leg(row.record))
    return found


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
