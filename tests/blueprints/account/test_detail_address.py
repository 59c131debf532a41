"""The address for call details and charges: changed by an administrator with the password."""

import pytest

from domain.roles import Role
from models import Notice
from models_billing import DeliverySetting
from tests.factories import make_client, make_delivery_change, make_user
from tests.page import Browser

PASSWORD = "korova-na-lugu"


@pytest.fixture
def client(base):
    return make_client(invoice_email="bills@romashka.by", detail_email="old@romashka.by")


@pytest.fixture
def browser(app, client):
    return Browser(app, make_user(client, full_name="Анна", password=PASSWORD))


def send(browser, status=303, **values):
    form = {"email": "new@lotos.by", "password": PASSWORD, **values}
    return browser.post("account.detail_address.change", form, status=status)


def test_a_change_waits_is_shown_with_its_state_and_is_cancelled(browser, client):
    page = browser.get("account.detail_address.show")
    assert "o***@r***.by" in page.text
    send(browser)
    page = browser.follow()
    assert "На новый адрес отправлено письмо" in page.text
    card = page.select_one("section.card")
    assert "Ждет подтверждения" in card.text
    assert "n***@l***.by" in card.text
    assert "e-mail:" not in card.text, "there is no method to choose"
    assert not page.select("input[name=email]"), "one change at a time"
    assert "Ждет подтверждения" in browser.get("account.show").text
    assert {notice.recipient for notice in Notice.select()} == {"new@lotos.by", "old@romashka.by"}
    assert not browser.get("bills.delivery.show").select("section.card"), "bills go on as before"
    browser.post(card.form["action"])
    assert "адрес остается прежним" in browser.follow().text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("password", "x", "Неверный пароль"),
        ("email", "x", "Укажите адрес в виде name@example.by"),
        ("email", "", "Введите адрес"),
        ("email", "old@romashka.by", "Так уже и есть"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_sent(browser, field, value, sentence):
    page = send(browser, status=422, **{field: value})
    assert sentence in page.select_one(".summary").text
    assert not Notice.select().exists()


def test_only_administrators_change_it(app, client):
    for role in (Role.ACCOUNTANT, Role.VIEWER):
        browser = Browser(app, make_user(client, role=role, password=PASSWORD))
        browser.get("account.detail_address.show", status=403)
        send(browser, status=403)
        page = browser.get("account.show")
        assert "Изменить его может администратор вашей компании" in page.text
        assert not page.select("a[href*=detail-address]")


def test_a_change_of_bills_is_not_cancelled_from_here(app, browser, client):
    row = make_delivery_change(client)
    browser.post("account.detail_address.cancel", key=row.key, status=404)
    assert DeliverySetting.get().state == "asked"
