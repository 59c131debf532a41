"""Connections that the web server's threads keep between requests, and when they do not."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from models import Client, db
from services import connections
from tests import databases
from tests.apps import another_app
from tests.factories import make_client

on_sqlite = pytest.mark.skipif(databases.kind != "sqlite", reason="about SQLite")
on_postgresql = pytest.mark.skipif(databases.kind == "sqlite", reason="about PostgreSQL")


@pytest.fixture(scope="module")
def own_app(tmp_path_factory):
    with another_app(tmp_path_factory.mktemp("var")) as app:
        make_client()
        yield app


@pytest.fixture
def thread(own_app):
    """One of the web server's: it has no connection at first."""
    with ThreadPoolExecutor(1) as only_one:
        yield lambda work, *arguments: only_one.submit(work, *arguments).result()
        only_one.submit(db.close)


def ask(*, keep=True, work=lambda: Client.select().count()):
    """A request: its connection, and what it has asked."""
    with connections.for_request(keep=keep):
        found = work()
        return db.connection(), found


def test_a_thread_asks_by_the_same_connection_again(thread):
    first, found = thread(ask)
    assert found == 1
    assert thread(ask)[0] is first
    assert not thread(db.is_closed)


def test_nothing_is_kept_where_nothing_shall_be(thread):
    thread(lambda: ask(keep=False))
    assert thread(db.is_closed)
    thread(ask)
    thread(lambda: ask(keep=False))
    assert thread(db.is_closed)


def test_a_connection_of_somebody_else_is_left_to_them(own_app):
    mine = db.connection()
    assert ask(keep=False)[0] is mine
    assert ask(keep=True)[0] is mine
    assert not db.is_closed()


def test_one_that_rested_long_is_opened_anew(thread, monkeypatch):
    first, _ = thread(ask)
    monkeypatch.setattr(connections, "LONGEST_REST_S", -1)
    again, found = thread(ask)
    assert again is not first
    assert found == 1


def test_an_error_ends_what_is_left_open(thread):
    def fail():
        db.connection().execute("BEGIN")
        db.execute_sql('SELECT * FROM "client"').fetchone()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        thread(lambda: ask(work=fail))
    assert thread(db.is_closed)
    assert thread(ask)[1] == 1


@on_sqlite
def test_a_file_that_was_put_in_place_of_the_other_is_opened(own_app, thread):
    """As `flask restore` does it: the log of the old one goes with it."""
    file = own_app.config["CABINET"].data_dir / "cabinet.db"
    copy = file.with_name("copy.db")
    thread(ask)
    db.execute_sql(f"VACUUM INTO '{copy}'")
    with closing(sqlite3.connect(copy)) as base, base:
        base.execute('UPDATE "client" SET name = ?', ("Из копии",))
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("cabinet.db-wal", "cabinet.db-shm"):
        file.with_name(name).unlink()
    copy.replace(file)
    assert thread(lambda: ask(work=Client.get))[1].name == "Из копии"


@on_postgresql
def test_one_that_the_server_has_ended_is_opened_anew(own_app, thread):
    first, _ = thread(ask)
    url = own_app.config["CABINET"].database_url
    with psycopg.connect(url, autocommit=True) as beside:
        pid = (first.info.backend_pid,)
        beside.execute("SELECT pg_terminate_backend(%s)", pid)
        left = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        while beside.execute(left, pid).fetchone() != (0,):
            pass
    again, found = thread(ask)
    assert again is not first
    assert found == 1
