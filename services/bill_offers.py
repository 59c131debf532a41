"""What can be ordered of invoices, by e-mail and by a link, and when. Placing is in
`invoice_orders.py`.
"""

from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app

from config import Config
from domain.orders import OrderKind, OrderState
from domain.periods import bill_link_months, month_start
from models import Artefact, Client, Order
from models_billing import Invoice
from services import clock, closed_items, delivery

ITEMS = {OrderKind.INVOICE_EMAIL: "email_bill", OrderKind.INVOICE_LINK: "download_bill"}
LINKS_LOOKED_AT = 100  # of a client's orders by link


@dataclass(frozen=True)
class Offer:
    """A document that can be ordered. Without `invoice` it is the one of a month that has ended,
    and is still to be formed: such an order waits for it.
    """

    period: date  # first day of the month
    invoice: Invoice | None = None

    @property
    def key(self) -> str:
        """What forms call it."""
        return self.invoice.key if self.invoice else f"{self.period:%Y-%m}"


def opens_on(kind: OrderKind, *, now: datetime) -> date | None:
    """On a day on which that is not ordered the first day on which it is again; else None."""
    return closed_items.opens_on(ITEMS[kind], now=now)


def email_offers(client: Client, *, now: datetime) -> list[Offer]:
    """All documents of closed months, the newest first; while orders are closed also the month
    whose invoice is being formed.
    """
    given_out = Invoice.of(client).order_by(Invoice.period.desc(), Invoice.ordinal)
    offers = [Offer(invoice.period, invoice) for invoice in given_out]
    if opens_on(OrderKind.INVOICE_EMAIL, now=now):
        offers[:0] = _to_be_formed(client, now)
    return offers


def link_offers(client: Client, *, now: datetime) -> list[Offer]:
    """Each of the months that can be fetched by a link, with its documents, the latest first. A
    month may have none: then its offer can be ordered only while orders are closed.
    """
    months = link_months(now)
    given_out = Invoice.of(client).where(Invoice.period.in_(months)).order_by(Invoice.ordinal)
    by_month: dict[date, list[Offer]] = {month: [] for month in months}
    for invoice in given_out if months else ():
        by_month[invoice.period].append(Offer(invoice.period, invoice))
    return [offer for month, documents in by_month.items() for offer in documents or [Offer(month)]]


def can_wait_for(offer: Offer, *, now: datetime) -> bool:
    """Whether an order may wait for the invoice of this month: it is the one being formed."""
    return offer.invoice is None and offer.period == _last_month(now)


def address_of(client: Client, *, now: datetime) -> str:
    """The address that stands in the cabinet now: where an ordered invoice is sent."""
    return delivery.current(client, now=now).email or client.invoice_email


def _to_be_formed(client: Client, now: datetime) -> list[Offer]:
    month = _last_month(now)
    return [] if invoice_of(client, month) else [Offer(month)]


def _last_month(now: datetime) -> date:
    return month_start(clock.local(now).date(), 1)


def link_months(now: datetime) -> tuple[date, ...]:
    """First days of the months that can be fetched by a link, the latest first."""
    return bill_link_months(clock.local(now).date(), _config().INVOICE_LINK_MONTHS)


def invoice_of(client: Client | int, month: date) -> Invoice | None:
    """The month's invoice, or None. Not its credit notes."""
    return Invoice.of(client).where(Invoice.period == month, Invoice.ordinal == 0).first()


def live_links(client: Client, *, now: datetime) -> list[Order]:
    """The orders by link that are under way, or whose file can be fetched; the newest first."""
    links = Order.of(client).where(Order.kind == OrderKind.INVOICE_LINK)
    kept = Artefact.select(Artefact.order).where(
        Artefact.order.in_(links.select(Order.id)),
        Artefact.removed_at.is_null(),
        Artefact.expires_at > now,
    )
    is_kept = (Order.state == OrderState.AVAILABLE) & Order.id.in_(kept)
    query = links.where(Order.is_open_condition() | is_kept)
    return list(query.order_by(Order.number.desc()))


def last_links(client: Client, *, now: datetime) -> list[Order]:
    """What there is to show of orders by link: those that are live, and the last of each document
    and form when it failed. The newest first.
    """
    live = live_links(client, now=now)
    query = Order.of(client).where(
        Order.kind == OrderKind.INVOICE_LINK, Order.state != OrderState.CANCELLED
    )
    shown: dict[tuple[object, ...], Order] = {}
    for order in query.order_by(Order.number.desc()).limit(LINKS_LOOKED_AT):
        params = order.params
        shown.setdefault((params.get("invoice", params.get("month")), params["format"]), order)
    return [each for each in shown.values() if each in live or each.state == OrderState.FAILED]


def is_of(order: Order, offer: Offer) -> bool:
    """Whether an order is about that document."""
    if offer.invoice and "invoice" in order.params:
        return order.params["invoice"] == offer.invoice.id
    is_first = offer.invoice is None or not offer.invoice.ordinal
    return is_first and order.params.get("month") == offer.period.isoformat()


def _config() -> Config:
    return current_app.config["CABINET"]
