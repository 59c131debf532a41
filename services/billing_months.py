"""Closed months as the operator looks at them: how many invoices there are, who has none, and which
documents go to their clients in another way than by e-mail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from peewee import ModelSelect, fn

from domain.billing.delivery import DeliveryMethod
from domain.periods import month_start
from models import Client, ImportRun
from models_billing import BillingFailure, BillingRequest, BillingRun, Invoice
from services import clock, delivery, invoice_list
from services.delivery import Delivery

MONTHS_SHOWN = 12
HANDOUTS_PER_PAGE = 50


@dataclass(frozen=True)
class BillingMonth:
    """One month."""

    first: date
    invoices: int
    total: int  # kopecks of them
    failures: int  # clients that could not be billed when it was tried last
    clients: int  # of all
    last: BillingRun | None


@dataclass(frozen=True)
class Attempt:
    """Something that was done about a month: by a page (then `request` is there) or a command."""

    at: datetime
    request: BillingRequest | None
    run: BillingRun | None
    formed: int
    known: int
    failed: int


@dataclass(frozen=True)
class Handout:
    """A document that no letter brings to its client."""

    invoice: Invoice
    number: str
    delivery: Delivery


@dataclass(frozen=True)
class HandoutsPage:
    """Those of a month by client; `counts` are of all, by method."""

    rows: list[Handout]
    counts: dict[DeliveryMethod, int]
    method: DeliveryMethod | None
    page: int
    pages: int


def months(today: date) -> list[BillingMonth]:
    """The last closed months, the newest first: from the first call or invoice on."""
    closed = [month_start(today, back) for back in range(1, MONTHS_SHOWN + 1)]
    first = _first_known()
    return [one(month) for month in closed if month == closed[0] or (first and month >= first)]


def _first_known() -> date | None:
    """The first month that something is known of."""
    read_in = ImportRun.select(fn.MIN(ImportRun.first_at)).scalar()
    known = [
        Invoice.across_clients(fn.MIN(Invoice.period)).scalar(),
        BillingRun.select(fn.MIN(BillingRun.period)).scalar(),
        month_start(clock.local(datetime.fromtimestamp(read_in, UTC)).date()) if read_in else None,
    ]
    return min(filter(None, known), default=None)


def one(month: date) -> BillingMonth:
    """A month by its first day."""
    given = Invoice.across_clients(fn.COUNT(Invoice.id), fn.SUM(Invoice.total))
    count, total = given.where(Invoice.period == month, Invoice.ordinal == 0).tuples().get()
    failures = BillingFailure.across_clients().where(BillingFailure.period == month).count()
    clients = Client.select().count()
    runs = BillingRun.select().where(BillingRun.period == month).order_by(BillingRun.id.desc())
    return BillingMonth(month, count, int(total or 0), failures, clients, runs.first())


def attempts(month: date, limit: int = 20) -> list[Attempt]:
    """What was done about a month, the latest first."""
    return sorted(_attempts(month), key=lambda each: each.at, reverse=True)[:limit]


def _attempts(month: date) -> Iterator[Attempt]:
    asked = list(BillingRequest.select().where(BillingRequest.period == month))
    for row in asked:
        yield Attempt(row.asked_at, row, row.run, row.formed, row.known, row.failed)
    by_page = {row.run_id for row in asked}
    for run in BillingRun.select().where(BillingRun.period == month):
        if run.id not in by_page:
            yield Attempt(run.started_at, None, run, run.formed, run.known, run.failed)


# --- «Выдать на руки» -----------------------------------------------------------------------------


def handout_counts(month: date) -> dict[DeliveryMethod, int]:
    """How many documents of a month go in another way than by e-mail, by method."""
    rows = _handouts(month).select(Invoice.delivery_method, fn.COUNT(Invoice.id))
    counts = dict(rows.group_by(Invoice.delivery_method).tuples())
    return {method: counts[method] for method in DeliveryMethod if method in counts}


def handouts_page(month: date, method: DeliveryMethod | None, page: int) -> HandoutsPage:
    """They themselves, of one method or of all. A page beyond the last is the last."""
    counts = handout_counts(month)
    found = counts.get(method, 0) if method else sum(counts.values())
    pages = max(1, -(-found // HANDOUTS_PER_PAGE))
    page = min(max(page, 1), pages)
    query = _handouts(month).select(Invoice, Client).join(Client)
    if method:
        query = query.where(Invoice.delivery_method == method)
    query = query.order_by(Client.name, Client.id, Invoice.id).paginate(page, HANDOUTS_PER_PAGE)
    invoices = list(query)
    told = delivery.of_invoices(invoices)
    rows = [Handout(row, invoice_list.number_of(row), told[row.id]) for row in invoices]
    return HandoutsPage(rows, counts, method, page, pages)


def _handouts(month: date) -> ModelSelect:
    return Invoice.across_clients().where(
        Invoice.period == month, Invoice.delivery_method != DeliveryMethod.EMAIL
    )
