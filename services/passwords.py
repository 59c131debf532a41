"""Passwords: argon2id, a few at a time, and made-up ones that can be read out on the telephone."""

import secrets
import signal
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

MEMORY_KIB = 19456
MAX_LENGTH = 1024  # characters; nothing longer is ever right
MIN_LENGTH = 8  # of a password that a person chooses
READABLE = "abcdefghjknpqrtuwxy346789"  # nothing that looks like something else, alone or in pairs

_hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1, type=Type.ID)
# Of a password that nobody knows, verified where there is no user: the time must tell nothing.
STAND_IN = (
    "$argon2id$v=19$m=19456,t=2,p=1$gJZnQfZfytBPcOPr18w0ug"
    "$req7wnmWjdBYZtDSTDJe2fgVzmIWUaK46/YnVO19IYQ"
)
_AT_ONCE = 4  # 19 MiB each: a flood of sign-ins must not eat the memory
_slots = BoundedSemaphore(_AT_ONCE)
# Threads of their own: the allocator keeps the memory of every thread that has ever hashed.
# Signals are not for them: `bin/run` hashes the demo's password, and waits for Ctrl-C afterwards.
_threads = ThreadPoolExecutor(
    _AT_ONCE,
    thread_name_prefix="passwords",
    initializer=signal.pthread_sigmask,
    initargs=(signal.SIG_BLOCK, signal.valid_signals()),
)


@contextmanager
def slot() -> Iterator[None]:
    """Wait for one of the few places where passwords are worked on."""
    with _slots:
        yield


def hash_password(password: str) -> str:
    """The argon2id hash to store, parameters and salt included."""
    with _slots:
        return _threads.submit(_hasher.hash, _normal(password)).result()


def is_right(password: str, stored: str | None) -> bool:
    """Whether `password` is the one behind `stored`.

    Without a stored hash (no such user) the same work is done on a stand-in, so that the time
    tells nothing. Call it inside `slot()`.
    """
    try:
        text = _normal(password[:MAX_LENGTH])
        _threads.submit(_hasher.verify, stored or STAND_IN, text).result()
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None and len(password) <= MAX_LENGTH


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's: it is renewed at sign-in."""
    return _hasher.check_needs_rehash(stored)


def make_up() -> str:
    """A new password: four groups of four, 74 bits, nothing ambiguous."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)  # keyboards differ in how they write «й»
