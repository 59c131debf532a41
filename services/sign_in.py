"""Signing in and out, and showing once more who it is: the one place that looks at a password typed
by a person.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.accounts import fold_login
from domain.errors import WrongCredentials, WrongPassword
from models import User, UserSession
from services import audit, passwords, sessions, throttle
from services.audit import AuditEventKind
from services.transactions import write_tx


@dataclass(frozen=True)
class Visitor:
    """Who knocks: the address and the browser's own name."""

    ip: str
    user_agent: str


def sign_in(
    login: str, password: str, *, visitor: Visitor, secret: str, hours: int, now: datetime
) -> tuple[UserSession, str]:
    """Check a login and password, and open a session of `hours`: its row and token.

    Raises `TooManySignIns` before any check, `WrongCredentials` alike for an unknown login, a wrong
    password and a disabled user.
    """
    login = fold_login(login)
    account_hash = throttle.hash_login(login, secret)
    user = User.across_clients().where(User.login == login).first()
    with passwords.slot():  # few are at work at once, so few right ones stand in each other's way
        throttle.begin(account_hash, user=user, ip=visitor.ip, now=now)
        is_right = passwords.is_right(password, user.password_hash if user else None)
        if not (user and is_right and user.is_active):
            _refuse(account_hash, visitor, now)
        throttle.forget(account_hash, ip=visitor.ip)  # before the next one takes this place
    return _open(user, password, visitor, hours=hours, now=now)


def check_password(user: User, password: str, *, ip: str, secret: str, now: datetime) -> None:
    """Ask who is signed in for the password once more, before what an unattended browser must not
    do. It is counted and slowed down as at the sign-in.

    Raises `TooManySignIns` before any check, `WrongPassword` after it.
    """
    account_hash = throttle.hash_login(user.login, secret)
    with passwords.slot():
        throttle.begin(account_hash, user=user, ip=ip, now=now)
        if passwords.is_right(password, user.password_hash):
            throttle.forget(account_hash, ip=ip)
            return
    with write_tx():
        audit.record(
            AuditEventKind.STEP_UP_REFUSED, now=now, user=user, client=user.client_id, ip=ip
        )
    raise WrongPassword


def sign_out(row: UserSession, *, ip: str, now: datetime) -> None:
    """End the session: its cookie is worth nothing, wherever a copy of it lies."""
    with write_tx():
        sessions.end(row)
        audit.record(
            AuditEventKind.SIGNED_OUT, now=now, user=row.user, client=row.user.client_id, ip=ip
        )


def _refuse(account_hash: str, visitor: Visitor, now: datetime) -> None:
    with write_tx():  # the failure is counted already
        audit.record(
            AuditEventKind.SIGN_IN_REFUSED, now=now, ip=visitor.ip, login_hash=account_hash
        )
    raise WrongCredentials


def _open(
    user: User, password: str, visitor: Visitor, *, hours: int, now: datetime
) -> tuple[UserSession, str]:
    changes: dict[str, object] = {"last_sign_in_at": now}
    if passwords.is_outdated(user.password_hash):
        changes["password_hash"] = passwords.hash_password(password)
    with write_tx():
        User.update(changes).where(User.id == user.id).execute()
        audit.record(
            AuditEventKind.SIGNED_IN, now=now, user=user, client=user.client_id, ip=visitor.ip
        )
        return sessions.start(
            user, ip=visitor.ip, user_agent=visitor.user_agent, now=now, hours=hours
        )
