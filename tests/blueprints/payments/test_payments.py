"""«Платежи»: how the account stands, what was paid and for which bills, and how to pay."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from zipfile import ZipFile

import pytest

from models import Client, Order
from models_billing import Payment
from models_feedback import FeedbackThread
from services import billing, clock, invoices, payments, reports, statement_reports
from services.audit import By
from tests.factories import make_client
from tests.pdf import open_pdf
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import APRIL, MARCH

IBAN = "BY13NBRB3600900000002Z00AB00"
TODAY = datetime(2026, 5, 10, 9, tzinfo=UTC)


@pytest.fixture
def bills(client_row, monkeypatch):
    """Two bills of 8,75, due on 25 April and 25 May; it is 10 May."""
    monkeypatch.setattr(clock, "now", lambda: TODAY)
    cases.make_plan()
    cases.add_number(client_row, 0)
    cases.add_number(client_row, 1)
    billing.form_month(MARCH, now=cases.NOW)
    billing.form_month(APRIL, now=cases.LATER)
    return invoices.of_client(client_row)[::-1]


@pytest.fixture
def account(app, monkeypatch):
    """The operator has said to which account money goes."""
    config = app.config["CABINET"]
    values = {"OPERATOR_IBAN": IBAN, "OPERATOR_BIC": "NBRBBY2X", "OPERATOR_UNP": "100000001"}
    told = {**vars(config), **values}
    monkeypatch.setitem(app.config, "CABINET", type(config)(**told))


def pay(client, amount, day, **values):
    key = f"{client.id}|{day}|{amount}"
    return Payment.create(
        client=client, paid_on=day, amount=amount, key=key, created_at=TODAY, **values
    )


def read_statement(client, *lines):
    titles = "Дата;Сумма;№ документа;Дата документа;Способ;Лицевой счет"
    told = "\n".join([titles, *(f"{line};{client.account_no}" for line in lines)])
    payments.import_statement(told.encode(), by=By(now=TODAY))


def words(tag):
    return " ".join(tag.get_text(" ").replace("\xa0", " ").split())


def tiles(page):
    keys, values = page.select("dl.sum dt"), page.select("dl.sum dd")
    return {words(key): words(value) for key, value in zip(keys, values, strict=True)}


def rows(page):
    return [
        {cell["data-l"]: words(cell) for cell in row.select("[data-l]")}
        for row in page.select("table tbody tr")
    ]


def test_without_bills_and_payments_it_says_so(browser):
    page = browser.get("payments.show")
    assert "Платежей еще не было." in words(page.main)
    assert tiles(page)["Долг к оплате по счетам, BYN"] == "0,00"


def test_the_first_lines_tell_how_the_account_stands(browser, client_row, bills):
    pay(client_row, 500, date(2026, 4, 20))
    pay(client_row, 100, date(2026, 5, 3))
    told = tiles(browser.get("payments.show"))
    assert told["Баланс на 01.05.2026, BYN"] == "долг 12,50"
    assert told["Поступило с начала месяца, BYN"] == "1,00"
    assert told["Долг к оплате по счетам, BYN"] == "11,50 , срок – 25.05.2026"
    assert told["Из него просрочено, BYN"] == "2,75 по каким счетам"


def test_each_payment_tells_the_bills_it_went_to(browser, client_row, bills):
    pay(client_row, 1000, date(2026, 4, 20), document_no="17", purpose="Счета")
    pay(client_row, 1000, date(2026, 5, 3))
    last, first = rows(browser.get("payments.show"))
    assert first["Распределено на счета"] == "2026-000001 : 8,75 2026-000002 : 1,25"
    assert last["Распределено на счета"] == "2026-000002 : 7,50 аванс 2,50"
    assert (first["Документ"], first["Сумма"], first["Способ"]) == (
        "№ 17",
        "10,00",
        "платежное поручение",
    )


def test_a_choice_narrows_list_sums_and_files(browser, client_row, bills):
    read_statement(
        client_row,
        "20.04.2026;3,00;17;-;—",  # a bank's way to say nothing
        "03.05.2026;4,00;18;30.04.2026;платежное поручение",
        "04.05.2026;5,00;19;;ЕРИП",
    )
    chosen = {"from": "2026-05-01", "to": "2026-05-31", "method": "transfer"}
    page = browser.get("payments.show", **chosen)
    assert [row["Сумма"] for row in rows(page)] == ["4,00"]
    assert "Всего платежей: 1 на сумму 4,00 BYN." in words(page.main)
    links = {words(link): link["href"] for link in page.select("a[download]")}
    browser.get(links["Скачать CSV"])
    text = browser.response.get_data().decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text), delimiter=";")
    assert (line["Сумма, BYN"], line["День"]) == ("4,00", "03.05.2026")
    assert line["Дата платежного поручения"] == "30.04.2026"
    browser.get(links["Скачать XLSX"])
    assert "xl/workbook.xml" in ZipFile(io.BytesIO(browser.response.get_data())).namelist()
    page = browser.get("payments.show", method="erip")
    assert [(row["Сумма"], row["Способ"]) for row in rows(page)] == [("5,00", "ЕРИП")]


def test_a_day_that_is_none_is_told_and_left_out(browser, client_row, bills):
    pay(client_row, 300, date(2026, 4, 20))
    page = browser.get("payments.show", **{"from": "вчера"})
    assert len(rows(page)) == 1
    assert "Дату не удалось прочитать" in words(page.main)


def test_other_forms_of_files_and_strangers_payments_are_none(browser, client_row, bills):
    browser.get("/payments/file.exe", status=404)
    pay(make_client(), 300, date(2026, 4, 20))
    assert not rows(browser.get("payments.show"))


def test_requisites_name_the_bills_and_fill_a_payment_order(browser, client_row, bills, account):
    page = browser.get("payments.requisites")
    told = tiles(page)
    assert told["Сумма, BYN"] == "17,50"
    assert "счету № 2026-000001, 2026-000002" in told["Назначение платежа"]
    assert page.select_one("svg.qr path")
    browser.get(page.select_one("a[download]")["href"])
    text = browser.response.get_data().decode("utf-8-sig").replace("\xa0", " ")
    assert "BY13 NBRB 3600 9000 0000 2Z00 AB00" in text
    assert "Семнадцать белорусских рублей 50 копеек" in text
    assert client_row.name in text


def test_the_payers_account_stands_in_the_order_when_it_is_known(
    browser, client_row, bills, account
):
    browser.get("payments.order")
    blank = browser.response.get_data().decode("utf-8-sig")
    assert re.search(r"Счет плательщика \(IBAN\): +_{9}", blank)
    Client.update(bank="ОАО «Банк»", iban=IBAN, bic="NBRBBY2X").execute()
    browser.get("payments.order")
    text = browser.response.get_data().decode("utf-8-sig")
    assert re.search(r"Счет плательщика \(IBAN\): +BY13 NBRB 3600 9000", text)
    assert re.search(r"Банк-отправитель, код \(BIC\): +ОАО «Банк», NBRBBY2X\r\n", text)


def test_another_sum_goes_into_the_order_and_a_bad_one_is_told(browser, bills, account):
    page = browser.get("payments.requisites", sum="5,25")
    assert tiles(page)["Сумма, BYN"] == "5,25"
    browser.get(page.select_one("a[download]")["href"])
    assert "5,25 BYN" in browser.response.get_data().decode()
    page = browser.get("payments.requisites", sum="пять")
    assert words(page.select_one("#sum-error"))


def test_without_an_account_of_the_operator_there_is_nothing_to_fill(browser, bills):
    page = browser.get("payments.requisites")
    assert "возьмите его из договора" in words(page.main)
    assert not page.select("a[download]")
    browser.get("payments.order")
    lines = browser.response.get_data().decode().splitlines()
    (line,) = (each for each in lines if each.startswith("Счет бенефициара"))
    assert line.endswith("____")


def report(browser, **values):
    form = browser.get("payments.report")
    fields = {each["name"]: each.get("value", "") for each in form.select("main form input[name]")}
    typed = {"document_no": "17", "document_on": "2026-05-08", "amount": "1 234,56", **values}
    return {**fields, **typed}


def test_a_payment_that_was_told_stands_there_until_the_operator_settles_it(
    browser, client_row, bills
):
    data = report(browser)
    browser.post("payments.report", data)
    browser.post("payments.report", data)  # a second click
    (thread,) = FeedbackThread.of(client_row)
    (message,) = thread.messages
    text = message.text.replace("\xa0", " ")
    assert "№ 17 от 08.05.2026, 1 234,56 BYN" in text
    page = browser.follow()
    assert "Вы уже сообщили об этом платеже: обращение № 1" in words(page)
    told = words(page.find("h2", string="Вы сообщили об оплате").find_next("table"))
    assert "№ 17 от 08.05.2026 1 234,56" in told
    assert "еще не поступила" in told
    assert tiles(page)["Долг к оплате по счетам, BYN"].startswith("17,50")
    FeedbackThread.update(state="solved").where(FeedbackThread.id == thread.id).execute()
    assert "Вы сообщили" not in words(browser.get("payments.show").main)
    pay(client_row, 123456, date(2026, 5, 8), document_no="17")
    by = By(now=clock.now())
    payments.add(client_row, 123457, paid_on=date(2026, 5, 8), document_no="18", by=by)
    browser.post("payments.report", report(browser, document_no="18", amount="1 234,57"))
    assert "Этот платеж уже поступил 08.05.2026" in words(browser.follow())


def test_a_told_payment_that_comes_in_says_so(browser, client_row, bills):
    browser.post("payments.report", report(browser))
    told = {"paid_on": date(2026, 5, 9), "document_no": "17", "by": By(now=clock.now())}
    payments.add(client_row, 123456, **told)
    page = browser.get("payments.show")
    row = words(page.find("h2", string="Вы сообщили об оплате").find_next("table"))
    assert row.endswith("поступила 09.05.2026")
    page = browser.get("feedback.thread", key=FeedbackThread.of(client_row).get().key)
    assert "Платеж поступил: 1 234,56 BYN, 09.05.2026." in words(page.main)


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", "-5"), ("amount", "пять"), ("document_on", "2026-05-11"), ("document_no", "")],
)
def test_what_cannot_be_is_told_and_what_was_typed_stays(browser, client_row, bills, field, value):
    page = browser.post("payments.report", report(browser, **{field: value}), status=422)
    control = page.select_one(f"input[name={field}]")
    assert control["value"] == value
    assert control["aria-invalid"] == "true"
    assert not FeedbackThread.of(client_row).exists()


def test_an_act_is_ordered_once_and_made_to_the_kopeck(browser, client_row, bills, tmp_path):
    pay(client_row, 500, date(2026, 4, 20), document_no="17")
    pay(client_row, 2000, date(2026, 5, 3))
    form = browser.get("payments.statement")
    data = {each["name"]: each.get("value", "") for each in form.select("main form input[name]")}
    data |= {"start": "2026-04-15", "end": "2026-05-10"}
    browser.post("payments.statement", data)
    browser.post("payments.statement", data)  # a second click
    (order,) = Order.of(client_row)
    assert browser.follow().h1
    told = statement_reports.statement_of(client_row, reports.period_of(order))
    assert (told.opening, told.charged, told.paid, told.closing) == (875, 875, 2500, -750)
    made = reports.render(order, made_at=TODAY, progress=lambda *_: None)
    path = browser.app.config["CABINET"].artefact_dir / made.path
    read = "\n".join(page.extract_text() for page in open_pdf(path).pages)
    text = " ".join(read.replace("\xa0", " ").split())
    for words_of_it in ("Счет № 2026-000002", "Оплата, платежный документ № 17", "аванс заказчика"):
        assert words_of_it in text
    assert made.summary["closing"] == -750


def test_too_many_acts_say_when_to_come_again(browser, client_row, bills, monkeypatch):
    config = browser.app.config["CABINET"]
    monkeypatch.setitem(browser.app.config, "CABINET", replace(config, ORDERS_PER_HOUR=1))
    for status in (303, 429):
        form = browser.get("payments.statement")
        data = {
            each["name"]: each.get("value", "") for each in form.select("main form input[name]")
        }
        browser.post("payments.statement", data, status=status)
    assert browser.response.headers["Retry-After"] == "3600"
    assert Order.of(client_row).count() == 1


def test_an_act_of_days_to_come_is_refused(browser, client_row, bills):
    form = browser.get("payments.statement")
    data = {each["name"]: each.get("value", "") for each in form.select("main form input[name]")}
    page = browser.post("payments.statement", {**data, "end": "2026-05-11"}, status=422)
    assert words(page.select_one("#end-error"))
    assert not Order.of(client_row).exists()
