"""Pages of orders of invoices: what they are about, their words, the file that waits."""

from datetime import timedelta

import pytest

from domain.orders import OrderKind, OrderState
from jobs import orders as job
from models import Artefact, Order
from services import clock
from tests.factories import NOON, make_invoice_order, make_order, make_user
from tests.page import Browser
from tests.services.invoice_cases import document_of

EMAIL, LINK, REGULAR = OrderKind.INVOICE_EMAIL, OrderKind.INVOICE_LINK, OrderKind.INVOICE_REGULAR


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def invoice(base):
    return document_of("two_numbers")


@pytest.fixture
def owner(app, invoice):
    """A browser of the invoice's client."""
    return Browser(app, make_user(invoice.client))


@pytest.fixture
def link_order(invoice):
    return make_invoice_order(invoice, LINK, number=1)


def test_the_page_of_a_link_says_to_wait_and_then_gives_the_file(owner, link_order):
    page = owner.get("orders.show", key=link_order.key)
    assert "дождитесь окончания процесса" in page.select_one(".lead").text
    assert page.find("a", string="Скачать") is None
    assert "письм" not in page.text
    assert page.find("a", string="Назад")["href"] == "/bills/download/"
    job.carry(link_order.id)
    card = owner.get("orders.show", key=link_order.key).select_one("#card")
    assert "Сформирован" in card.h2.text
    for words in ("Готов с 10.03.2026 12:00", "PDF, ", "КБ", "до 17.03.2026 12:00", "SHA-256"):
        assert words in card.text.replace("\xa0", " ")
    assert not card.has_attr("hx-get")
    assert card.find("a", string="Скачать")["href"] == f"/orders/{link_order.key}/file"
    owner.get("orders.file", key=link_order.key)
    response = owner.response
    assert response.data.startswith(b"%PDF")
    disposition = response.headers["Content-Disposition"]
    assert "invoice-1.pdf" in disposition
    assert "UTF-8''%D0%A1%D1%87%D0%B5%D1%82%20%E2%84%96%202026-000001" in disposition


@pytest.mark.parametrize(
    ("kind", "words", "back"),
    [
        (EMAIL, "Заказать счет на E-mail, № 2026-000001", "/bills/email/"),
        (LINK, "Загрузить счет по ссылке, № 2026-000001", "/bills/download/"),
        (REGULAR, "Регулярный счет, № 2026-000001", "/bills/"),
    ],
)
def test_what_an_order_is_about_stands_on_every_page(owner, invoice, kind, words, back):
    order = make_invoice_order(invoice, kind, number=1)
    page = owner.get("orders.show", key=order.key)
    assert page.find("a", string="Назад")["href"] == back
    assert "Тип детализации" not in page.text
    assert "Абоненты" not in page.text
    assert page.find(string="Заказать такую же") is None
    for shown in (page, owner.get("orders.index"), owner.get("home.show")):
        assert words in shown.text
        assert "март 2026" in shown.text.replace("\xa0", " ")


def test_charges_are_listed_too(owner, invoice):
    order = make_order(invoice.client, kind=OrderKind.CHARGES, number=1)
    Order.update(params={"format": "xlsx"}).where(Order.id == order.id).execute()
    for page in (owner.get("orders.index"), owner.get("orders.show", key=order.key)):
        assert "Начисления за текущий период" in page.text


def test_where_an_invoice_goes_is_told(owner, invoice):
    order = make_invoice_order(invoice, EMAIL, number=1)
    lead = owner.get("orders.show", key=order.key).select_one(".lead").text
    assert lead.startswith("Заказанный счет будет выслан на адрес b***@e***.by")


def test_repeating_leads_to_where_it_is_ordered(owner, link_order):
    owner.post("orders.repeat", key=link_order.key)
    assert owner.response.location == "/bills/download/"


@pytest.mark.parametrize("state", [OrderState.AVAILABLE, OrderState.FAILED, OrderState.RENDERED])
def test_each_state_of_a_link_has_its_page(owner, link_order, state):
    values = {"state": state, "closed_at": NOON, "reason": "", "number": 1}
    Order.update(values).execute()
    assert owner.get("orders.show", key=link_order.key).select_one("#card h2")
    group = {"available": "available", "failed": "failed", "rendered": "open"}[state]
    assert "2026-000001" in owner.get("orders.index", state=group).text


def test_the_file_is_gone_when_its_time_is_over(owner, link_order):
    job.carry(link_order.id)
    Artefact.update(expires_at=NOON - timedelta(hours=1)).execute()
    page = owner.get("orders.show", key=link_order.key)
    assert "Срок хранения файла истек 10.03.2026 11:00" in page.select_one("#card").text
    owner.get("orders.file", key=link_order.key, status=410)


def test_a_stranger_gets_neither_page_nor_file(stranger, link_order):
    job.carry(link_order.id)
    for view in ("orders.show", "orders.file", "orders.status"):
        stranger.get(view, key=link_order.key, status=404)


def test_the_operator_sees_what_an_order_is_about_and_what_it_waits_for(operator_browser, invoice):
    order = make_invoice_order(invoice, EMAIL, number=1)
    page = operator_browser.get("operator.order", key=order.key)
    assert "Заказать счет на E-mail, № 2026-000001, PDF" in page.text
    assert "Заказать счет на E-mail" in operator_browser.get("operator.show").text
    Order.update(params={"month": "2026-04-01", "format": "pdf"}).execute()
    page = operator_browser.get("operator.order", key=order.key)
    assert "Ждет, когда будет сформирован счет за апрель 2026 г." in page.text.replace("\xa0", " ")


def test_one_that_waited_in_vain_says_why_and_can_be_tried_again(owner, invoice):
    order = make_invoice_order(invoice, EMAIL, number=1)
    values = {"state": OrderState.FAILED, "reason": "bill_not_formed", "closed_at": NOON}
    Order.update(params={"month": "2026-04-01", "format": "pdf"}, **values).execute()
    card = owner.get("orders.show", key=order.key).select_one("#card")
    assert "Счет за этот месяц не был сформирован в срок. Код R-15" in card.text
    assert card.find("button", string="Повторить")
    assert "апрель 2026" in owner.get("orders.index").text.replace("\xa0", " ")
