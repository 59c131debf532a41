"""«Заказать счет на E-mail»: ticks, orders, closed days, a form that is sent twice."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.roles import Role
from models import Client, Order
from services import billing, invoices
from tests.blueprints.bills.bill_page import MARCH, forms, labelled, send, stop_clock, ticked
from tests.blueprints.source_words import PARAGRAPHS
from tests.factories import make_user
from tests.page import Browser
from tests.services.invoice_cases import document_of

PAGE = "bills.email_bill.show"
OPEN = datetime(2026, 4, 20, 9, tzinfo=UTC)
CLOSED = datetime(2026, 5, 2, 9, tzinfo=UTC)  # 1 to 3: closed; no bill for April yet
WAIT = "выполнить, когда счета будут сформированы"


@pytest.fixture
def invoice(base):
    return document_of("two_numbers")


@pytest.fixture
def owner(app, invoice):
    return Browser(app, make_user(invoice.client))


@pytest.fixture(autouse=True)
def open_day(monkeypatch):
    stop_clock(monkeypatch, OPEN)


def test_the_page_has_the_words_of_the_source_and_the_address_of_now(owner, invoice):
    page = owner.get(PAGE)
    assert page.h1.text == "Заказать счет на E-mail"
    assert page.main.p.text == PARAGRAPHS["Заказать счет на E-mail"]
    assert labelled(page, "март 2026 г.")["value"] == invoice.key
    assert [labelled(page, name)["type"] for name in ("PDF", "XLSX", "CSV")] == ["radio"] * 3
    row = page.select_one("tbody tr").text
    assert "№ 2026-000001" in row
    name, _, host = invoice.client.invoice_email.partition("@")
    address = page.find("dt", string="Куда").find_next("dd").text
    assert address == f"{name[0]}***@{host[0]}***.by"
    assert WAIT not in page.text
    assert [each.text for each in page.main.select(".actions > *")] == ["В меню", "Заказать"]


def test_a_tick_becomes_an_order(owner, invoice):
    send(owner, PAGE, [invoice.key], file_format="xlsx")
    order = Order.get()
    assert owner.response.location == f"/orders/{order.key}"
    assert order.params == {"invoice": invoice.id, "format": "xlsx"}
    assert (order.email, order.due_at) == (invoice.client.invoice_email, OPEN)
    assert "Заказанный счет будет выслан на адрес" in owner.follow().text


def test_several_months_are_an_order_each(owner, invoice):
    billing.form_month(MARCH.replace(month=4), client=invoice.client, now=OPEN.replace(month=5))
    keys = [each.key for each in invoices.of_client(invoice.client)]
    send(owner, PAGE, keys)
    assert owner.response.location == "/orders/"
    page = owner.follow()
    assert "Приняты заказы № 1, 2" in page.text
    assert {order.params["invoice"] for order in Order.select()} == {
        each.id for each in invoices.of_client(invoice.client)
    }


def test_a_credit_note_is_ordered_like_a_bill(app, base):
    note = document_of("a_credit_note")
    owner = Browser(app, make_user(note.client))
    page = owner.get(PAGE)
    assert labelled(page, "март 2026 г., корректировочный счет")["value"] == note.key
    send(owner, PAGE, [note.key])
    assert Order.get().params["invoice"] == note.id


def test_nothing_ticked_is_said_and_the_form_is_kept(owner):
    page = send(owner, PAGE, [], status=422, file_format="csv")
    assert "Выберите хотя бы один месяц" in page.select_one(".summary").text
    assert page.find(id=page.select_one(".summary a")["href"][1:])
    assert labelled(page, "CSV").has_attr("checked")
    assert not Order.select().exists()


@pytest.mark.parametrize("values", [{"file_format": "exe"}, {"form_key": ""}, {"form_key": "x'"}])
def test_what_the_page_does_not_offer_is_refused_and_ticks_stay(owner, invoice, values):
    page = send(owner, PAGE, [invoice.key], status=422, **values)
    assert page.select_one(".summary")
    assert ticked(page) == [invoice.key]
    assert not Order.select().exists()


@pytest.mark.parametrize("month", ["2026-03x", "2026-13", "2026-04", "1999-01", "q", "9999-99"])
def test_a_bill_that_is_not_there_is_refused(owner, month):
    page = send(owner, PAGE, [month], status=422, is_deferred="y")
    assert "Этот счет здесь заказать нельзя" in page.select_one(".summary").text


def test_a_strangers_bill_is_one_that_is_not_there(stranger, invoice):
    stranger.get(PAGE)
    told = [
        send(stranger, PAGE, [key], status=422).select_one(".summary").text
        for key in (invoice.key, "k" * 16)
    ]
    assert told[0] == told[1]
    assert not Order.select().exists()


def test_a_client_without_bills_is_told_so(browser):
    page = browser.get(PAGE)
    assert "У вас пока нет счетов" in page.select_one(".alert").text
    assert not page.main.select("form")


def test_a_second_click_and_a_second_tab_with_the_same_form_order_once(owner, invoice):
    form = forms(owner.get(PAGE))[0]
    for _ in range(2):
        send(owner, PAGE, [invoice.key], form_key=form["form_key"])
        assert owner.response.location == f"/orders/{Order.get().key}"


def test_a_form_that_was_changed_after_it_was_sent_says_so(owner, invoice):
    form_key = forms(owner.get(PAGE))[0]["form_key"]
    send(owner, PAGE, [invoice.key], form_key=form_key)
    send(owner, PAGE, [invoice.key], form_key=form_key, file_format="csv")
    assert "Эта форма уже отправлена: заказы № 1." in owner.follow().text
    assert Order.get().params["format"] == "pdf"


def test_a_new_form_orders_anew(owner, invoice):
    for _ in range(2):
        send(owner, PAGE, [invoice.key])
    assert Order.select().count() == 2


def test_on_closed_days_only_the_choice_to_wait_is_taken(owner, invoice, monkeypatch):
    stop_clock(monkeypatch, CLOSED, owner)
    page = owner.get(PAGE)
    notice = page.select_one(".alert.warn").text
    assert "С 1 по 3 число формируются счета за услуги связи." in notice
    assert "Заказ будет доступен с 04.05.2026." in notice
    assert not labelled(page, WAIT).has_attr("checked")
    refused = send(owner, PAGE, [invoice.key], status=422)
    assert "закажите с 04.05.2026" in refused.select_one(".summary").text
    assert ticked(refused) == [invoice.key]
    assert not Order.select().exists()
    send(owner, PAGE, [invoice.key], is_deferred="y")
    order = Order.get()
    assert order.next_try_at == order.due_at == datetime(2026, 5, 3, 21, tzinfo=UTC)
    assert "Выполним после 04.05.2026 00:00" in owner.follow().text


def test_a_month_that_is_being_formed_can_be_waited_for(owner, invoice, monkeypatch):
    stop_clock(monkeypatch, CLOSED, owner)
    page = owner.get(PAGE)
    assert labelled(page, "апрель 2026 г.")["value"] == "2026-04"
    assert "еще не сформирован" in page.select_one("tbody tr").text
    send(owner, PAGE, ["2026-04"], is_deferred="y")
    page = owner.follow()
    for words in (
        "Заказанный счет будет выслан на адрес",
        "Заказ выполнится, когда счет будет сформирован, не раньше 04.05.2026 00:00",
        "Если счета не будет до 03.06.2026 00:00",
        "Ждет, когда будет сформирован счет за апрель 2026 г.",
    ):
        assert words in page.text.replace("\xa0", " ")
    assert "апрель 2026" in owner.get("orders.index").text.replace("\xa0", " ")


def test_the_month_that_is_waited_for_is_offered_to_those_who_have_no_bill(browser, monkeypatch):
    stop_clock(monkeypatch, CLOSED, browser)
    assert labelled(browser.get(PAGE), "апрель 2026 г.")


def test_the_other_items_stay_open_on_closed_days(owner, monkeypatch):
    stop_clock(monkeypatch, CLOSED, owner)
    for endpoint in ("bills.call_detail.start", "bills.charges.show", "bills.delivery.show"):
        assert "Заказ будет доступен с" not in owner.get(endpoint).text


def test_too_many_orders_are_told_with_those_that_are_open(owner, invoice, monkeypatch):
    config = replace(owner.app.config["CABINET"], ORDERS_PER_HOUR=1)
    monkeypatch.setitem(owner.app.config, "CABINET", config)
    send(owner, PAGE, [invoice.key])
    send(owner, PAGE, [invoice.key], status=429)
    assert owner.response.headers["Retry-After"] == "3600"
    assert "Невыполненные заказы" in owner.response.text


def test_a_viewer_may_not_order(app, invoice):
    viewer = Browser(app, make_user(invoice.client, role=Role.VIEWER))
    viewer.get(PAGE, status=403)


def test_the_order_goes_to_the_address_that_stands_in_the_cabinet_when_it_is_placed(owner, invoice):
    Client.update(invoice_email="new@example.by").where(Client.id == invoice.client_id).execute()
    send(owner, PAGE, [invoice.key])
    assert Order.get().email == "new@example.by"
    assert invoice.delivery_email != "new@example.by"


def test_the_session_that_is_over_leads_to_the_sign_in_and_back(app, owner, invoice):
    nobody = Browser(app)
    form_key = forms(owner.get(PAGE))[0]["form_key"]
    data = {"documents": [invoice.key], "form_key": form_key, "csrf_token": owner.token()}
    nobody.client.get("/bills/email/")
    answer = nobody.client.post(
        "/bills/email/", data=data, headers={"Referer": "http://localhost/bills/email/"}
    )
    assert answer.location == "/login?next=/bills/email/"
    assert not Order.select().exists()
