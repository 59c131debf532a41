"""«Информация по рассрочке»: a client's plans as its page shows them. Making plans is
`instalments.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from models import Client
from models_billing import Instalment, InstalmentPlan, Invoice
from services import instalments, invoice_list


class Part(NamedTuple):
    """A part of a plan, and the bill on which it stands."""

    row: Instalment
    invoice: Invoice | None
    is_paid: bool

    @property
    def number(self) -> str:
        """Of the bill, as people write it; "" when the part stands on none."""
        return invoice_list.number_of(self.invoice) if self.invoice else ""


@dataclass(frozen=True)
class Told:
    """A plan with its parts. Sums are kopecks with VAT."""

    plan: InstalmentPlan
    parts: list[Part]

    @property
    def is_open(self) -> bool:
        """Whether something is still to be paid."""
        return self.plan.closed_on is None and self.remainder > 0

    @property
    def paid_parts(self) -> int:
        """How many parts are paid."""
        return sum(part.is_paid for part in self.parts)

    @property
    def paid(self) -> int:
        """The first payment and the parts that are paid."""
        paid = sum(part.row.amount for part in self.parts if part.is_paid)
        return self.plan.first_payment + paid

    @property
    def remainder(self) -> int:
        """Of the price, what is still to pay."""
        return 0 if self.plan.closed_on else self.plan.price - self.paid

    @property
    def early(self) -> int:
        """To pay at once to be done with it: what stands on no bill yet."""
        if self.plan.closed_on:
            return 0
        return sum(part.row.amount for part in self.parts if not (part.invoice or part.is_paid))

    @property
    def next(self) -> Part | None:
        """The part that is to be billed next."""
        if self.plan.closed_on:
            return None
        return next((part for part in self.parts if not (part.invoice or part.is_paid)), None)


def of_client(client: Client) -> list[Told]:
    """A client's plans, the latest first. A part is paid when its bill is."""
    settled = invoice_list.settlement_of(client).invoices
    plans = instalments.of_client(client)
    rows = {plan.id: instalments.parts_of(plan) for plan in plans}
    wanted = sorted({row.invoice_id for parts in rows.values() for row in parts if row.invoice_id})
    bills = {bill.id: bill for bill in Invoice.of(client).where(Invoice.id.in_(wanted))}
    return [
        Told(
            plan,
            [
                Part(row, bill, bill is not None and not settled[bill.id].remainder)
                for row in rows[plan.id]
                for bill in [bills.get(row.invoice_id)]
            ],
        )
        for plan in plans
    ]
