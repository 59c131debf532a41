"""How the database is opened, and what is said of it."""

import sqlite3

import pytest
from peewee import OperationalError

from models import db
from services import database
from tests import databases


@pytest.fixture(autouse=True)
def on_sqlite(base):
    if databases.kind != "sqlite":
        pytest.skip("about SQLite")


def test_sqlite_is_opened_as_what_is_accepted_must_survive():
    """The log beside the file, each commit flushed, no memory map, and patience."""
    asked = ("journal_mode", "synchronous", "mmap_size", "foreign_keys", "busy_timeout")
    found = [db.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in asked]
    assert found == ["wal", 2, 0, 1, 30_000]


def test_the_log_gives_back_what_it_grew_to(tmp_path, monkeypatch):
    """While a report is read, what is written meanwhile piles up in it."""
    monkeypatch.setattr(database, "LOG_KEPT_BYTES", 1 << 20)
    base = database.make_database(f"sqlite:///{tmp_path / 'x.db'}")
    reader = database.make_database(f"sqlite:///{tmp_path / 'x.db'}")
    log = tmp_path / "x.db-wal"
    with base.connection_context(), reader.connection_context():
        base.execute_sql("PRAGMA journal_mode=WAL")
        base.execute_sql("CREATE TABLE t (a)")
        with reader.atomic("DEFERRED"):
            reader.execute_sql("SELECT count(*) FROM t").fetchall()
            for _ in range(20):
                base.execute_sql("INSERT INTO t VALUES (zeroblob(500000))")
            assert log.stat().st_size > 5 << 20
        base.execute_sql("PRAGMA wal_checkpoint").fetchall()
        base.execute_sql("INSERT INTO t VALUES (1)")
        assert log.stat().st_size <= 1 << 20


def test_a_cursor_that_somebody_holds_ends_with_its_connection(tmp_path):
    """Else it would read on, and the log could not begin anew."""
    base = database.make_database(f"sqlite:///{tmp_path / 'x.db'}")
    reader = database.make_database(f"sqlite:///{tmp_path / 'x.db'}")
    empty = "PRAGMA wal_checkpoint(TRUNCATE)"
    with base.connection_context():
        base.execute_sql("PRAGMA journal_mode=WAL")
        base.execute_sql("PRAGMA busy_timeout = 0")
        base.execute_sql("CREATE TABLE t (a)")
        base.execute_sql("INSERT INTO t VALUES (1), (2), (3)")
        with reader.connection_context():
            held = reader.execute_sql("SELECT a FROM t")
            assert held.fetchone() is not None
            base.execute_sql("INSERT INTO t VALUES (4)")
            assert base.execute_sql(empty).fetchone()[0] == 1
        assert base.execute_sql(empty).fetchone() == (0, 0, 0)
        with pytest.raises(sqlite3.ProgrammingError):
            held.fetchone()


def test_who_waits_to_write_gives_up_after_a_while_and_can_write_later(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    holder, waiter = database.make_database(url), database.make_database(url)
    with holder.connection_context(), waiter.connection_context():
        holder.execute_sql("CREATE TABLE t (a)")
        monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)
        with holder.atomic():
            with pytest.raises(OperationalError, match="locked"), waiter.atomic():
                waiter.execute_sql("INSERT INTO t VALUES (1)")
            assert not waiter.in_transaction()
        monkeypatch.undo()
        with waiter.atomic():
            waiter.execute_sql("INSERT INTO t VALUES (2)")
        assert holder.execute_sql("SELECT a FROM t").fetchall() == [(2,)]
        assert waiter.execute_sql("PRAGMA busy_timeout").fetchone() == (30_000,)


FAULTY = ["3.7.0", "3.40.1", "3.44.5", "3.45.0", "3.50.6", "3.51.0", "3.51.2"]
SOUND = ["3.44.6", "3.50.7", "3.51.3", "3.53.0"]


@pytest.mark.parametrize("version", [*FAULTY, *SOUND])
def test_a_faulty_sqlite_is_named(version, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version", version)
    monkeypatch.setattr(
        sqlite3, "sqlite_version_info", tuple(int(each) for each in version.split("."))
    )
    assert (f"SQLite {version} " in database.sqlite_fault()) is (version in FAULTY)


def test_verify_says_so_and_finds_no_breach_in_it(app, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    said = app.test_cli_runner().invoke(args=["verify"])
    assert "walresetbug" in said.stderr
    assert "0 breaches" in said.stdout
    assert said.exit_code == 0
