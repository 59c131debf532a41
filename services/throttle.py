"""How many wrong passwords are too many. A delay, never a lock: an hour later all is forgotten.

Failures are counted by account over all addresses it has never signed in from, by account at each
address it has, and by address over all accounts. So a stranger who guesses cannot keep the owner
out of their own office. An account that does not exist is counted like one that does.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from peewee import ModelSelect

from domain.errors import TooManySignIns
from models import AuditEvent, SignInFailure, User
from services.audit import AuditEventKind
from services.transactions import write_tx

MEMORY = timedelta(hours=1)
KNOWN_FOR = timedelta(days=180)  # how long an address stays the owner's own


@dataclass(frozen=True)
class Limit:
    """At most `failures` within `window`."""

    failures: int
    window: timedelta


# Passwords are verified four at a time, so a burst may overshoot by three in each process: twelve
# keep two processes under twenty verifications an hour. Five let the owner in after 15 minutes.
BY_ACCOUNT = (Limit(5, timedelta(minutes=15)), Limit(12, MEMORY))
BY_OWN_ADDRESS = (Limit(10, timedelta(minutes=15)),)
BY_ADDRESS = (Limit(60, timedelta(minutes=15)),)


def hash_login(login: str, secret: str) -> str:
    """What is kept of a login that was typed: people type passwords into that field too."""
    return hmac.new(secret.encode(), login.encode(), hashlib.sha256).hexdigest()[:32]


def check(account_hash: str, *, user: User | None, ip: str, now: datetime) -> None:
    """Raise `TooManySignIns` when this attempt must wait; no password is looked at then."""
    failures = SignInFailure.select(SignInFailure.at)
    of_account = failures.where(SignInFailure.account_hash == account_hash)
    own = _own_addresses(user, now=now)
    if ip in own:
        waits = [_wait(of_account.where(SignInFailure.ip == ip), BY_OWN_ADDRESS, now)]
    else:
        waits = [_wait(of_account.where(SignInFailure.ip.not_in(own or [""])), BY_ACCOUNT, now)]
    waits.append(_wait(failures.where(SignInFailure.ip == ip), BY_ADDRESS, now))
    if longest := max(waits):
        seconds = ceil(longest.total_seconds())
        raise TooManySignIns(retry_after_s=seconds, minutes=ceil(seconds / 60))


def note_failure(account_hash: str, *, ip: str, now: datetime) -> None:
    """Count a wrong password, and forget what is older than the longest window."""
    with write_tx():
        SignInFailure.delete().where(SignInFailure.at <= now - MEMORY).execute()
        SignInFailure.create(account_hash=account_hash, ip=ip, at=now)


def forget(account_hash: str, *, ip: str) -> None:
    """After the right password: what was mistyped here before no longer counts."""
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


def _wait(failures: ModelSelect, limits: tuple[Limit, ...], now: datetime) -> timedelta:
    """How long until one more failure would fit into every window; zero when it fits now."""
    return max((_wait_for(failures, limit, now) for limit in limits), default=timedelta())


def _wait_for(failures: ModelSelect, limit: Limit, now: datetime) -> timedelta:
    newest = failures.where(SignInFailure.at > now - limit.window).order_by(SignInFailure.at.desc())
    in_the_way = newest.offset(limit.failures - 1).first()  # once it is forgotten, there is room
    return in_the_way.at + limit.window - now if in_the_way else timedelta()
