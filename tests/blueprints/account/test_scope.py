"""«Доступные абоненты»: an administrator chooses the numbers that a user of the company sees."""

import pytest

from domain.roles import Role
from models import AuditEvent, User
from models_subscribers import ScopeSubscriber, UserScope
from services import clock, scopes
from services.audit import By
from tests.factories import make_client, make_subscriber, make_user
from tests.page import Browser

PASSWORD = "korova-na-lugu"
OPEN = ("home.show", "bills.show", "bills.charges.show", "subscribers.show", "call_centre.show")


@pytest.fixture
def company(base):
    return make_client()


@pytest.fixture
def numbers(company):
    return [make_subscriber(company) for _ in range(3)]


@pytest.fixture
def viewer(company):
    return make_user(company, login="vera", role=Role.VIEWER)


@pytest.fixture
def browser(app, company):
    return Browser(app, make_user(company, password=PASSWORD))


def seen_by(user):
    """Ids of the numbers; None for the whole company."""
    if scopes.of_user(user) is None:
        return None
    rows = ScopeSubscriber.select().where(ScopeSubscriber.user == user)
    return {row.subscriber_id for row in rows}


def begin(browser, user):
    """Address of the list."""
    browser.get("account.scope.show", user=user.id)
    browser.post("account.scope.start", user=user.id)
    return browser.response.location


def save(browser, step, status=303, **form):
    return browser.post(step, {"go": "submit", "password": PASSWORD, **form}, status=status)


def test_ticked_and_typed_numbers_are_what_the_user_sees(browser, viewer, numbers):
    step = begin(browser, viewer)
    first, second, _third = numbers
    save(browser, step, shown=first.id, tick=first.id, typed=second.number)
    assert seen_by(viewer) == {first.id, second.id}
    page = browser.follow()
    assert "Номеров открыто: 2, закрыто: 0" in page.text
    assert "2 абонента" in page.text
    assert "2 абонента" in browser.get("account.show").text
    event = AuditEvent.get(AuditEvent.event == "scope_set")
    assert event.detail == {"numbers": 2, "added": 2, "taken": 0}
    assert event.subject == f"user:{viewer.id}"


def test_the_list_begins_with_what_is_open_now(browser, viewer, numbers):
    save(browser, begin(browser, viewer), shown=numbers[0].id, tick=numbers[0].id)
    step = begin(browser, viewer)
    page = browser.get(step)
    assert [box["value"] for box in page.select("input[name=tick][checked]")] == [
        str(numbers[0].id)
    ]
    shown = {"shown": [numbers[0].id, numbers[1].id], "tick": numbers[1].id}
    save(browser, step, **shown)
    assert seen_by(viewer) == {numbers[1].id}
    assert "Номеров открыто: 1, закрыто: 1" in browser.follow().text
    narrowed = UserScope.get().narrowed_at
    save(browser, begin(browser, viewer), shown=numbers[2].id, tick=numbers[2].id)
    assert seen_by(viewer) == {numbers[1].id, numbers[2].id}
    assert UserScope.get().narrowed_at == narrowed, "nothing was taken away"


def test_the_whole_company_is_opened_again_with_the_password(browser, viewer, numbers):
    save(browser, begin(browser, viewer), shown=numbers[0].id, tick=numbers[0].id)
    page = browser.post("account.scope.lift", {"password": "x"}, user=viewer.id, status=422)
    assert "Неверный пароль" in page.text
    assert seen_by(viewer) == {numbers[0].id}
    browser.post("account.scope.lift", {"password": PASSWORD}, user=viewer.id)
    assert seen_by(viewer) is None
    assert not ScopeSubscriber.select().exists()


def test_without_the_password_nothing_changes_and_the_ticks_stay(browser, viewer, numbers):
    step = begin(browser, viewer)
    ticks = {"shown": numbers[0].id, "tick": numbers[0].id, "typed": numbers[1].number}
    for password, sentence in (("", "Введите пароль"), ("x", "Неверный пароль")):
        page = save(browser, step, **ticks, password=password, status=422)
        assert sentence in page.text
        assert page.select("input[name=tick][checked]")
        assert numbers[1].number in page.select_one("textarea").text
    assert seen_by(viewer) is None


