"""Whoever holds a client keeps others from writing for it, and not from writing about it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from models import db
from services import audit, clock
from services.audit import AuditEventKind
from services.subscribers import add_subscriber
from services.transactions import lock_client, write_tx
from tests import databases, factories
from tests.apps import another_app


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with another_app(tmp_path_factory.mktemp("locks")) as made:
        yield made


def beside(app, deed):
    """Do it in another thread, on a connection of its own, waiting for half a second at most."""

    def do():
        with app.app_context(), db.connection_context(), write_tx():
            db.execute_sql("SET LOCAL lock_timeout = '500ms'")
            deed()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do).exception(timeout=60)


def test_two_clients_are_not_given_numbers_at_once(app):
    if databases.kind == "sqlite":
        pytest.skip("one transaction writes at a time")
    one, other = factories.make_client(), factories.make_client()
    with db.connection_context(), write_tx():
        add_subscriber(one, "375291110001", now=clock.now())
        refused = beside(app, lambda: add_subscriber(other, "375291110001", now=clock.now()))
        assert "lock timeout" in str(refused)


def test_an_audit_row_about_a_held_client_does_not_wait_and_another_holder_does(app):
    if databases.kind == "sqlite":
        pytest.skip("one transaction writes at a time")
    client = factories.make_client()

    def note():
        audit.record(AuditEventKind.CLIENT_VIEWED, now=clock.now(), client=client)

    with db.connection_context(), write_tx():
        lock_client(client)
        assert beside(app, note) is None
        assert "lock timeout" in str(beside(app, lambda: lock_client(client)))
