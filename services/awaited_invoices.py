"""Orders that wait for the invoice of a month that is still to be formed. Each is given it in the
transaction that forms it; one that waits in vain is closed with a reason, and can be tried again.
"""

from datetime import date, datetime, timedelta

from flask import current_app

from domain.errors import BillNotFormed
from domain.orders import INVOICE_KINDS, OPEN_STATES
from models import Order
from models_billing import Invoice
from services import bill_offers, claims
from services.claims import Claim


def awaited_month(order: Order) -> date | None:
    """The month whose invoice the order waits for; None when it knows its document."""
    if order.kind not in INVOICE_KINDS or "invoice" in order.params:
        return None
    return date.fromisoformat(order.params["month"])


def gives_up_at(order: Order) -> datetime:
    """When an order that waits for an invoice is closed without it."""
    return order.due_at + longest_wait()


def give_to_waiting(invoice: Invoice, *, now: datetime) -> None:
    """Inside the transaction that gives an invoice out, with the client's lock: the orders that
    wait for it are about it from now on, and are carried out as soon as their day comes.
    """
    waiting = Order.of(invoice.client_id).where(
        Order.kind.in_(INVOICE_KINDS), Order.state.in_(OPEN_STATES)
    )
    for order in waiting:
        if awaited_month(order) == invoice.period:
            Order.update(
                params={**order.params, "invoice": invoice.id},
                next_try_at=max(now, order.due_at),
            ).where(Order.id == order.id).execute()


def find_document(claim: Claim) -> None:
    """Before its file is made: let an order that waits have its invoice, if there is one by now.

    Whoever forms an invoice tells those who wait, so this is for one that is tried again after its
    time, or was waited for in vain: then `BillNotFormed`.
    """
    order = claim.order()
    month = awaited_month(order)
    if month is None:
        return
    invoice = bill_offers.invoice_of(order.client_id, month)
    if invoice is None:
        raise BillNotFormed
    with claims.holding(claim):
        Order.update(params={**order.params, "invoice": invoice.id}).where(
            Order.id == order.id
        ).execute()


def longest_wait() -> timedelta:
    """How long an order waits for an invoice after the day on which it could be carried out."""
    return timedelta(days=current_app.config["CABINET"].INVOICE_WAIT_DAYS)
