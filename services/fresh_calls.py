"""The fast path of imports: legs of calls of which nothing is known yet, one of each in a batch,
as nearly all lines of a new file are. There is nothing to join and nothing to look up leg by leg.
What is stored is what the plain path (`call_store`, `half_store`) stores; a test compares the two.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from domain.cdr.joining import dump_part
from domain.cdr.record import CallDirection, Half, Leg, hash_of_text
from models import Exchange
from services import call_store
from services.call_book import CallBook
from services.matching import Matcher

TELLING = (Leg, Half)  # a union would be made anew for each line
OUT, IN = int(CallDirection.OUT), int(CallDirection.IN)


class Fresh(NamedTuple):
    """What a batch holds: legs for this path, ready to be stored, and the rest."""

    calls: int  # legs that are ours
    rows: list[tuple[Any, ...]]  # of calls; two for a leg between two of our numbers
    nobodys: list[Leg]
    others: list[Any]  # for the plain path, in their order


def split(
    exchange: Exchange, run_id: int, matcher: Matcher, batch: Sequence[Leg | Half | Any]
) -> Fresh:
    """Find the legs that are for this path. Only reads; imports take turns, so that what it finds
    still holds in the transaction that stores it.
    """
    source = exchange.name, exchange.id, run_id
    told = Counter([event.uid for event in batch if isinstance(event, TELLING)])
    known = call_store.known_uids(exchange, told)
    ours, rows, nobodys, others = 0, [], [], []
    for event in batch:
        if isinstance(event, Leg) and told[event.uid] == 1 and event.uid not in known:
            caller = matcher.owner(event.a_number, event.started_at)
            callee = matcher.owner(event.b_number, event.started_at)
            if caller is None and callee is None:
                nobodys.append(event)
                continue
            ours += 1
            on_net = int(caller is not None and callee is not None)
            if caller is not None:
                rows.append(_row(source, event, caller, OUT, on_net))
            if callee is not None:
                rows.append(_row(source, event, callee, IN, on_net))
        else:
            others.append(event)
    return Fresh(ours, rows, nobodys, others)


def _row(
    source: tuple[str, int, int], leg: Leg, subscriber_id: int, direction: int, on_net: int
) -> tuple[Any, ...]:
    """A call of one leg, as `call_store.COLUMNS`."""
    exchange_name, exchange_id, run_id = source
    started_at, answered_at, ended_at, _a, _b, number, peer, _s, billable_s, disposition, uid, n = (
        leg[:12]
    )
    if direction == IN:
        number, peer = peer, number
    part = (
        *(started_at, ended_at, n, answered_at, billable_s, disposition, peer),
        *(on_net, run_id),
    )
    return (
        subscriber_id,
        started_at,
        hash_of_text(f"{exchange_name}|{uid}|{direction}"),
        direction,
        bool(on_net),
        number,
        peer,
        answered_at,
        ended_at - started_at,
        billable_s,
        disposition,
        exchange_id,
        uid,
        f"[{dump_part(part)}]",
        run_id,
    )


def store(
    exchange: Exchange, run_id: int, client_id: int | None, fresh: Fresh, book: CallBook
) -> None:
    """Store the legs of this path. Called inside a write transaction."""
    call_store.insert_calls(fresh.rows, book)
    call_store.store_unmatched(exchange, client_id, run_id, fresh.nobodys)
