"""What a client pays once: put down, and called off until it stands on an invoice."""

from datetime import date

from flask import current_app
from peewee import JOIN, Expression

from domain.accounts import check_name
from domain.billing.vat import TELECOM, vat_percent
from domain.errors import AlreadyExists, InvalidValue, NotFound, OnInvoice
from models import Client, Subscriber
from models_billing import Invoice, OneOffCharge
from services import audit, import_turns, vat_rates
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx


def add(
    client: Client,
    name: str,
    amount: int,
    *,
    day: date,
    service: str = TELECOM,
    subscriber: Subscriber | None = None,
    by: By,
) -> OneOffCharge:
    """Put a charge down: `amount` kopecks without VAT, less than nothing for what is given back. It
    stands on the first invoice that is formed for its month or a later one.

    Raises `InvalidValue` for no sum, no name, or a service of which no VAT is known, and
    `AlreadyExists` when the same stands on no invoice yet: a second click adds nothing.
    """
    if not amount:
        raise InvalidValue("nothing to pay", what="amount", value=amount)
    vat_percent(service, day, vat_rates.own())
    values = {"day": day, "name": check_name(name), "amount": amount, "service": service}
    with write_tx():
        lock_client(client)
        open_ones = OneOffCharge.of(client).where(OneOffCharge.invoice_id.is_null())
        same = (getattr(OneOffCharge, field) == value for field, value in values.items())
        if open_ones.where(_is_of(subscriber), *same).exists():
            raise AlreadyExists(what="charge", name=values["name"])
        charge = OneOffCharge.create(
            client=client, subscriber=subscriber, created_at=by.now, user=by.user, **values
        )
        _note(AuditEventKind.CHARGE_ADDED, charge, by)
    return charge


def cancel(client: Client, charge_id: int, *, by: By) -> OneOffCharge:
    """Take a charge back. Raises `NotFound`, `OnInvoice`, and `ImportsBusy` while invoices are
    formed: then nobody knows yet on which it stands.
    """
    data_dir = current_app.config["CABINET"].data_dir
    with import_turns.one_at_a_time(data_dir, import_turns.do_not_wait), write_tx():
        charge = OneOffCharge.of(client).where(OneOffCharge.id == charge_id).first()
        if charge is None:
            raise NotFound(what="charge", name=str(charge_id))
        if charge.invoice_id is not None:
            invoice = Invoice.of(client).where(Invoice.id == charge.invoice_id).get()
            raise OnInvoice(month=f"{invoice.period:%m.%Y}")
        _note(AuditEventKind.CHARGE_CANCELLED, charge, by)
        charge.delete_instance()
    return charge


def of_client(client: Client, limit: int = 100) -> list[OneOffCharge]:
    """A client's charges, the latest first."""
    query = OneOffCharge.of(client, OneOffCharge, Subscriber).join(Subscriber, JOIN.LEFT_OUTER)
    return list(query.order_by(OneOffCharge.day.desc(), OneOffCharge.id.desc()).limit(limit))


def _is_of(subscriber: Subscriber | None) -> Expression:
    whose = OneOffCharge.subscriber
    return whose.is_null() if subscriber is None else whose == subscriber


def _note(kind: AuditEventKind, charge: OneOffCharge, by: By) -> None:
    audit.record_by(
        kind,
        by,
        client=charge.client_id,
        subject=f"one_off_charge:{charge.id}",
        kopecks=charge.amount,
        day=charge.day.isoformat(),
    )
