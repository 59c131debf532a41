"""Closed months as the operator looks at them: how many invoices there are, and who has none."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from peewee import fn

from domain.periods import month_start
from models import Client, ImportRun
from models_billing import BillingFailure, BillingRequest, BillingRun, Invoice
from services import clock

MONTHS_SHOWN = 12


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
