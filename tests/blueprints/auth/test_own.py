"""«Вход и безопасность»: another password, and sessions that are ended, by their words."""

import pytest

from domain.roles import Role
from models import AuditEvent, Notice, SignInFailure, User, UserSession
from services import passwords
from tests import factories
from tests.page import Browser

PASSWORD = "korova-na-lugu"
NEW = "три слова подряд"


@pytest.fixture
def user(client_row):
    return factories.make_user(client_row, login="ivanov", password=PASSWORD, email="i@romashka.by")


def change(browser, old=PASSWORD, new=NEW, again=None, **more):
    fields = {"password": old, "new": new, "again": new if again is None else again}
    return browser.post("auth.own.password", fields, **more)


def is_now(user, password):
    with passwords.slot():
        return passwords.is_right(password, User.get_by_id(user.id).password_hash)


@pytest.mark.parametrize("role", sorted(Role))
def test_everybody_changes_their_own_password(app, base, role):
    client = None if role.is_operator else factories.make_client()
    user = factories.make_user(client, role=role, password=PASSWORD)
    browser = Browser(app, user)
    change(browser)
    assert "Пароль изменен" in browser.follow().text
    assert is_now(user, NEW)


def test_all_other_sessions_end_and_this_one_gets_another_id(app, user):
    here, there = Browser(app, user), Browser(app, user)
    name = app.session_interface.cookies.name
    old = here.client.get_cookie(name).value
    change(here)
    assert here.client.get_cookie(name).value != old
    here.get("auth.own.show")
    there.get("account.show", status=401)
    captured = Browser(app)
    captured.client.set_cookie(name, old)
    captured.get("account.show", status=401)
    event = AuditEvent.get(AuditEvent.event == "password_set")
    assert (event.user, event.client, event.detail) == (user, user.client, {"sessions_ended": 2})


def test_the_owner_is_told_by_a_letter(app, user):
    change(Browser(app, user))
    letter = Notice.get()
    assert (letter.kind, letter.recipient) == ("access_told", "i@romashka.by")
    assert letter.words["what"] == "password_changed"


def test_the_present_password_is_asked_for_and_counted(app, user):
    browser = Browser(app, user)
    page = change(browser, old="wrong", status=422)
    assert "Неверный пароль" in page.select_one("#password-error").text
    assert not any(field.get("value") for field in page.select("input[type=password]"))
    assert SignInFailure.select().count() == 1
    for _ in range(4):
        change(browser, old="wrong", status=422)
    response = change(browser, status=429)
    assert int(response.headers["Retry-After"]) > 0
    assert is_now(user, PASSWORD)


@pytest.mark.parametrize(
    ("new", "again", "said"),
    [
        ("short", None, "не короче 8"),
        ("password1", None, "подбирают одним из первых"),
        ("ivanov", None, "не короче 8"),
        ("i@romashka.by", None, "не должен совпадать"),
        (PASSWORD, None, "совпадает со старым"),
        (NEW, NEW + "?", "различаются"),
        ("", None, "Введите новый пароль"),
    ],
)
def test_a_password_that_cannot_be_is_refused_with_the_reason(app, user, new, again, said):
    browser = Browser(app, user)
    page = change(browser, new=new, again=again, status=422)
    assert said in page.select_one("[role=alert]").text
    assert is_now(user, PASSWORD)
    browser.get("auth.own.show")


def test_sessions_are_listed_with_device_address_and_time(app, user):
    browser = Browser(app, user)
    other = Browser(app, user)
    UserSession.update(
        user_agent="Mozilla/5.0 (Windows NT 10.0) Firefox/132.0", ip="10.0.0.7"
    ).where(UserSession.id != 0).execute()
    Browser(app, factories.make_user(user.client))
    page = browser.get("auth.own.show")
    rows = [row.get_text(" ", strip=True) for row in page.select("tbody tr")]
    assert len(rows) == 2
    assert all("Firefox, Windows" in row and "10.0.0.7" in row for row in rows)
    assert [("это устройство" in row) for row in rows].count(True) == 1
    buttons = page.select("tbody form")
    assert len(buttons) == 1, "the present session is left by «Выход»"
    fields = {field["name"]: field["value"] for field in buttons[0].select("input")}
    browser.post(buttons[0]["action"], fields)
    assert "Сеанс завершен" in browser.follow().text
    other.get("account.show", status=401)
    browser.get("account.show")


def test_a_session_of_somebody_else_cannot_be_ended(app, user):
    colleague = Browser(app, factories.make_user(user.client))
    theirs = UserSession.get(UserSession.user == colleague.user)
    browser = Browser(app, user)
    for text in (str(theirs.id), "", "x", "0", str(2**70)):
        browser.post("auth.own.end", {"session": text})
        assert "уже завершен" in browser.follow().text
    colleague.get("account.show")


def test_signing_out_on_all_devices_ends_this_one_too(app, user):
    browser, other = Browser(app, user), Browser(app, user)
    browser.post("auth.own.end_all")
    assert browser.response.location == "/login"
    assert "Вы вышли на всех устройствах" in browser.follow().text
    other.get("account.show", status=401)
    assert not UserSession.select().exists()
    event = AuditEvent.get(AuditEvent.event == "sessions_ended")
    assert (event.user, event.detail) == (user, {"sessions_ended": 2})


def test_the_name_at_the_top_leads_here(app, user):
    page = Browser(app, user).get("home.show")
    assert page.select_one(".who a")["href"] == "/security/"
