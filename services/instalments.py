"""Goods that a client pays by and by: the plan with its parts, month by month. A part stands on the
invoice of the month in which it is due.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from domain.accounts import check_detail, check_name
from domain.billing.vat import GOODS
from domain.errors import AlreadyExists, InvalidValue
from domain.money import split
from domain.periods import month_start
from models import Client, Subscriber
from models_billing import Instalment, InstalmentPlan
from services import audit
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx

MOST_MONTHS = 120
PAYERS = ("client", "employee")


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What is sold by instalments. Sums are kopecks with VAT."""

    contract_no: str
    goods: str
    price: int
    months: int
    starts_on: date  # the first part is due on it, the others on the same day of later months
    first_payment: int = 0  # paid at once, on no invoice
    serial_no: str = ""
    payer: str = "client"
    subscriber: Subscriber | None = None


def add(client: Client, purchase: Purchase, *, by: By) -> InstalmentPlan:
    """Part what is left to pay over the months, to the kopeck.

    Raises `InvalidValue` for what cannot be, `AlreadyExists` for a contract that is there.
    """
    _check(purchase)
    contract_no = check_name(purchase.contract_no)
    with write_tx():
        lock_client(client)
        if InstalmentPlan.of(client).where(InstalmentPlan.contract_no == contract_no).exists():
            raise AlreadyExists(what="contract", name=contract_no)
        plan = InstalmentPlan.create(
            client=client,
            subscriber=purchase.subscriber,
            contract_no=contract_no,
            goods=check_name(purchase.goods),
            serial_no=check_detail(purchase.serial_no),
            starts_on=purchase.starts_on,
            price=purchase.price,
            first_payment=purchase.first_payment,
            payer=purchase.payer,
            service=GOODS,
            created_at=by.now,
        )
        for ordinal, (day, amount) in enumerate(schedule(purchase), 1):
            Instalment.create(plan=plan, ordinal=ordinal, due_on=day, amount=amount)
        audit.record_by(
            AuditEventKind.INSTALMENTS_ADDED,
            by,
            client=client,
            subject=f"instalment_plan:{plan.id}",
        )
    return plan


def schedule(purchase: Purchase) -> list[tuple[date, int]]:
    """When how much is due: equal parts, the kopecks that are left over with the first ones."""
    parts = split(purchase.price - purchase.first_payment, [1] * purchase.months)
    days = (_same_day(purchase.starts_on, n) for n in range(purchase.months))
    return list(zip(days, parts, strict=True))


def of_client(client: Client) -> list[InstalmentPlan]:
    """A client's plans, the latest first."""
    plans = InstalmentPlan.of(client)
    return list(plans.order_by(InstalmentPlan.starts_on.desc(), InstalmentPlan.id.desc()))


def parts_of(plan: InstalmentPlan) -> list[Instalment]:
    """The parts of a plan in their order."""
    return list(Instalment.select().where(Instalment.plan == plan).order_by(Instalment.ordinal))


def _check(purchase: Purchase) -> None:
    if not 0 < purchase.months <= MOST_MONTHS:
        raise InvalidValue("1 to 120 months", what="months", value=purchase.months)
    if not 0 <= purchase.first_payment < purchase.price:
        raise InvalidValue("the first payment", what="first payment", value=purchase.first_payment)
    if purchase.price - purchase.first_payment < purchase.months:
        raise InvalidValue("less than a kopeck a month", what="months", value=purchase.months)
    if purchase.starts_on.year + MOST_MONTHS // 12 >= date.max.year:
        raise InvalidValue("too far", what="first day", value=purchase.starts_on)
    if purchase.payer not in PAYERS:
        raise InvalidValue("the payer", what="payer", value=purchase.payer)


def _same_day(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    first = month_start(day, -months)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))
