"""Letters without an order that do not go by themselves any more: given up, or held because nobody
knows whether they went. The operator looks at them and sends them on their way again.
"""

from datetime import datetime

from peewee import JOIN, Expression, ModelSelect

from domain.orders import MailState
from models import Client, Notice
from services import audit, queue
from services.audit import AuditEventKind, By
from services.charges import Page, page_within
from services.claims import NOBODYS
from services.transactions import write_tx

STATES = (MailState.FAILED, MailState.UNKNOWN)


def is_held() -> Expression:
    """Condition: it is over, and did not go for all that is known."""
    return Notice.next_try_at.is_null() & Notice.state.in_(STATES)


def count() -> int:
    """How many there are."""
    return _held().count()


def find_page(number: int, *, size: int) -> Page[Notice]:
    """With their clients, the newest first."""
    found = count()
    number, pages = page_within(number, found, size)
    rows = _held(Notice, Client).join(Client, JOIN.LEFT_OUTER).order_by(Notice.id.desc())
    return Page(list(rows.paginate(number, size)), number, pages, size, found)


def can_retry(notice: Notice, *, now: datetime) -> bool:
    """Whether it would be of use: links in letters have their time."""
    return notice.expires_at is None or notice.expires_at > now


def find(key: str) -> Notice | None:
    """One of them."""
    return _held().where(Notice.key == key).first()


def retry(notice: Notice, *, by: By) -> bool:
    """Give a letter a new life at once; False when it has no need of it, or is of no use now. What
    is held may have gone: then a second copy goes, under the same Message-ID.
    """
    if not can_retry(notice, now=by.now):
        return False
    with write_tx():
        values = {"attempts": 0, "reason": "", "next_try_at": by.now}
        changed = (
            Notice.update(state=MailState.READY, **values, **NOBODYS)
            .where(Notice.id == notice.id, is_held())
            .execute()
        )
        if changed:
            subject = f"notice:{notice.id}"
            audit.record_by(
                AuditEventKind.NOTICE_RETRIED, by, client=notice.client_id, subject=subject
            )
    if changed:
        queue.hint_notices()
    return bool(changed)


def _held(*fields: object) -> ModelSelect:
    return Notice.across_clients(*fields).where(is_held())
