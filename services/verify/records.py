"""Invariants of call records: rows and their legs, owners of numbers, counts of imports."""

from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from itertools import pairwise
from operator import add

from peewee import JOIN, fn

from domain.cdr.joining import join, load
from domain.cdr.record import Disposition, stable_hash
from domain.imports import ImportState
from domain.msisdn import is_full
from models import Call, Exchange, ImportRun, Subscriber, UnmatchedLeg, WaitingHalf, db
from services import clock
from services.call_store import load_leg
from services.verify.registry import check


def _name(subscriber_id: int, started_at: int, uid: str) -> str:
    return f"call {uid} of subscriber {subscriber_id} at {clock.from_epoch(started_at):%FT%TZ}"


@check
def a_call_is_the_sum_of_its_legs() -> Iterator[str]:
    """Every row is what its legs join to, and its key what its ids hash to."""
    names = {exchange.id: exchange.name for exchange in Exchange.select()}
    sums = (Call.answered_at, Call.duration_s, Call.billable_s, Call.disposition)
    query = Call.select(
        Call.subscriber_id,
        Call.uid,
        Call.direction,
        Call.exchange,
        Call.seq,
        Call.legs,
        Call.started_at,
        *sums,
        Call.peer,
        Call.on_net,
    )
    for subscriber_id, uid, direction, exchange_id, seq, legs, *row in db.execute(query):
        parts = load(legs)
        told_once = len({(part.leg, part.run) for part in parts}) == len(parts) > 0
        if not told_once or tuple(row) != join(parts):
            yield f"{_name(subscriber_id, row[0], uid)} is not the sum of its legs"
        if seq != stable_hash(names[exchange_id], uid, direction):
            yield f"{_name(subscriber_id, row[0], uid)} has another's key"


@check
def a_call_is_stored_once() -> Iterator[str]:
    """One row for a call, its subscriber and direction, in whatever month: no index spans them."""
    query = (
        Call.select(Call.uid, Call.subscriber_id, fn.COUNT(Call.seq))
        .group_by(Call.exchange, Call.uid, Call.subscriber_id, Call.direction)
        .having(fn.COUNT(Call.seq) > 1)
    )
    for uid, subscriber_id, count in db.execute(query):
        yield f"call {uid} of subscriber {subscriber_id} is stored {count} times"


@check
def only_answered_calls_are_billable() -> Iterator[str]:
    """Seconds are not negative, and only those of answered calls are billable."""
    unanswered = (Call.disposition != Disposition.ANSWERED) & (
        (Call.billable_s != 0) | Call.answered_at.is_null(False)  # noqa: FBT003 - peewee
    )
    negative = (Call.billable_s < 0) | (Call.duration_s < 0)
    query = Call.select(Call.subscriber_id, Call.started_at, Call.uid)
    for row in db.execute(query.where(unanswered | negative)):
        yield f"{_name(*row)} has seconds that cannot be"


@check
def a_call_is_of_the_owner_of_its_number() -> Iterator[str]:
    """The subscriber has the row's number and had it when the call began."""
    query = (
        Call.select(Call.subscriber_id, Call.started_at, Call.uid)
        .join(Subscriber, JOIN.LEFT_OUTER, on=Call.subscriber_id == Subscriber.id)
        .where(Subscriber.id.is_null() | (Subscriber.number != Call.number))
    )
    for row in db.execute(query):
        yield f"{_name(*row)} has a number that is not the subscriber's"
    bounded = Subscriber.valid_from.is_null(False) | Subscriber.valid_to.is_null(False)  # noqa: FBT003 - peewee
    for subscriber in Subscriber.across_clients().where(bounded):
        yield from _calls_outside(subscriber)


def _calls_outside(subscriber: Subscriber) -> Iterator[str]:
    outside = []
    if subscriber.valid_from:
        outside.append(Call.started_at < clock.epoch(subscriber.valid_from))
    if subscriber.valid_to:
        outside.append(Call.started_at >= clock.epoch(subscriber.valid_to))
    query = Call.select(Call.subscriber_id, Call.started_at, Call.uid)
    condition = outside[0] if len(outside) == 1 else outside[0] | outside[1]
    for row in db.execute(query.where(Call.subscriber_id == subscriber.id, condition)):
        yield f"{_name(*row)} lies outside the time in which the number was theirs"


@check
def both_sides_of_an_on_net_call_are_there() -> Iterator[str]:
    """An on-net call has the other side's row too, in the opposite direction."""
    twin = Call.alias()
    exists = twin.select(1).where(
        twin.exchange == Call.exchange,
        twin.uid == Call.uid,
        twin.number == Call.peer,
        twin.direction != Call.direction,
    )
    query = Call.select(Call.subscriber_id, Call.started_at, Call.uid)
    for row in db.execute(query.where(Call.on_net, ~fn.EXISTS(exists))):
        yield f"{_name(*row)} has no row of its other side"


@check
def a_full_number_has_one_owner_at_a_time() -> Iterator[str]:
    """Times of ownership of one full number do not meet."""
    owners: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    shared = (
        Subscriber.across_clients(Subscriber.number)
        .group_by(Subscriber.number)
        .having(fn.COUNT(Subscriber.id) > 1)
    )
    for row in Subscriber.across_clients().where(Subscriber.number.in_(shared)):
        if is_full(row.number):
            start = row.valid_from.timestamp() if row.valid_from else float("-inf")
            end = row.valid_to.timestamp() if row.valid_to else float("inf")
            owners[row.number].append((start, end))
    for number, times in owners.items():
        if any(later[0] < earlier[1] for earlier, later in pairwise(sorted(times))):
            yield f"{number} has two owners at once"


@check
def a_run_accounts_for_every_line() -> Iterator[str]:
    """Lines of a file are the sum of their fates."""
    fates = (
        ImportRun.accepted,
        ImportRun.duplicates,
        ImportRun.rejected,
        ImportRun.unmatched,
        ImportRun.skipped,
    )
    for run in ImportRun.select().where(ImportRun.lines != reduce(add, fates)):
        yield f"import {run.id} of {run.file_name} has {run.lines} lines, but not in its counts"


@check
def what_was_rolled_back_is_gone() -> Iterator[str]:
    """No call, unmatched leg or waiting half of an import that was taken out again."""
    for run in ImportRun.select().where(ImportRun.state == ImportState.ROLLED_BACK):
        for model in (Call, UnmatchedLeg, WaitingHalf):
            if model.select().where(model.import_run == run).exists():
                yield f"import {run.id} of {run.file_name} was rolled back, but some of it is there"


@check
def an_unmatched_leg_is_in_no_call() -> Iterator[str]:
    """A leg is kept for later or stored in a call, never both: as long as it is told of the same
    numbers. A file may tell it of others, which are nobody's.
    """
    query = UnmatchedLeg.select(
        Call.subscriber_id,
        Call.started_at,
        Call.uid,
        Call.number,
        Call.legs,
        UnmatchedLeg.leg,
        UnmatchedLeg.record,
    ).join(
        Call,
        on=(UnmatchedLeg.exchange == Call.exchange) & (UnmatchedLeg.uid == Call.uid),
    )
    for subscriber_id, started_at, uid, number, legs, leg, record in db.execute(query):
        kept = load_leg(record)
        sides = {kept.a_number, kept.b_number}
        if any(part.leg == leg and sides == {number, part.peer} for part in load(legs)):
            yield f"{_name(subscriber_id, started_at, uid)} has a leg that is also unmatched"
