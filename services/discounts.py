"""Discounts of a client: from a month on, and until one."""

from datetime import date

from flask import current_app

from domain.accounts import check_name
from domain.errors import AlreadyExists, InvalidValue, NotFound, OnInvoice, PeriodReversed
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

    Raises `InvalidValue` for no name or a wrong percentage, `PeriodReversed`, and `AlreadyExists`
    for one that is given already: a second click gives nothing.
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
        discount = Discount.create(
            client=client, name=name, percent=percent, valid_from=valid_from, valid_to=valid_to
        )
        _note(AuditEventKind.DISCOUNT_ADDED, discount, by)
    return discount


def end(client: Client, discount_id: int, on: date, *, by: By) -> Discount:
    """Let a discount hold up to a day, and no longer. Raises `NotFound`, `PeriodReversed` for a day
    before its first, `OnInvoice` when it stands on the invoice of a month that begins later, and
    `ImportsBusy` while invoices are formed: then nobody knows yet on which it stands.
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
        given = Invoice.of(client).where(
            Invoice.ordinal == 0,
            Invoice.period > min(on, last),
            Invoice.period >= discount.valid_from,
            Invoice.period <= max(on, last),
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


def _note(kind: AuditEventKind, discount: Discount, by: By) -> None:
    audit.record_by(
        kind,
        by,
        client=discount.client_id,
        subject=f"discount:{discount.id}",
        percent=discount.percent,
        valid_to=discount.valid_to and discount.valid_to.isoformat(),
    )
