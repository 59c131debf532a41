"""«Изменить способ/адрес доставки»: what holds, a change with the password, its end and history."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.roles import Role
from models import AuditEvent, Notice
from models_billing import DeliverySetting
from services import clock, delivery
from tests.blueprints.source_words import PARAGRAPHS
from tests.factories import make_client, make_delivery_change, make_user
from tests.page import Browser

TITLE = "Изменить способ/адрес доставки"
PASSWORD = "korova-na-lugu"
WISH = {"method": "email", "email": "new@lotos.by", "receiver": "", "password": PASSWORD}


@pytest.fixture
def client(base):
    return make_client(invoice_email="old@romashka.by", detail_email="cdr@romashka.by")


@pytest.fixture
def payer(app, client):
    """The browser of the client's accountant, who knows the password."""
    role = Role.ACCOUNTANT
    return Browser(app, make_user(client, role=role, full_name="Анна", password=PASSWORD))


def facts(page):
    return {
        dt.text: dt.find_next_sibling("dd").get_text(" ", strip=True) for dt in page.select("dt")
    }


def rows(page):
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.select("tbody tr")
    ]


def send(browser, status=303, **values):
    return browser.post("bills.delivery.change", {**WISH, **values}, status=status)


def test_the_page_says_what_holds_and_what_takes_effect_when(payer):
    page = payer.get("bills.delivery.show")
    assert page.h1.text == TITLE
    assert PARAGRAPHS[TITLE] in page.text
    shown = facts(page)
    assert shown["Способ доставки"] == "e-mail"
    assert shown["E-mail"] == "o***@r***.by"
    assert "на момент формирования счета за прошедший расчетный период" in page.text
    assert "через 24 часа после подтверждения" in page.text
    assert "old@romashka.by" not in page.text
    labels = [label.text for label in page.select("form.card label")]
    assert labels == ["e-mail", "на руки", "Новый E-mail", "Получатель", "Ваш пароль"]
    assert rows(page)[-1][1:4] == ["оператор", "e-mail", "o***@r***.by"]


def test_post_and_edi_are_offered_where_a_setting_says_so(app, payer, monkeypatch):
    config = replace(app.config["CABINET"], DELIVERY_METHODS="email,pickup,post,edi")
    monkeypatch.setitem(app.config, "CABINET", config)
    page = payer.get("bills.delivery.show")
    assert [label.text for label in page.select(".choice label")] == [
        "e-mail", "на руки", "почта", "ЭДО",
    ]  # fmt: skip
    send(payer, method="post", email="")
    assert DeliverySetting.get().method == "post"


def test_a_change_waits_and_is_shown_with_its_state(app, payer, client):
    send(payer)
    page = payer.follow()
    assert "На новый адрес отправлено письмо" in page.text
    assert "Ждет подтверждения" in page.select_one("section.card").text
    assert "n***@l***.by" in page.select_one("section.card").text
    assert "new@lotos.by" not in page.text
    assert not page.select("input[name=email]"), "one change at a time"
    assert rows(page)[0][1:4] == ["Анна", "e-mail", "n***@l***.by"]
    assert facts(page)["E-mail"] == "o***@r***.by"
    assert Notice.select().count() == 2
    row = DeliverySetting.get()
    DeliverySetting.update(
        state="confirmed",
        confirmed_at=row.asked_at,
        effective_at=row.asked_at + timedelta(hours=24),
    ).execute()
    card = payer.get("bills.delivery.show").select_one("section.card").text
    assert "Подтверждено" in card
    assert "Изменение вступит в силу" in card


def test_the_page_says_when_the_letter_did_not_go(payer, client):
    send(payer)
    Notice.update(state="failed", reason="mail_address_refused").execute()
    page = payer.get("bills.delivery.show")
    assert "не отправлено: Почтовый сервер отклонил адрес" in page.select_one(".alert.bad").text


def test_the_page_cancels(payer, client):
    send(payer)
    page = payer.get("bills.delivery.show")
    payer.post(page.select_one("section.card form")["action"])
    assert "Изменение отменено" in payer.follow().text
    assert delivery.pending(client, now=clock.now()) is None
    payer.post("bills.delivery.cancel", key=DeliverySetting.get().key)
    assert "Отменить уже нельзя" in payer.follow().text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": "not-it"}, "Неверный пароль"),
        ({"password": ""}, "Введите пароль"),
        ({"email": "new@lotos"}, None),
        ({"email": "new lotos.by"}, "Укажите адрес в виде name@example.by"),
        ({"email": "a@b.by\r\nBcc: x@evil.example"}, "Укажите адрес в виде"),
        ({"email": "бух@лотос.бел"}, "Укажите адрес в виде"),
        ({"method": "post"}, None),
        ({"method": "pigeon"}, None),
        ({"email": "old@romashka.by"}, "менять нечего"),
        ({"receiver": "x" * 256}, "одной строкой"),
    ],
)
def test_what_cannot_be_comes_back_with_what_was_typed(payer, values, words):
    if values == {"email": "new@lotos"}:  # a host of the operator's own network
        send(payer, **values)
        return
    page = send(payer, 422, **values)
    if words:
        assert words in page.select_one(".summary").text
    typed = {field["name"]: field.get("value") for field in page.select("form.card input[name]")}
    assert typed["email"] == values.get("email", WISH["email"]).strip()
    assert not typed["password"]
    assert not DeliverySetting.select().exists()
    assert not Notice.select().exists()


def test_guesses_at_the_password_are_slowed_down_as_at_the_sign_in(payer):
    for _ in range(5):
        send(payer, 422, password="guess")
    send(payer, 429)
    assert int(payer.response.headers["Retry-After"]) > 0
    assert not DeliverySetting.select().exists()
    refused = AuditEvent.select().where(AuditEvent.event == "step_up_refused")
    assert refused.count() == 5


def test_a_viewer_looks_and_changes_nothing(app, client):
    viewer = Browser(app, make_user(client, role=Role.VIEWER, password=PASSWORD))
    page = viewer.get("bills.delivery.show")
    assert "администраторы и бухгалтеры" in page.text
    assert not page.select("input[name=email]")
    send(viewer, 403)
    change = make_delivery_change(client, asked_at=clock.now())
    page = viewer.get("bills.delivery.show")
    assert not page.select("section.card form")
    viewer.post("bills.delivery.cancel", status=403, key=change.key)


def test_another_clients_change_does_not_exist(payer, app):
    stranger = make_client()
    change = make_delivery_change(stranger, asked_at=clock.now())
    payer.post("bills.delivery.cancel", status=404, key=change.key)
    assert delivery.pending(stranger, now=clock.now()) is not None
    assert len(rows(payer.get("bills.delivery.show"))) == 1


def test_a_long_history_has_pages(payer, client):
    for n in range(45):
        asked = clock.now() - timedelta(days=100 - n)
        make_delivery_change(client, asked_at=asked, state="cancelled", closed_at=asked)
    assert len(rows(payer.get("bills.delivery.show"))) == 20
    last = payer.get("bills.delivery.show", page=3)
    assert len(rows(last)) == 5 + 1
    assert "с начала обслуживания" in rows(last)[-1][-1]
    assert len(rows(payer.get("bills.delivery.show", page=9))) == 6


def test_the_session_has_another_id_behind_the_password(payer):
    """Whoever had copied the cookie does not go on where the password was typed."""
    name = payer.app.session_interface.cookies.name
    before = payer.client.get_cookie(name).value
    send(payer)
    assert payer.client.get_cookie(name).value != before
    payer.follow()
