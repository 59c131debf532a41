"""«Информация по рассрочке»: a client's plans as its page shows them. Making plans is
`instalments.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from domain.billing.instalments import PlanEnd
from models import Client
from models_billing import Instalment, InstalmentPlan, Invoice
from services import instalments, invoice_list
from services.transactions import read_tx


class PartState(StrEnum):
    """How it stands with a part."""

    PAID = "paid"
    BILLED = "billed"  # not paid
    OPEN = "open"  # on no bill yet
    BY_SCHEDULE = "by_schedule"  # an employee's, whose day has come: nobody tells us more
    TO_COME = "to_come"  # an employee's
    OFF = "off"  # of a plan called off: never to be paid


class Part(NamedTuple):
    """A part of a plan, and the bill on which it stands."""

    row: Instalment
    invoice: Invoice | None
    state: PartState

    @property
    def is_paid(self) -> bool:
        """Paid by its bill, or by schedule."""
        return self.state in {PartState.PAID, PartState.BY_SCHEDULE}

    @property
    def is_ahead(self) -> bool:
        """Whether it is still to be billed, or to come due."""
        return self.state in {PartState.OPEN, PartState.TO_COME}

    @property
    def left(self) -> int:
        """What of it is still to be paid."""
        return 0 if self.is_paid or self.state == PartState.OFF else self.row.amount

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
    def by_schedule(self) -> bool:
        """An employee pays it, past the bills: what is paid is told by the days alone."""
        return self.plan.payer == instalments.EMPLOYEE

    @property
    def is_repaid(self) -> bool:
        """Ended by early repayment: what was left is one sum."""
        return self.plan.closed_as == PlanEnd.REPAID

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
        """What is still to pay: of a plan called off, what stands on bills."""
        return sum(part.left for part in self.parts)

    @property
    def early(self) -> int:
        """To pay at once to be done with it: what stands on no bill yet."""
        if self.plan.closed_on:
            return 0
        return sum(part.row.amount for part in self.parts if part.is_ahead)

    @property
    def next(self) -> Part | None:
        """The part that is to be billed next, or to come due next; none of a plan that ended."""
        if self.plan.closed_on:
            return None
        return next((part for part in self.parts if part.is_ahead), None)


@dataclass(frozen=True)
class Company:
    """What the company itself has to pay: nothing of what employees do."""

    remainder: int
    early: int


def company_of(plans: Sequence[Told]) -> Company:
    """The sums of a client's plans."""
    own = [told for told in plans if not told.by_schedule]
    return Company(sum(told.remainder for told in own), sum(told.early for told in own))


def of_client(client: Client, today: date) -> list[Told]:
    """A client's plans, the latest first. A part is paid when its bill is; one that an employee
    pays counts as paid from its day on.
    """
    with read_tx():  # a bill may be formed meanwhile
        plans = instalments.of_client(client)
        rows = {plan.id: instalments.parts_of(plan) for plan in plans}
        wanted = {row.invoice_id for parts in rows.values() for row in parts if row.invoice_id}
        bills = {bill.id: bill for bill in Invoice.of(client).where(Invoice.id.in_(sorted(wanted)))}
        settled = invoice_list.settlement_of(client).invoices
    return [
        Told(
            plan,
            [
                Part(row, bill, _state(plan, row, today, bill and settled[bill.id].remainder))
                for row in rows[plan.id]
                for bill in [bills.get(row.invoice_id)]
            ],
        )
        for plan in plans
    ]


def find(client: Client, plan_id: int, today: date) -> Told | None:
    """One of them."""
    return next((told for told in of_client(client, today) if told.plan.id == plan_id), None)


def _state(plan: InstalmentPlan, row: Instalment, today: date, owed: int | None) -> PartState:
    """`owed`: what is left of its bill; None: it stands on none."""
    if owed is not None:
        return PartState.BILLED if owed else PartState.PAID
    is_off = plan.closed_on is not None and plan.closed_as != PlanEnd.REPAID
    if is_off and instalments.is_ahead(plan, row, plan.closed_on):
        return PartState.OFF
    if plan.payer != instalments.EMPLOYEE:
        return PartState.OPEN
    return PartState.TO_COME if row.due_on > today else PartState.BY_SCHEDULE
