"""«Платежи»: what a client has paid, with the bills that each payment went to, and how its account
stands. Putting payments down is `payments.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from peewee import ModelSelect, fn

from domain.billing.settlement import Settlement, parts_of
from domain.periods import month_start
from models import Client
from models_billing import Invoice, Payment
from services import invoice_list
from services.charges import Page, page_within

UNPAID_NAMED = 3  # a purpose of payment has little room


@dataclass(frozen=True)
class Wanted:
    """Which payments are asked for; None and "": all."""

    start: date | None = None
    end: date | None = None
    method: str = ""

    def query(self, client: Client, *columns: object) -> ModelSelect:
        """The client's payments of the choice."""
        query = Payment.of(client, *columns)
        if self.start:
            query = query.where(Payment.paid_on >= self.start)
        if self.end:
            query = query.where(Payment.paid_on <= self.end)
        return query.where(Payment.method == self.method) if self.method else query


class Part(NamedTuple):
    """So much of a payment went to a bill."""

    invoice: Invoice
    amount: int

    @property
    def number(self) -> str:
        """Of the bill, as people write it."""
        return invoice_list.number_of(self.invoice)


@dataclass(frozen=True)
class Entry:
    """A payment of the list. `ahead`: what of it no bill has taken yet."""

    payment: Payment
    parts: list[Part] = field(default_factory=list)

    @property
    def ahead(self) -> int:
        """Kopecks that wait for the next bill."""
        return max(0, self.payment.amount - sum(part.amount for part in self.parts))


@dataclass(frozen=True)
class Standing:
    """How the account stands on a day: kopecks, debts above nothing."""

    opening: int  # on the 1st
    received: int  # since
    to_pay: int  # on all bills
    ahead: int
    overdue: int
    due_on: date | None  # of the bill that is to be paid next

    @property
    def owed(self) -> int:
        """By bills and payments; less than nothing: paid ahead."""
        return self.opening - self.received


def standing_of(client: Client, settlement: Settlement, today: date) -> Standing:
    """What stands on the first lines of the page."""
    first = month_start(today)
    charged = Invoice.of(client, fn.SUM(Invoice.total)).scalar() or 0
    sums = Payment.of(client, fn.SUM(Payment.amount))
    before = int(sums.where(Payment.paid_on < first).scalar() or 0)
    since = int(sums.where(Payment.paid_on >= first).scalar() or 0)
    left = {key: each.remainder for key, each in settlement.invoices.items() if each.remainder}
    dues = {row.id: row.due_on for row in _invoices(client, left)}
    return Standing(
        opening=int(charged) - before,
        received=since,
        to_pay=settlement.debt,
        ahead=settlement.ahead,
        overdue=sum(amount for key, amount in left.items() if dues[key] < today),
        due_on=min((day for day in dues.values() if day >= today), default=None),
    )


def find_page(client: Client, wanted: Wanted, number: int, *, size: int) -> Page[Entry]:
    """A page of the choice, the latest first."""
    found = wanted.query(client).count()
    number, pages = page_within(number, found, size)
    rows = list(_ordered(wanted.query(client)).paginate(number, size))
    return Page(_entries(client, rows), number, pages, size, found)


def entries_of(client: Client, wanted: Wanted) -> list[Entry]:
    """The whole choice, the latest first."""
    return _entries(client, list(_ordered(wanted.query(client))))


def total_of(client: Client, wanted: Wanted) -> int:
    """What the whole choice comes to."""
    return int(wanted.query(client, fn.SUM(Payment.amount)).scalar() or 0)


def _ordered(query: ModelSelect) -> ModelSelect:
    return query.order_by(Payment.paid_on.desc(), Payment.id.desc())


def _entries(client: Client, rows: list[Payment]) -> list[Entry]:
    """Payments with their bills. Which money pays which bill is known of all of it only."""
    every = Payment.of(client, Payment.id, Payment.amount).order_by(Payment.paid_on, Payment.id)
    parts = parts_of(invoice_list.settlement_of(client), list(every.tuples()))
    wanted = {invoice for row in rows for invoice, _amount in parts.get(row.id, ())}
    invoices = {invoice.id: invoice for invoice in _invoices(client, wanted)}
    return [
        Entry(row, [Part(invoices[key], amount) for key, amount in parts.get(row.id, ())])
        for row in rows
    ]


def _invoices(client: Client, ids: Iterable[int]) -> list[Invoice]:
    wanted, found = sorted(ids), []
    for n in range(0, len(wanted), 500):
        found.extend(Invoice.of(client).where(Invoice.id.in_(wanted[n : n + 500])))
    return found


def unpaid_numbers(client: Client, settlement: Settlement) -> list[str]:
    """Numbers of the bills that are not paid, the oldest first; of many the first few."""
    left = [key for key, each in settlement.invoices.items() if each.remainder][:UNPAID_NAMED]
    return [invoice_list.number_of(row) for row in sorted(_invoices(client, left), key=_id)]


def _id(invoice: Invoice) -> int:
    return invoice.id
