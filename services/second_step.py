"""Between the right password and the code: what a browser may go on with, for ten minutes."""

import hashlib
import secrets
from datetime import datetime, timedelta

from models import Client, User
from models_access import SecondStep
from services.transactions import write_tx

LIFETIME = timedelta(minutes=10)


def open_for(user: User, *, now: datetime) -> str:
    """Remember that the password was right; return the token that the browser shows next."""
    token = secrets.token_urlsafe(32)
    with write_tx():
        SecondStep.create(
            token_hash=_hash(token), user=user, created_at=now, expires_at=now + LIFETIME
        )
    return token


def find(token: str, *, now: datetime) -> User | None:
    """Who has shown the password; None when that was too long ago, or they are shut out."""
    row = (
        SecondStep.select(SecondStep, User, Client)
        .join(User)
        .left_outer_join(Client)
        .where(SecondStep.token_hash == _hash(token), SecondStep.expires_at > now, User.is_active)
        .first()
    )
    return row and row.user


def close(token: str) -> bool:
    """Inside `write_tx`: it leads to a session, and nowhere any more; False when it was over."""
    return bool(SecondStep.delete().where(SecondStep.token_hash == _hash(token)).execute())


def sweep(*, now: datetime) -> int:
    """Delete what nobody goes on with; called by the reconciler. Returns how many."""
    with write_tx():
        return SecondStep.delete().where(SecondStep.expires_at <= now).execute()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
