"""Placing orders of «Акт сверки»: a PDF to the address for bills, and in the cabinet."""

import secrets
from datetime import datetime

from domain.errors import PeriodOutOfRange
from domain.languages import current_language
from domain.orders import FileFormat, OrderKind
from domain.periods import DateRange
from models import Client, Order, User
from services import audit, bill_offers, clock, faults, orders, queue, space
from services.audit import AuditEventKind
from services.transactions import lock_client, write_tx


def place(
    period: DateRange, *, form_key: str, client: Client, user: User, ip: str = "", now: datetime
) -> Order:
    """Order the act of `period`. A form that is sent again returns its order.

    Raises `DomainError` when a rule says no.
    """
    today = clock.local(now).date()
    if period.end > today:
        raise PeriodOutOfRange(start=period.start, end=today)
    draft_key = f"statement:{client.id}:{form_key}"
    with write_tx():
        lock_client(client)
        if placed := Order.of(client).where(Order.draft_key == draft_key).first():
            return placed
        orders.check_limits(user, now=now)
        space.check_disk()
        space.check_quota(client)
        order = Order.create(
            client=client,
            user=user,
            number=orders.next_number(client),
            key=secrets.token_urlsafe(12),
            draft_key=draft_key,
            kind=OrderKind.STATEMENT,
            params={
                "start": period.start.isoformat(),
                "end": period.end.isoformat(),
                "format": FileFormat.PDF.value,
            },
            email=bill_offers.address_of(client, now=now),
            language=current_language(),
            created_at=now,
            due_at=now,
            next_try_at=now,
        )
        subject = f"order:{order.id}"
        told = {"now": now, "user": user, "client": client, "subject": subject, "ip": ip}
        audit.record(AuditEventKind.ORDER_PLACED, **told)
        faults.reach("order.placing")
    faults.reach("order.placed")
    queue.hint(order.id)
    faults.reach("order.hinted")
    return order
