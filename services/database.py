"""Opening the database and bringing its tables up to date. The only place that knows which
database it is, beside the few statements that differ.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

from peewee import Database, PostgresqlDatabase, SqliteDatabase, __exception_wrapper__
from playhouse.db_url import parse
from playhouse.migrations import Runner

from config import Config, ConfigError
from models import Call, db
from models_all import CLUSTERED_MODELS

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LOG_KEPT_BYTES = 64 << 20  # what SQLite's log grew beyond that, under a long report, is given back
BUSY_TIMEOUT_S = 30  # how long a write waits for others at most
LONGEST_PAUSE_S, SHORTEST_PAUSE_S = 0.005, 0.001  # between two tries: the longer, the more often
# SQLite's "WAL-reset bug" is mended from here on, and in two older lines.
SOUND = (3, 51, 3)
REPAIRED_LINES = (((3, 50, 7), (3, 51, 0)), ((3, 44, 6), (3, 45, 0)))
CALL_INDEXES = Call._meta.indexes
# Texts are compared byte by byte, as SQLite does it: an order of rows or a LIKE must not depend on
# the locale that somebody gave the database. And they have no length: SQLite knows none either.
_TEXTS_TO_CHANGE = """
    SELECT c.relname, a.attname
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_collation o ON o.oid = a.attcollation
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
      AND a.atttypid IN ('text'::regtype, 'varchar'::regtype)
      AND (o.collname <> 'C' OR a.atttypid <> 'text'::regtype)
    ORDER BY 1, 2"""


class _Connection(sqlite3.Connection):
    """Ends its cursors when it is closed. One that somebody holds still, be it only the trace of an
    error, would go on reading: SQLite's log could not begin anew until it is gone, too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()
        self._path = Path(arguments[0])
        self._file = self._path.stat()

    def cursor(self, *arguments: Any) -> sqlite3.Cursor:
        made = super().cursor(*arguments)
        self._cursors.add(made)
        return made

    def end_cursors(self) -> None:
        """Read no further, whoever may hold a cursor."""
        for cursor in list(self._cursors):
            cursor.close()

    def leads_to_the_file(self) -> bool:
        """Whether the file that was opened is still the one of that name."""
        with suppress(OSError):
            return os.path.samestat(self._file, self._path.stat())
        return False

    def close(self) -> None:
        self.end_cursors()
        super().close()


class _Sqlite(SqliteDatabase):
    """SQLite with two manners of its own changed."""

    def begin(self, lock_type: str | None = None) -> None:
        """Wait for the right to write by ourselves. SQLite tries ever more rarely, so that whoever
        has waited longest comes last; here they try most often.
        """
        if (lock_type or self._lock_type) != "IMMEDIATE":
            super().begin(lock_type)
            return
        connection = self.connection()
        began = time.monotonic()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            with __exception_wrapper__:
                while not _has_begun(connection):
                    waited_s = time.monotonic() - began
                    if waited_s > BUSY_TIMEOUT_S:
                        raise sqlite3.OperationalError("database is locked")
                    time.sleep(max(SHORTEST_PAUSE_S, LONGEST_PAUSE_S - waited_s / 50))
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")

    def rollback(self) -> None:
        """Only what is still there: on a full disk it rolls back by itself."""
        if self.is_closed() or self.connection().in_transaction:
            super().rollback()


def _has_begun(connection: sqlite3.Connection) -> bool:
    """Try to begin writing; False while another connection writes."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def open_database(config: Config) -> Database:
    """Bind the models to the configured database. Connects nothing: each process does that for
    itself.
    """
    database = make_database(config.database_url)
    on_sqlite = isinstance(database, SqliteDatabase)
    for model in CLUSTERED_MODELS:
        model._meta.without_rowid = on_sqlite
    Call._meta.indexes = CALL_INDEXES if on_sqlite else []  # there each month has its own
    db.initialize(database)
    return database


def make_database(url: str) -> Database:
    """The database at `url`, bound to nothing and not connected."""
    if not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ConfigError(
            f"A database is postgresql://user:password@host/name or sqlite:////path, not {url!r}"
        )
    if not url.startswith("sqlite"):
        values = {key: value for key, value in parse(url).items() if value is not None}
        return PostgresqlDatabase(values.pop("database"), prefer_psycopg3=True, **values)
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _Sqlite(
        str(path),
        lock_type="IMMEDIATE",  # a deferred BEGIN that writes later fails under load
        timeout=BUSY_TIMEOUT_S,
        factory=_Connection,
        pragmas={
            "foreign_keys": 1,
            "synchronous": "full",
            "cache_size": -65536,
            "mmap_size": 0,
            "journal_size_limit": LOG_KEPT_BYTES,
        },
    )


def upgrade(database: Database | None = None) -> list[str]:
    """Run the migrations that have not run yet and return their names. Safe to repeat, and after a
    kill.
    """
    database = database or db.obj
    if isinstance(database, SqliteDatabase):
        # Kept in the file; per connection it would need a lock.
        database.execute_sql("PRAGMA journal_mode=WAL")
    names = [str(name) for name in Runner(database, str(MIGRATIONS)).up()]
    if not isinstance(database, SqliteDatabase):
        with database.atomic():
            for table, column in database.execute_sql(_TEXTS_TO_CHANGE).fetchall():
                database.execute_sql(
                    f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE text COLLATE "C"'
                )
    return names


def sqlite_fault() -> str:
    """What is wrong with the SQLite that is linked, in words for the operator; "" when nothing is
    known, or when it is not used. A vendor's repair under an old number cannot be seen.
    """
    version = sqlite3.sqlite_version_info
    repaired = version >= SOUND or any(low <= version < high for low, high in REPAIRED_LINES)
    if repaired or not isinstance(db.obj, SqliteDatabase):
        return ""
    return (
        f"SQLite {sqlite3.sqlite_version} has a rare fault that can damage a database into which "
        "several processes write (https://sqlite.org/wal.html#walresetbug; mended in 3.51.3, "
        "3.50.7 and 3.44.6). Unless your system's carries the repair: keep copies, or use "
        "PostgreSQL."
    )


@contextmanager
def held_open() -> Iterator[None]:
    """Keep SQLite's file open while inside: whoever closes it last takes its log away, and on a
    full disk nobody could make a new one, not even to read. A server needs nothing of the kind.
    """
    if not isinstance(db.obj, SqliteDatabase):
        yield
        return
    with db.connection_context():
        db.execute_sql("PRAGMA schema_version")  # the log is opened by the first look at the data
        yield


def applied() -> tuple[str, ...]:
    """The version of the tables: names of the migrations that have run."""
    return tuple(sorted(Runner(db.obj, str(MIGRATIONS)).applied()))


def known() -> tuple[str, ...]:
    """Names of all migrations there are."""
    return tuple(migration.name for migration in Runner(db.obj, str(MIGRATIONS)).migrations())


def is_up_to_date() -> bool:
    """Whether every migration has run."""
    return all(migration.applied for migration in Runner(db.obj, str(MIGRATIONS)).status())
