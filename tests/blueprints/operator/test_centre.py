"""The operator's side of «Мобильный колл-центр»: numbers and hours; and a company's language."""

import pytest

from domain.call_centre import MemberKind
from domain.roles import Role
from models import AuditEvent, Client
from services import call_centre
from tests import factories
from tests.page import Browser

PAGE = "operator.centre"


@pytest.fixture
def own(client_row):
    return factories.make_subscriber(client_row, number="375171234567", full_name="Анна")


@pytest.fixture
def put(operator_browser, client_row):
    def put(which, data, status=303):
        answer = operator_browser.post(f"{PAGE}.{which}", data, status=status, client=client_row.id)
        return operator_browser.follow() if status == 303 else answer

    return put


def events():
    return [
        (each.event, bool(each.user_id)) for each in AuditEvent.select().order_by(AuditEvent.id)
    ]


def test_a_number_is_added_and_taken_out(put, own, client_row):
    fields = {"number": "8 017 123-45-67", "kind": "line", "group": ""}
    page = put("add", fields)
    assert "Номер добавлен в колл-центр" in page.text
    assert "Анна" in page.select_one("table").text
    assert [(row.subscriber, row.kind) for row in call_centre.members_of(client_row)] == [
        (own, MemberKind.LINE)
    ]
    page = put("add", fields, 422)
    assert "уже в колл-центре" in page.select_one(".summary").text
    assert page.select_one("input[name=number]")["value"] == fields["number"]
    assert "Номер убран из колл-центра" in put("remove", {"subscriber": own.id}).text
    assert "нет в колл-центре" in put("remove", {"subscriber": own.id}).text
    assert call_centre.members_of(client_row) == []
    assert ("centre_number_added", True) in events()
    assert ("centre_number_removed", True) in events()


def test_only_the_clients_own_numbers_can_be_in_it(put, client_row):
    strange = factories.make_subscriber()
    for number in (strange.number, "x"):
        page = put("add", {"number": number, "kind": "employee", "group": ""}, 422)
        assert page.select_one("input[name=number]")["aria-invalid"] == "true"
    put("add", {"number": "", "kind": "employee", "group": "x" * 65}, 422)
    assert "нет в колл-центре" in put("remove", {"subscriber": strange.id}).text


def test_hours_are_kept_as_they_are_written(put, client_row):
    page = put("hours", {"hours": "1-5 9:00-18:00;6 10:00-15:00", "holidays": "y"})
    assert page.select_one("input[name=hours]")["value"] == "1-5 9:00-18:00; 6 10:00-15:00"
    assert page.select_one("input[name=holidays]").has_attr("checked")
    hours = call_centre.hours_of(client_row)
    assert (hours.week[5], hours.works_on_holidays) == ((600, 900), True)
    page = put("hours", {"hours": "1-5 9:10-18:00"}, 422)
    assert "1-5 9:00-18:00; 6 10:00-15:00" in page.select_one(".summary").text
    assert page.select_one("input[name=hours]")["value"] == "1-5 9:10-18:00"
    assert ("centre_hours_set", True) in events()


def test_clerks_look_only(app, base, own, client_row):
    call_centre.add(client_row, own, MemberKind.EMPLOYEE, now=factories.NOON)
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    page = clerk.get(f"{PAGE}.show", client=client_row.id)
    assert "Анна" in page.text
    assert "1-5 9:00-18:00" in page.text
    assert not page.main.select("form")
    page = clerk.get("operator.clients.show", client=client_row.id)
    assert "не выбран (Русский)" in page.text


def test_a_companys_language_is_chosen_on_its_page(operator_browser, client_row):
    where = {"client": client_row.id}
    operator_browser.post("operator.clients.language", {"language": "en"}, **where)
    page = operator_browser.follow()
    assert page.select_one("#language option[selected]")["value"] == "en"
    assert Client.get_by_id(client_row.id).language == "en"
    assert ("client_changed", True) in events()
    operator_browser.post("operator.clients.language", {"language": "de"}, **where)
    assert "Выберите язык" in operator_browser.follow().text
    operator_browser.post("operator.clients.language", {"language": ""}, **where)
    assert Client.get_by_id(client_row.id).language == ""
