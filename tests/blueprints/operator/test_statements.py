"""«Выписка банка»: sent, looked at, booked, and never twice."""

import io
import shutil
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from blueprints import receiving
from domain.billing.told import Told
from domain.roles import Role
from models import AuditEvent
from models_billing import Payment
from models_payments import StatementFile
from services import clock, statements, told_payments
from services.told_payments import Wish
from tests import factories
from tests.factories import NOON
from tests.page import Browser

PAGE = "operator.statements"
TITLES = "Дата;Кредит;Дебет;УНП плательщика;Лицевой счет;Номер документа;Плательщик;Назначение\n"


@pytest.fixture(autouse=True)
def today(app, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)
    yield
    shutil.rmtree(app.config["CABINET"].upload_dir, ignore_errors=True)


def line(account="", *, unp="", day="05.03.2026", amount="1 234,56", debit="", no="17", payer="x"):
    return f"{day};{amount};{debit};{unp};{account};{no};{payer};Оплата по счету\n"


@pytest.fixture
def send(operator_browser):
    def send(*lines, status=303, content=None, name="vypiska.csv"):
        content = (TITLES + "".join(lines)).encode() if content is None else content
        fields = {"file": (io.BytesIO(content), name)} if name else {}
        page = operator_browser.post(f"{PAGE}.upload", fields, status=status)
        return operator_browser.follow() if status == 303 else page

    return send


def facts(page):
    names = [each.text for each in page.select("dl.sum dt")]
    return dict(zip(names, [each.text for each in page.select("dl.sum dd")], strict=True))


def book(browser, **values):
    key = StatementFile.select().order_by(StatementFile.id.desc()).get().key
    browser.post(f"{PAGE}.book", {}, key=key, **values)
    return browser.follow()


def test_a_statement_is_looked_at_and_then_booked_once(send, operator_browser, client_row):
    strangers = [factories.make_client(unp="190000007") for _ in range(2)]
    lines = [
        line(client_row.account_no),
        line(client_row.account_no),
        line(client_row.account_no, amount="10", no="18"),
        line(unp=strangers[0].unp, no="19"),
        line(unp="199999999", payer="ООО «Чужие»", no="20"),
        line("999", no="21"),
        line(no="22"),
        line(amount="", debit="5,00", no="23"),
    ]
    page = send(*lines)
    told = facts(page)
    assert told["Будет записано"] == "2, 1\xa0244,56 BYN"
    assert (told["Уже были"], told["Без клиента"]) == ("1", "4")
    assert told["Наши собственные платежи, пропущены"] == "1"
    for words in (
        "этот УНП у нескольких клиентов",
        "нет клиента с таким УНП",
        "нет клиента с таким лицевым счетом",
        "плательщик не назван",
        "ООО «Чужие»",
    ):
        assert words in page.text
    assert not Payment.of(client_row).exists(), "a look stores nothing"

    page = book(operator_browser)
    assert "Записаны 2 платежа: 1\xa0244,56 BYN" in page.text
    assert sorted(row.amount for row in Payment.of(client_row)) == [1000, 123456]
    assert facts(page)["Будет записано"] == "0, 0,00 BYN"
    assert facts(page)["Уже были"] == "3"
    assert not page.find("button", string="Записать платежи")
    assert "Записывать было нечего" in book(operator_browser).text
    assert Payment.of(client_row).count() == 2
    assert facts(send(*lines))["Записано платежей"] == "2, 1\xa0244,56 BYN", "it is the same one"
    assert StatementFile.select().count() == 1
    [event] = AuditEvent.select().where(AuditEvent.event == "payments_imported")
    assert event.subject == f"statement_file:{StatementFile.get().id}"


def test_what_is_booked_is_what_was_sent_whatever_the_browser_says(
    send, operator_browser, client_row
):
    send(line(client_row.account_no))
    key = StatementFile.get().key
    fields = {"content": "date;amount", "amount": "9", "account": "1", "file": "x"}
    operator_browser.post(f"{PAGE}.book", fields, key=key)
    assert [row.amount for row in Payment.of(client_row)] == [123456]
    operator_browser.post(f"{PAGE}.book", {}, key="nobodys", status=404)


def test_a_client_added_after_the_look_gets_its_payment(send, operator_browser):
    send(line("778899"))
    late = factories.make_client(account_no="778899")
    assert "Записан 1 платеж" in book(operator_browser).text
    assert Payment.of(late).count() == 1


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([line("1", day="32.03.2026")], "Строка 2: 32.03.2026"),
        ([line("1"), line("1", amount="-5")], "Строка 3:"),
        ([line("1", day="11.03.2026")], "Строка 2: 11.03.2026"),
        ([line("1", amount="x")] * 30, "И еще таких строк: 10"),
    ],
)
def test_a_statement_with_a_mistake_is_refused_whole(send, rows, sentence):
    page = send(*rows, status=422)
    assert sentence in page.select_one(".summary").text
    assert not StatementFile.select().exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Нет столбца с днем"),
        ("Дата;УНП\n".encode(), "Нет столбца с суммой"),
        ("Дата;Сумма\n".encode(), "не называет плательщика"),
        (b"PK\x03\x04\0\0", "Это не файл CSV"),
    ],
)
def test_what_is_no_statement_is_refused_in_words(send, content, sentence):
    assert sentence in send(content=content, status=422).select_one(".summary").text


def test_no_file_and_one_too_large_are_refused(send, app, monkeypatch):
    assert "Выберите файл" in send(name="", status=422).text
    config = replace(app.config["CABINET"], STATEMENT_MB=0)
    monkeypatch.setitem(app.config, "CABINET", config)
    monkeypatch.setattr(receiving, "FIELDS_MB", 0)
    send(content=b"x" * 100_000, status=413)  # more would go to a file of the test client's own


def test_clerks_look_and_do_not_book(app, base, send, client_row):
    send(line(client_row.account_no))
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    page = clerk.get(f"{PAGE}.show", key=StatementFile.get().key)
    assert client_row.name in page.text
    assert not page.find("button", string="Записать платежи")
    assert not clerk.get(f"{PAGE}.index").select("input[type=file]")


def test_statements_are_removed_after_a_time(send, client_row, app):
    send(line(client_row.account_no))
    with app.app_context():
        assert statements.purge(now=NOON + statements.KEPT_FOR) == 0
        assert statements.purge(now=NOON + statements.KEPT_FOR + timedelta(seconds=1)) == 1
    assert not StatementFile.select().exists()


def test_payments_told_of_stand_there_until_they_come(send, operator_browser, client_row, app):
    user = factories.make_user(client_row)
    wish = Wish(Told("0017", NOON.date(), 123456), "Мы оплатили", "a")
    with app.app_context():
        told_payments.tell(wish, client=client_row, user=user, now=NOON)
    page = operator_browser.get(f"{PAGE}.index")
    row = page.find("h2", id="told").find_next("table").tbody
    assert client_row.name in row.text
    form = operator_browser.get("operator.clients.payment", **query_of(row.select("a")[-1]))
    assert form.select_one("input[name=amount]")["value"] == "1 234,56"
    assert form.select_one("input[name=document_no]")["value"] == "0017"
    send(line(client_row.account_no, day="10.03.2026"))
    assert "О них сообщали клиенты: 1" in book(operator_browser).text
    page = operator_browser.get(f"{PAGE}.index")
    assert "Нет" in page.find("h2", id="told").find_next("p").text


def query_of(link):
    parts = urlsplit(link["href"])
    return {"client": parts.path.split("/")[3], **dict(parse_qsl(parts.query))}
