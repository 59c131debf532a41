"""«Загрузить счет по ссылке»: two months, order, wait, fetch."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from domain.roles import Role
from jobs import orders as job
from models import Mail, Order
from services import billing, invoices
from tests.blueprints.bills.bill_page import forms, labelled, send, stop_clock
from tests.blueprints.source_words import PARAGRAPHS
from tests.factories import make_user
from tests.page import Browser
from tests.services.invoice_cases import document_of

PAGE = "bills.download_bill.show"
OPEN = datetime(2026, 4, 20, 9, tzinfo=UTC)
CLOSED = datetime(2026, 5, 2, 9, tzinfo=UTC)
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


def sections(page):
    return {each.h2.text.replace("\xa0", " "): each for each in page.select("#documents section")}


def test_the_page_has_the_words_of_the_source_and_the_two_months(owner):
    page = owner.get(PAGE)
    assert page.h1.text == "Загрузить счет по ссылке"
    assert page.main.p.text == PARAGRAPHS["Загрузить счет по ссылке"]
    found = sections(page)
    assert list(found) == ["март 2026 г.", "февраль 2026 г."]
    assert "Счет № 2026-000001, 02.04.2026" in found["март 2026 г."].text
    assert "Счет за этот месяц еще не сформирован." in found["февраль 2026 г."].text
    assert [each.text for each in page.main.select("form button")] == ["Сформировать"]


def test_a_bill_is_ordered_waited_for_and_fetched(owner, invoice):
    send(owner, PAGE, [invoice.key], file_format="xlsx")
    order = Order.get()
    assert (order.email, order.kind) == ("", "invoice_link")
    assert owner.response.location == f"/bills/download/#order-{order.key}"
    section = sections(owner.follow())["март 2026 г."]
    assert "дождитесь окончания процесса" in section.text
    assert section.find("a", string="Обновить состояние")["href"] == "/bills/download/"
    line = section.select_one(".line")
    assert line["hx-get"] == f"/orders/{order.key}/status?part=line"
    assert line["hx-trigger"] == "every 1s"
    job.carry(order.id)
    part = owner.get(line["hx-get"], htmx=True)
    assert part.select_one(f"#order-{order.key} a[download]").text == "Скачать"
    assert not part.select_one("[hx-get]")
    section = sections(owner.get(PAGE))["март 2026 г."]
    link = section.find("a", string="Скачать")
    answer = owner.get(link["href"])
    told = section.text.replace("\xa0", " ")
    assert "XLSX, " in told
    assert " КБ" in told
    assert "до 27.04.2026 12:00" in told
    assert hashlib.sha256(answer.data).hexdigest() in told
    assert not Mail.select().exists()


def test_the_line_opened_as_a_page_is_the_order(owner, invoice):
    send(owner, PAGE, [invoice.key])
    owner.get(f"/orders/{Order.get().key}/status?part=line", status=303)
    assert owner.response.location == f"/orders/{Order.get().key}"


def test_a_bill_that_is_being_made_or_can_be_fetched_is_not_made_again(owner, invoice):
    send(owner, PAGE, [invoice.key])
    order = Order.get()
    send(owner, PAGE, [invoice.key])  # another tab
    job.carry(order.id)
    send(owner, PAGE, [invoice.key])
    assert owner.response.location.endswith(f"#order-{Order.get().key}")
    send(owner, PAGE, [invoice.key], file_format="csv")
    assert Order.select().count() == 2


def test_when_its_time_is_over_it_is_ordered_anew(owner, invoice, monkeypatch):
    send(owner, PAGE, [invoice.key])
    job.carry(Order.get().id)
    stop_clock(monkeypatch, OPEN + timedelta(days=7), owner)
    page = owner.get(PAGE)
    assert not page.find("a", string="Скачать")
    send(owner, PAGE, [invoice.key])
    assert Order.select().count() == 2


def test_what_has_failed_is_told_and_can_be_ordered_again(owner, invoice):
    send(owner, PAGE, [invoice.key])
    Order.update(state="failed", reason="render_failed", closed_at=OPEN).execute()
    page = owner.get(PAGE)
    assert "Код R-10" in sections(page)["март 2026 г."].text
    send(owner, PAGE, [invoice.key])
    assert Order.select().count() == 2


def test_a_credit_note_stands_beside_its_bill(app, base):
    note = document_of("a_credit_note")
    owner = Browser(app, make_user(note.client))
    texts = [each.p.text for each in owner.get(PAGE).select("#documents section")]
    assert [text.partition(" №")[0] for text in texts[:2]] == ["Счет", "Корректировочный счет"]
    send(owner, PAGE, [note.key])
    job.carry(Order.get().id)
    assert len(owner.get(PAGE).select("a[download]")) == 1


def test_an_older_bill_is_not_made_whatever_the_form_says(owner, invoice, monkeypatch):
    stop_clock(monkeypatch, datetime(2026, 5, 31, 20, 59, 59, tzinfo=UTC), owner)
    assert "март 2026 г." in sections(owner.get(PAGE))
    stop_clock(monkeypatch, datetime(2026, 5, 31, 21, tzinfo=UTC), owner)
    assert list(sections(owner.get(PAGE))) == ["май 2026 г.", "апрель 2026 г."]
    page = send(owner, PAGE, [invoice.key], status=422, is_deferred="y")
    assert "Этот счет здесь заказать нельзя" in page.select_one(".summary").text
    assert not Order.select().exists()


def test_on_closed_days_it_waits_or_is_not_taken(owner, invoice, monkeypatch):
    stop_clock(monkeypatch, CLOSED, owner)
    page = owner.get(PAGE)
    assert "Заказ будет доступен с 04.05.2026." in page.select_one(".alert.warn").text
    assert len(page.main.select("form")) == 2  # April is being formed
    refused = send(owner, PAGE, [invoice.key], status=422)
    assert "закажите с 04.05.2026" in refused.select_one(".summary").text
    send(owner, PAGE, ["2026-04"], is_deferred="y")
    section = sections(owner.follow())["апрель 2026 г."]
    assert "не раньше 04.05.2026 00:00" in section.text
    assert not section.select("[hx-get]")
    billing.form_month(invoice.period.replace(month=4), client=invoice.client, now=CLOSED)
    section = sections(owner.get(PAGE))["апрель 2026 г."]
    assert "Выполним после 04.05.2026 00:00" in section.text
    stop_clock(monkeypatch, datetime(2026, 5, 4, tzinfo=UTC), owner)
    job.carry(0)
    assert sections(owner.get(PAGE))["апрель 2026 г."].find("a", string="Скачать")
    assert Order.get().params["invoice"] == invoices.of_client(invoice.client)[0].id


def test_the_choice_that_was_marked_stays_marked(owner, invoice, monkeypatch):
    stop_clock(monkeypatch, CLOSED, owner)
    page = send(owner, PAGE, [invoice.key], status=422, file_format="doc", is_deferred="y")
    form = next(f for f in page.main.select("form") if invoice.key in str(f))
    assert form.select_one("input[type=checkbox]").has_attr("checked")
    assert len(page.select("input[type=checkbox][checked]")) == 1
    assert labelled(page, WAIT)


def test_a_client_without_bills_is_told_month_by_month(browser):
    page = browser.get(PAGE)
    assert all("еще не сформирован" in each.text for each in sections(page).values())
    assert not page.main.select("form")


def test_no_months_no_orders(owner, monkeypatch):
    monkeypatch.setattr("services.bill_offers.bill_link_months", lambda *_: ())
    assert "закажите их на E-mail" in owner.get(PAGE).select_one(".alert").text


def test_a_stranger_sees_and_gets_nothing_of_it(owner, stranger, invoice):
    send(owner, PAGE, [invoice.key])
    key = Order.get().key
    assert "2026-000001" not in stranger.get(PAGE).text
    stranger.get(f"/orders/{key}/status?part=line", htmx=True, status=404)
    send(stranger, PAGE, [invoice.key], status=422)
    assert Order.select().count() == 1


def test_a_viewer_may_not_order(app, invoice):
    Browser(app, make_user(invoice.client, role=Role.VIEWER)).get(PAGE, status=403)


def test_each_form_has_its_token_and_its_own_names(owner, invoice, monkeypatch):
    stop_clock(monkeypatch, CLOSED, owner)
    found = forms(owner.get(PAGE))
    assert [each["documents"] for each in found] == ["2026-04", invoice.key]
    assert all(each["form_key"] for each in found)
