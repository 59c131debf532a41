"""A forgotten password: a letter with a link, and the new password that is chosen behind it.

Who asks hears the same, and waits as long, whether there is such a login or not. The second factor
stays: a mailbox alone lets nobody in where one is set up.
"""

from datetime import datetime, timedelta
from math import ceil

from flask import current_app

from domain.accounts import fold_login
from domain.errors import TooManySignIns
from domain.new_passwords import check_new_password
from models import User, db
from models_access import AccessLink
from services import (
    access_letters,
    access_links,
    attempts,
    audit,
    passwords,
    queue,
    sessions,
    throttle,
)
from services.access_letters import Told
from services.access_links import LinkKind
from services.attempts import AttemptKind
from services.audit import AuditEventKind, By
from services.transactions import write_tx

WINDOW = timedelta(hours=1)
BY_LOGIN, BY_ADDRESS = 3, 30  # letters asked for within the window


def ask(login: str, *, ip: str, secret: str, now: datetime) -> None:
    """Send a letter to the own address of who has that login, if there is such a person and such an
    address, and not too many were sent lately.

    Raises `TooManySignIns` for an address that asks without end, whatever it asks for.
    """
    login = fold_login(login)
    login_hash = throttle.hash_login(login, secret)
    since = now - WINDOW
    if attempts.of_address(AttemptKind.RESET, ip, since=since) >= BY_ADDRESS:
        seconds = WINDOW.total_seconds()
        raise TooManySignIns(retry_after_s=ceil(seconds), minutes=ceil(seconds / 60))
    user = User.across_clients().where(User.login == login).first()
    asked = attempts.of_subject(AttemptKind.RESET, login_hash, since=since)
    is_sent = asked < BY_LOGIN and user is not None and _can_reset(user)
    stand_in = _anybody()
    with write_tx():
        attempts.note(AttemptKind.RESET, login_hash, ip=ip, now=now)
        with db.atomic() as letter:
            _send(user if is_sent else stand_in, now=now)
            if not is_sent:  # the same work: the time must tell nothing
                letter.rollback()
        audit.record(
            AuditEventKind.PASSWORD_RESET_ASKED,
            now=now,
            client=user.client_id if is_sent else None,
            subject=f"user:{user.id}" if is_sent else "",
            ip=ip,
            login_hash=login_hash,
        )
    queue.hint_notices()


def set_new(link: AccessLink, password: str, *, ip: str, now: datetime) -> User:
    """Set the password that was chosen behind a link. All sessions end, all other links are over,
    and the owner is told.

    Raises `WeakPassword`, `LinkOver`.
    """
    user: User = link.user
    check_new_password(password, names=(user.login, user.email, user.full_name))
    password_hash = passwords.hash_password(password)
    with write_tx():
        access_links.use(link, now=now)
        access_links.close_all(user, now=now)
        User.update(password_hash=password_hash).where(User.id == user.id).execute()
        ended = sessions.end_all(user)
        audit.record_by(
            AuditEventKind.PASSWORD_SET,
            By(now=now, user=user, ip=ip),
            client=user.client_id,
            subject=f"user:{user.id}",
            how="reset",
            sessions_ended=ended,
        )
        access_letters.tell(user, Told.PASSWORD_RESET, ip=ip, now=now)
    queue.hint_notices()
    return user


def _can_reset(user: User) -> bool:
    """Somebody who may sign in, has chosen a password before, and an address to write to."""
    return bool(user.is_active and user.email and user.password_hash)


def _anybody() -> User | None:
    """Whoever is found first, as a stand-in."""
    return User.across_clients().order_by(User.id).first()


def _send(user: User | None, *, now: datetime) -> None:
    if user is None:
        return
    minutes = current_app.config["CABINET"].PASSWORD_RESET_MINUTES
    link = access_links.make(
        LinkKind.RESET, user, user.email, lifetime=timedelta(minutes=minutes), now=now
    )
    access_letters.send_reset(link, now=now)
