"""The address to which letters about a person's own access go: it holds once it is confirmed from
its own mailbox.
"""

from datetime import datetime, timedelta

from flask import current_app

from domain.accounts import check_email
from domain.errors import NothingToChange, TooManyInvitations
from models import User
from models_access import AccessLink
from services import access_letters, access_links, audit, queue
from services.access_letters import Told
from services.access_links import LinkKind
from services.audit import AuditEventKind, By
from services.transactions import write_tx

DAY = timedelta(days=1)


def ask(user: User, email: str, *, by: By) -> AccessLink:
    """Write to a new address and wait until its link is followed; until then the old one holds.

    Raises `InvalidValue`, `NothingToChange`, `TooManyInvitations`.
    """
    email = check_email(email.strip())
    if email == user.email:
        raise NothingToChange
    config = current_app.config["CABINET"]
    with write_tx():
        recent = AccessLink.select().where(
            AccessLink.user == user,
            AccessLink.kind == LinkKind.ADDRESS,
            AccessLink.created_at > by.now - DAY,
        )
        limit = config.INVITATIONS_PER_DAY
        if limit and recent.count() >= limit:
            raise TooManyInvitations(limit=limit)
        lifetime = timedelta(hours=config.DELIVERY_CONFIRM_HOURS)
        link = access_links.make(LinkKind.ADDRESS, user, email, lifetime=lifetime, now=by.now)
        access_letters.confirm_address(link, now=by.now)
        _note(AuditEventKind.ADDRESS_ASKED, user, by)
    queue.hint_notices()
    return link


def confirm(link: AccessLink, *, ip: str, now: datetime) -> None:
    """The button behind the link was pressed: the address holds, the one before is told.

    Raises `LinkOver`.
    """
    user: User = link.user
    with write_tx():
        access_links.use(link, now=now)
        access_links.close_all(user, (LinkKind.RESET,), now=now)  # they went to the old mailbox
        User.update(email=link.email).where(User.id == user.id).execute()
        if user.email:
            access_letters.tell(user, Told.ADDRESS_CHANGED, ip=ip, email=user.email, now=now)
        _note(AuditEventKind.ADDRESS_SET, user, By(now=now, user=user, ip=ip))
    queue.hint_notices()


def set_by_operator(user: User, email: str, *, now: datetime) -> None:
    """Another address that somebody vouches for; the one before is told. Raises `InvalidValue`."""
    email = check_email(email.strip())
    with write_tx():
        access_links.close_all(user, (LinkKind.ADDRESS, LinkKind.RESET), now=now)
        User.update(email=email).where(User.id == user.id).execute()
        if user.email and user.email != email:
            access_letters.tell(user, Told.ADDRESS_CHANGED, email=user.email, now=now)
        _note(AuditEventKind.ADDRESS_SET, user, By(now=now))
    queue.hint_notices()


def waiting(user: User, *, now: datetime) -> AccessLink | None:
    """The address that is still to be confirmed."""
    link = access_links.newest(user, LinkKind.ADDRESS)
    return link if link and link.closed_at is None and link.expires_at > now else None


def _note(event: AuditEventKind, user: User, by: By) -> None:
    audit.record_by(event, by, client=user.client_id, subject=f"user:{user.id}")
