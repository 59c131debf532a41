"""Discounts of a client: from a month on, and until one."""

from datetime import date

from flask import current_app

from domain.accounts import check_name
from domain.errors import (
    AlreadyExists,
    DiscountEnded,
    DiscountsAboveAll,
    InvalidValue,
    NotFound,
    OnInvoice,
    PeriodReversed,
)
from domain.formats import NBSP, format_percent
from domain.periods import month_start
from models import Client
from models_billing import Discount, Invoice
from services import audit, import_turns
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx

WHOLE = 10_000  # hundredths of a per cent


def add(
    client: Client,
    name: str,
    percent: int,
    *,
    valid_from: date,
    valid_to: date | None = None,
    by: By,
) -> Discount:
    """Give a discount of `percent` hundredths of a per cent in the months that begin from one day
    to another; on invoices that are there already nothing changes.

    Raises `InvalidValue` for no name or a wrong percentage, `PeriodReversed`, `AlreadyExists` for
    one that is given already: a second click gives nothing, and `DiscountsAboveAll` when those of a
    month would come to more than 100 per cent.
    """
    if not 0 < percent <= WHOLE:
        raise InvalidValue("0 to 100 per cent", what="percent", value=percent)
    if valid_to is not None and valid_to < valid_from:
        raise PeriodReversed
    name = check_name(name)
    with write_tx():
        lock_client(client)
        last = Discount.valid_to
        same = Discount.of(client).where(
            Discount.name == name,
            Discount.percent == percent,
            Discount.valid_from == valid_from,
            last.is_null() if valid_to is None else last == valid_to,
        )
        if same.exists():
            raise AlreadyExists(what="discount", name=name)
        _check_together(client, percent, valid_from, valid_to)
        discount = Discount.create(
            client=client, name=name, percent=percent, valid_from=valid_from, valid_to=valid_to
        )
        _note(AuditEventKind.DISCOUNT_ADDED, discount, by)
    return discount


def end(client: Client, discount_id: int, on: date, *, by: By) -> Discount:
    """Let a discount hold up to a day, and no longer. Raises `NotFound`, `PeriodReversed` for a day
    before its first, `DiscountEnded` for one behind its last, `OnInvoice` when it stands on the
    invoice of a month that begins later, and `ImportsBusy` while invoices are formed: then nobody
    knows yet on which it stands.
    """
    data_dir = current_app.config["CABINET"].data_dir
    with import_turns.one_at_a_time(data_dir, import_turns.do_not_wait), write_tx():
        lock_client(client)
        discount = Discount.of(client).where(Discount.id == discount_id).first()
        if discount is None:
            raise NotFound(what="discount", name=str(discount_id))
        if on < discount.valid_from:
            raise PeriodReversed
        last = discount.valid_to or date.max
        if on > last:
            raise DiscountEnded(day=last)
        given = Invoice.of(client).where(
            Invoice.ordinal == 0,
            Invoice.period > on,
            Invoice.period >= discount.valid_from,
            Invoice.period <= last,
        )
        if invoice := given.order_by(Invoice.period.desc()).first():
            raise OnInvoice(month=f"{invoice.period:%m.%Y}")
        discount.valid_to = on
        discount.save(only=[Discount.valid_to])
        _note(AuditEventKind.DISCOUNT_ENDED, discount, by)
    return discount


def of_client(client: Client) -> list[Discount]:
    """A client's discounts, the latest first."""
    return list(Discount.of(client).order_by(Discount.valid_from.desc(), Discount.id.desc()))


def _check_together(client: Client, percent: int, valid_from: date, valid_to: date | None) -> None:
    """Raise `DiscountsAboveAll`. The sum is highest in a month with which one of them begins."""
    rules = [(row.percent, row.valid_from, row.valid_to) for row in Discount.of(client)]
    rules.append((percent, valid_from, valid_to))
    for first in sorted({_month_from(each) for _percent, each, _last in rules}):
        if not _holds(first, valid_from, valid_to):
            continue
        together = sum(each for each, start, last in rules if _holds(first, start, last))
        if together > WHOLE:
            told = format_percent(together).replace(NBSP, " ")
            raise DiscountsAboveAll(month=f"{first:%m.%Y}", percent=told)


def _month_from(day: date) -> date:
    """The first month that begins on a day or later."""
    is_last = (day.year, day.month) == (date.max.year, date.max.month)
    return day if day.day == 1 or is_last else month_start(day, -1)


def _holds(first: date, valid_from: date, valid_to: date | None) -> bool:
    return valid_from <= first and (valid_to is None or first <= valid_to)


def _note(kind: AuditEventKind, discount: Discount, by: By) -> None:
    audit.record_by(
        kind,
        by,
        client=discount.client_id,
        subject=f"discount:{discount.id}",
        percent=discount.percent,
        valid_to=discount.valid_to and discount.valid_to.isoformat(),
    )
