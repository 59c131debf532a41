"""Numbers of clients: adding them, and the rule that a full number has one owner at a time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from flask import current_app
from peewee import ModelSelect

from domain.errors import (
    AlreadyExists,
    InvalidValue,
    NotFound,
    NumberEnded,
    NumberInUse,
    NumberTaken,
)
from domain.msisdn import is_full, is_well_formed, normalise
from domain.subscribers import NUMBER_PLAN, SubscriberStatus, fold
from models import Call, Client, Subscriber, db
from services import audit, clock, import_turns
from services.audit import AuditEventKind
from services.transactions import lock_clients, one_writes_at_a_time, write_tx

_OWNERS_LOCK = 0x5349_5004  # of PostgreSQL's advisory locks
CHUNK = 500  # numbers asked for, or rows written, in one statement


class NewSubscriber(NamedTuple):
    """What is known of a number that is to be added."""

    number: str
    full_name: str = ""
    plan: str = NUMBER_PLAN
    connection: Subscriber | None = None  # «SIP-соединение» that the number belongs to
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    status: str = SubscriberStatus.ACTIVE
    status_reason: str = ""


def add_subscriber(
    client: Client,
    number: str,
    *,
    full_name: str = "",
    plan: str = NUMBER_PLAN,
    connection: Subscriber | None = None,
    valid_from: datetime | None = None,
    now: datetime,
) -> Subscriber:
    """Give `client` a number, from `valid_from` on (None: it always had it).

    Raises `InvalidValue`, `AlreadyExists` when the client has it, `NumberTaken` when it is a full
    number that another client has in that time.
    """
    add_subscribers(
        client, [NewSubscriber(number, full_name, plan, connection, valid_from)], now=now
    )
    return Subscriber.of(client).where(Subscriber.number == normalise(number)).get()


def add_subscribers(client: Client, news: Sequence[NewSubscriber], *, now: datetime) -> None:
    """Give `client` many numbers: all of them, or none with the errors of `add_subscriber`."""
    news = [new._replace(number=normalise(new.number)) for new in news]
    if not news:
        return
    with write_tx():
        lock_owners()
        _check_form(client, news)
        _check_owners(client, news)
        for chunk in _chunks(news):
            Subscriber.insert_many([_row(client, new) for new in chunk]).execute()
        subject = f"client:{client.id}"
        audit.record(
            AuditEventKind.SUBSCRIBER_ADDED,
            now=now,
            client=client,
            subject=subject,
            count=len(news),
        )


def end_subscriber(subscriber: Subscriber, at: datetime, *, now: datetime) -> None:
    """Take a number from its client at the moment `at`: from then on it may be somebody else's.

    Raises `NumberInUse` when calls of it from that moment on are stored already, `NumberEnded` when
    it has ended before that, `InvalidValue` for a moment before it began, and `ImportsBusy` while
    calls are being stored: an import knows owners from when it began.
    """
    data_dir = current_app.config["CABINET"].data_dir
    with import_turns.one_at_a_time(data_dir, import_turns.do_not_wait), write_tx():
        lock_clients([subscriber.client_id])
        lock_owners()
        held = Subscriber.across_clients().where(Subscriber.id == subscriber.id).get()
        if held.valid_to is not None and held.valid_to < at:
            raise NumberEnded(number=held.number, day=clock.local(held.valid_to).date())
        if held.valid_from is not None and at <= held.valid_from:
            raise InvalidValue("before it began", what="last day", value=clock.local(at).date())
        later = Call.select().where(
            Call.subscriber_id == subscriber.id, Call.started_at >= clock.epoch(at)
        )
        if calls := later.count():
            raise NumberInUse(number=subscriber.number, calls=calls)
        subscriber.valid_to = at
        subscriber.status = SubscriberStatus.CLOSED
        subscriber.save(only=[Subscriber.valid_to, Subscriber.status])
        audit.record(
            AuditEventKind.SUBSCRIBER_ENDED,
            now=now,
            client=subscriber.client_id,
            subject=f"subscriber:{subscriber.id}",
        )


def lock_owners() -> None:
    """Let nobody else give numbers until the transaction ends: a full number has one owner at a
    time, and no index says so.
    """
    if not one_writes_at_a_time():
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_OWNERS_LOCK,))


def find_subscriber(client: Client, number: str) -> Subscriber:
    """A number of `client`, however written; raises `NotFound`."""
    found = Subscriber.of(client).where(Subscriber.number == normalise(number)).first()
    if found is None:
        raise NotFound(f"no number {number} of this client", what="number", name=number)
    return found


def held_by(number: str) -> list[Subscriber]:
    """A number of every client who has it, or, when nobody has, had it; raises `NotFound`."""
    rows = list(
        Subscriber.across_clients(Subscriber, Client)
        .join(Client)
        .where(Subscriber.number == normalise(number))
        .order_by(Client.account_no)
    )
    if not rows:
        raise NotFound(f"nobody has {number}", what="number", name=number)
    now = clock.now()
    return [row for row in rows if row.valid_to is None or row.valid_to > now] or rows


def _row(client: Client, new: NewSubscriber) -> dict[str, object]:
    return {"client": client, "name_folded": fold(new.full_name), **new._asdict()}


def _check_form(client: Client, news: Iterable[NewSubscriber]) -> None:
    seen: set[str] = set()
    for new in news:
        if not is_well_formed(new.number):
            raise InvalidValue(f"no number: {new.number!r}", what="number", value=new.number)
        if new.number in seen:
            raise AlreadyExists(f"{new.number} twice", what="number", name=new.number)
        seen.add(new.number)
        if new.connection and new.connection.client_id != client.id:
            raise NotFound(
                "no such connection of this client", what="connection", name=new.connection.number
            )


def _check_owners(client: Client, news: Sequence[NewSubscriber]) -> None:
    wanted = {new.number: new for new in news}
    for chunk in _chunks(wanted):
        for held in _holders(chunk):
            new = wanted[held.number]
            if held.client_id == client.id:
                raise AlreadyExists(f"{held.number} is there", what="number", name=held.number)
            if is_full(held.number) and _overlap(held, new):
                raise NumberTaken(f"{held.number} has an owner", number=held.number)


def _holders(numbers: list[str]) -> ModelSelect:
    return Subscriber.across_clients().where(Subscriber.number.in_(numbers))


def _overlap(one: Subscriber, other: NewSubscriber) -> bool:
    """Whether two half-open times of ownership meet; None is open."""
    starts_before_end = one.valid_to is None or (
        other.valid_from is None or other.valid_from < one.valid_to
    )
    ends_after_start = other.valid_to is None or (
        one.valid_from is None or one.valid_from < other.valid_to
    )
    return starts_before_end and ends_after_start


def _chunks(values: Iterable) -> Iterator[list]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
