"""The tests' own watch over writes notices what it is there for."""

from contextlib import nullcontext

import pytest
from peewee import SqliteDatabase

from models import Client, db
from services import access, clock
from services.audit import AuditEventKind
from services.transactions import read_tx, write_tx
from tests import databases, writes
from tests.factories import make_client


@pytest.fixture(autouse=True)
def on_sqlite(base):
    if databases.kind != "sqlite":
        pytest.skip("a server has no DEFERRED transactions")


def write():
    access._note(AuditEventKind.CLIENT_VIEWED, None, None, "", "", clock.now())


@pytest.fixture
def forgetful(monkeypatch):
    """A service that has forgotten its `write_tx`."""
    monkeypatch.setattr(access, "write_tx", nullcontext)


def test_what_stands_in_write_tx_is_no_mistake():
    write()
    with write_tx():
        write()
    make_client()  # a test may write as it likes
    assert writes.take_mistakes() == []


def test_a_write_of_the_product_outside_write_tx_is_one(forgetful):
    write()
    with write_tx():
        write()
    with db.atomic():
        write()
    first, second = writes.take_mistakes()
    assert "outside write_tx" in first
    assert "access.py" in second


@pytest.mark.parametrize("begun_by", ["read_tx", "BEGIN"])
def test_a_write_in_a_transaction_that_began_deferred_is_one(tmp_path, begun_by):
    before = db.obj
    try:
        db.initialize(SqliteDatabase(str(tmp_path / "x.db"), lock_type="IMMEDIATE"))
        with db.connection_context():
            db.create_tables([Client])
            with read_tx() if begun_by == "read_tx" else SqliteDatabase.atomic(db.obj, "DEFERRED"):
                make_client()
    finally:
        db.initialize(before)
    (mistake,) = writes.take_mistakes()
    assert "DEFERRED" in mistake
