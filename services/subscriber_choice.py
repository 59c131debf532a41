"""«Выбор SIP-абонента»: whom a user looks at. Kept with the user, so that it outlives the session.

A connection stands for itself and the numbers that belong to it. Whoever has chosen nobody, or
somebody who is no longer the client's, looks at the whole company.
"""

from datetime import datetime

from peewee import Expression, ModelSelect

from domain.errors import NotFound
from models import Client, Subscriber, User
from models_subscribers import SubscriberChoice
from services import audit
from services.audit import AuditEventKind
from services.questions import made_once
from services.transactions import write_tx


def holds(now: datetime) -> Expression:
    """Condition on `Subscriber`: the number is the client's at this moment."""
    began = Subscriber.valid_from.is_null() | (Subscriber.valid_from <= now)
    lasts = Subscriber.valid_to.is_null() | (Subscriber.valid_to > now)
    return began & lasts


def within(subscriber: Subscriber) -> Expression:
    """Condition on `Subscriber`: this one, or a number of this connection."""
    return (Subscriber.id == subscriber.id) | (Subscriber.connection == subscriber.id)


def find(client: Client, user: User) -> Subscriber | None:
    """Who was chosen, whether still the client's or not."""
    return _chosen.first(client, user)


@made_once
def _chosen(client: Client, user: User) -> ModelSelect:
    chosen = SubscriberChoice.of(client, SubscriberChoice.subscriber)
    mine = chosen.where(SubscriberChoice.user == user)
    return Subscriber.of(client).where(Subscriber.id.in_(mine))


def is_own(subscriber: Subscriber, now: datetime) -> bool:
    """`holds` of a row."""
    began = subscriber.valid_from is None or subscriber.valid_from <= now
    return began and (subscriber.valid_to is None or subscriber.valid_to > now)


def choose(client: Client, user: User, subscriber_id: int, *, ip: str, now: datetime) -> Subscriber:
    """Look at one of the client's subscribers from now on; raises `NotFound`."""
    found = Subscriber.of(client).where(Subscriber.id == subscriber_id, holds(now)).first()
    if found is None:
        raise NotFound(what="number", name=str(subscriber_id))
    with write_tx():
        SubscriberChoice.insert(
            user=user, client=client, subscriber=found, chosen_at=now
        ).on_conflict(
            conflict_target=[SubscriberChoice.user],
            update={
                SubscriberChoice.client: client,
                SubscriberChoice.subscriber: found,
                SubscriberChoice.chosen_at: now,
            },
        ).execute()
        _note(client, user, f"subscriber:{found.id}", ip, now)
    return found


def clear(client: Client, user: User, *, ip: str, now: datetime) -> bool:
    """Look at the whole company again; whether somebody had been chosen."""
    with write_tx():
        gone = SubscriberChoice.delete().where(SubscriberChoice.user == user).execute()
        if gone:
            _note(client, user, "", ip, now)
    return bool(gone)


def _note(client: Client, user: User, subject: str, ip: str, now: datetime) -> None:
    audit.record(
        AuditEventKind.SUBSCRIBER_CHOSEN, now=now, user=user, client=client, subject=subject, ip=ip
    )
