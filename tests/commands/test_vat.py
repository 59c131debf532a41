"""`flask vat`, as typed, and what it makes of bills."""

from datetime import UTC, date, datetime

import pytest

from models import AuditEvent, db
from models_billing import Invoice, InvoiceLine, OneOffCharge, VatRate
from services import clock
from tests.apps import another_app
from tests.factories import make_client, make_subscriber

NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)
PLAN = """
plan = "Офис"
valid_from = 2026-01-01

[[fees]]
code = "number"
name = "Абонентская плата"
amount = "10.00"

[[fees]]
code = "roaming"
name = "Роуминг"
amount = "3.00"
service = "роуминг"
"""


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """Type a command in a cabinet of its own on April 2, 2026: exit status and what it says."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with another_app(tmp_path / "var") as app:
        runner = app.test_cli_runner()
        assert runner.invoke(args=["db", "upgrade"]).exit_code == 0

        def type_in(*args):
            result = runner.invoke(args=[str(arg) for arg in args])
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output

        yield type_in


def test_the_law_holds_until_another_rate_is_set(typed):
    assert typed("vat", "list") == (
        0,
        "telecom\t2016-04-01\t25 %\tlaw\tin force\ngoods\t2010-01-01\t20 %\tlaw\tin force\n",
    )
    assert typed("vat", "set", "telecom", "26%", "--from", "01.04.2026") == (
        0,
        "telecom: 26 % from 2026-04-01\n",
    )
    again = typed("vat", "set", "telecom", "26", "--from", "2026-04-01")
    assert again == (0, "telecom: 26 % from 2026-04-01, as before\n")
    _status, output = typed("vat", "list")
    assert "telecom\t2016-04-01\t25 %\tlaw\t-\n" in output
    assert "telecom\t2026-04-01\t26 %\tset here\tin force\n" in output
    assert (
        "telecom\t2016-04-01\t25 %\tlaw\tin force\n"
        in typed("vat", "list", "--on", "31.03.2026")[1]
    )
    typed("vat", "set", "telecom", "25,5", "--from", "2026-04-01")
    with db.connection_context():
        assert VatRate.get().percent == 2550
        events = AuditEvent.select().where(AuditEvent.event == "vat_rate_set")
        told = [event.detail for event in events.order_by(AuditEvent.id)]
        assert [(each["before"], each["percent"]) for each in told] == [(None, 2600), (2600, 2550)]


def test_what_cannot_be_vat_is_refused(typed):
    for service, percent in (("telecom", "101"), ("telecom", "ten"), ("Telecom", "25"), (" ", "1")):
        assert typed("vat", "set", service, percent, "--from", "2026-04-01")[0] == 2, percent
    with db.connection_context():
        assert not VatRate.select().exists()


def test_a_fee_of_an_unknown_service_is_refused_and_named(typed, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    status, output = typed("tariff", "import", path)
    assert (status, "[[fees]] 2, line 10: no VAT is known for 'роуминг'" in output) == (2, True)
    assert "known: telecom, goods;" in output
    assert typed("tariff", "list") == (0, "")
    assert typed("vat", "set", "роуминг", "0", "--from", "2027-01-01")[0] == 0
    assert typed("tariff", "import", path)[0] == 2  # it is not known yet
    assert typed("vat", "set", "роуминг", "0", "--from", "2026-01-01")[0] == 0
    assert typed("tariff", "import", path)[0] == 0


def test_an_own_rate_wins_from_its_day_on_and_bills_keep_theirs(typed, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    for service, percent, day in (
        ("роуминг", "10", "2026-01-01"),
        ("telecom", "26", "2026-03-01"),
        ("goods", "18", "2026-03-31"),  # the last day of a month decides
        ("telecom", "30", "2026-04-01"),
    ):
        assert typed("vat", "set", service, percent, "--from", day)[0] == 0
    assert typed("tariff", "import", path, "--publish")[0] == 0
    with db.connection_context():
        client = make_client(account_no="100")
        make_subscriber(client, number="375171000001", plan="Офис")
        OneOffCharge.create(
            client=client,
            day=date(2026, 3, 1),
            name="Аппарат",
            amount=1000,
            service="goods",
            created_at=NOW,
        )
    assert typed("billing", "run", "2026-03", "--no-mail")[0] == 0
    with db.connection_context():
        lines = InvoiceLine.select().order_by(InvoiceLine.ordinal)
        told = [(line.name, line.net, line.vat_percent) for line in lines]
        assert told == [
            ("Абонентская плата", 1000, 2600),
            ("Роуминг", 300, 1000),
            ("Аппарат", 1000, 1800),
        ]
        invoice = Invoice.across_clients().get()
        assert (invoice.net, invoice.vat, invoice.total) == (2300, 260 + 30 + 180, 2770)
    status, output = typed("vat", "set", "telecom", "27", "--from", "2026-03-15")
    assert status == 2
    assert "Bills of 03.2026 are formed with 26 % of VAT on telecom" in output
    assert "another rate can begin on 1\xa0Apr\xa02026 or later" in output
    assert typed("vat", "set", "telecom", "27", "--from", "2026-04-01")[0] == 0
    assert typed("vat", "set", "telecom", "26", "--from", "2026-03-15")[0] == 0  # changes no bill
    assert typed("vat", "set", "связь", "5", "--from", "2026-01-01")[0] == 0  # on no bill
