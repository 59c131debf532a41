"""What is kept for a time and then removed, by settings: letters without an order, and the audit
trail. Files and letters of orders are `artefacts.py` and `ledger.py`; sessions and links sweep
themselves.
"""

from datetime import datetime, timedelta

from flask import current_app
from peewee import fn

from models import AuditEvent, Notice
from services.transactions import write_tx

AT_ONCE = 5_000  # rows: nobody waits long for the round, and a backlog is gone in a few


def remove_notices(*, now: datetime) -> int:
    """Letters that have gone, or were given up, so many days ago; those held for the operator too:
    nobody has wanted them since. The trail says what they told of.
    """
    before = now - timedelta(days=current_app.config["CABINET"].NOTICE_DAYS)
    over = Notice.across_clients(Notice.id).where(
        Notice.next_try_at.is_null(), fn.COALESCE(Notice.sent_at, Notice.created_at) < before
    )
    if not over.exists():
        return 0
    with write_tx():
        return Notice.delete().where(Notice.id.in_(over.limit(AT_ONCE))).execute()


def remove_audit(*, now: datetime) -> int:
    """What was written down so many days ago."""
    before = now - timedelta(days=current_app.config["CABINET"].AUDIT_DAYS)
    old = AuditEvent.select(AuditEvent.id).where(AuditEvent.at < before).order_by(AuditEvent.at)
    if not old.exists():
        return 0
    with write_tx():
        return AuditEvent.delete().where(AuditEvent.id.in_(old.limit(AT_ONCE))).execute()
