"""«Журнал доступа»: all that was done to a client's data, and nothing of anybody else's."""

from datetime import timedelta

import pytest

from blueprints.account.log_words import WORDS
from domain.roles import Role
from models import User
from services import audit
from services.audit import AuditEventKind as Kind
from services.transactions import write_tx
from tests.factories import NOON, make_client, make_order, make_user
from tests.page import Browser


@pytest.fixture
def client(base):
    return make_client()


@pytest.fixture
def admin(client):
    return make_user(client, full_name="Анна Котова")


def note(kind, *, now=NOON, **values):
    with write_tx():
        audit.record(kind, now=now, **values)


def rows(page):
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("td")]
        for row in page.select("tbody tr")
    ]


def test_a_line_says_when_who_what_and_from_where(app, client, admin):
    order = make_order(client, user=admin)
    subject = f"order:{order.id}"
    note(Kind.ORDER_PLACED, client=client, user=admin, subject=subject, ip="10.1.2.3")
    note(Kind.ORDER_PLACED, client=make_client(), user=admin)
    page = Browser(app, admin).get("account.log.show")
    what = f"Оформление заказа: заказ № {order.number}"
    assert rows(page) == [["10.03.2026 12:00", "Анна Котова", what, "10.1.2.3"]]
    assert page.select_one("tbody a")["href"] == f"/orders/{order.key}"


def test_the_operator_is_named_as_such_and_never_by_login(app, client, admin):
    clerk = make_user(role=Role.CLERK, login="clerk-petrov")
    note(Kind.CLIENT_VIEWED, client=client, user=clerk, ip="192.0.2.7")
    page = Browser(app, admin).get("account.log.show")
    assert rows(page)[0][1:] == ["оператор", "Просмотр данных компании", "–"]
    assert "petrov" not in page.text


def test_rows_of_others_are_never_named(app, client, admin):
    foreign = make_order()
    note(Kind.ACCESS_REFUSED, client=client, user=admin, subject=f"customer_order:{foreign.id}")
    page = Browser(app, admin).get("account.log.show")
    assert rows(page)[0][2] == "Отказано в доступе к странице"
    assert foreign.key not in page.text


def test_it_is_narrowed_by_person_and_days(app, client, admin):
    boris = make_user(client, login="boris")
    operator = make_user(role=Role.CLERK)
    for day, user in enumerate((admin, boris, operator, None)):
        note(Kind.CLIENT_CHANGED, client=client, user=user, now=NOON + timedelta(days=day))
    browser = Browser(app, admin)

    def shown(**wanted):
        return [row[:2] for row in rows(browser.get("account.log.show", **wanted))]

    assert len(shown()) == 4
    assert shown(who=boris.id) == [["11.03.2026 12:00", "boris"]]
    assert shown(who="operator") == [["12.03.2026 12:00", "оператор"]]
    assert [row[0][:2] for row in shown(start="2026-03-11", end="12.03.2026")] == ["12", "11"]
    assert [row[0][:2] for row in shown(start="2026-03-13")] == ["13"]
    assert [row[0][:2] for row in shown(end="2026-03-10")] == ["10"]
    assert not shown(end="2026-03-09")
    assert "Таких записей нет" in browser.response.text


@pytest.mark.parametrize(
    "wanted",
    [
        {"who": "-1"},
        {"who": "x"},
        {"start": "tomorrow"},
        {"start": "2026-03-12", "end": "2026-03-11"},
    ],
)
def test_what_cannot_be_asked_for_is_said_at_the_field(app, admin, wanted):
    page = Browser(app, admin).get("account.log.show", status=422, **wanted)
    assert page.select_one("[role=alert] a")


def test_days_of_any_year_can_be_asked_for(app, admin):
    browser = Browser(app, admin)
    browser.get("account.log.show", start="0001-01-01", end="9999-12-31")
    browser.get("account.log.show", start="9999-12-31")


def test_it_goes_on_page_by_page_with_what_it_was_narrowed_to(app, client, admin):
    for minute in range(51):
        note(Kind.CLIENT_CHANGED, client=client, user=admin, now=NOON + timedelta(minutes=minute))
    browser = Browser(app, admin)
    page = browser.get("account.log.show", who=admin.id)
    assert len(rows(page)) == 50
    page = browser.get(page.select(".pages a")[-1]["href"])
    assert [row[0] for row in rows(page)] == ["10.03.2026 12:00"]
    assert rows(browser.get("account.log.show", page=99)) == rows(page)


def test_it_is_for_administrators(app, client):
    for role in (Role.ACCOUNTANT, Role.VIEWER):
        browser = Browser(app, make_user(client, role=role))
        browser.get("account.log.show", status=403)
        assert "Журнал доступа" not in str(browser.get("account.show"))


def test_every_event_has_words_of_its_own():
    hidden = {Kind.SIGN_IN_REFUSED}  # belongs to no client
    nameless = {kind.value for kind in set(Kind) - hidden} - set(WORDS)
    assert not nameless, "give them words in blueprints/account/log_words.py"


def test_looking_at_it_names_nobody_else(app, client, admin):
    make_user(login="of-another-company")
    page = Browser(app, admin).get("account.log.show")
    names = [option.text for option in page.select("#who option")]
    assert names == ["Все", "Анна Котова", "Сотрудники оператора"]
    assert User.of(client).count() == 1
