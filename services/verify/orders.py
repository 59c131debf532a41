"""Invariants of orders, their files and their letters."""

from collections.abc import Iterator

from peewee import JOIN, ModelSelect, fn

from domain.orders import (
    FINAL_STATES,
    INVOICE_KINDS,
    OPEN_STATES,
    UNMAILED_KINDS,
    MailState,
    OrderState,
)
from models import Artefact, Mail, Notice, Order, OrderSubscriber, Subscriber
from models_billing import Invoice
from services import artefacts, awaited_invoices
from services.scopes import BY_NUMBER
from services.verify.registry import check

WAITING_STATES = frozenset(  # of an order whose invoice is not formed
    {
        OrderState.ACCEPTED,
        OrderState.RETRY_WAIT,
        OrderState.UNCONFIRMED,  # held when a backup was put back
        OrderState.FAILED,
        OrderState.CANCELLED,
    }
)


def _orders(*fields: object) -> ModelSelect:
    return Order.across_clients(*fields)


@check
def a_sent_order_has_one_sent_letter() -> Iterator[str]:
    """Not none, and not two; and a letter that went out belongs to an order that says so."""
    sent = (
        _orders(Order.id, Order.state, fn.COUNT(Mail.id))
        .join(Mail, JOIN.LEFT_OUTER, on=(Mail.order == Order.id) & (Mail.state == MailState.SENT))
        .group_by(Order.id, Order.state)
    )
    for order_id, state, letters in sent.tuples():
        if letters != (state == OrderState.SENT):
            yield f"order {order_id} is {state} and has {letters} sent letters"


@check
def an_order_is_about_numbers_of_its_client() -> Iterator[str]:
    """At least one, and all of them the client's. Bills and acts are about no numbers."""
    counted = (
        _orders(Order.id, fn.COUNT(OrderSubscriber.subscriber))
        .join(OrderSubscriber, JOIN.LEFT_OUTER, on=OrderSubscriber.order == Order.id)
        .where(Order.kind.in_(BY_NUMBER))
        .group_by(Order.id)
        .having(fn.COUNT(OrderSubscriber.subscriber) == 0)
    )
    for order_id, _ in counted.tuples():
        yield f"order {order_id} is about no number"
    foreign = (
        _orders(Order.id, Subscriber.id)
        .join(OrderSubscriber, on=OrderSubscriber.order == Order.id)
        .join(Subscriber, on=OrderSubscriber.subscriber == Subscriber.id)
        .where(Subscriber.client != Order.client)
    )
    for order_id, subscriber_id in foreign.tuples():
        yield f"order {order_id} is about subscriber {subscriber_id} of another client"


@check
def an_order_of_an_invoice_is_about_one_of_its_client() -> Iterator[str]:
    """What it names is there, and nobody else's; one that waited has got the month it waited for,
    and none is under way before it has.
    """
    fields = (Invoice.id, Invoice.client, Invoice.period)
    known = {row[0]: row[1:] for row in Invoice.across_clients(*fields).tuples()}
    for order in _orders().where(Order.kind.in_(INVOICE_KINDS)):
        month = awaited_invoices.awaited_month(order)
        if month is not None:
            if order.state not in WAITING_STATES:
                yield f"order {order.id} is {order.state} and waits for an invoice"
            continue
        owner, period = known.get(order.params["invoice"], (None, None))
        if owner != order.client_id:
            yield f"order {order.id} is about no invoice of its client"
        elif order.params.get("month", period.isoformat()) != period.isoformat():
            yield f"order {order.id} is about the invoice of another month"


@check
def nobody_waits_for_an_invoice_that_is_there() -> Iterator[str]:
    """Whoever waits is given it when it is formed."""
    formed = set(
        Invoice.across_clients(Invoice.client, Invoice.period).where(Invoice.ordinal == 0).tuples()
    )
    for order in _orders().where(Order.kind.in_(INVOICE_KINDS), Order.is_open_condition()):
        if (order.client_id, awaited_invoices.awaited_month(order)) in formed:
            yield f"order {order.id} waits for an invoice that is there"


@check
def what_is_not_mailed_ends_as_a_file() -> Iterator[str]:
    """And nothing else does: the state says where the document is to be found."""
    odd = (
        _orders(Order.id, Order.state, Order.kind, Artefact.id)
        .join(Artefact, JOIN.LEFT_OUTER, on=Artefact.order == Order.id)
        .where(Order.state.in_((OrderState.SENT, OrderState.AVAILABLE)))
    )
    for order_id, state, kind, artefact_id in odd.tuples():
        is_available = state == OrderState.AVAILABLE
        if is_available != (kind in UNMAILED_KINDS) or (is_available and artefact_id is None):
            yield f"order {order_id}, {kind}, is {state} with file {artefact_id}"


@check
def orders_of_a_client_are_numbered_without_gaps() -> Iterator[str]:
    """From one to as many as there are."""
    counted = _orders(
        Order.client, fn.COUNT(Order.id), fn.MIN(Order.number), fn.MAX(Order.number)
    ).group_by(Order.client)
    for client_id, count, first, last in counted.tuples():
        if (first, last) != (1, count):
            yield f"client {client_id} has {count} orders numbered {first} to {last}"


@check
def a_finished_order_is_held_by_nobody() -> Iterator[str]:
    """No lease, and a time at which it was closed."""
    held = _orders(Order.id, Order.state).where(
        Order.state.in_(FINAL_STATES),
        Order.lease_until.is_null(is_null=False) | Order.closed_at.is_null(),
    )
    for order_id, state in held.tuples():
        yield f"order {order_id} is {state} and still held, or was never closed"


@check
def an_open_order_is_not_closed() -> Iterator[str]:
    """What is still to be done has no closing time, and a next try not before its promise."""
    odd = _orders(Order.id, Order.state).where(
        Order.state.in_(OPEN_STATES),
        Order.closed_at.is_null(is_null=False) | (Order.next_try_at < Order.due_at),
    )
    for order_id, state in odd.tuples():
        yield f"order {order_id} is {state} and closed, or to be tried before its time"


@check
def a_made_file_is_whole() -> Iterator[str]:
    """Each file that has not been removed is there, with the digest written down."""
    for artefact in Artefact.select().where(Artefact.removed_at.is_null()):
        if not artefacts.is_whole(artefact):
            yield f"the file {artefact.path} is missing or changed"


@check
def a_letter_is_frozen_under_its_own_id() -> Iterator[str]:
    """The Message-ID names the order; bytes that are not sent and not over are there."""
    for mail in Mail.select(Mail, Order).join(Order):
        if mail.order.key not in mail.message_id:
            yield f"mail {mail.id} has the Message-ID of another order"
        waits = mail.state == MailState.READY and mail.path
        if waits and not (artefacts.folder() / mail.path).is_file():
            yield f"mail {mail.id} is ready and its bytes are gone"


@check
def a_notice_is_open_or_over() -> Iterator[str]:
    """What went has its time and nobody's lease; what waits a next try; what failed a reason."""
    for notice in Notice.across_clients():
        is_sent = notice.state == MailState.SENT
        if is_sent != (notice.sent_at is not None):
            yield f"notice {notice.id} is {notice.state} and was sent at {notice.sent_at}"
        if notice.next_try_at is None and (notice.lease_until or not (is_sent or notice.reason)):
            yield f"notice {notice.id} is over, and held by somebody or without a reason"
        if notice.next_try_at is not None and notice.state in (MailState.SENT, MailState.FAILED):
            yield f"notice {notice.id} is {notice.state} and to be tried again"
