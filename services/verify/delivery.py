"""Invariants of how invoices are delivered."""

from collections import Counter
from collections.abc import Iterator

from domain.billing.delivery import ChangeState
from models import Client
from models_billing import DeliverySetting, Invoice
from services import clock, delivery
from services.verify.registry import check


@check
def a_client_has_one_change_under_way() -> Iterator[str]:
    """Two could take effect one after the other, and only one of them be known of."""
    rows = DeliverySetting.across_clients().where(delivery.is_pending(clock.now()))
    for (client_id, purpose), count in Counter((r.client_id, r.purpose) for r in rows).items():
        if count > 1:
            yield f"client {client_id} has {count} changes of delivery of {purpose} under way"


@check
def a_change_of_delivery_has_the_times_of_its_state() -> Iterator[str]:
    """Confirmed ones hold from a time, not before they were confirmed; closed ones were closed."""
    for row in DeliverySetting.across_clients():
        is_confirmed = row.state == ChangeState.CONFIRMED
        if is_confirmed and not (row.confirmed_at and row.confirmed_at <= row.effective_at):
            yield f"change of delivery {row.id} is confirmed and holds from no time"
        is_closed = row.state in (ChangeState.CANCELLED, ChangeState.EXPIRED)
        if is_closed != (row.closed_at is not None):
            yield f"change of delivery {row.id} is {row.state} and was closed at {row.closed_at}"


@check
def an_invoice_was_delivered_as_it_stood() -> Iterator[str]:
    """Its address and method are those that held when it was formed. What held before a client's
    first change is not looked at: it was not written down as a change.
    """
    changed = DeliverySetting.across_clients(DeliverySetting.client).distinct()
    rows = Invoice.across_clients(Invoice, Client).join(Client)
    for invoice in rows.where(Invoice.client.in_(changed)):
        held = delivery.current(invoice.client, now=invoice.issued_at)
        on_it = (invoice.delivery_method, invoice.delivery_email)
        if held.since is not None and on_it != (held.method, held.email):
            yield f"invoice {invoice.id} was not formed with the delivery of its time"
