"""Money of the demo: months that are over have their bills, and some of them have been paid. Every
step has its day and goes through the same services as anybody's; a step that was taken is passed
over, so loading may be repeated, killed, and go on a month later.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial

from peewee import fn

from domain.errors import AlreadyExists
from domain.money import divide
from domain.periods import month_start
from models import Client
from models_billing import Discount, Invoice, OneOffCharge
from services import billing, clock, discounts, instalments, one_offs, payments
from services.audit import By
from services.instalments import Purchase

FORMED_AT = time(6)  # of the first day of the next month, one of those kept for it
PAID_AT = time(12)
MONTHS_LOOKED_AT = 3  # how old a bill may be that is still being paid
CONTRACT = "Р-17/04"
DISCOUNT = "Скидка постоянного клиента"
ONE_OFF = "Выезд специалиста"


@dataclass(frozen=True)
class _Part:
    """So many tenths of a bill, from those to those, are paid on a day of a month after its own."""

    months: int
    day: int
    start: int
    end: int


@dataclass(frozen=True)
class _Habit:
    """How a client pays, and how many months it has bills for when it is loaded."""

    months: int = 1
    parts: Sequence[_Part] = ()


# The first client has one of every kind: paid, partly paid and overdue, just given out. Its parts
# come late, for money pays the oldest bill first.
HABITS = (
    _Habit(3, (_Part(2, 5, 0, 6), _Part(2, 28, 6, 10))),
    _Habit(1, (_Part(1, 5, 0, 5), _Part(2, 3, 5, 10))),
)
OTHERS = (_Habit(1, (_Part(1, 10, 0, 10),)), _Habit(1))


@dataclass(frozen=True)
class _Billed:
    """A client of the demo: its months that have a bill, or are to have one, in their order."""

    client: Client
    habit: _Habit
    months: Sequence[date]


def add(clients: Sequence[Client], *, now: datetime) -> None:
    """What has happened with the money of the demo's clients by `now`, in its order. Call it inside
    `import_turns.one_at_a_time`.
    """
    known = _newest_bills(clients)
    billed = [
        _Billed(client, habit, _months(client, habit, known.get(client.id), now))
        for client, habit in zip(clients, _habits(), strict=False)
    ]
    if not billed:
        return
    _put_down(billed[0].client, month_start(now.date(), 1))
    for at, take in sorted(_steps(billed, known, now), key=lambda step: step[0]):
        if at <= now:
            take(at)


def _habits() -> Iterator[_Habit]:
    yield from HABITS
    while True:
        yield from OTHERS


def _newest_bills(clients: Sequence[Client]) -> dict[int, date]:
    """Client → the last month that has a bill."""
    rows = Invoice.across_clients(Invoice.client, fn.MAX(Invoice.period)).group_by(Invoice.client)
    newest = dict(rows.tuples())
    return {client.id: newest[client.id] for client in clients if client.id in newest}


def _months(client: Client, habit: _Habit, newest: date | None, now: datetime) -> list[date]:
    """Months with a bill of ours, from the first one to the last that is over."""
    last = month_start(now.date(), 1)
    first = month_start(last, habit.months - 1)
    if newest is not None:
        oldest = Invoice.of(client, fn.MIN(Invoice.period)).scalar()
        first = max(oldest, month_start(last, MONTHS_LOOKED_AT))
    found = []
    while last >= first:
        found.append(last)
        last = month_start(last, 1)
    return found[::-1]


def _steps(
    billed: Sequence[_Billed], known: dict[int, date], now: datetime
) -> Iterator[tuple[datetime, Callable[[datetime], object]]]:
    """Forming of each month that has no bill, then the payments; those of one moment in this
    order.
    """
    for month in sorted({month for one in billed for month in one.months}):
        missing = [
            one.client
            for one in billed
            if month in one.months and known.get(one.client.id, date.min) < month
        ]
        if missing:
            at = min(_moment(month_start(month, -1), FORMED_AT), now)
            yield at, partial(_form, month, missing)
    for one in billed:
        for month in one.months:
            for part in one.habit.parts:
                day = month_start(month, -part.months).replace(day=part.day)
                yield _moment(day, PAID_AT), partial(_pay, one.client, month, part)


def _form(month: date, clients: Sequence[Client], now: datetime) -> None:
    billing.form_month(month, client=clients, now=now)


def _pay(client: Client, month: date, part: _Part, now: datetime) -> None:
    """A part of a month's bill, or what is left of the bill, by a payment order of its own."""
    invoice = Invoice.of(client).where(Invoice.period == month, Invoice.ordinal == 0).first()
    if invoice is None:  # it could not be formed
        return
    amount = divide(invoice.total * part.end, 10) - divide(invoice.total * part.start, 10)
    if amount <= 0:
        return
    number = f"{100 + month.month * 7 + part.end}"
    purpose = f"Оплата услуг электросвязи за {month:%m.%Y}"
    with suppress(AlreadyExists):
        payments.add(
            client,
            amount,
            paid_on=now.date(),
            document_no=number,
            document_on=now.date(),
            purpose=purpose,
            by=By(now=now),
        )


def _put_down(client: Client, last: date) -> None:
    """What the first client pays beside its calls, put down once: a discount, a charge, and goods
    by instalments. `last`: the last month that is over.
    """
    first = month_start(last, 2)
    by = By(now=_moment(first, PAID_AT))
    if not Discount.of(client).where(Discount.name == DISCOUNT).exists():
        discounts.add(client, DISCOUNT, 500, valid_from=first, by=by)
    if not OneOffCharge.of(client).where(OneOffCharge.name == ONE_OFF).exists():
        one_offs.add(client, ONE_OFF, 4_500, day=last.replace(day=12), by=by)
    purchase = Purchase(
        contract_no=CONTRACT,
        goods="IP-телефон, 2 шт.",
        serial_no="SIP-31-0457, SIP-31-0458",
        price=64_800,
        first_payment=10_800,
        months=12,
        starts_on=first.replace(day=15),
    )
    with suppress(AlreadyExists):
        instalments.add(client, purchase, by=by)


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, clock.zone())
