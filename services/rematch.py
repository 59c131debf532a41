"""Call records kept without an owner, looked at again: for numbers added after the import."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from peewee import ModelSelect

from domain.cdr.joining import Part, load
from domain.cdr.record import CallDirection
from models import Call, Exchange, ImportRun, Subscriber, UnmatchedLeg, db
from services import audit, call_store
from services.audit import AuditEventKind
from services.call_book import CallBook
from services.call_store import Sighting
from services.matching import Matcher, Seen
from services.transactions import write_tx

BATCH = 5_000  # legs in one transaction


class Rematched(NamedTuple):
    """Legs that found an owner, calls that turned out to be on-net, legs still nobody's."""

    matched: int
    on_net: int
    unmatched: int


def rematch(*, now: datetime) -> Rematched:
    """Give kept legs to the numbers that are there now. Call it inside `one_at_a_time`."""
    matched = on_net = 0
    book = CallBook()
    for exchange in Exchange.select():
        matched += sum(_match_kept(exchange, book))
        on_net += sum(_match_other_sides(exchange, book))
    book.catch_up()
    left = UnmatchedLeg.select().count()
    with write_tx():
        audit.record(
            AuditEventKind.RECORDS_IMPORTED,
            now=now,
            subject="rematch",
            accepted=matched,
            unmatched=left,
        )
    return Rematched(matched, on_net, left)


class _Matchers:
    """Matchers as the imports had them: limited to a client or not."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._by_client: dict[int | None, Matcher] = {}

    def of(self, client_id: int | None) -> Matcher:
        if client_id not in self._by_client:
            extensions_of = client_id or self._exchange.client_id
            self._by_client[client_id] = Matcher(only=client_id, extensions_of=extensions_of)
        return self._by_client[client_id]


def _match_kept(exchange: Exchange, book: CallBook) -> Iterator[int]:
    """Legs without an owner, in order of their key. Gives how many found one, batch by batch."""
    matchers = _Matchers(exchange)
    after: tuple[str, int] = ("", -1)
    while batch := _kept_after(exchange, after):
        after = batch[-1].uid, batch[-1].leg
        found: dict[int, list[tuple[Sighting, int]]] = {}
        for row in batch:
            seen = matchers.of(row.client_id).see(call_store.load_leg(row.record))
            if seen:
                run = found.setdefault(row.import_run_id, [])
                run.append((Sighting(row.uid, seen), row.leg))
        with write_tx():
            for run_id, items in found.items():
                sightings = [sighting for sighting, _leg in items]
                call_store.store_calls(exchange, run_id, sightings, book=book)
                gone = ((sighting.uid, leg) for sighting, leg in items)
                call_store.forget_unmatched(exchange, gone)
        yield sum(map(len, found.values()))


def _kept_after(exchange: Exchange, after: tuple[str, int]) -> list[UnmatchedLeg]:
    uid, leg = after
    beyond = (UnmatchedLeg.uid > uid) | ((UnmatchedLeg.uid == uid) & (UnmatchedLeg.leg > leg))
    query = UnmatchedLeg.select().where(UnmatchedLeg.exchange == exchange, beyond)
    return list(query.order_by(UnmatchedLeg.uid, UnmatchedLeg.leg).limit(BATCH))


def _match_other_sides(exchange: Exchange, book: CallBook) -> Iterator[int]:
    """Stored calls whose other side has become ours: its own row is added, and both are on-net."""
    matchers = _Matchers(exchange)
    candidates = iter(list(db.execute(_one_sided(exchange))))
    while batch := list(islice(candidates, BATCH)):
        found: dict[int, list[Sighting]] = {}
        for uid, number, subscriber_id, direction, legs, run_id, client_id in batch:
            seen: list[Seen] = []
            for part in load(legs):
                other = matchers.of(client_id).owner(part.peer, part.started_at)
                if other is not None and not part.on_net:
                    seen += _both_sides(part, number, subscriber_id, direction, other)
            if seen:
                found.setdefault(run_id, []).append(Sighting(uid, seen))
        with write_tx():
            for run_id, sightings in found.items():
                call_store.store_calls(exchange, run_id, sightings, book=book)
        yield sum(map(len, found.values()))


def _one_sided(exchange: Exchange) -> ModelSelect:
    """Calls with an outside party that is a number of ours now, and those of several legs."""
    ours = Subscriber.across_clients(Subscriber.number)
    several = Call.legs.contains("],[")
    fields = (Call.uid, Call.number, Call.subscriber_id, Call.direction, Call.legs)
    return (
        Call.select(*fields, Call.import_run, ImportRun.client)
        .join(ImportRun)
        .where(Call.exchange == exchange, (~Call.on_net & Call.peer.in_(ours)) | several)
        .order_by(Call.subscriber_id, Call.started_at, Call.seq)
    )


def _both_sides(
    part: Part, number: str, subscriber_id: int, direction: int, other: int
) -> tuple[Seen, Seen]:
    on_net = part._replace(on_net=1)
    opposite = CallDirection.IN if direction == CallDirection.OUT else CallDirection.OUT
    return (
        Seen(subscriber_id, direction, number, on_net),
        Seen(other, opposite, part.peer, on_net._replace(peer=number)),
    )
