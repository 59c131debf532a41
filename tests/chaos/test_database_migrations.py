"""Migrations over data, killed on the way: run again they finish, and the tables are those of a
fresh database.
"""

import os
import shutil
import signal
import sys
import time

import psycopg
import pytest
from playhouse.migrations import Runner
from psycopg.conninfo import conninfo_to_dict

from services import database
from tests import databases

FIRST = "0001_initial"
CLIENT = """
    INSERT INTO client (id, name, unp, account_no, contract_no, address, invoice_email,
                        detail_email, may_download, hide_incoming_peers, created_at)
    VALUES (1, 'x', '1', '1', '', '', 'a@b.by', 'a@b.by', {no}, {no}, '2026-03-01 00:00:00')"""
EXCHANGE = "INSERT INTO exchange (id, name) VALUES (1, 'main')"
RUN = """
    INSERT INTO import_run (id, exchange_id, file_name, file_sha256, format, zone, options, state,
                            upload_key, dates, force_zone, zone_error_s, size, bytes_read, attempts,
                            lines, calls, accepted, duplicates, rejected, unmatched, skipped,
                            rejects, error, started_at)
    VALUES (1, 1, 'x', '', '', '', '', 'done', '', '', {no}, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, '[]', '', '2026-03-01 00:00:00')"""
CALLS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {calls})
    INSERT INTO "call" (subscriber_id, started_at, seq, direction, on_net, number, peer,
                        answered_at, duration_s, billable_s, disposition, exchange_id, uid, legs,
                        import_run_id)
    SELECT 1 + i - 1000 * (i / 1000), 1772000000 + i, i, 0, {no}, '375291234567', '375171234567',
           NULL, 65, 60, 1, 1, '1772000000.' || i, '[]', 1
    FROM n"""
COLUMNS = """
    SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default,
           collation_name
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 2"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"""


class Stages:
    """Databases of this kind, told apart by number: each made new or as a copy of another."""

    def __init__(self, folder):
        self.folder = folder
        self.made = 0

    def url(self, like=""):
        """A new database: empty, or a copy of the one at `like`."""
        self.made += 1
        if databases.kind == "sqlite":
            path = self.folder / f"{self.made}.db"
            if like:
                shutil.copy(like.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"
        url = databases.new_url()
        if like:
            name, template = (conninfo_to_dict(each)["dbname"] for each in (url, like))
            with psycopg.connect(url, dbname="postgres", autocommit=True) as server:
                server.execute(f'DROP DATABASE "{name}"')
                server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return url

    def forget(self, url):
        """Its room is needed for the next one."""
        if databases.kind == "sqlite":
            for path in self.folder.glob(url.rsplit("/", 1)[1] + "*"):
                path.unlink()


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    return Stages(tmp_path_factory.mktemp("stages"))


def make_old(stages, calls):
    """A database as the first release left it, with calls in it."""
    url = stages.url()
    base = database.make_database(url)
    with base.connection_context():
        if databases.kind == "sqlite":
            base.execute_sql("PRAGMA journal_mode=WAL")
        Runner(base, str(database.MIGRATIONS)).up(FIRST)
        for statement in (CLIENT, EXCHANGE, RUN, CALLS):
            no = "0" if databases.kind == "sqlite" else "false"
            base.execute_sql(statement.format(no=no, calls=calls))
    return url


def look(url):
    """The tables, and how many calls with which sum are in them."""
    base = database.make_database(url)
    with base.connection_context():
        if databases.kind == "sqlite":
            assert base.execute_sql("PRAGMA integrity_check").fetchall() == [("ok",)]
            statement = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"
            schema = base.execute_sql(statement).fetchall()
        else:
            catalogue = (COLUMNS, INDEXES, CONSTRAINTS)
            schema = [base.execute_sql(statement).fetchall() for statement in catalogue]
        sums = 'SELECT count(*), sum(seq), sum(duration_s) FROM "call"'
        return schema, base.execute_sql(sums).fetchone()


class Dying:
    """Counts what a migration does, and kills the process before the step `die_at`."""

    def __init__(self, base, die_at):
        self.steps, self.die_at = 0, die_at
        for name in ("execute_sql", "begin", "commit"):
            setattr(base, name, self.counted(getattr(base, name)))

    def counted(self, work):
        def step(*args, **values):
            self.steps += 1
            if self.steps == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*args, **values)

        return step


def upgrade(url, *, die_at=0, die_after_s=None):
    """Bring the tables up to date in a process of its own; how it ended, and its steps."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            base = database.make_database(url)
            dying = Dying(base, die_at)
            with base.connection_context():
                database.upgrade(base)
            os.write(writing, str(dying.steps).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    if die_after_s is not None:
        time.sleep(die_after_s)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        steps = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(steps or 0)


@pytest.fixture(scope="module")
def fresh(stages):
    """The tables of a new database."""
    url = stages.url()
    assert upgrade(url)[0] == 0
    return look(url)[0]


@pytest.mark.timeout(1800)
def test_a_killed_migration_is_run_again_to_its_end(stages, fresh, length):
    calls = 5000
    old = make_old(stages, calls)
    told = look(old)[1]
    url = stages.url(old)
    ended, steps = upgrade(url)
    assert (ended, look(url)) == (0, (fresh, told))
    few = 12 if databases.kind == "sqlite" else 3  # there each needs a copy made by the server
    many = min(steps, length(short=few, long=60))
    for n in range(many):
        url = stages.url(old)
        die_at = 1 + (2 * n + 1) * steps // (2 * many)
        assert upgrade(url, die_at=die_at)[0] == -signal.SIGKILL
        assert upgrade(url)[0] == 0
        assert look(url) == (fresh, told)
        stages.forget(url)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_migration_over_a_million_calls_can_be_killed_at_any_moment(stages, fresh):
    """Ten moments, spread over the time it takes."""
    old = make_old(stages, 1_000_000)
    told = look(old)[1]
    url = stages.url(old)
    began = time.monotonic()
    assert upgrade(url)[0] == 0
    took_s = time.monotonic() - began
    assert look(url) == (fresh, told)
    stages.forget(url)
    killed = 0
    for n in range(10):
        url = stages.url(old)
        killed += upgrade(url, die_after_s=took_s * (n + 0.5) / 10)[0] != 0
        assert upgrade(url)[0] == 0
        assert look(url) == (fresh, told)
        stages.forget(url)
    sys.stdout.write(f"1 000 000 calls: {took_s:.1f} s; killed on the way {killed} times of 10\n")
    assert killed
