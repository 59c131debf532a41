"""Changing how documents of a purpose are delivered: asked for, confirmed from the new mailbox,
held for a day, cancelled. What goes to the old address in between lets its owner say no.

Every step is one compare-and-set and its audit row in one transaction. Looking is `delivery.py`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from config import Config
from domain.accounts import check_detail, check_email
from domain.billing.delivery import ChangeState, DeliveryMethod, DeliveryPurpose
from domain.errors import (
    DeliveryChangePending,
    InvalidValue,
    NothingToChange,
    TooManyDeliveryChanges,
)
from models import Client, User
from models_billing import DeliverySetting
from services import audit, closed_items, delivery, delivery_letters, faults, letter_links, queue
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wish:
    """What a client's user asks for. No address: the one that holds stays."""

    method: DeliveryMethod
    email: str = ""
    receiver: str = ""
    purpose: DeliveryPurpose = DeliveryPurpose.BILLS


def ask(client: Client, wish: Wish, *, user: User, ip: str = "", now: datetime) -> DeliverySetting:
    """Begin a change; the new address is asked to confirm it, the old one told. The same address
    needs no confirmation: then the day of waiting begins at once.

    The password has been asked for by the caller. Raises `DomainError` when a rule says no.
    """
    _check(wish)
    with write_tx():
        lock_client(client)
        if wish.purpose == DeliveryPurpose.BILLS:
            closed_items.check_open("delivery", now=now)
        was = delivery.current(client, wish.purpose, now=now)
        email = wish.email or was.email
        if delivery.pending(client, wish.purpose, now=now) is not None:
            raise DeliveryChangePending
        if (wish.method, email, wish.receiver) == (was.method, was.email, was.receiver):
            raise NothingToChange
        _check_limit(client, now=now)
        row = _create(client, user, wish, email, is_known=email == was.email, now=now)
        if row.state == ChangeState.ASKED:
            delivery_letters.ask_to_confirm(row, was, now=now)
        delivery_letters.tell_old(row, was, now=now)
        _audit(AuditEventKind.DELIVERY_CHANGE_ASKED, row, user=user, ip=ip, now=now)
        faults.reach("delivery.asking")
    faults.reach("delivery.asked")
    queue.hint_notices()  # after the commit; if it is lost, the reconciler finds the letters
    return row


def confirm(token: str, *, ip: str = "", now: datetime) -> bool:
    """The link to the new address was followed and its button pressed; from now on the change
    waits for its time. False when it no longer can, or was confirmed before.
    """
    row = find_to_confirm(token)
    if row is None:
        return False
    with write_tx():
        lock_client(row.client)
        values = {
            "state": ChangeState.CONFIRMED,
            "confirmed_at": now,
            "effective_at": now + _hold(),
        }
        changed = (
            DeliverySetting.update(values)
            .where(
                DeliverySetting.id == row.id,
                DeliverySetting.state == ChangeState.ASKED,
                DeliverySetting.confirm_until > now,
            )
            .execute()
        )
        if changed:
            row.effective_at = values["effective_at"]
            was = delivery.current(row.client, DeliveryPurpose(row.purpose), now=now)
            delivery_letters.tell_old_when(row, was, now=now)
            _audit(AuditEventKind.DELIVERY_CHANGE_CONFIRMED, row, ip=ip, now=now)
        faults.reach("delivery.confirming")
    faults.reach("delivery.confirmed")
    if changed:
        queue.hint_notices()
    return bool(changed)


def cancel(row: DeliverySetting, *, user: User | None = None, ip: str = "", now: datetime) -> bool:
    """Cancel a change that has not taken effect; False when it is too late, or was cancelled
    before. Without a `user` it came by the link in a letter to the old address.
    """
    with write_tx():
        lock_client(row.client)
        changed = _close(row, now=now)
        if changed:
            _audit(AuditEventKind.DELIVERY_CHANGE_CANCELLED, row, user=user, ip=ip, now=now)
        faults.reach("delivery.cancelling")
    faults.reach("delivery.cancelled")
    return changed


def cancel_of(user: User, *, by: By) -> None:
    """Inside `write_tx`: who is shut out, or may not ask for that any more, changes nothing by what
    they have asked for before.
    """
    lock_client(user.client)
    rows = DeliverySetting.of_company(user.client_id).where(
        DeliverySetting.user == user, delivery.is_pending(by.now)
    )
    for row in list(rows):
        if _close(row, now=by.now):
            who = {"user": by.user, "ip": by.ip, "now": by.now}
            _audit(AuditEventKind.DELIVERY_CHANGE_CANCELLED, row, **who)


