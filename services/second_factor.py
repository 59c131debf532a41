"""The second factor: codes by time from an application, and recovery codes for the day it is lost.

The application's secret is made of a key in the database and the cabinet's own secret; of recovery
codes only the digests are kept. No code is taken twice, and not many can be tried.
"""

import hashlib
import hmac
import secrets
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

import pyotp
from flask import current_app

from domain.errors import TooManySignIns, WrongCode
from domain.roles import Role
from models import User, UserSession
from models_access import RecoveryCode, SecondFactor
from services import access_letters, attempts, audit, clock, passwords, queue, sessions
from services.access_letters import Told
from services.attempts import AttemptKind
from services.audit import AuditEventKind, By
from services.transactions import for_update, write_tx

STEP_S = 30
AROUND = (0, -1, 1)  # steps by which a telephone's clock may be wrong
TRIES, TRIES_IN = 10, timedelta(days=1)
SHOWN_FOR = timedelta(minutes=15)  # after the password was asked for
RECOVERY_CODES = 10
SECRET_BYTES = 20  # what applications expect


def has(user: User) -> bool:
    """Whether signing in needs a code."""
    return find(user) is not None


def find(user: User) -> SecondFactor | None:
    """The factor that is in use."""
    return (
        SecondFactor.select()
        .where(SecondFactor.user == user, SecondFactor.confirmed_at.is_null(is_null=False))
        .first()
    )


def held_by(users: Iterable[User]) -> set[int]:
    """Ids of those of `users` whose signing in needs a code."""
    held = SecondFactor.select(SecondFactor.user).where(
        SecondFactor.user.in_([user.id for user in users]),
        SecondFactor.confirmed_at.is_null(is_null=False),
    )
    return {user_id for (user_id,) in held.tuples()}


def find_unconfirmed(user: User, *, now: datetime) -> SecondFactor | None:
    """The factor that is being set up: what is shown of it is a secret, so not for long."""
    query = SecondFactor.select().where(SecondFactor.user == user)
    recent = SecondFactor.created_at > now - SHOWN_FOR
    return query.where(SecondFactor.confirmed_at.is_null(), recent).first()


def is_required(user: User) -> bool:
    """Whether the settings let nobody of that role in without."""
    who = current_app.config["CABINET"].second_factor
    return who == "all" or (who == "operator" and Role(user.role).is_operator)


def codes_left(user: User) -> int:
    """How many recovery codes can still be used."""
    query = RecoveryCode.select().where(RecoveryCode.user == user, RecoveryCode.used_at.is_null())
    return query.count()


def begin(user: User, *, now: datetime) -> SecondFactor:
    """Make a secret to be shown to an application; it counts once a code of it was entered. What
    was begun and not confirmed before is forgotten; a factor in use stays.
    """
    with write_tx():
        _one_at_a_time(user)  # a second click would make another row of the same user
        SecondFactor.delete().where(
            SecondFactor.user == user, SecondFactor.confirmed_at.is_null()
        ).execute()
        if (held := find(user)) is not None:
            return held
        return SecondFactor.create(user=user, key=secrets.token_urlsafe(24), created_at=now)


def secret_of(factor: SecondFactor) -> str:
    """What the application is told, in base32."""
    return b32encode(_digest(f"totp:{factor.key}")[:SECRET_BYTES]).decode()


def address_of(factor: SecondFactor, user: User) -> str:
    """The same as an address that applications read from a QR code."""
    issuer = current_app.config["CABINET"].OPERATOR_NAME
    return pyotp.TOTP(secret_of(factor)).provisioning_uri(name=user.login, issuer_name=issuer)


def confirm(user: User, code: str, *, keep: UserSession | None = None, by: By) -> list[str]:
    """The first code of the application was entered: the factor counts. Return the recovery codes,
    which are shown this once. All sessions but `keep` end: they were opened without a code.

    Raises `WrongCode`, `TooManySignIns`.
    """
    codes = None
    with write_tx():
        _one_at_a_time(user)
        factor = find_unconfirmed(user, now=by.now)
        _check_tries(user, now=by.now)
        if factor is not None and _take(factor, code, now=by.now):
            attempts.forget(AttemptKind.CODE, _subject(user))
            confirmed = {"confirmed_at": by.now}
            SecondFactor.update(confirmed).where(SecondFactor.id == factor.id).execute()
            codes = _make_codes(user)
            ended = sessions.end_all(user, keep=keep)
            _note(AuditEventKind.FACTOR_ON, user, by, sessions_ended=ended)
            access_letters.tell(user, Told.FACTOR_ON, ip=by.ip, now=by.now)
        else:
            attempts.note(AttemptKind.CODE, _subject(user), ip=by.ip, now=by.now)
    if codes is None:
        raise WrongCode
    queue.hint_notices()
    return codes


