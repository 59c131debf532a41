"""`flask payment`, `charge`, `discount`, `instalment` and `rate unrated`, as typed."""

import json
from datetime import date

import pytest

from domain.rating.states import CallRating
from models import Client, db
from models_billing import Discount, Instalment, OneOffCharge, Payment
from services import billing, clock, import_turns
from tests.apps import another_app
from tests.factories import NOON, make_call, make_client, make_subscriber

STATEMENT = """Дата;Кредит;Дебет;УНП;Лицевой счет;№ документа;Плательщик;Назначение платежа
05.03.2026;1 234,56;;190000001;;17;ООО «Ромашка»;За услуги связи
05.03.2026;"1 234,56";;190000001;;17;ООО «Ромашка»;За услуги связи
06.03.2026;;50,00;190000001;;3;Банк;Комиссия
07.03.2026;0,10;;;100;18;ООО «Другой»;
"""


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """Type a command in a cabinet of its own on March 10, 2026: exit status and what it says."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    with another_app(tmp_path / "var") as app:
        runner = app.test_cli_runner()
        assert runner.invoke(args=["db", "upgrade"]).exit_code == 0

        def type_in(*args):
            result = runner.invoke(args=[*args])
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output

        with db.connection_context():
            make_client(account_no="100", unp="190000001")
        type_in.app = app
        yield type_in


def rows(model, *names):
    with db.connection_context():
        columns = (getattr(model, name) for name in names)
        return list(model.select(*columns).order_by(model.id).tuples())


def test_a_payment_is_put_down_once(typed):
    args = ("payment", "add", "100", "1 234,56", "--on", "05.03.2026", "--document", "17")
    status, output = typed(*args)
    assert (status, rows(Payment, "amount", "document_no")) == (0, [(123456, "17")])
    assert "1234,56 BYN; 100 owes -1234,56 BYN" in output
    assert typed(*args)[0] == 1
    assert typed("payment", "add", "100", "-0,01", "--on", "2026-03-06")[0] == 0
    assert rows(Payment, "amount") == [(123456,), (-1,)]


def test_what_cannot_be_a_payment_is_refused(typed):
    for amount in ("1,234.56", "0", "5.001", "пять"):
        assert typed("payment", "add", "100", amount, "--on", "2026-03-05")[0] == 2, amount
    assert typed("payment", "add", "100", "5", "--on", "2026-03-11")[0] == 2
    assert rows(Payment, "id") == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1251"])
def test_a_statement_is_read_once_however_often(typed, tmp_path, encoding):
    path = tmp_path / "vypiska.csv"
    path.write_bytes(STATEMENT.encode(encoding))
    status, output = typed("payment", "import", str(path), "--dry-run")
    assert (status, rows(Payment, "id")) == (0, [])
    assert "2 payments, 1234,66 BYN; 1 there already, 0 of unknown payers, 1 outgoing" in output
    assert typed("payment", "import", str(path))[0] == 0
    assert sorted(rows(Payment, "amount", "document_no")) == [(10, "18"), (123456, "17")]
    status, output = typed("payment", "import", str(path))
    assert "0 payments, 0,00 BYN; 3 there already" in output
    assert len(rows(Payment, "id")) == 2


def test_the_date_and_the_way_of_a_payment_are_kept_and_make_no_second_one(typed, tmp_path):
    add = ("payment", "add", "100", "1 234,56", "--on", "05.03.2026", "--document", "17")
    assert typed(*add, "--method", "barter")[0] == 2
    assert typed(*add, "--document-on", "2026-03-11")[0] == 2
    assert typed(*add, "--method", "demand", "--document-on", "04.03.2026")[0] == 0
    path = tmp_path / "vypiska.csv"
    titles = "Дата;Сумма;Лицевой счет;Номер документа;Дата документа;Способ оплаты\n"
    more = "06.03.2026;5,00;100;18;;\n07.03.2026;6,00;100;19;05.03.2026;ЕРИП\n"
    path.write_text(titles + "05.03.2026;1 234,56;100;17;;корректировка\n" + more, "utf-8")
    assert "2 payments, 11,00 BYN; 1 there already" in typed("payment", "import", str(path))[1]
    assert rows(Payment, "document_no", "document_on", "method") == [
        ("17", date(2026, 3, 4), "demand"),
        ("18", None, "transfer"),
        ("19", date(2026, 3, 5), "erip"),
    ]


def test_unknown_payers_are_listed_and_hold_nobody_up(typed, tmp_path):
    with db.connection_context():
        make_client(unp="190000007")
        make_client(unp="190000007")
    path = tmp_path / "a.csv"
    path.write_text(
        "date,amount,unp,payer\n"
        "2026-03-01,5.00,190000007,Twins\n"
        "2026-03-01,6.00,199999999,Nobody\n"
        "2026-03-01,7.00,190000001,We\n",
        encoding="utf-8",
    )
    status, output = typed("payment", "import", str(path))
    assert (status, rows(Payment, "amount")) == (1, [(700,)])
    assert "line 2: several clients have this UNP" in output
    assert "line 3: no client of ours with this UNP: 199999999, Nobody, 6,00 BYN" in output


MISTAKES = [
    "05.13.2026;5,00;190000001",
    "05.03.2026;5,001;190000001",
    "05.03.2026;;190000001",
    "05.03.2026;-5,00;190000001",
    "05.04.2026;5,00;190000001",
    "05.03.2026;5,00;190000001;;;6",
    "05.03.2026;5,00;190000001;05.13.2026",
    "05.03.2026;5,00;190000001;05.04.2026",
    "05.03.2026;5,00;190000001;;бартер",
]


def test_nothing_of_a_statement_with_a_mistake_is_stored(typed, tmp_path):
    for line in MISTAKES:
        path = tmp_path / "a.csv"
        titles = "Дата;Сумма;УНП;Дата документа;Способ"
        path.write_text(f"{titles}\n01.03.2026;5,00;190000001\n{line}\n", encoding="utf-8")
        status, output = typed("payment", "import", str(path))
        assert (status, rows(Payment, "id")) == (2, [])
        assert "line 3: " in output
        if "бартер" in line:
            assert "known: payment order, payment demand, ERIP, correction" in output


def test_a_file_that_is_no_statement_is_refused(typed, tmp_path):
    path = tmp_path / "a.csv"
    long, nul = "x" * 200_000, "Дата;Сумма;УНП;Назначение\n05.03.2026;5,00;190000001;\0\n"
    for text in ("", "Дата;Сумма\n", "УНП;Сумма\n1;2\n", "Дата;УНП\n", long, nul):
        path.write_text(text, encoding="utf-8")
        assert typed("payment", "import", str(path))[0] == 2, text[:80]
    assert rows(Payment, "id") == []
    assert typed("payment", "import", str(tmp_path / "nowhere.csv"))[0] == 1


def test_a_charge_is_put_down_and_called_off(typed):
    args = ("charge", "add", "100", "10,00", "--name", "Выезд")
    assert typed(*args, "--service", "goods", "--on", "2026-03-02") == (
        0,
        "charge 1: 10,00 BYN without VAT\n",
    )
    assert typed(*args, "--service", "magic")[0] == 2
    assert "1\t2026-03-02\t10,00 BYN\tgoods\topen\tВыезд" in typed("charge", "list", "100")[1]
    assert typed("charge", "cancel", "100", "2")[0] == 1
    with import_turns.one_at_a_time(typed.app.config["CABINET"].data_dir):
        assert typed("charge", "cancel", "100", "1")[0] == 1
    assert typed("charge", "cancel", "100", "1")[0] == 0
    assert rows(OneOffCharge, "id") == []


def form(typed, month):
    with typed.app.app_context(), db.connection_context():
        billing.form_month(month, client=Client.get(), now=NOON)


def test_what_stands_on_an_invoice_is_not_changed(typed):
    typed("charge", "add", "100", "10,00", "--name", "Выезд", "--on", "2026-02-02")
    typed("discount", "add", "100", "12,5%", "--name", "Скидка", "--from", "2026-01-01")
    form(typed, NOON.date().replace(month=2))
    status, output = typed("charge", "cancel", "100", "1")
    assert (status, "cannot be changed" in output) == (2, True)
    assert typed("discount", "end", "100", "1", "--on", "2026-01-31")[0] == 2
    assert typed("discount", "end", "100", "1", "--on", "2026-02-28")[0] == 0
    assert typed("discount", "end", "100", "1", "--on", "2026-01-31")[0] == 2
    assert typed("discount", "end", "100", "1", "--on", "2026-03-01")[0] != 0  # no longer again
    assert rows(Discount, "percent", "valid_to")[0] == (1250, date(2026, 2, 28))
    assert "1\t12,5 %\t2026-01-01\t2026-02-28\tСкидка" in typed("discount", "list", "100")[1]
    assert len(rows(OneOffCharge, "id")) == 1


def test_a_discount_is_given_once_and_ended_when_no_bills_are_formed(typed):
    args = ("discount", "add", "100", "5", "--name", "x", "--from", "2026-01-01")
    assert (typed(*args)[0], typed(*args)[0]) == (0, 1)
    end = ("discount", "end", "100", "1", "--on", "2026-01-31")
    with import_turns.one_at_a_time(typed.app.config["CABINET"].data_dir):
        status, output = typed(*end)
        assert (status, "try again" in output) == (1, True)
    assert typed(*end)[0] == 0


def test_a_discount_is_of_nothing_to_all(typed):
    args = ("--name", "x", "--from", "2026-01-01")
    for percent in ("0", "100,01", "-5", "много"):
        assert typed("discount", "add", *args, "--", "100", percent)[0] == 2, percent


def test_instalments_make_the_price_to_the_kopeck(typed):
    args = ("instalment", "add", "100", "--contract", "Р-1", "--goods", "Телефон", "--price", "100")
    args = (*args, "--months", "3", "--from", "2026-01-31")
    status, output = typed(*args)
    assert status == 0
    assert output.splitlines() == [
        "1\t2026-01-31\t33,34 BYN",
        "2\t2026-02-28\t33,33 BYN",
        "3\t2026-03-31\t33,33 BYN",
    ]
    assert typed(*args)[0] == 1
    assert sum(amount for (amount,) in rows(Instalment, "amount")) == 10000
    assert "Р-1\tТелефон\t100,00 BYN" in typed("instalment", "list", "100")[1]


def test_instalments_that_cannot_be_are_refused(typed):
    args = ("instalment", "add", "100", "--contract", "1", "--goods", "x", "--price", "100")
    for more in (("--months", "0"), ("--months", "121"), ("--first", "100")):
        assert typed(*args, "--months", "3", "--from", "2026-01-31", *more)[0] == 2, more


def test_calls_without_a_price_are_listed(typed):
    with db.connection_context():
        subscriber = make_subscriber(Client.get())
        when = {"answered_at": int(NOON.timestamp())}
        make_call(subscriber, peer="48221112233", rating=CallRating.NO_RATE, **when)
        make_call(subscriber, peer="112", rating=CallRating.NO_RATE, **when)
    assert typed("rate", "unrated")[1].splitlines() == [
        "2026-03\t100\tno_rate\t112\t1\t60",
        "2026-03\t100\tno_rate\t48*\t1\t60",
    ]
    [first, _second] = json.loads(typed("rate", "unrated", "--json", "--month", "2026-03")[1])
    assert first["account"] == "100"
    assert json.loads(typed("rate", "unrated", "--json", "--month", "2026-04")[1]) == []
