"""`flask billing`, as typed."""

import pytest

from models import Client, Order, db
from models_billing import Invoice
from services import clock, one_offs
from services.audit import By
from tests.apps import another_app
from tests.factories import NOON, make_call, make_client, make_subscriber


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """Type a command in a cabinet of its own in April 2026: exit status and what it says."""
    monkeypatch.setattr(clock, "now", lambda: NOON.replace(month=4))
    with another_app(tmp_path / "var") as app:
        runner = app.test_cli_runner()
        assert runner.invoke(args=["db", "upgrade"]).exit_code == 0

        def type_in(*args, command="run"):
            result = runner.invoke(args=["billing", command, *args])
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


def test_a_credit_note_is_looked_at_and_given_out(typed):
    with db.connection_context():
        client = Client.get()
        day = NOON.date()
        by = By(now=NOON)
        one_offs.add(client, "Выезд", 1000, day=day, service="telecom", subscriber=None, by=by)
    typed("2026-03")
    told = ["2026-000001", "--reason", "Ошибка", "--line", "1=4,00"]
    status, output = typed(*told, "--dry-run", command="correct")
    assert (status, count()) == (0, (1, 1))
    assert "no number yet, -5,00 BYN" in output
    status, output = typed(*told, command="correct")
    assert (status, count()) == (0, (2, 2))
    assert "1\t-4,00\tОшибка: Выезд" in output
    rate = ["2026-000001", "--reason", "x", "--rate", "25=6,00", "--dry-run"]
    assert "-7,50 BYN" in typed(*rate, command="correct")[1]
    assert typed("2026-000001", "--reason", "x", "--all", "--no-mail", command="correct")[0] == 0
    with db.connection_context():
        assert sum(row.total for row in Invoice.select()) == 0
    assert count() == (3, 2)


REFUSED = [
    ["2026-000009", "--reason", "x", "--all"],
    ["x", "--reason", "x", "--all"],
    ["2026-000001", "--reason", "x", "--all"],  # there is nothing to give back
    ["2026-000001", "--reason", "x"],
    ["2026-000001", "--reason", "x", "--line", "9=1"],
    ["2026-000001", "--reason", "x", "--rate", "25=1"],
    ["2026-000001", "--reason", "x", "--line", "1:1"],
    ["2026-000001", "--reason", "", "--all"],
]


def test_what_cannot_be_corrected_is_refused(typed):
    typed("2026-03")
    for told in REFUSED:
        assert typed(*told, command="correct")[0] in (1, 2), told
    assert count() == (1, 1)