def check(user: User, code: str, *, ip: str, now: datetime) -> None:
    """Take a code of the application, or a recovery code: each of them once.

    Raises `TooManySignIns` before any check, `WrongCode` after it.
    """
    by = By(now=now, user=user, ip=ip)
    with write_tx():
        _one_at_a_time(user)
        _check_tries(user, now=now)
        factor = find(user)
        is_right = factor is not None and _take(factor, code, now=now)
        is_recovery = not is_right and factor is not None and _use_recovery(user, code, by)
        if is_right or is_recovery:
            attempts.forget(AttemptKind.CODE, _subject(user))
        else:
            attempts.note(AttemptKind.CODE, _subject(user), ip=ip, now=now)
            _note(AuditEventKind.CODE_REFUSED, user, by)
    if is_recovery:
        queue.hint_notices()
    if not (is_right or is_recovery):
        raise WrongCode


def renew_codes(user: User, *, by: By) -> list[str]:
    """New recovery codes in place of all before; they are shown this once."""
    with write_tx():
        _one_at_a_time(user)
        codes = _make_codes(user)
        _note(AuditEventKind.RECOVERY_CODES_MADE, user, by)
    return codes


def remove(user: User, *, by: By) -> bool:
    """Sign in with the password alone again; False when there was no factor."""
    with write_tx():
        removed = SecondFactor.delete().where(SecondFactor.user == user).execute()
        RecoveryCode.delete().where(RecoveryCode.user == user).execute()
        if removed:
            _note(AuditEventKind.FACTOR_OFF, user, by)
            access_letters.tell(user, Told.FACTOR_OFF, ip=by.ip, now=by.now)
    if removed:
        queue.hint_notices()
    return bool(removed)


def _one_at_a_time(user: User) -> None:
    """Inside `write_tx`: who does the same at the same time waits."""
    for_update(User.across_clients(User.id).where(User.id == user.id)).execute()


def _take(factor: SecondFactor, code: str, *, now: datetime) -> bool:
    """Inside `write_tx`: whether `code` is of about now and later than any that was taken."""
    digits = "".join(code.split())
    step = clock.epoch(now) // STEP_S
    application = pyotp.HOTP(secret_of(factor))
    for each in (step + distance for distance in AROUND):
        if hmac.compare_digest(application.at(each).encode(), digits.encode()):
            return bool(
                SecondFactor.update(last_step=each)
                .where(SecondFactor.id == factor.id, SecondFactor.last_step < each)
                .execute()
            )
    return False


def _use_recovery(user: User, code: str, by: By) -> bool:
    """Inside `write_tx`: use a recovery code up; the owner is told."""
    used = (
        RecoveryCode.update(used_at=by.now)
        .where(
            RecoveryCode.user == user,
            RecoveryCode.code_hash == _code_hash(user, code),
            RecoveryCode.used_at.is_null(),
        )
        .execute()
    )
    if used:
        _note(AuditEventKind.RECOVERY_CODE_USED, user, by)
        access_letters.tell(user, Told.RECOVERY_USED, ip=by.ip, now=by.now)
    return bool(used)


def _make_codes(user: User) -> list[str]:
    RecoveryCode.delete().where(RecoveryCode.user == user).execute()
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    for code in codes:
        RecoveryCode.create(user=user, code_hash=_code_hash(user, code))
    return codes


def _new_code() -> str:
    """Three groups of four signs that are not mistaken for others."""
    groups = ("".join(secrets.choice(passwords.READABLE) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


def _code_hash(user: User, code: str) -> str:
    plain = "".join(sign for sign in code.casefold() if sign.isalnum())
    return _digest(f"recovery:{user.id}:{plain}").hex()


def _check_tries(user: User, *, now: datetime) -> None:
    since = now - TRIES_IN
    if attempts.of_subject(AttemptKind.CODE, _subject(user), since=since) >= TRIES:
        seconds = ceil(TRIES_IN.total_seconds())
        raise TooManySignIns(retry_after_s=seconds, minutes=ceil(seconds / 60))


def _subject(user: User) -> str:
    return f"user:{user.id}"


def _digest(text: str) -> bytes:
    secret = str(current_app.secret_key).encode()
    return hmac.new(secret, f"second factor:{text}".encode(), hashlib.sha256).digest()


def _note(event: AuditEventKind, user: User, by: By, **detail: object) -> None:
    audit.record_by(event, by, client=user.client_id, subject=f"user:{user.id}", **detail)
