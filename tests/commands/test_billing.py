"""`flask billing run`, as typed."""

import pytest

from models import Order, db
from models_billing import Invoice
from services import clock
from tests.apps import another_app
from tests.factories import NOON, make_call, make_client, make_subscriber


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """Type a command in a cabinet of its own in April 2026: exit status and what it says."""
    monkeypatch.setattr(clock, "now", lambda: NOON.replace(month=4))
    with another_app(tmp_path / "var") as app:
        runner = app.test_cli_runner()
        assert runner.invoke(args=["db", "upgrade"]).exit_code == 0

        def type_in(*args):
            result = runner.invoke(args=["billing", "run", *args])
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output

        with db.connection_context():
            make_client(account_no="100")
        yield type_in


def count():
    with db.connection_context():
        return Invoice.select().count(), Order.select().count()


def test_invoices_are_formed_once_and_mailed(typed):
    status, output = typed("2026-03")
    assert (status, count()) == (0, (1, 1))
    assert "100: 2026-000001, 0,00 BYN" in output
    assert "1 formed, 0 there already, 0 not formed" in output
    assert "0 formed, 1 there already" in typed("2026-03")[1]
    assert count() == (1, 1)


def test_a_dry_run_only_tells(typed):
    status, output = typed("2026-03", "--dry-run")
    assert (status, count()) == (0, (0, 0))
    assert "100: no number yet, 0,00 BYN" in output
    assert "Nothing was stored" in output


def test_letters_can_be_left_out(typed):
    assert typed("2026-03", "--no-mail", "--client", "100")[0] == 0
    assert count() == (1, 0)


def test_who_cannot_be_billed_is_named_with_the_reason(typed):
    with db.connection_context():
        subscriber = make_subscriber(make_client(account_no="200"))
        make_call(subscriber, answered_at=int(NOON.timestamp()))
    status, output = typed("2026-03")
    assert (status, count()) == (1, (1, 1))
    assert "200: 1 calls have no price" in output


@pytest.mark.parametrize("month", ["2026-04", "2027-01"])
def test_a_month_that_has_not_ended_is_refused(typed, month):
    assert typed(month)[0] == 2
    assert count() == (0, 0)
