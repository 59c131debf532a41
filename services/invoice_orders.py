"""Orders of invoices that nobody clicks: the month's own letter, after the billing run."""

import secrets
from datetime import datetime

from domain.billing.delivery import DeliveryMethod
from domain.orders import FileFormat, OrderKind
from models import Order
from models_billing import Invoice
from services import accounts, orders
from services.transactions import lock_client


def place_regular(invoice: Invoice, *, now: datetime) -> Order | None:
    """Order the letter of an invoice, to the address that stands on it, whatever the client's is by
    the time it goes. None when the client does not get its invoices by e-mail.

    Call it inside the transaction that gives the invoice out: there is a letter for each, and one.
    """
    if invoice.delivery_method != DeliveryMethod.EMAIL:
        return None
    lock_client(invoice.client)
    return Order.create(
        client=invoice.client,
        user=accounts.system_user(now=now),
        number=orders.next_number(invoice.client),
        key=secrets.token_urlsafe(12),
        draft_key=f"invoice:{invoice.id}",  # one for each, however often it is asked
        kind=OrderKind.INVOICE_REGULAR,
        params={"invoice": invoice.id, "format": FileFormat.PDF.value},
        email=invoice.delivery_email,
        created_at=now,
        due_at=now,
        next_try_at=now,
    )
