"""Transactions. Every write goes through `write_tx`, every long read through `read_tx`."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from peewee import ModelSelect, OperationalError, PeeweeException, SqliteDatabase

from models import Client, db

PAGES = 1000  # in SQLite's log before they move into the file: its own default
LITTLE_KB = 16_384  # of SQLite's pages
# How SQLite says it, and how PostgreSQL does.
NO_SPACE = ("database or disk is full", "No space left on device")


class DiskFull(OSError):
    """The database has no room for a write: nothing of the transaction has happened."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def write_tx() -> Iterator[None]:
    """One write transaction. On SQLite it begins IMMEDIATE (set on the connection, see
    `services/database.py`). Raises `DiskFull`.
    """
    try:
        with db.atomic():
            yield
    except OperationalError as error:
        if _is_for_want_of_space(error):
            raise DiskFull from error
        raise


def _is_for_want_of_space(error: BaseException | None) -> bool:
    """Whether it began with a full disk: SQLite ends the transaction then, and what is said in the
    end may be that there is none to roll back.
    """
    while error is not None and not any(words in str(error) for words in NO_SPACE):
        error = error.__context__
    return error is not None


@contextmanager
def read_tx() -> Iterator[None]:
    """One consistent view of the data for a report, without keeping writers out."""
    mode = "DEFERRED" if isinstance(db.obj, SqliteDatabase) else "REPEATABLE READ READ ONLY"
    with db.atomic(mode):  # inside another transaction this is a savepoint, and the mode is ignored
        yield


def read_by_index() -> None:
    """Inside `read_tx`: have tables read by their indexes until it ends. PostgreSQL would read a
    month of everybody's calls for some of a day; it has no way to be told so of one question.
    """
    if not isinstance(db.obj, SqliteDatabase):
        db.execute_sql("SET LOCAL enable_seqscan = off")


def one_writes_at_a_time() -> bool:
    """Whether a write transaction keeps all other writers waiting."""
    return isinstance(db.obj, SqliteDatabase)


@contextmanager
def own_checkpoints() -> Iterator[None]:
    """For those who write much and call `checkpoint` between their transactions: what a commit
    takes is what others wait for, then, and pages that are written again and again move once.
    """
    on_sqlite = isinstance(db.obj, SqliteDatabase)
    if on_sqlite:
        db.execute_sql("PRAGMA wal_autocheckpoint=0")
    try:
        yield
    finally:
        if on_sqlite and not db.is_closed():
            db.execute_sql(f"PRAGMA wal_autocheckpoint={PAGES}")


def checkpoint() -> None:
    """Move what stands in SQLite's log into the file, unless somebody reads what was before. Keeps
    no writer waiting.
    """
    if isinstance(db.obj, SqliteDatabase) and not db.in_transaction():
        db.execute_sql("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


@contextmanager
def little_memory() -> Iterator[None]:
    """For those who read much and each page once: on SQLite it is not worth keeping then."""
    if not isinstance(db.obj, SqliteDatabase):
        yield
        return
    before = db.execute_sql("PRAGMA cache_size").fetchone()[0]
    db.execute_sql(f"PRAGMA cache_size={-LITTLE_KB}")
    try:
        yield
    finally:
        if not db.is_closed():
            db.execute_sql(f"PRAGMA cache_size={before}")


def lock_client(client: Client) -> None:
    """Inside `write_tx`: keep others from writing for this client until the transaction ends.

    Where BEGIN IMMEDIATE keeps everybody out already (SQLite) there is nothing to do.
    """
    if not isinstance(db.obj, SqliteDatabase):
        for_update(Client.select(Client.id).where(Client.id == client.id)).execute()


def lock_clients(ids: Iterable[int]) -> None:
    """The same for several, in the order of their ids, so that nobody waits for each other."""
    if isinstance(db.obj, SqliteDatabase):
        return
    ordered = sorted(ids)
    for n in range(0, len(ordered), 500):
        query = Client.select(Client.id).where(Client.id.in_(ordered[n : n + 500]))
        list(for_update(query.order_by(Client.id)))


def for_update(query: ModelSelect) -> ModelSelect:
    """Inside `write_tx`: `query`, its rows kept from other writers until the transaction ends, so
    that what is read can be changed and written back. On SQLite everybody is kept out anyway.

    Rows that point to them can be written meanwhile: a letter or an audit row about a client must
    not wait for a payment of it, nor the other way round.
    """
    return query if isinstance(db.obj, SqliteDatabase) else query.for_update("FOR NO KEY UPDATE")


@contextmanager
def hold_everywhere(number: int, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the right `number` among all processes on this database, on whatever machine. The
    server gives it back when the connection ends. Nothing on SQLite: there a lock on a file does.
    """
    if isinstance(db.obj, SqliteDatabase):
        yield
        return
    if not db.execute_sql("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()[0]:
        waiting()
        db.execute_sql("SELECT pg_advisory_lock(%s)", (number,))
    try:
        yield
    finally:
        with suppress(PeeweeException):  # the connection is lost, and the right with it
            db.execute_sql("SELECT pg_advisory_unlock(%s)", (number,))
