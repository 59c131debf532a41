"""How a client gets its documents of each purpose, now and before. The table of changes is the one
truth: what the client was added with holds before the first of them. Changing is
`delivery_changes.py`.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from peewee import JOIN, Expression, ModelSelect

from domain.billing.delivery import (
    ChangeState,
    DeliveryMethod,
    DeliveryPurpose,
    Stage,
    stage,
)
from models import Client, User
from models_billing import DeliverySetting, Invoice
from services.questions import made_once


@dataclass(frozen=True)
class Delivery:
    """What holds at a moment."""

    method: DeliveryMethod
    email: str
    receiver: str = ""
    since: datetime | None = None  # None: ever since the client was added


@dataclass(frozen=True)
class Change:
    """A change as it stands at a moment."""

    row: DeliverySetting
    stage: Stage
    is_current: bool = False  # what it asked for holds now


@dataclass(frozen=True)
class HistoryPage:
    """Changes of a client, newest first. `is_last`: behind them is what it was added with."""

    changes: list[Change]
    number: int
    pages: int

    @property
    def is_last(self) -> bool:
        """Whether nothing older follows."""
        return self.number == self.pages


BILLS = DeliveryPurpose.BILLS


def current(client: Client, purpose: DeliveryPurpose = BILLS, *, now: datetime) -> Delivery:
    """What holds at `now`: the last confirmed change whose time had come, or what the client was
    added with.
    """
    row = _in_force.first(client, purpose, now)
    if row is None:
        return added_with(client, purpose)
    return Delivery(DeliveryMethod(row.method), row.email, row.receiver, row.effective_at)


def detail_email(client: Client, *, now: datetime) -> str:
    """Where call details and charges ordered at `now` go."""
    return current(client, DeliveryPurpose.DETAIL, now=now).email


def of_invoices(rows: Collection[Invoice]) -> dict[int, Delivery]:
    """How each document of some clients was to be delivered when it was formed, by its id. Method
    and address stand in its row; the receiver is that of the change which held then.
    """
    clients = {row.client_id for row in rows}
    confirmed = (DeliverySetting.purpose == BILLS) & (
        DeliverySetting.state == ChangeState.CONFIRMED
    )
    changes = DeliverySetting.across_clients().where(confirmed, DeliverySetting.client.in_(clients))
    by_client: dict[int, list[DeliverySetting]] = defaultdict(list)
    for change in changes.order_by(DeliverySetting.effective_at, DeliverySetting.id):
        by_client[change.client_id].append(change)
    return {row.id: _of_invoice(row, by_client[row.client_id]) for row in rows}


def _of_invoice(row: Invoice, changes: list[DeliverySetting]) -> Delivery:
    held = [change for change in changes if change.effective_at <= row.issued_at]
    method, last = DeliveryMethod(row.delivery_method), held[-1] if held else None
    if last is None or last.method != method:
        return Delivery(method, row.delivery_email)
    return Delivery(method, row.delivery_email, last.receiver, last.effective_at)


def added_with(client: Client, purpose: DeliveryPurpose = BILLS) -> Delivery:
    """What held before the first change."""
    is_bills = purpose == BILLS
    return Delivery(DeliveryMethod.EMAIL, client.invoice_email if is_bills else client.detail_email)


def pending(client: Client, purpose: DeliveryPurpose = BILLS, *, now: datetime) -> Change | None:
    """The change that waits to be confirmed, or for its time. There is one at most."""
    row = _of(client, purpose).where(is_pending(now)).first()
    return row and Change(row, stage_of(row, now=now))


def is_pending(now: datetime) -> Expression:
    """`Stage.is_pending` for a WHERE."""
    waits = (DeliverySetting.state == ChangeState.ASKED) & (DeliverySetting.confirm_until > now)
    is_held = (DeliverySetting.state == ChangeState.CONFIRMED) & (
        DeliverySetting.effective_at > now
    )
    return waits | is_held


def stage_of(row: DeliverySetting, *, now: datetime) -> Stage:
    """Where a change stands."""
    return stage(
        ChangeState(row.state),
        confirm_until=row.confirm_until,
        effective_at=row.effective_at,
        now=now,
    )


def history(
    client: Client,
    page: int,
    *,
    size: int,
    now: datetime,
    purpose: DeliveryPurpose = BILLS,
) -> HistoryPage:
    """Every change that was ever asked for, with who asked. A page beyond the last is the last."""
    query = _of(client, purpose)
    pages = max(1, -(-query.count() // size))
    page = min(max(1, page), pages)
    rows = (
        query.select(DeliverySetting, User)
        .join(User, JOIN.LEFT_OUTER)
        .order_by(DeliverySetting.id.desc())
        .paginate(page, size)
    )
    in_force = _in_force.first(client, purpose, now)
    changes = [Change(row, stage_of(row, now=now), row == in_force) for row in rows]
    return HistoryPage(changes, page, pages)


def find_change(
    client: Client, key: str, purpose: DeliveryPurpose = BILLS
) -> DeliverySetting | None:
    """The client's own change of a purpose with that key, or None."""
    return _of(client, purpose).where(DeliverySetting.key == key).first()


def find_by_hash(column: str, token_hash: str) -> DeliverySetting | None:
    """The change that a link in a letter is about; `column` is `confirm_hash` or `cancel_hash`."""
    field = getattr(DeliverySetting, column)
    rows = (
        DeliverySetting.across_clients(DeliverySetting, Client, User)
        .join(Client)
        .switch(DeliverySetting)
        .join(User, JOIN.LEFT_OUTER, on=(DeliverySetting.user == User.id))
    )
    return rows.where(field == token_hash).first()


def _of(client: Client, purpose: DeliveryPurpose) -> ModelSelect:
    return DeliverySetting.of(client).where(DeliverySetting.purpose == purpose)


@made_once
def _in_force(client: Client, purpose: DeliveryPurpose, now: datetime) -> ModelSelect:
    return (
        _of(client, purpose)
        .where(
            DeliverySetting.state == ChangeState.CONFIRMED,
            DeliverySetting.effective_at <= now,
        )
        .order_by(DeliverySetting.effective_at.desc(), DeliverySetting.id.desc())
        .limit(1)
    )
