"""Tries that are counted, so that nobody has many of them: letters asked for, codes guessed.
(Passwords are counted in `throttle.py`, where a right one takes its own try back.)
"""

from datetime import datetime, timedelta
from enum import StrEnum

from models_access import Attempt
from services.transactions import write_tx

KEPT = timedelta(days=1)


class AttemptKind(StrEnum):
    """What was tried."""

    RESET = "reset"  # a letter for a forgotten password
    CODE = "code"  # of the second factor


def note(kind: AttemptKind, subject_hash: str, *, ip: str = "", now: datetime) -> None:
    """Inside `write_tx`: count one more."""
    Attempt.create(kind=kind, subject_hash=subject_hash, ip=ip, at=now)


def forget(kind: AttemptKind, subject_hash: str) -> None:
    """Inside `write_tx`: what was tried before does not count any more."""
    Attempt.delete().where(Attempt.kind == kind, Attempt.subject_hash == subject_hash).execute()


def of_subject(kind: AttemptKind, subject_hash: str, *, since: datetime) -> int:
    """How many there were at one subject."""
    return _count(kind, Attempt.subject_hash == subject_hash, since)


def of_address(kind: AttemptKind, ip: str, *, since: datetime) -> int:
    """How many there were from one address."""
    return _count(kind, Attempt.ip == ip, since)


def sweep(*, now: datetime) -> int:
    """Delete what counts no more; called by the reconciler. Returns how many."""
    with write_tx():
        return Attempt.delete().where(Attempt.at <= now - KEPT).execute()


def _count(kind: AttemptKind, condition: object, since: datetime) -> int:
    return Attempt.select().where(Attempt.kind == kind, condition, Attempt.at > since).count()
