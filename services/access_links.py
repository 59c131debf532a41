"""Links in letters that let a person in: an invitation, a forgotten password, an address that is
to be confirmed. Each opens one thing once, by a button: who only looks does not use it up.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import LinkOver
from models import Client, User
from models_access import AccessLink
from services import letter_links
from services.transactions import write_tx

KEPT = timedelta(days=30)  # after its time, so that what happened can be looked up


class LinkKind(StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    RESET = "reset"
    ADDRESS = "address"


def make(
    kind: LinkKind, user: User, email: str, *, lifetime: timedelta, now: datetime
) -> AccessLink:
    """Inside `write_tx`: a link to be sent to `email`; an older one of that kind is worth nothing
    from now on.
    """
    close_all(user, (kind,), now=now)
    link = AccessLink(
        key=secrets.token_urlsafe(12),
        kind=kind,
        user=user,
        email=email,
        created_at=now,
        expires_at=now + lifetime,
    )
    link.token_hash = letter_links.hash_of(letter_links.token_of(seed_of(link)))
    link.save(force_insert=True)
    return link


def seed_of(link: AccessLink) -> str:
    """What the token in the letter is made of."""
    return f"access.{link.kind}:{link.key}"


def find(token: str, *kinds: LinkKind, now: datetime) -> AccessLink:
    """The link of a token, of one of these kinds, that can still be used, with its user.

    Raises `LinkOver`: unknown, used, replaced, too old, or of somebody who is shut out.
    """
    link = (
        AccessLink.select(AccessLink, User, Client)
        .join(User)
        .left_outer_join(Client)
        .where(
            AccessLink.token_hash == letter_links.hash_of(token),
            AccessLink.kind.in_(kinds),
            AccessLink.closed_at.is_null(),
            AccessLink.expires_at > now,
            User.is_active,
        )
        .first()
    )
    if link is None:
        raise LinkOver
    return link


def use(link: AccessLink, *, now: datetime) -> None:
    """Inside `write_tx`: close a link that is used now; `LinkOver` when another was faster."""
    is_open = (AccessLink.id == link.id) & AccessLink.closed_at.is_null()
    if not AccessLink.update(closed_at=now).where(is_open, AccessLink.expires_at > now).execute():
        raise LinkOver


def close_all(user: User, kinds: tuple[LinkKind, ...] = tuple(LinkKind), *, now: datetime) -> None:
    """Inside `write_tx`: whatever links are out, they are worth nothing from now on."""
    AccessLink.update(closed_at=now).where(
        AccessLink.user == user, AccessLink.kind.in_(kinds), AccessLink.closed_at.is_null()
    ).execute()


def newest(user: User, kind: LinkKind) -> AccessLink | None:
    """The link of that kind that was sent last, whatever became of it."""
    query = AccessLink.select().where(AccessLink.user == user, AccessLink.kind == kind)
    return query.order_by(AccessLink.id.desc()).first()


def sweep(*, now: datetime) -> int:
    """Delete links whose time was over long ago; called by the reconciler. Returns how many."""
    with write_tx():
        return AccessLink.delete().where(AccessLink.expires_at <= now - KEPT).execute()
