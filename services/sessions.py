"""Sessions of signed-in users, kept in the database: a row can be ended from here, a cookie cannot.

The cookie itself is written in `blueprints/sessions.py`.
"""

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from peewee import JOIN, ModelSelect

from models import Client, User, UserSession
from models_access import SecondStep
from services.questions import made_once
from services.transactions import DiskFull, write_tx

TOUCH_EVERY = timedelta(minutes=1)  # the idle limit is exact to this


def start(
    user: User, *, ip: str, user_agent: str, now: datetime, hours: int
) -> tuple[UserSession, str]:
    """Open a session of at most `hours` and return its row and the token for the cookie.

    The token is always a new one: what a browser brought along is never taken over.
    """
    token = secrets.token_urlsafe(32)
    with write_tx():
        row = UserSession.create(
            token_hash=_hash(token),
            user=user,
            # Made here, not at the first page: two first pages at once would make two of them.
            data={"csrf_token": secrets.token_hex(20)},
            ip=ip[:64],
            user_agent=user_agent[:255],
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    return row, token


def find(token: str, *, now: datetime, idle: timedelta) -> UserSession | None:
    """The living session of a token, with its user and client, or None.

    Dead are: unknown, past the absolute or the idle limit, of a user who may not sign in.
    """
    return _living.first(_hash(token), now, now - idle)


@made_once
def _living(token_hash: str, now: datetime, seen_after: datetime) -> ModelSelect:
    return (
        UserSession.select(UserSession, User, Client)
        .join(User)
        .join(Client, JOIN.LEFT_OUTER)
        .where(
            UserSession.token_hash == token_hash,
            UserSession.expires_at > now,
            UserSession.last_seen_at > seen_after,
            User.is_active,
        )
    )


def touch(row: UserSession, *, now: datetime) -> None:
    """Note that the user is there; written at most once a minute."""
    if now - row.last_seen_at < TOUCH_EVERY:
        return
    with suppress(DiskFull), write_tx():  # pages can be read all the same
        UserSession.update(last_seen_at=now).where(UserSession.id == row.id).execute()
    row.last_seen_at = now


def end_of(row: UserSession, *, idle: timedelta) -> datetime:
    """When a session ends unless its user does something before."""
    return min(row.expires_at, row.last_seen_at + idle)


def save_data(row: UserSession, data: dict[str, object]) -> None:
    """Keep what the pages remember: JSON values only."""
    with write_tx():
        UserSession.update(data=data).where(UserSession.id == row.id).execute()


def renew(row: UserSession) -> str:
    """Give a session another id and return its token: the one before is worth nothing."""
    token = secrets.token_urlsafe(32)
    with write_tx():
        UserSession.update(token_hash=_hash(token)).where(UserSession.id == row.id).execute()
    row.token_hash = _hash(token)
    return token


def end(row: UserSession) -> None:
    """End one session: its token is worth nothing from now on."""
    with write_tx():
        UserSession.delete().where(UserSession.id == row.id).execute()


def end_all(user: User, *, keep: UserSession | None = None) -> int:
    """End every session of a user but `keep`, and what was to become one; return how many."""
    others = UserSession.user == user
    if keep is not None:
        others &= UserSession.id != keep.id
    with write_tx():
        SecondStep.delete().where(SecondStep.user == user).execute()
        return UserSession.delete().where(others).execute()


def sweep(*, now: datetime, idle: timedelta) -> int:
    """Delete sessions that have run out; called by the reconciler. Returns how many."""
    with write_tx():
        return (
            UserSession.delete()
            .where((UserSession.expires_at <= now) | (UserSession.last_seen_at <= now - idle))
            .execute()
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
