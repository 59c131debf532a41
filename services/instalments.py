"""Goods that a client pays by and by: the plan with its parts, month by month. A part stands on the
invoice of the month in which it is due; of a plan that an employee pays, on none. A plan may end
before its last part.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from flask import current_app
from peewee import ModelSelect

from domain.accounts import check_detail, check_name
from domain.billing.instalments import PlanEnd
from domain.billing.vat import GOODS
from domain.errors import AlreadyExists, InvalidValue, NotFound, NothingToEnd, PlanEnded
from domain.money import split
from domain.periods import month_start
from models import Client, Subscriber
from models_billing import Instalment, InstalmentPlan
from services import audit, clock, import_turns
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx

MOST_MONTHS = 120
EMPLOYEE = "employee"
PAYERS = ("client", EMPLOYEE)


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

    Raises `InvalidValue` for what cannot be, `AlreadyExists` for a contract that is there, and
    `PlanEnded` for one that has ended: what is sold anew has a number of its own.
    """
    values = checked(purchase)
    with write_tx():
        lock_client(client)
        if known := _with_contract(client, purchase.contract_no).first():
            if known.closed_on is not None:
                raise PlanEnded(day=known.closed_on)
            raise AlreadyExists(what="contract", name=values["contract_no"])
        plan = InstalmentPlan.create(client=client, created_at=by.now, **values)
        for ordinal, (day, amount) in enumerate(schedule(purchase), 1):
            Instalment.create(plan=plan, ordinal=ordinal, due_on=day, amount=amount)
        note_added(plan, by)
    return plan


def end(client: Client, plan_id: int, how: PlanEnd, on: date, *, by: By) -> list[Instalment]:
    """End a plan on a day, and give the parts that are left: of one that is repaid the sum of what
    stood on no invoice, due on that day; of one called off those that are never billed. What
    stands on invoices stays as it is; of a plan that an employee pays, what was due by the day.

    Raises `NotFound`, `InvalidValue` for a day to come or before the plan, `PlanEnded`,
    `NothingToEnd`, and `ImportsBusy` while invoices are formed: then nobody knows yet which parts
    stand on them.
    """
    if on > clock.local(by.now).date():
        raise InvalidValue("a day to come", what="date", value=on)
    data_dir = current_app.config["CABINET"].data_dir
    with import_turns.one_at_a_time(data_dir, import_turns.do_not_wait), write_tx():
        lock_client(client)
        plan = InstalmentPlan.of(client).where(InstalmentPlan.id == plan_id).first()
        if plan is None:
            raise NotFound(what="contract", name=str(plan_id))
        if plan.closed_on is not None:
            raise PlanEnded(day=plan.closed_on)
        if on < min(plan.starts_on, clock.local(plan.created_at).date()):
            raise InvalidValue("before the plan", what="last day", value=on)
        parts = [part for part in parts_of(plan) if is_ahead(plan, part, on)]
        if not parts:
            raise NothingToEnd
        plan.closed_on, plan.closed_as = on, how
        plan.save(only=[InstalmentPlan.closed_on, InstalmentPlan.closed_as])
        told = {"how": how, "day": on.isoformat(), "parts": len(parts)}
        if how is PlanEnd.REPAID:
            parts = [_made_one(parts, on)]
        kopecks = sum(part.amount for part in parts)
        _note(AuditEventKind.INSTALMENTS_ENDED, plan, by, **told, kopecks=kopecks)
    return parts


def is_ahead(plan: InstalmentPlan, part: Instalment, day: date) -> bool:
    """Whether a part is still to be billed, or to come due on a plan that an employee pays."""
    return part.due_on > day if plan.payer == EMPLOYEE else part.invoice_id is None


def find(client: Client, contract_no: str) -> InstalmentPlan:
    """A client's plan by its contract; raises `NotFound`."""
    plan = _with_contract(client, contract_no).first()
    if plan is None:
        raise NotFound(what="contract", name=contract_no)
    return plan


def find_by_id(client: Client, plan_id: int) -> InstalmentPlan | None:
    """A plan of this client."""
    return InstalmentPlan.of(client).where(InstalmentPlan.id == plan_id).first()


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


def checked(purchase: Purchase) -> dict[str, object]:
    """A purchase as its row holds it; raises `InvalidValue` for what cannot be."""
    _check(purchase)
    return {
        "subscriber": purchase.subscriber,
        "contract_no": check_name(one_line(purchase.contract_no)),
        "goods": check_name(purchase.goods),
        "serial_no": check_detail(purchase.serial_no),
        "starts_on": purchase.starts_on,
        "price": purchase.price,
        "first_payment": purchase.first_payment,
        "payer": purchase.payer,
        "service": GOODS,
    }


def note_added(plan: InstalmentPlan, by: By) -> None:
    """Write down who has put a plan down."""
    _note(AuditEventKind.INSTALMENTS_ADDED, plan, by)


def _with_contract(client: Client, contract_no: str) -> ModelSelect:
    names = {contract_no.strip(), one_line(contract_no)}
    return InstalmentPlan.of(client).where(InstalmentPlan.contract_no.in_(sorted(names)))


def one_line(text: str) -> str:
    """A contract's number as it is compared: spaces of any kind and number are one."""
    return " ".join(text.split())


def _made_one(parts: list[Instalment], on: date) -> Instalment:
    """Parts as one with the sum of all, due on a day, or when the first was that is late."""
    one, *others = parts
    one.due_on, one.amount = min(on, one.due_on), sum(part.amount for part in parts)
    one.save(only=[Instalment.due_on, Instalment.amount])
    Instalment.delete().where(Instalment.id.in_([part.id for part in others])).execute()
    return one


def _note(kind: AuditEventKind, plan: InstalmentPlan, by: By, **told: object) -> None:
    subject = f"instalment_plan:{plan.id}"
    audit.record_by(kind, by, client=plan.client_id, subject=subject, **told)


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
