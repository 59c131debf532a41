"""«Клиенты»: balance, payments, charges, discounts, instalments, by hand."""

from datetime import date

import pytest

from domain.roles import Role
from models import AuditEvent
from models_billing import Discount, Instalment, OneOffCharge, Payment, VatRate
from services import billing, clock, import_turns
from tests import factories
from tests.factories import NOON
from tests.page import Browser

PAGE = "operator.clients"
PAYMENT = {"once": "a", "amount": "1 234,56", "paid_on": "2026-03-05", "document_no": "17"}
CHARGE = {"name": "Выезд", "amount": "10,00", "day": "2026-03-02", "service": "goods", "number": ""}
DISCOUNT = {"name": "Скидка", "percent": "12,5", "valid_from": "2026-01-01", "valid_to": ""}
INSTALMENT = {
    "contract_no": "Р-1",
    "goods": "Телефон",
    "price": "100",
    "first_payment": "",
    "months": "3",
    "starts_on": "31.01.2026",
    "number": "",
    "payer": "client",
}


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def put(operator_browser, client_row):
    """Send a form about `client_row`; gives the page that answers."""

    def send(which, data, status=303):
        answer = operator_browser.post(f"{PAGE}.{which}", data, status=status, client=client_row.id)
        return operator_browser.follow() if status == 303 else answer

    return send


def test_clients_are_found_by_name_account_and_unp(operator_browser):
    wanted = factories.make_client(name="ООО «Ёлка»", account_no="777", unp="123456789")
    factories.make_client(name="ООО «Сосна»")
    for text in ("елка", "777", "3456", "ЁЛКА"):
        page = operator_browser.get(f"{PAGE}.index", q=text)
        assert [a.text for a in page.select("td a")] == [wanted.name], text
    page = operator_browser.get(f"{PAGE}.index")
    assert len(page.select("td a")) == 2
    assert "Таких клиентов нет" in operator_browser.get(f"{PAGE}.index", q="береза").text


def test_a_payment_is_put_down_once_however_often_it_is_sent(put, client_row):
    page = put("payment", PAYMENT)
    assert "Платеж записан" in page.text
    assert "1\xa0234,56" in page.select_one("table").text
    assert "Аванс, BYN" in page.select_one("dl").text
    page = put("payment", PAYMENT, 422)
    assert "Это уже записано" in page.select_one(".summary").text
    assert put("payment", {**PAYMENT, "document_no": ""}).h1
    page = put("payment", {**PAYMENT, "document_no": ""}, 422)
    assert [row.amount for row in Payment.of(client_row)] == [123456, 123456]
    assert page.select_one("input[name=amount]")["value"] == "1 234,56", "what was typed stays"


def test_the_date_and_the_way_of_a_payment_are_put_down_and_shown(put, client_row):
    late = put("payment", {**PAYMENT, "document_on": "2026-03-11"}, 422)
    assert "Дата платежного поручения еще не наступила" in late.select_one(".summary").text
    assert put("payment", {**PAYMENT, "method": "barter"}, 422).select_one("#method-error")
    page = put("payment", {**PAYMENT, "document_on": "2026-03-04", "method": "erip"})
    assert "17 от 04.03.2026ЕРИП" in page.select_one("table").text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": "1,234.56"}, "Напишите рубли и копейки: 1 234,56"),
        ({"amount": "0"}, "Сумма не может быть 0"),
        ({"amount": ""}, "Заполните это поле"),
        ({"paid_on": "2026-03-11"}, "Этот день еще не наступил"),
        ({"paid_on": "вчера"}, "Укажите дату"),
        ({"purpose": "x" * 256}, "Не больше 255 символов"),
    ],
)
def test_what_cannot_be_a_payment_is_refused_in_words(put, client_row, change, sentence):
    page = put("payment", {**PAYMENT, **change}, 422)
    assert sentence in page.select_one(".summary").text
    assert not Payment.of(client_row).exists()


