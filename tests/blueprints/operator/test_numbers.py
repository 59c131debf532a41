"""The operator's side of a client's numbers: the list, and what is known of each."""

from datetime import timedelta

import pytest

from domain.roles import Role
from models import AuditEvent, Subscriber
from services.subscribers import end_subscriber
from tests import factories
from tests.factories import NOON
from tests.page import Browser

PAGE = "operator.numbers"


@pytest.fixture
def anna(client_row):
    return factories.make_subscriber(client_row, number="375171234567", full_name="Анна")


@pytest.fixture
def put(operator_browser, client_row, anna):
    """Send the form with what differs from what it shows."""

    def put(code=303, /, **fields):
        at = {"client": client_row.id, "subscriber": anna.id, "q": "анна"}
        page = operator_browser.get(f"{PAGE}.edit", **at)
        shown = {each["name"]: each.get("value", "") for each in page.select("form.card input")}
        chosen = page.select_one("form.card option[selected]")["value"]
        data = {**shown, "status": chosen, **fields}
        answer = operator_browser.post(f"{PAGE}.edit", data, status=code, **at)
        return operator_browser.follow() if code == 303 else answer

    return put


def cells(page):
    return [
        [cell.text.replace("\xa0", " ") for cell in row.select("th, td")]
        for row in page.select("tbody tr")
    ]


def kept(row):
    return Subscriber.across_clients().where(Subscriber.id == row.id).get()


def test_the_list_is_by_number_with_those_that_ended(operator_browser, client_row, anna):
    trunk = factories.make_subscriber(client_row, number="375171234500", plan="SIP-соединение")
    anna.connection = trunk
    anna.save()
    gone = factories.make_subscriber(client_row, number="375171234568", full_name="Борис")
    end_subscriber(gone, NOON + timedelta(hours=12), now=NOON)
    factories.make_subscriber(number="375171234569")
    page = operator_browser.get("operator.clients.show", client=client_row.id)
    assert page.select_one(f"a[href$='/clients/{client_row.id}/numbers/']").text == "Номера"
    page = operator_browser.get(f"{PAGE}.show", client=client_row.id)
    first, second, third = cells(page)
    assert first[2:4] == ["1 номер", "SIP-соединение"]
    assert second[1:5] == ["Анна", "375 17 123-45-00", "SIP-номер", "Активный"]
    assert third[4].replace("снят", " снят") == "Закрытый снят с 11.03.2026"
    for asked, names in (("q=анна", ["Анна"]), ("status=closed", ["Борис"])):
        found = operator_browser.get(f"/operator/clients/{client_row.id}/numbers/?{asked}")
        assert [row[1] for row in cells(found)] == names
    empty = operator_browser.get(f"{PAGE}.show", client=client_row.id, q="нет")
    assert "Абоненты не найдены" in empty.text


def test_a_long_list_is_shown_by_the_page(operator_browser, client_row):
    for n in range(51):
        factories.make_subscriber(client_row, number=f"3751711{n:05}")
    page = operator_browser.get(f"{PAGE}.show", client=client_row.id, page=2)
    assert len(cells(page)) == 1
    assert page.select_one("tbody a")["href"].endswith("?page=2")


def test_what_is_known_of_a_number_is_changed(put, operator_browser, anna, app, client_row):
    trunk = factories.make_subscriber(client_row, number="375171234500")
    page = put(full_name="Ёлкина  Анна", status="blocked", status_reason="Неуплата")
    assert "Данные номера сохранены" in page.text
    assert page.select_one("#q")["value"] == "анна"
    assert cells(page)[0][1] == "Ёлкина Анна"
    assert put(connection="8 017 123-45-00")
    row = kept(anna)
    assert (row.name_folded, row.status, row.status_reason) == (
        *("елкина анна", "blocked", "Неуплата"),
    )
    assert row.connection == trunk
    assert "так уже было" in put().text
    put(connection="", status="active", status_reason="")
    row = kept(anna)
    assert (row.connection, row.status, row.status_reason) == (None, "active", "")
    events = AuditEvent.select().where(AuditEvent.event == "subscriber_changed")
    assert [event.user_id is not None for event in events] == [True] * 3
    log = Browser(app, factories.make_user(client_row)).get("account.log.show")
    assert "Изменены данные номера" in log.text


def test_what_cannot_be_is_refused_and_stays_typed(put, anna, client_row):
    factories.make_subscriber(number="375291111111")
    for typed, words in (("375291111111", "нет такого номера"), (anna.number, "не может")):
        page = put(422, connection=typed, full_name="Яна")
        assert words in page.select_one("#connection-error").text
        assert page.select_one("#connection")["value"] == typed
        assert page.select_one("#full_name")["value"] == "Яна"
    page = put(422, full_name="я" * 256)
    assert "255" in page.select_one("#full_name-error").text
    end_subscriber(anna, NOON + timedelta(days=1), now=NOON)
    assert "остается закрытым" in put(422, status="active").select_one(".summary").text
    assert kept(anna).full_name == "Анна"


def test_who_becomes_active_loses_a_reason_that_was_left_standing(put, anna):
    put(303, status="blocked", status_reason="Неуплата")
    put(303, status="active", status_reason="Неуплата")  # as the form was drawn
    assert (kept(anna).status, kept(anna).status_reason) == ("active", "")


def test_another_clients_number_is_not_there_and_clerks_look_only(
    app, operator_browser, anna, client_row
):
    other = factories.make_client()
    operator_browser.get(f"{PAGE}.edit", status=404, client=other.id, subscriber=anna.id)
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    page = clerk.get(f"{PAGE}.show", client=client_row.id)
    assert "Анна" in page.text
    assert not page.select("tbody a")
    assert AuditEvent.select().where(AuditEvent.event == "client_viewed").exists()
