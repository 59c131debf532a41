"""Connections of the web server's threads. Opening one costs a page more than asking does: SQLite
reads its whole schema and begins with an empty cache, PostgreSQL starts a process. So a thread
keeps its connection from one request to the next, as long as that is fit to be used.
"""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from peewee import PeeweeException, SqliteDatabase

from models import db

LONGEST_REST_S = 60  # what rests longer is opened anew: a firewall may have forgotten it in silence
CACHE_KB = 16_384  # of SQLite's pages: there are several threads, and what they read is little
LOG_PAGES = 8000  # SQLite's log is mostly emptied by others: nobody waits for their commits


class _Mine(threading.local):
    connection: Any = None  # kept between requests
    rests_since = 0.0


_mine = _Mine()


@contextmanager
def for_request(*, keep: bool) -> Iterator[None]:
    """While a request is answered: its first question opens a connection, unless this thread has
    kept one. One that was open already, and was not kept here, is left to whoever opened it.
    """
    is_kept = not db.is_closed() and db.connection() is _mine.connection
    if not is_kept and not db.is_closed():
        yield
        return
    if is_kept and not _is_fit(_mine.connection):
        _close()
    try:
        yield
    finally:
        if keep and not db.is_closed() and _comes_to_rest(db.connection()):
            _keep(db.connection())
        else:
            _close()


def _is_fit(connection: Any) -> bool:
    """Whether a connection that rested still leads to the database. Asks the database nothing."""
    if time.monotonic() - _mine.rests_since > LONGEST_REST_S:
        return False
    if isinstance(db.obj, SqliteDatabase):
        return connection.leads_to_the_file()
    said = select.poll()
    said.register(connection.fileno(), select.POLLIN)
    return not said.poll(0)  # a server says something unasked when it hangs up


def _comes_to_rest(connection: Any) -> bool:
    """End what a request has left open; False when that cannot be done without closing."""
    if db.in_transaction() or not db.obj.is_connection_usable():
        return False
    if isinstance(db.obj, SqliteDatabase):
        connection.end_cursors()
        return not connection.in_transaction
    return connection.info.transaction_status.name == "IDLE"


def _keep(connection: Any) -> None:
    if connection is not _mine.connection and isinstance(db.obj, SqliteDatabase):
        db.execute_sql(f"PRAGMA cache_size = {-CACHE_KB}")
        db.execute_sql(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    _mine.connection, _mine.rests_since = connection, time.monotonic()


def _close() -> None:
    _mine.connection = None
    if not db.is_closed():
        with suppress(PeeweeException):  # it is broken: nothing is lost with it
            db.close()