def test_a_charge_is_put_down_and_called_off(put, client_row, app):
    number = factories.make_subscriber(client_row, number="375171234567")
    page = put("charge", {**CHARGE, "number": "80171234567"})
    [charge] = OneOffCharge.of(client_row)
    assert (charge.amount, charge.service, charge.subscriber) == (1000, "goods", number)
    assert "Товары, НДС 20\xa0%" in page.text
    assert "нет такого номера" in put("charge", {**CHARGE, "number": "375290000000"}, 422).text
    with import_turns.one_at_a_time(app.config["CABINET"].data_dir):
        page = put("cancel_charge", {"charge": charge.id})
        assert "Повторите через минуту" in page.text
    assert "Начисление отменено" in put("cancel_charge", {"charge": charge.id}).text
    assert not OneOffCharge.of(client_row).exists()
    assert [event.event for event in AuditEvent.select()].count("charge_cancelled") == 1


def test_charges_have_the_vat_of_their_day(put, operator_browser, client_row):
    VatRate.create(service="telecom", valid_from=date(2026, 3, 1), percent=2650)
    VatRate.create(service="Реклама", valid_from=date(2026, 2, 1), percent=0)
    VatRate.create(service="Аренда", valid_from=date(2026, 4, 1), percent=100)  # to come
    page = operator_browser.get(f"{PAGE}.charge", client=client_row.id)
    assert [option.text for option in page.select("#service option")] == [
        "Услуги электросвязи, НДС 26,5\xa0%",
        "Товары, НДС 20\xa0%",
        "Реклама, НДС 0\xa0%",
    ]
    own = {**CHARGE, "service": "Реклама"}
    page = put("charge", {**own, "day": "2026-01-31"}, 422)
    assert "На эту дату ставка НДС для такой услуги не задана" in page.text
    chosen = page.select("#service option[selected]")
    assert [option.text for option in chosen] == ["Реклама, НДС 0\xa0%"]
    assert page.select("#service option")[0].text == "Услуги электросвязи, НДС 25\xa0%"
    assert "Реклама, НДС 0\xa0%" in put("charge", own).text
    put("charge", {**CHARGE, "service": "Аренда"}, 422)
    assert [charge.service for charge in OneOffCharge.of(client_row)] == ["Реклама"]


@pytest.mark.parametrize(
    ("which", "data", "model"),
    [("charge", CHARGE, OneOffCharge), ("discount", DISCOUNT, Discount)],
)
def test_a_second_click_charges_and_discounts_nothing_more(put, client_row, which, data, model):
    put(which, data)
    page = put(which, data, 422)
    assert "Это уже записано" in page.select_one(".summary").text
    assert page.select_one("input[name=name]")["value"] == data["name"], "what was typed stays"
    assert model.of(client_row).count() == 1
    put(which, {**data, "name": "Ещё раз"})
    assert model.of(client_row).count() == 2


def test_the_same_is_charged_again_for_another_number_and_after_its_bill(put, client_row):
    factories.make_subscriber(client_row, number="375171234567")
    february = {**CHARGE, "day": "2026-02-02"}
    put("charge", february)
    put("charge", {**february, "number": "375171234567"})
    put("charge", {**february, "number": "375171234567"}, 422)
    billing.form_month(date(2026, 2, 1), client=client_row, now=NOON)
    put("charge", february)
    assert OneOffCharge.of(client_row).count() == 3


def test_no_discount_ends_while_bills_are_formed(put, client_row, app):
    put("discount", DISCOUNT)
    [given] = Discount.of(client_row)
    with import_turns.one_at_a_time(app.config["CABINET"].data_dir):
        assert "Повторите через минуту" in put("end_discount", {"discount": given.id}).text
    assert Discount.of(client_row).get().valid_to is None


