"""What orders are about, for lists and pages: days, and of invoices the document's number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from domain.orders import INVOICE_KINDS
from domain.periods import DateRange, month_of
from models import Order
from models_billing import Invoice
from services import awaited_invoices, clock
from services.billing import number_text

NUMBER = (Invoice.series, Invoice.year, Invoice.number)


@dataclass(frozen=True)
class Subject:
    """What one order is about."""

    period: DateRange
    is_month: bool = False  # a whole month, and named as such
    invoice: str = ""  # number of the document, when it is given out


def of_order(order: Order) -> Subject:
    """What one order is about."""
    return of_orders([order])[order.id]


def of_orders(orders: Iterable[Order]) -> Mapping[int, Subject]:
    """The subject of each order by its id. Documents are looked for among those of its client."""
    orders = list(orders)
    wanted = {order.params["invoice"] for order in orders if "invoice" in order.params}
    columns = (Invoice.id, Invoice.client, Invoice.period, *NUMBER)  # a content is long
    rows = Invoice.across_clients(*columns).where(Invoice.id.in_(wanted)) if wanted else ()
    documents = {(row.client_id, row.id): row for row in rows}
    return {order.id: _subject(order, documents) for order in orders}


def _subject(order: Order, documents: Mapping[tuple[int, int], Invoice]) -> Subject:
    if month := awaited_invoices.awaited_month(order):
        return Subject(month_of(month), is_month=True)
    if order.kind in INVOICE_KINDS:
        document = documents[order.client_id, order.params["invoice"]]
        number = number_text(document.series, document.year, document.number)
        return Subject(month_of(document.period), is_month=True, invoice=number)
    if "start" in order.params:
        days = (date.fromisoformat(order.params[name]) for name in ("start", "end"))
        return Subject(DateRange(*days))
    return Subject(month_of(clock.local(order.created_at).date()), is_month=True)
