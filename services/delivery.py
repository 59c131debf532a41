"""How a client gets its invoices, now and before."""

from dataclasses import dataclass
from datetime import datetime

from domain.billing.delivery import ChangeState, DeliveryMethod
from models import Client
from models_billing import DeliverySetting


@dataclass(frozen=True)
class Delivery:
    """What holds at a moment."""

    method: DeliveryMethod
    email: str
    receiver: str = ""
    since: datetime | None = None  # None: ever since the client was added


def current(client: Client, *, now: datetime) -> Delivery:
    """What holds at `now`: the last confirmed change whose time had come, or what the client was
    added with.
    """
    row = (
        DeliverySetting.of(client)
        .where(
            DeliverySetting.state == ChangeState.CONFIRMED,
            DeliverySetting.effective_at <= now,
        )
        .order_by(DeliverySetting.effective_at.desc(), DeliverySetting.id.desc())
        .first()
    )
    if row is None:
        return Delivery(DeliveryMethod.EMAIL, client.invoice_email)
    return Delivery(DeliveryMethod(row.method), row.email, row.receiver, row.effective_at)
