"""The charges by e-mail, by the words on the pages: form of the file, subscribers, order."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.roles import Role
from models import AuditEvent, DraftSubscriber, Order, OrderDraft, OrderSubscriber
from services import clock, orders
from tests.factories import NOON, make_client, make_subscriber, make_user
from tests.page import Browser

ITEM = "bills.charge_order"


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def mine(client_row):
    return [make_subscriber(client_row, full_name=f"Номер {n}") for n in range(3)]


@pytest.fixture
def draft(browser, mine):
    browser.post(f"{ITEM}.start", {"file_format": "csv"})
    return OrderDraft.get()


def step_2(**form):
    return {"go": "submit", "typed": "", **form}


def order_of(browser, draft, **form):
    browser.post(f"{ITEM}.subscribers", step_2(**form), key=draft.key)
    return Order.get_or_none()


def chosen(order):
    rows = OrderSubscriber.select().where(OrderSubscriber.order == order)
    return {row.subscriber_id for row in rows}


def test_the_charges_lead_to_it_and_nobody_who_may_only_look(browser, client_row, mine, app):
    page = browser.get("bills.charges.show")
    address = page.find("a", string="Отправить на E-mail")["href"]
    page = browser.get(address)
    assert page.h1.text == "Начисления на E-mail"
    current = [link.text for link in page.select("nav#menu a[aria-current=page]")]
    assert current == ["Начисления за текущий период"]
    assert {"XLSX", "CSV", "PDF"} <= {label.text for label in page.select("label")}
    assert "Вы можете заказать информацию о начислениях в текущем месяце по абонентам" in page.text
    assert OrderDraft.select().count() == 0
    viewer = Browser(app, make_user(client_row, role=Role.VIEWER))
    assert "Отправить на E-mail" not in viewer.get("bills.charges.show").text
    viewer.get(f"{ITEM}.start", status=403)


def test_ticks_and_the_list_make_one_order_for_the_detail_address(browser, client_row, draft, mine):
    page = browser.get(f"{ITEM}.subscribers", key=draft.key)
    assert "март 2026" in page.select_one("dl.sum").text
    assert page.find("button", string="Заказать начисления")
    order = order_of(browser, draft, tick=mine[0].id, shown=mine[0].id, typed=mine[2].number)
    assert chosen(order) == {mine[0].id, mine[2].id}
    assert (order.kind, order.email) == ("charges", client_row.detail_email)
    assert order.params == {"month": "2026-03-01", "format": "csv"}
    assert order.due_at == order.created_at == NOON  # nobody waits a day for them
    assert AuditEvent.select().where(AuditEvent.event == "order_placed").count() == 1
    page = browser.follow()
    assert "Начисления за текущий период" in page.main.text
    assert "март 2026" in page.main.text
    assert page.find("a", string="Назад")["href"] == browser.url("bills.charges.show")


def test_a_second_click_does_not_order_twice(browser, draft, mine):
    for _ in range(3):
        order_of(browser, draft, tick=mine[0].id, shown=mine[0].id)
    assert Order.select().count() == 1
    assert "/orders/" in browser.response.location


def test_numbers_of_others_are_refused_one_by_one(browser, draft, mine):
    theirs = make_subscriber(make_client())
    page = browser.post(
        f"{ITEM}.subscribers",
        step_2(typed=f"{mine[0].number};{theirs.number};12", tick=theirs.id, shown=theirs.id),
        key=draft.key,
        status=422,
    )
    assert Order.select().count() == 0
    assert "Продолжить с 1 номером" in page.text
    assert DraftSubscriber.select().count() == 0
    order = order_of(browser, draft, go="continue", typed=f"{mine[0].number};{theirs.number}")
    assert chosen(order) == {mine[0].id}


def test_nothing_chosen_is_no_order(browser, draft):
    page = browser.post(f"{ITEM}.subscribers", step_2(), key=draft.key, status=422)
    assert "Отметьте хотя бы одного абонента" in page.text


def test_going_back_shows_the_answer_and_keeps_the_ticks(browser, draft, mine):
    form = step_2(go="form", tick=mine[1].id, shown=mine[1].id)
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    page = browser.follow()
    assert page.select_one("input[name=file_format][checked]")["value"] == "csv"
    browser.post(f"{ITEM}.form", {"file_format": "pdf"}, key=draft.key)
    page = browser.follow()
    assert page.select_one(f"#tick-{mine[1].id}").has_attr("checked")
    assert "PDF" in page.select_one("dl.sum").text


def test_ticks_are_kept_as_they_are_made(browser, draft, mine):
    form = step_2(go="", tick=mine[1].id, shown=mine[1].id)
    page = browser.post(f"{ITEM}.ticks", form, key=draft.key, htmx=True, status=200)
    assert "Выбрано: 1 из 3" in page.text
    assert DraftSubscriber.get().subscriber_id == mine[1].id


def test_limits_of_the_call_detail_hold(browser, draft, mine, app, config, monkeypatch):
    monkeypatch.setitem(app.config, "CABINET", replace(config, ORDERS_PER_HOUR=1))
    order_of(browser, draft, tick=mine[0].id, shown=mine[0].id)
    browser.post(f"{ITEM}.start", {"file_format": "csv"})
    again = OrderDraft.select().order_by(OrderDraft.id.desc()).get()
    form = step_2(tick=mine[0].id, shown=mine[0].id)
    browser.post(f"{ITEM}.subscribers", form, key=again.key, status=429)
    assert Order.select().count() == 1


def test_a_pdf_of_too_many_numbers_is_not_ordered(browser, mine, app, config, monkeypatch):
    monkeypatch.setitem(app.config, "CABINET", replace(config, PDF_ROWS=1))
    browser.post(f"{ITEM}.start", {"file_format": "pdf"})
    form = step_2(tick=[mine[0].id, mine[1].id], shown=[mine[0].id, mine[1].id])
    page = browser.post(f"{ITEM}.subscribers", form, key=OrderDraft.get().key, status=422)
    assert "В PDF помещается не больше 1 номеров, а в заказе их 2" in page.text


def test_a_draft_of_the_month_before_orders_the_present_one(app, client_row, mine, monkeypatch):
    midnight = datetime(2026, 4, 1, tzinfo=clock.zone())
    monkeypatch.setattr(clock, "now", lambda: midnight - timedelta(minutes=1))
    browser = Browser(app, make_user(client_row))
    browser.post(f"{ITEM}.start", {"file_format": "csv"})
    monkeypatch.setattr(clock, "now", lambda: midnight + timedelta(minutes=1))
    order = order_of(browser, OrderDraft.get(), tick=mine[0].id, shown=mine[0].id)
    assert orders.days_of(order).start.isoformat() == "2026-04-01"


def test_the_same_can_be_ordered_again(browser, draft, mine):
    order = order_of(browser, draft, tick=mine[0].id, shown=mine[0].id)
    page = browser.get("orders.show", key=order.key)
    assert page.find("button", string="Заказать такую же")
    browser.post("orders.repeat", {}, key=order.key)
    page = browser.follow()
    assert page.select_one("input[name=file_format][checked]")["value"] == "csv"
    again = OrderDraft.select().order_by(OrderDraft.id.desc()).get()
    ticked = DraftSubscriber.select().where(DraftSubscriber.draft == again)
    assert [row.subscriber_id for row in ticked] == [mine[0].id]


def test_a_draft_of_another_kind_is_none_of_these(browser, draft):
    browser.get("bills.call_detail.subscribers", key=draft.key, status=404)
