"""What is written down of access: refusals, and the operator's people looking into clients."""

from collections.abc import Iterable
from datetime import datetime

from domain.errors import CompanyWide
from models import (
    Client,
    Order,
    OrderDraft,
    Subscriber,
    TenantModel,
    User,
    scope_in_force,
)
from models_billing import Invoice
from models_feedback import FeedbackThread
from services import audit
from services.audit import AuditEventKind
from services.transactions import write_tx

KEYED = (Order, OrderDraft, Invoice, FeedbackThread)  # tables whose keys stand in addresses
CHUNK = 900  # values in one IN (…)


def note_role_refusal(user: User, endpoint: str, *, ip: str, now: datetime) -> None:
    """Somebody opened a page that is not for their role."""
    _note(AuditEventKind.ACCESS_REFUSED, user, user.client_id, "", ip, now, endpoint=endpoint)


def note_foreign_keys(user: User, keys: Iterable[str], *, ip: str, now: datetime) -> None:
    """A key was not found: write it down when it is another client's. The answer does not tell."""
    keys = list(keys)
    for model in KEYED if keys else ():
        row = model.across_clients().where(model.key.in_(keys)).first()
        if row is not None and _is_beyond(row, user):
            subject = f"{model._meta.table_name}:{row.id}"
            _note(AuditEventKind.ACCESS_REFUSED, user, user.client_id, subject, ip, now)


def note_foreign_subscribers(user: User, ids: Iterable[int], *, ip: str, now: datetime) -> None:
    """Rows were ticked that no page of ours has shown: write it down when they are another
    client's. They are passed over either way.
    """
    ids = list(ids)
    beyond = Subscriber.client != user.client_id
    if scope_in_force() is not None:
        beyond |= Subscriber.id.not_in(Subscriber.of(user.client_id, Subscriber.id))
    for start in range(0, len(ids), CHUNK):
        some = Subscriber.id.in_(ids[start : start + CHUNK])
        row = Subscriber.across_clients().where(some, beyond).first()
        if row is not None:
            subject = f"{Subscriber._meta.table_name}:{row.id}"
            _note(AuditEventKind.ACCESS_REFUSED, user, user.client_id, subject, ip, now)
            return


def note_foreign_user(user: User, number: int, *, ip: str, now: datetime) -> None:
    """A user was not found among the client's own: write it down when it is somebody else's."""
    row = User.across_clients().where(User.id == number).first()
    if row is not None and row.client_id != user.client_id:
        subject = f"{User._meta.table_name}:{row.id}"
        _note(AuditEventKind.ACCESS_REFUSED, user, user.client_id, subject, ip, now)


def _is_beyond(row: TenantModel, user: User) -> bool:
    """Whether it is another client's, or the user may not see it."""
    if row.client_id != user.client_id:
        return True
    try:
        return not type(row).of(user.client_id).where(type(row).id == row.id).exists()
    except CompanyWide:
        return True


def note_client_viewed(
    user: User, client: Client, subject: str, *, ip: str, now: datetime, **detail: object
) -> None:
    """One of the operator's people looked into a client's data."""
    _note(AuditEventKind.CLIENT_VIEWED, user, client.id, subject, ip, now, **detail)


def note_invoice_fetched(user: User, invoice: Invoice, *, ip: str, now: datetime) -> None:
    """One of the operator's people fetched a client's document as a file."""
    subject = f"invoice:{invoice.id}"
    _note(AuditEventKind.FILE_DOWNLOADED, user, invoice.client_id, subject, ip, now)


def _note(
    event: AuditEventKind,
    user: User,
    client_id: int | None,
    subject: str,
    ip: str,
    now: datetime,
    **detail: object,
) -> None:
    with write_tx():
        audit.record(event, now=now, user=user, client=client_id, subject=subject, ip=ip, **detail)
