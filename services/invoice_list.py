"""A client's invoices as the list shows them: what is paid of each, whether it arrived, its files.
Which money pays which invoice is decided in `domain/billing/settlement.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from flask import current_app
from peewee import fn

from domain.billing.delivery import DeliveryMethod
from domain.billing.settlement import (
    Document,
    PaymentState,
    Settled,
    Settlement,
    payment_state,
    settle,
)
from domain.orders import DONE_STATES, INVOICE_KINDS, UNMAILED_KINDS, OrderState
from domain.periods import month_start
from models import Client, Order
from models_billing import Invoice, Payment
from services import artefacts
from services.billing import number_text
from services.charges import Page, page_within

MAILED_KINDS = INVOICE_KINDS - UNMAILED_KINDS


class Arrival(StrEnum):
    """What became of an invoice's letter."""

    NONE = "none"  # no letter was asked for
    BY_HAND = "by_hand"  # it is fetched, or goes another way
    UNDER_WAY = "under_way"
    SENT = "sent"
    FAILED = "failed"


class Letter(NamedTuple):
    """An invoice's letter: the last that went out, or else the last that was ordered."""

    arrival: Arrival
    at: datetime | None = None
    order_key: str = ""


class File(NamedTuple):
    """A made file that can be fetched now."""

    form: str
    order_key: str


@dataclass(frozen=True)
class Entry:
    """An invoice of the list."""

    invoice: Invoice
    settled: Settled
    state: PaymentState
    letter: Letter
    notes: list[Invoice] = field(default_factory=list)  # its credit notes
    files: list[File] = field(default_factory=list)
    is_first: bool = False  # of the client's months: nothing to compare it with


def number_of(invoice: Invoice) -> str:
    """The number of a document as people write it."""
    return number_text(invoice.series, invoice.year, invoice.number)


def settlement_of(client: Client) -> Settlement:
    """What is paid of all of a client's invoices."""
    rows = Invoice.of(client, Invoice.id, Invoice.total, Invoice.corrects).order_by(Invoice.id)
    payments = Payment.of(client, fn.SUM(Payment.amount)).scalar() or 0
    return settle([Document(*row) for row in rows.tuples()], [int(payments)])


def find_page(
    client: Client, settlement: Settlement, number: int, *, size: int, now: datetime
) -> Page[Entry]:
    """A page of the invoices, the newest first; credit notes stand with what they correct."""
    query = Invoice.of(client).where(Invoice.ordinal == 0)
    found = query.count()
    number, pages = page_within(number, found, size)
    rows = list(query.order_by(Invoice.id.desc()).paginate(number, size))
    return Page(entries_of(client, rows, settlement, now=now), number, pages, size, found)


def entries_of(
    client: Client, rows: list[Invoice], settlement: Settlement, *, now: datetime
) -> list[Entry]:
    """Invoices with all that the list says of them."""
    ids = [row.id for row in rows]
    notes: dict[int, list[Invoice]] = {}
    for note in Invoice.of(client).where(Invoice.corrects.in_(ids)).order_by(Invoice.ordinal):
        notes.setdefault(note.corrects_id, []).append(note)
    letters, files = letters_of(client, rows), files_of(client, ids, now=now)
    first = Invoice.of(client, fn.MIN(Invoice.period)).where(Invoice.ordinal == 0).scalar()
    return [
        Entry(
            row,
            settled := settlement.invoices[row.id],
            payment_state(settled, row.due_on, now.date()),
            letters[row.id],
            notes.get(row.id, []),
            files.get(row.id, []),
            row.period == first,
        )
        for row in rows
    ]


def missing_month(client: Client, today: date) -> date | None:
    """The month that has ended last, when its invoice is still to be formed: for a client that has
    had one before.
    """
    last = Invoice.of(client, fn.MAX(Invoice.period)).where(Invoice.ordinal == 0).scalar()
    ended = month_start(today, 1)
    return ended if last is not None and last < ended else None


# --- Letters and files ----------------------------------------------------------------------------


def letters_of(client: Client, rows: Iterable[Invoice]) -> Mapping[int, Letter]:
    """The letter of each invoice."""
    found = {row.id: _first_word(row) for row in rows}
    query = Order.of(client).where(
        Order.kind.in_(sorted(MAILED_KINDS)), Order.state != OrderState.CANCELLED
    )
    for order in query.order_by(Order.id):
        known = found.get(order.params.get("invoice"))
        if known is not None and (known.arrival is not Arrival.SENT or _went_out(order)):
            found[order.params["invoice"]] = _letter(order)
    return found


def _first_word(invoice: Invoice) -> Letter:
    by_mail = invoice.delivery_method == DeliveryMethod.EMAIL
    return Letter(Arrival.NONE if by_mail else Arrival.BY_HAND)


def _went_out(order: Order) -> bool:
    return order.state == OrderState.SENT


def _letter(order: Order) -> Letter:
    arrivals = {OrderState.SENT: Arrival.SENT, OrderState.FAILED: Arrival.FAILED}
    return Letter(arrivals.get(order.state, Arrival.UNDER_WAY), order.closed_at, order.key)


def files_of(client: Client, ids: Iterable[int], *, now: datetime) -> Mapping[int, list[File]]:
    """The files of invoices that can be fetched now, one of each form."""
    days = current_app.config["CABINET"].ARTEFACT_DAYS
    query = Order.of(client).where(
        Order.kind.in_(sorted(INVOICE_KINDS)),
        Order.state.in_(sorted(DONE_STATES)),
        Order.closed_at > now - timedelta(days=days),
    )
    wanted, found = set(ids), {}
    for order in query.order_by(Order.id.desc()):
        key = order.params.get("invoice"), order.params.get("format")
        if key[0] in wanted and key not in found and artefacts.find_open(order, client, now=now):
            found[key] = order.key
    files: dict[int, list[File]] = {}
    for (invoice_id, form), order_key in sorted(found.items(), key=lambda each: str(each[0][1])):
        files.setdefault(invoice_id, []).append(File(form, order_key))
    return files