def set_by_operator(
    client: Client,
    email: str,
    *,
    purpose: DeliveryPurpose = DeliveryPurpose.BILLS,
    now: datetime,
) -> None:
    """Inside `write_tx`: another address, in effect at once; the old one is told. A change that
    the client had under way ends: it was asked for without knowing of this one.
    """
    lock_client(client)
    was = delivery.current(client, purpose, now=now)
    if (change := delivery.pending(client, purpose, now=now)) is not None:
        _close(change.row, now=now)
        _audit(AuditEventKind.DELIVERY_CHANGE_CANCELLED, change.row, now=now)
    row = DeliverySetting.create(
        client=client,
        purpose=purpose,
        method=was.method,
        email=check_email(email),
        receiver=was.receiver,
        state=ChangeState.CONFIRMED,
        asked_at=now,
        confirmed_at=now,
        effective_at=now,
    )
    delivery_letters.tell_old_of_operator(row, was, now=now)
    _audit(AuditEventKind.DELIVERY_SET, row, now=now)


def expire(*, now: datetime) -> int:
    """Close the changes that nobody confirmed in time; return how many. Called by the reconciler:
    it only writes down what the clock has decided.
    """
    over = DeliverySetting.across_clients().where(
        DeliverySetting.state == ChangeState.ASKED, DeliverySetting.confirm_until <= now
    )
    closed = 0
    for row in list(over.limit(500)):
        with write_tx():
            changed = (
                DeliverySetting.update(state=ChangeState.EXPIRED, closed_at=row.confirm_until)
                .where(DeliverySetting.id == row.id, DeliverySetting.state == ChangeState.ASKED)
                .execute()
            )
            if changed:
                _audit(AuditEventKind.DELIVERY_CHANGE_EXPIRED, row, now=now)
            closed += changed
    return closed


def find_to_confirm(token: str) -> DeliverySetting | None:
    """The change that the link to a new address is about, whatever became of it."""
    return delivery.find_by_hash("confirm_hash", letter_links.hash_of(token))


def find_to_cancel(token: str) -> DeliverySetting | None:
    """The change that the link to an old address is about, whatever became of it."""
    return delivery.find_by_hash("cancel_hash", letter_links.hash_of(token))


def _config() -> Config:
    return current_app.config["CABINET"]


def _hold() -> timedelta:
    return timedelta(hours=_config().DELIVERY_HOLD_HOURS)


def _check(wish: Wish) -> None:
    if wish.method not in _config().delivery_methods:
        raise InvalidValue(what="delivery method", value=wish.method)
    if wish.email:
        check_email(wish.email)
    check_detail(wish.receiver)


def _check_limit(client: Client, *, now: datetime) -> None:
    """Letters go to whatever address is typed: not many of them."""
    limit = _config().DELIVERY_CHANGES_PER_DAY
    recent = DeliverySetting.of(client).where(
        DeliverySetting.asked_at > now - DAY, DeliverySetting.user.is_null(is_null=False)
    )
    if limit and recent.count() >= limit:
        raise TooManyDeliveryChanges(limit=limit)


def _create(
    client: Client, user: User, wish: Wish, email: str, *, is_known: bool, now: datetime
) -> DeliverySetting:
    row = DeliverySetting(
        client=client,
        purpose=wish.purpose,
        method=wish.method,
        email=email,
        receiver=wish.receiver,
        user=user,
        asked_at=now,
    )
    row.cancel_hash = letter_links.hash_of(delivery_letters.cancel_token(row))
    if is_known:
        row.state = ChangeState.CONFIRMED
        row.confirmed_at, row.effective_at = now, now + _hold()
    else:
        row.state = ChangeState.ASKED
        row.confirm_hash = letter_links.hash_of(delivery_letters.confirm_token(row))
        row.confirm_until = now + timedelta(hours=_config().DELIVERY_CONFIRM_HOURS)
    row.save(force_insert=True)
    return row


def _close(row: DeliverySetting, *, now: datetime) -> bool:
    changed = (
        DeliverySetting.update(state=ChangeState.CANCELLED, closed_at=now)
        .where(DeliverySetting.id == row.id, delivery.is_pending(now))
        .execute()
    )
    return bool(changed)


def _audit(event: AuditEventKind, row: DeliverySetting, *, now: datetime, **who: object) -> None:
    audit.record(
        event,
        now=now,
        client=row.client_id,
        subject=delivery_letters.subject_of(row),
        purpose=str(row.purpose),
        method=str(row.method),
        **who,
    )
