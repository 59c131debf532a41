"""Signing in and out, and showing once more who it is: the one place that looks at a password typed
by a person.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.accounts import fold_login
from domain.errors import SignInExpired, WrongCredentials, WrongPassword
from models import User, UserSession
from services import audit, passwords, second_factor, second_step, sessions, throttle
from services.audit import AuditEventKind
from services.transactions import write_tx


@dataclass(frozen=True)
class Visitor:
    """Who knocks: the address and the browser's own name."""

    ip: str
    user_agent: str


@dataclass(frozen=True)
class Opened:
    """Signed in: the session and the token for the cookie."""

    row: UserSession
    token: str


@dataclass(frozen=True)
class HalfWay:
    """The password is right, a code is still asked for; `token` leads on."""

    token: str


def sign_in(
    login: str, password: str, *, visitor: Visitor, secret: str, hours: int, now: datetime
) -> Opened | HalfWay:
    """Check a login and password, and open a session of `hours`, or the way to the second step.

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
    _renew_hash(user, password)
    if second_factor.has(user):
        return HalfWay(second_step.open_for(user, now=now))
    return _open(user, visitor, hours=hours, now=now)


def go_on(token: str, code: str, *, visitor: Visitor, hours: int, now: datetime) -> Opened:
    """The second step: check a code, and open a session of `hours`.

    Raises `SignInExpired` when the password must be shown once more, `TooManySignIns`, `WrongCode`.
    """
    user = second_step.find(token, now=now)
    if user is None:
        raise SignInExpired
    second_factor.check(user, code, ip=visitor.ip, now=now)
    return _open(user, visitor, hours=hours, now=now, closes=token)


def by_header(
    login: str, *, visitor: Visitor, hours: int, now: datetime
) -> Opened | HalfWay | None:
    """Let in whom the intranet's proxy vouches for; None for somebody who is not ours, or disabled.

    It stands in for the password alone: a code is asked for as ever.
    """
    user = User.across_clients().where(User.login == fold_login(login)).first()
    if user is None or not user.is_active:
        return None
    if second_factor.has(user):
        return HalfWay(second_step.open_for(user, now=now))
    return _open(user, visitor, hours=hours, now=now, way="header")


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


def _renew_hash(user: User, password: str) -> None:
    """Keep the password by the parameters of today."""
    if passwords.is_outdated(user.password_hash):
        password_hash = passwords.hash_password(password)
        with write_tx():
            User.update(password_hash=password_hash).where(User.id == user.id).execute()


def _open(
    user: User, visitor: Visitor, *, hours: int, now: datetime, closes: str = "", **detail: str
) -> Opened:
    with write_tx():
        if closes and not second_step.close(closes):  # a new password has ended it meanwhile
            raise SignInExpired
        User.update(last_sign_in_at=now).where(User.id == user.id).execute()
        audit.record(
            AuditEventKind.SIGNED_IN,
            now=now,
            user=user,
            client=user.client_id,
            ip=visitor.ip,
            **detail,
        )
        row, token = sessions.start(
            user, ip=visitor.ip, user_agent=visitor.user_agent, now=now, hours=hours
        )
    return Opened(row, token)