def test_nothing_chosen_and_numbers_of_others_are_refused(browser, viewer, numbers):
    step = begin(browser, viewer)
    assert "абонента" in save(browser, step, status=422).select_one(".summary").text
    page = save(browser, step, typed=make_subscriber().number, status=422)
    assert "Не найден среди номеров вашей компании" in page.text
    save(browser, step, go="continue", typed=f"{make_subscriber().number};{numbers[0].number}")
    assert seen_by(viewer) == {numbers[0].id}


def test_an_administrator_cannot_be_given_chosen_numbers(app, browser, company, numbers):
    other = make_user(company)
    page = browser.get("account.scope.show", user=other.id)
    assert "Администратор видит все номера" in page.text
    assert not page.select("main form[action*=numbers], #main form[action*=numbers]")
    browser.post("account.scope.start", user=other.id)
    assert browser.response.location.endswith(f"/users/{other.id}/numbers")


def test_who_becomes_an_administrator_sees_the_whole_company(browser, viewer, numbers):
    save(browser, begin(browser, viewer), shown=numbers[0].id, tick=numbers[0].id)
    form = {"full_name": "", "role": "client_administrator", "access": "open"}
    form["role"] = Role.CLIENT_ADMINISTRATOR.value
    browser.post("account.users.show", {**form, "password": PASSWORD}, user=viewer.id)
    assert not UserScope.select().exists()
    assert not ScopeSubscriber.select().exists()


def test_users_of_other_companies_are_nobody(browser, numbers):
    other = make_user(role=Role.VIEWER)
    for endpoint in ("start", "lift"):
        browser.post(f"account.scope.{endpoint}", {"password": "x"}, user=other.id, status=404)
    browser.get("account.scope.show", user=other.id, status=404)


def test_many_numbers_are_opened_page_by_page_or_at_once(browser, company, viewer):
    many = [make_subscriber(company) for _ in range(45)]
    step = begin(browser, viewer)
    page = browser.get(step)
    assert "Найдено: 45" in page.text
    browser.post(step, {"go": "match_all"})
    save(browser, step)
    assert seen_by(viewer) == {number.id for number in many}


def test_who_sees_chosen_numbers_is_told_so_on_every_page(app, company, viewer, numbers):
    draft = scopes.OrderDraft.create(
        client=company, user=viewer, kind=scopes.DRAFT_KIND, key="k", created_at=clock.now()
    )
    scopes.give(viewer, draft, [numbers[0].id], by=By(now=clock.now()))
    browser = Browser(app, viewer)
    for endpoint in ("home.show", "bills.show", "bills.charges.show", "subscribers.show"):
        page = browser.get(endpoint)
        assert "Ваш доступ: 1 абонент" in page.select_one("#ctx").text
        assert numbers[1].number not in page.text
    refused = browser.get("payments.show", status=403)
    assert "Эта страница - о компании в целом" in refused.get_data(as_text=True)


def invite(browser, status=303, **more):
    form = {"full_name": "", "email": "p@romashka.by", "login": "petr", "role": "viewer"}
    form |= {"whose": "chosen", "password": PASSWORD, **more}
    return browser.post("account.users.invite", form, status=status)


def test_who_is_invited_to_chosen_numbers_sees_none_until_they_are_ticked(app, browser, numbers):
    invite(browser)
    page = browser.follow()
    assert "Сейчас доступно: 0 абонентов" in " ".join(page.text.split())
    invited = User.get(User.login == "petr")
    assert seen_by(invited) == set()
    reader = Browser(app, invited)
    for endpoint in (*OPEN, "bills.charges.charts", "call_centre.missed", "feedback.show"):
        page = reader.get(endpoint)
        assert "Ваш доступ: 0 абонентов" in page.select_one("#ctx").text
        assert not [number for number in numbers if number.number in page.text], endpoint
    save(browser, begin(browser, invited), shown=numbers[0].id, tick=numbers[0].id)
    assert seen_by(invited) == {numbers[0].id}


def test_an_administrator_is_invited_to_the_whole_company(browser):
    page = invite(browser, role=Role.CLIENT_ADMINISTRATOR.value, status=422)
    assert "Администратор видит всю компанию" in page.select_one(".summary").text
    invite(browser, role=Role.CLIENT_ADMINISTRATOR.value, whose="company")
    assert not UserScope.select().exists()
