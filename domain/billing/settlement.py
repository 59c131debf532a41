"""Which invoices are paid: the rule by which money is attributed to them. Kopecks throughout.

A credit note is taken off the invoice that it corrects. What money there is pays invoices from the
oldest on, whatever a payment's purpose says; what no invoice takes is paid ahead, and pays the next
ones. So the remainders less what is paid ahead are the balance, to the kopeck.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Document(NamedTuple):
    """An invoice, or a credit note on one."""

    id: int
    total: int  # with VAT; a credit note's is less than nothing
    corrects: int | None = None  # id of the invoice that it corrects


class Settled(NamedTuple):
    """What became of an invoice's total."""

    total: int
    credited: int  # taken off by credit notes, at most the total
    paid: int

    @property
    def remainder(self) -> int:
        """Still to pay: never less than nothing."""
        return max(0, self.total - self.credited) - self.paid


@dataclass(frozen=True)
class Settlement:
    """All invoices of a client; `ahead` is money that none of them takes. Less than nothing: more
    was given back than there was.
    """

    invoices: Mapping[int, Settled]
    ahead: int

    @property
    def debt(self) -> int:
        """What is still to pay on all of them."""
        return sum(settled.remainder for settled in self.invoices.values())


def settle(documents: Sequence[Document], payments: Iterable[int]) -> Settlement:
    """Attribute payments (less than nothing: given back) to invoices in the order in which these
    were given out.

    >>> bills = [Document(1, 1000), Document(2, 500), Document(3, -200, corrects=1)]
    >>> settle(bills, [900]).invoices[1], settle(bills, [900]).invoices[2].remainder
    (Settled(total=1000, credited=200, paid=800), 400)
    """
    taken_off: dict[int, int] = {}
    for document in documents:
        if document.corrects is not None:
            taken_off[document.corrects] = taken_off.get(document.corrects, 0) - document.total
    invoices = [document for document in documents if document.corrects is None]
    owed = {each.id: each.total - taken_off.get(each.id, 0) for each in invoices}
    money = sum(payments) - sum(min(0, amount) for amount in owed.values())
    found = {}
    for each in invoices:
        paid = max(0, min(owed[each.id], money))
        money -= paid
        credited = min(taken_off.get(each.id, 0), max(0, each.total))
        found[each.id] = Settled(each.total, credited, paid)
    return Settlement(found, money)


class PaymentState(StrEnum):
    """How far an invoice is paid."""

    OPEN = "open"  # given out, nothing paid yet
    PARTLY = "partly"
    PAID = "paid"
    OVERDUE = "overdue"
    CREDITED = "credited"  # credit notes have taken all of it off
    NOTHING = "nothing"  # there was nothing to pay


def payment_state(settled: Settled, due_on: date, today: date) -> PaymentState:
    """The state of an invoice on a day: overdue from the day after the one it is due on.

    >>> due = date(2026, 4, 25)
    >>> payment_state(Settled(1000, 0, 999), due, due).value
    'partly'
    >>> payment_state(Settled(1000, 0, 999), due, date(2026, 4, 26)).value
    'overdue'
    """
    if settled.remainder == 0:
        if settled.paid:
            return PaymentState.PAID
        return PaymentState.CREDITED if settled.total > 0 else PaymentState.NOTHING
    if today > due_on:
        return PaymentState.OVERDUE
    return PaymentState.PARTLY if settled.paid else PaymentState.OPEN


def parts_of(
    settlement: Settlement, payments: Sequence[tuple[int, int]]
) -> dict[int, list[tuple[int, int]]]:
    """Which invoices each payment went to: payment's id → (invoice's id, kopecks). `payments` are
    (id, kopecks) in their order. What was given back is missing of the last ones.

    >>> settled = settle([Document(1, 1000), Document(2, 500)], [900, 400, -100])
    >>> parts_of(settled, [(7, 900), (8, 400), (9, -100)])
    {7: [(1, 900)], 8: [(1, 100), (2, 200)], 9: []}
    """
    back = -sum(amount for _id, amount in payments if amount < 0)
    left: deque[tuple[int, int]] = deque()
    for payment, amount in reversed(payments):
        taken = min(back, max(0, amount))
        back -= taken
        left.appendleft((payment, max(0, amount) - taken))
    found: dict[int, list[tuple[int, int]]] = {payment: [] for payment, _amount in payments}
    for invoice, settled in settlement.invoices.items():
        wanted = settled.paid
        while wanted and left:
            payment, amount = left.popleft()
            part = min(amount, wanted)
            wanted -= part
            if part:
                found[payment].append((invoice, part))
            if amount > part:
                left.appendleft((payment, amount - part))
    return found