def test_what_stands_on_a_bill_cannot_be_called_off(put, client_row):
    put("charge", {**CHARGE, "day": "2026-02-02"})
    put("discount", DISCOUNT)
    billing.form_month(date(2026, 2, 1), client=client_row, now=NOON)
    [charge] = OneOffCharge.of(client_row)
    page = put("cancel_charge", {"charge": charge.id})
    assert "Это стоит на счете за 02.2026, изменить уже нельзя" in page.text
    assert not page.select(f"[aria-describedby=charge-{charge.id}]")
    [discount] = Discount.of(client_row)
    assert "Скидка действует по сегодня" in put("end_discount", {"discount": discount.id}).text
    assert Discount.of(client_row).get().valid_to == NOON.date()


def test_another_clients_charge_is_nobodys(put, client_row):
    other = factories.make_client()
    charge = OneOffCharge.create(client=other, day=NOON.date(), name="x", amount=1, created_at=NOON)
    put("cancel_charge", {"charge": charge.id})
    assert OneOffCharge.of(other).exists()


def test_a_discount_is_more_than_nothing_and_no_more_than_all(put, client_row):
    assert "12,5\xa0%" in put("discount", DISCOUNT).text
    for percent in ("0", "101"):
        page = put("discount", {**DISCOUNT, "percent": percent}, 422)
        assert "Больше 0 и не больше 100" in page.text
    assert "раньше" in put("discount", {**DISCOUNT, "valid_to": "2025-12-31"}, 422).text
    assert Discount.of(client_row).count() == 1


def test_instalments_are_parted_by_months(put, client_row):
    page = put("instalment", INSTALMENT)
    table = page.select_one("details table")
    assert [row.select("td")[1].text for row in table.select("tbody tr")] == [
        "31.01.2026",
        "28.02.2026",
        "31.03.2026",
    ]
    assert [row.amount for row in Instalment.select().order_by(Instalment.ordinal)] == [
        3334,
        3333,
        3333,
    ]
    assert "Это уже записано" in put("instalment", INSTALMENT, 422).text
    more = {**INSTALMENT, "contract_no": "Р-2", "first_payment": "100"}
    assert "меньше цены" in put("instalment", more, 422).text
    assert "от 1 до 120" in put("instalment", {**more, "months": "много"}, 422).text
    far = {**more, "starts_on": "9999-12-01", "first_payment": ""}
    assert "Укажите дату" in put("instalment", far, 422).text


def test_a_clerk_only_looks(app, client_row):
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    page = clerk.get(f"{PAGE}.show", client=client_row.id)
    assert not page.select("main form, main a[href*=payment]")
    clerk.post(f"{PAGE}.payment", PAYMENT, status=403, client=client_row.id)


def test_that_somebody_looked_is_written_down(operator_browser, client_row):
    operator_browser.get(f"{PAGE}.show", client=client_row.id)
    assert AuditEvent.get(AuditEvent.event == "client_viewed").client == client_row
    operator_browser.get(f"{PAGE}.show", status=404, client=client_row.id + 999)


def test_discounts_of_a_month_take_off_no_more_than_all(put, client_row):
    ways = {"name": "Первая", "percent": "60", "valid_to": "2026-03-31"}
    put("discount", {**DISCOUNT, **ways})
    page = put("discount", {**DISCOUNT, "name": "Вторая", "percent": "40,01"}, 422)
    told = page.select_one(".summary").text.replace("\xa0", " ")
    assert "скидки за 01.2026 составили бы 100,01 %" in told
    put("discount", {**DISCOUNT, "name": "Вторая", "percent": "40"})
    later = {"name": "Третья", "percent": "60", "valid_from": "2026-03-15"}
    put("discount", {**DISCOUNT, **later})
    put("discount", {**DISCOUNT, **later, "name": "x", "valid_from": "9999-12-31"}, 422)
    put("discount", {**DISCOUNT, **later, "percent": "0,01", "valid_to": "2026-03-31"})
    page = put("discount", {**DISCOUNT, **later, "name": "Ещё", "percent": "1"}, 422)
    assert "за 04.2026" in page.select_one(".summary").text
    assert Discount.of(client_row).count() == 4
