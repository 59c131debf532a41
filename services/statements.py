"""Statements of the bank sent by the operator's people: kept between the look at what would be
booked and the booking, so that what is booked is what was sent. What becomes of lines is
`payments.py`.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from peewee import JOIN, ModelSelect

from domain.errors import InvalidValue
from domain.tables import decode
from models import User
from models_payments import StatementFile
from services import payments
from services.audit import By
from services.payments import Imported
from services.transactions import write_tx

KEPT_FOR = timedelta(days=30)  # the papers are the bank's; payments stay
LONGEST_NAME = 200


def take(name: str, content: bytes, *, by: By) -> StatementFile:
    """Keep a statement that can be read. Sent again, it is the same one.

    Raises `StatementRefused`, or `InvalidValue` when it cannot be read at all; nothing is kept.
    """
    payments.import_statement(content, dry_run=True, by=by)
    text = decode(content)
    digest = hashlib.sha256(text.encode()).hexdigest()
    with write_tx():
        known = StatementFile.select().where(StatementFile.sha256 == digest).first()
        return known or StatementFile.create(
            key=secrets.token_urlsafe(12),
            name=name[:LONGEST_NAME],
            content=text,
            sha256=digest,
            user=by.user,
            received_at=by.now,
        )


def find(key: str) -> StatementFile | None:
    """The statement of a page."""
    return _with_names().where(StatementFile.key == key).first()


def last(limit: int = 20) -> list[StatementFile]:
    """Those sent of late, the newest first."""
    return list(_with_names().order_by(StatementFile.id.desc()).limit(limit))


def look(row: StatementFile, *, by: By) -> Imported | None:
    """What booking would do now; nothing is stored. None: it cannot be read any more."""
    try:
        return payments.import_statement(row.content.encode(), dry_run=True, by=by)
    except InvalidValue:  # the clock was set back: its days are to come
        return None


def book(row: StatementFile, *, by: By) -> Imported:
    """Put its payments down. Safe to repeat: the same line twice is one payment.

    Raises `InvalidValue` as `look` gives None.
    """

    def mark(told: Imported) -> None:
        StatementFile.update(
            booked_at=by.now,
            payments=StatementFile.payments + len(told.taken),
            total=StatementFile.total + told.total,
        ).where(StatementFile.id == row.id).execute()

    content, subject = row.content.encode(), f"statement_file:{row.id}"
    return payments.import_statement(content, subject=subject, on_taken=mark, by=by)


def purge(*, now: datetime) -> int:
    """Remove those whose time is over; return how many."""
    old = StatementFile.received_at < now - KEPT_FOR
    if not StatementFile.select().where(old).exists():
        return 0
    with write_tx():
        return StatementFile.delete().where(old).execute()


def _with_names() -> ModelSelect:
    return StatementFile.select(StatementFile, User).join(User, JOIN.LEFT_OUTER)
