"""Nothing reads on when its work is over: not after a part of the reconciler's round, not behind a
page, not after a job. What is left open keeps SQLite's log from beginning anew, which then grows by
all that is written, and keeps a PostgreSQL from clearing away old rows.
"""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import Context
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from commands.routes import describe
from domain.call_centre import MemberKind
from models import db
from services import call_centre, clock, faults, reconcile
from tests import databases
from tests.apps import another_app
from tests.factories import make_call, make_client, make_import_run, make_subscriber
from tests.security import world as worlds

BUSY = "somebody reads still"


class Beside:
    """Another process on the same database, which sees whether anybody else has work open."""

    def __init__(self, config):
        self._config = config

    def check(self, where=""):
        """That nobody has."""
        found = self._on_sqlite() if databases.kind == "sqlite" else self._on_postgresql()
        assert not found, f"{where}: {found}"

    def _on_sqlite(self):
        """The log can be emptied, with something in it that came after whatever is read still."""
        path = self._config.data_dir / "cabinet.db"
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as base:
            base.execute("PRAGMA user_version = 7")
            busy, left, _moved = base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy or not left
        return BUSY if busy else ""

    def _on_postgresql(self):
        with psycopg.connect(self._config.database_url, autocommit=True) as base:
            return base.execute(
                "SELECT state, query FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            ).fetchall()


@pytest.fixture(scope="module")
def own_app(tmp_path_factory):
    with another_app(tmp_path_factory.mktemp("log"), DEMO=True) as app:
        yield app


@pytest.fixture(scope="module")
def beside(own_app):
    return Beside(own_app.config["CABINET"])


@pytest.fixture(scope="module")
def world(own_app):
    with own_app.app_context():
        made = worlds.build(own_app)
        for _ in range(2):
            _centre(make_client())
    return made


def _centre(client):
    """A call centre with calls on more days than are counted in one round."""
    now = clock.now()
    line = make_subscriber(client)
    call_centre.add(client, line, MemberKind.LINE, now=now)
    for back in range(1, 9):
        at = now - timedelta(days=back)
        make_call(line, at, direction=0, import_run=make_import_run(last_at=int(at.timestamp())))


def test_the_watcher_sees_what_is_read_still(own_app, world, beside):
    """Else the tests below could not fail."""
    beside.check()
    with db.atomic("DEFERRED" if databases.kind == "sqlite" else "REPEATABLE READ"):
        db.execute_sql("SELECT count(*) FROM client").fetchall()
        with pytest.raises(AssertionError):
            beside.check()
    beside.check()


PAGES = (
    *("home.show", "bills.show", "bills.charges.show", "bills.call_detail.subscribers"),
    *("orders.index", "orders.file", "payments.show", "call_centre.show", "account.show"),
)


def test_nothing_is_left_open_behind_a_page(own_app, world, beside, monkeypatch):
    """In a thread that keeps its connection, as those of the web server do."""
    monkeypatch.setattr(own_app, "testing", False)
    browser = world.browser("client")
    addresses = {row["endpoint"]: world.address(row["rule"]) for row in describe(own_app)}
    with ThreadPoolExecutor(1) as thread:
        for endpoint in PAGES:
            ask = partial(Context().run, browser.client.get, addresses[endpoint])
            answer = thread.submit(ask).result()
            assert answer.status_code == 200, endpoint
            beside.check(endpoint)
            answer.close()
        assert not thread.submit(db.is_closed).result()
        thread.submit(db.close).result()


def test_nothing_is_left_open_after_any_part_of_a_round(own_app, world, beside, monkeypatch):
    """Rounds in which there is something to do: today, and when everything is over."""
    parts = []

    def look(point):
        if point == "reconcile.part_done":
            parts.append(point)
            beside.check(f"part {len(parts)}")

    monkeypatch.setattr(faults, "reach", look)
    now = clock.now()
    with own_app.app_context():
        rounds = [reconcile.tick(now=now + timedelta(days=days)) for days in (0, 0, 1, 400)]
    assert not any(each.failed for each in rounds)
    assert all(any(getattr(each, part) for each in rounds) for part in ("days", "purged"))
    assert len(parts) >= len(rounds) * 19  # each part of each round
