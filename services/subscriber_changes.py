"""Changing what is known of a client's number, and giving an ended one back. Its plan is not
changed here: prices of the past would change with it (`services/tariffs.py: assign`).
"""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from domain.accounts import check_detail
from domain.errors import (
    AlreadyExists,
    ConnectionUnfit,
    InvalidValue,
    NotFound,
    NumberEnded,
    NumberHasNoBreak,
    NumberPassedOn,
)
from domain.msisdn import is_full, normalise
from domain.subscribers import SubscriberStatus, fold
from models import Client, Subscriber
from services import audit, clock
from services.audit import AuditEventKind, By
from services.subscribers import lock_owners
from services.transactions import lock_clients, write_tx


class SubscriberChanges(TypedDict, total=False):
    """What may be changed of a number. `connection`: None takes it off the one it has."""

    full_name: str
    connection: Subscriber | None
    status: str
    status_reason: str


def change_subscriber(
    subscriber: Subscriber, *, by: By, **changes: Unpack[SubscriberChanges]
) -> list[str]:
    """Change what is given; return the names of what is other than before. Who becomes active and
    gets no reason has none.

    Raises `InvalidValue`, `NumberEnded` for another status of a number that was taken away,
    `ConnectionUnfit`, `NotFound` for a connection of another client.
    """
    with write_tx():
        lock_clients([subscriber.client_id])
        held = Subscriber.across_clients().where(Subscriber.id == subscriber.id).get()
        values = differing(held, changes)
        if "connection" in values:
            _check_connection(held, values["connection"])
        if not values:
            return []
        write(held, values)
        audit.record_by(
            AuditEventKind.SUBSCRIBER_CHANGED,
            by,
            client=held.client_id,
            subject=f"subscriber:{held.id}",
            changed=list(values),
        )
    return list(values)


def differing(held: Subscriber, changes: SubscriberChanges) -> dict[str, Any]:
    """Those of `changes` that are other than what is held, as they are to be stored; the connection
    is left to the caller to look at. Raises `InvalidValue`, `NumberEnded`.
    """
    values: dict[str, Any] = dict(changes)
    for name in {"full_name", "status_reason"} & values.keys():
        values[name] = check_detail(values[name])
    becomes = values.get("status", held.status)
    if becomes not in set(SubscriberStatus):
        raise InvalidValue(what="status", value=becomes)
    if becomes != held.status and held.valid_to is not None:
        raise NumberEnded(number=held.number, day=clock.local(held.valid_to).date())
    if becomes != held.status and becomes == SubscriberStatus.ACTIVE:
        values.setdefault("status_reason", "")
    now = {
        "full_name": held.full_name,
        "connection": held.connection_id,
        "status": held.status,
        "status_reason": held.status_reason,
    }
    return {name: value for name, value in values.items() if now[name] != _plain(value)}


def write(held: Subscriber, values: dict[str, Any]) -> None:
    """Inside `write_tx`: store what `differing` has found."""
    for name, value in values.items():
        setattr(held, name, value)
    if "full_name" in values:
        held.name_folded = fold(held.full_name)
        values = {**values, "name_folded": held.name_folded}
    held.save(only=list(values))


def _plain(value: object) -> object:
    return value.id if isinstance(value, Subscriber) else value


def _check_connection(held: Subscriber, connection: Subscriber | None) -> None:
    """A connection is one of the client's own, and belongs to none itself."""
    if connection is None:
        return
    if connection.client_id != held.client_id:
        raise NotFound(what="connection", name=connection.number)
    connection = Subscriber.across_clients().where(Subscriber.id == connection.id).get()
    has_own = Subscriber.across_clients().where(Subscriber.connection == held.id).exists()
    nested = connection.connection_id is not None or connection.valid_to is not None
    if connection.id == held.id or nested or has_own:
        raise ConnectionUnfit(number=held.number, connection=connection.number)


# --- Giving back ----------------------------------------------------------------------------------


def find_ended(client: Client, number: str) -> Subscriber | None:
    """A number that was taken from the client, or will be."""
    ended = Subscriber.valid_to.is_null(is_null=False)
    return Subscriber.of(client).where(Subscriber.number == normalise(number), ended).first()


def reopen_subscriber(
    subscriber: Subscriber,
    *,
    first_day: datetime | None = None,
    by: By,
    **changes: Unpack[SubscriberChanges],
) -> datetime:
    """Give a number that has ended back to its client as if it had never ended, active and with
    what is given; return when it had. Calls of the time between are the client's too.

    Raises `AlreadyExists` when it has not ended, `NumberPassedOn` when another client had a full
    number since, `NumberHasNoBreak` for a first day that is not the one on which it ended.
    """
    with write_tx():
        lock_clients([subscriber.client_id])
        lock_owners()
        held = Subscriber.across_clients().where(Subscriber.id == subscriber.id).get()
        ended_at = held.valid_to
        if ended_at is None:
            raise AlreadyExists(what="number", name=held.number)
        day = clock.local(ended_at).date()
        if first_day is not None and first_day != ended_at:
            raise NumberHasNoBreak(number=held.number, day=day)
        if is_full(held.number):
            _check_free_since(held)
        write(held, {"valid_to": None, "status": SubscriberStatus.ACTIVE, "status_reason": ""})
        audit.record_by(
            AuditEventKind.SUBSCRIBER_REOPENED,
            by,
            client=held.client_id,
            subject=f"subscriber:{held.id}",
        )
        change_subscriber(held, by=by, **changes)
    return ended_at


def _check_free_since(held: Subscriber) -> None:
    later = (
        Subscriber.across_clients()
        .where(
            Subscriber.number == held.number,
            Subscriber.id != held.id,
            Subscriber.valid_to.is_null() | (Subscriber.valid_to > held.valid_to),
        )
        .order_by(Subscriber.valid_from, Subscriber.id)
        .first()
    )
    if later is not None:
        began = max(held.valid_to, later.valid_from or held.valid_to)
        raise NumberPassedOn(number=held.number, day=clock.local(began).date())
