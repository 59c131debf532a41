"""How many wrong passwords are too many. A delay, never a lock: all is forgotten in 15 minutes.

Failures are counted by account over all addresses it has never signed in from, by account at each
address it has, and by address over all accounts. So a stranger who guesses cannot keep the owner
out of their own office. An account that does not exist is counted like one that does.

An attempt counts as a failure from before its password is looked at until that proves right:
however many guess at once, in however many processes, the limit of an account is not overshot.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from math import ceil

from peewee import ModelSelect, SqliteDatabase

from domain.errors import TooManySignIns
from models import AuditEvent, SignInFailure, User, db
from services.audit import AuditEventKind
from services.transactions import write_tx

# Failures within `WINDOW`. Five in a quarter of an hour are twenty in an hour, and nobody has to
# wait longer than 15 minutes. A longer window beside it would keep an owner on the way out longer.
WINDOW = timedelta(minutes=15)
BY_ACCOUNT = 5
BY_OWN_ADDRESS = 5
BY_ADDRESS = 60
KNOWN_FOR = timedelta(days=180)  # how long an address stays the owner's own


def hash_login(login: str, secret: str) -> str:
    """What is kept of a login that was typed: people type passwords into that field too."""
    return hmac.new(secret.encode(), login.encode(), hashlib.sha256).hexdigest()[:32]


def begin(account_hash: str, *, user: User | None, ip: str, now: datetime) -> None:
    """Count an attempt as a failure, for as long as it has not proved right; `forget` takes it
    back. Raises `TooManySignIns` when it must wait: then no password is looked at.
    """
    check(account_hash, user=user, ip=ip, now=now)  # a flood is turned away without a write
    with write_tx():
        _lock(account_hash)
        check(account_hash, user=user, ip=ip, now=now)
        SignInFailure.delete().where(SignInFailure.at <= now - WINDOW).execute()
        SignInFailure.create(account_hash=account_hash, ip=ip, at=now)


def _lock(account_hash: str) -> None:
    """Let nobody else count an attempt at this account until the transaction ends."""
    if not isinstance(db.obj, SqliteDatabase):  # there BEGIN IMMEDIATE keeps everybody out
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (int(account_hash[:15], 16),))


def check(account_hash: str, *, user: User | None, ip: str, now: datetime) -> None:
    """Raise `TooManySignIns` when this attempt must wait."""
    failures = SignInFailure.select(SignInFailure.at)
    of_account = failures.where(SignInFailure.account_hash == account_hash)
    own = _own_addresses(user, now=now)
    if ip in own:
        of_it = _wait(of_account.where(SignInFailure.ip == ip), BY_OWN_ADDRESS, now)
    else:
        of_it = _wait(of_account.where(SignInFailure.ip.not_in(own or [""])), BY_ACCOUNT, now)
    of_address = _wait(failures.where(SignInFailure.ip == ip), BY_ADDRESS, now)
    if longest := max(of_it, of_address):
        seconds = ceil(longest.total_seconds())
        raise TooManySignIns(retry_after_s=seconds, minutes=ceil(seconds / 60))


def forget(account_hash: str, *, ip: str) -> None:
    """After the right password: neither this attempt nor what was mistyped here before counts."""
    with write_tx():
        SignInFailure.delete().where(
            SignInFailure.account_hash == account_hash, SignInFailure.ip == ip
        ).execute()


def _own_addresses(user: User | None, *, now: datetime) -> list[str]:
    rows = (
        AuditEvent.select(AuditEvent.ip)
        .where(
            AuditEvent.user == (user.id if user else 0),
            AuditEvent.event == AuditEventKind.SIGNED_IN,
            AuditEvent.at > now - KNOWN_FOR,
        )
        .distinct()
    )
    return [row.ip for row in rows]


def _wait(failures: ModelSelect, limit: int, now: datetime) -> timedelta:
    """How long until one more failure would fit into the window; zero when it fits now."""
    newest = failures.where(SignInFailure.at > now - WINDOW).order_by(SignInFailure.at.desc())
    in_the_way = newest.offset(limit - 1).first()  # once it is forgotten, there is room
    return in_the_way.at + WINDOW - now if in_the_way else timedelta()
