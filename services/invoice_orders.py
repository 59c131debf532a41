"""Placing orders of invoices, and of the month's own letter, which nobody clicks. What can be
ordered is in `bill_offers.py`, those that wait for an invoice are in `awaited_invoices.py`.
"""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from domain.billing.delivery import DeliveryMethod
from domain.errors import BillNotFormed, BillNotOffered, OrdersClosed
from domain.languages import current_language, first_known
from domain.orders import FileFormat, OrderKind
from domain.periods import DateRange
from models import Client, Order, User
from models_billing import Invoice
from services import (
    accounts,
    audit,
    awaited_invoices,
    bill_offers,
    clock,
    faults,
    orders,
    queue,
    space,
)
from services.audit import AuditEventKind
from services.bill_offers import Offer
from services.transactions import lock_client, write_tx


@dataclass(frozen=True)
class BillRequest:
    """Documents as asked for by one form. `form_key` is the form's own: sent twice, it is one
    request. `is_deferred`: «выполнить, когда счета будут сформированы».
    """

    kind: OrderKind
    documents: Collection[str]  # keys of offers
    file_format: FileFormat
    form_key: str
    is_deferred: bool = False


@dataclass(frozen=True)
class Placed:
    """What came of a request. `is_changed`: its form was sent before, for something else."""

    orders: list[Order]
    is_changed: bool = False


# --- Placing --------------------------------------------------------------------------------------


def place(
    request: BillRequest, *, client: Client, user: User, ip: str = "", now: datetime
) -> Placed:
    """An order for each document, all or none. A form that is sent again returns its orders, and a
    link that is being made, or can be fetched, is not made again.

    Raises `DomainError` when a rule says no.
    """
    with write_tx():
        lock_client(client)
        if before := _placed_by(request, client):
            return Placed(before, is_changed=not _are_for(before, request))
        due_at = _due_at(request, now)
        space.check_disk()
        space.check_quota(client)
        placing = _Placing(request, client, user, due_at, ip, now)
        placed = [placing.live_or_new(key, offer) for key, offer in placing.offers().items()]
        faults.reach("order.placing")
    faults.reach("order.placed")
    for order in placed:
        if order.next_try_at <= now:
            queue.hint(order.id)
    faults.reach("order.hinted")
    return Placed(placed)


def _due_at(request: BillRequest, now: datetime) -> datetime:
    """Now, or the beginning of the first open day for what may wait for it."""
    opens = bill_offers.opens_on(request.kind, now=now)
    if opens is None:
        return now
    if not request.is_deferred:
        raise OrdersClosed(opens=opens)
    return DateRange(opens, opens).bounds(clock.zone())[0]


def _placed_by(request: BillRequest, client: Client) -> list[Order]:
    by_form = Order.draft_key.startswith(_draft_key(request, client, ""))
    return list(Order.of(client).where(by_form).order_by(Order.number))


def _draft_key(request: BillRequest, client: Client, document: str) -> str:
    return f"bill:{client.id}:{request.form_key}:{document}"


def _are_for(placed: Iterable[Order], request: BillRequest) -> bool:
    documents = {order.draft_key.rpartition(":")[2] for order in placed}
    formats = {order.params["format"] for order in placed}
    return documents == set(request.documents) and formats == {request.file_format.value}


def _month_of_key(key: str) -> date:
    try:
        return datetime.strptime(key, "%Y-%m").date()  # noqa: DTZ007 - a month of the calendar
    except ValueError as error:
        raise BillNotOffered(key) from error


@dataclass(frozen=True)
class _Placing:
    """A request under way, inside its transaction."""

    request: BillRequest
    client: Client
    user: User
    due_at: datetime
    ip: str
    now: datetime

    @property
    def _is_link(self) -> bool:
        return self.request.kind == OrderKind.INVOICE_LINK

    def offers(self) -> dict[str, Offer]:
        """What is asked for, by the keys it was asked by: each document once."""
        found: dict[str, Offer] = {}
        for key in self.request.documents:
            offer = self._find(key)
            if offer not in found.values():
                found[key] = offer
        return found

    def _find(self, key: str) -> Offer:
        """The client's own document, of a month that may be ordered. A month whose invoice has been
        formed since the form was drawn is that invoice.
        """
        invoice = Invoice.of(self.client).where(Invoice.key == key).first()
        if invoice is None:
            month = _month_of_key(key)
            invoice = bill_offers.invoice_of(self.client, month)
        offer = Offer(invoice.period, invoice) if invoice else Offer(month)
        if self._is_link and offer.period not in bill_offers.link_months(self.now):
            raise BillNotOffered(key)
        if invoice is None and not bill_offers.can_wait_for(offer, now=self.now):
            raise BillNotOffered(key)
        if invoice is None and not self.request.is_deferred:
            raise BillNotFormed(key)
        return offer

    def live_or_new(self, key: str, offer: Offer) -> Order:
        """The order by link that there is already, or a new one."""
        if self._is_link and (order := self._find_live(offer)):
            return order
        orders.check_limits(self.user, now=self.now)
        order = self._create(key, offer)
        audit.record(
            AuditEventKind.ORDER_PLACED,
            now=self.now,
            user=self.user,
            client=self.client,
            subject=f"order:{order.id}",
            ip=self.ip,
        )
        return order

    def _find_live(self, offer: Offer) -> Order | None:
        same_form = (
            order
            for order in bill_offers.live_links(self.client, now=self.now)
            if order.params["format"] == self.request.file_format
        )
        return next((order for order in same_form if bill_offers.is_of(order, offer)), None)

    def _create(self, key: str, offer: Offer) -> Order:
        params: dict[str, object] = {"format": self.request.file_format.value}
        next_try_at = self.due_at
        if offer.invoice:
            params["invoice"] = offer.invoice.id
        else:  # whoever forms the invoice brings the next try forward
            params["month"] = offer.period.isoformat()
            next_try_at += awaited_invoices.longest_wait()
        return Order.create(
            client=self.client,
            user=self.user,
            number=orders.next_number(self.client),
            key=secrets.token_urlsafe(12),
            draft_key=_draft_key(self.request, self.client, key),
            kind=self.request.kind,
            params=params,
            email="" if self._is_link else bill_offers.address_of(self.client, now=self.now),
            language=current_language(),
            created_at=self.now,
            due_at=self.due_at,
            next_try_at=next_try_at,
        )


# --- The month's own letter -----------------------------------------------------------------------


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
        language=first_known(invoice.client.language),
        created_at=now,
        due_at=now,
        next_try_at=now,
    )
