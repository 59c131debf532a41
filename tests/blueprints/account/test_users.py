"""Users of the cabinet: inviting, changing and shutting out, by the pages' words."""

from dataclasses import replace

import pytest

from domain.roles import Role
from models import AuditEvent, Notice, User, UserSession
from models_access import AccessLink
from services import letter_links
from tests.factories import make_client, make_user
from tests.page import Browser

PASSWORD = "korova-na-lugu"
NEW = "три слова подряд"


@pytest.fixture
def client(base):
    return make_client(name="ООО «Ромашка»")


@pytest.fixture
def admin(client):
    return make_user(client, login="anna", full_name="Анна Котова", password=PASSWORD)


@pytest.fixture
def browser(app, admin):
    return Browser(app, admin)


def invite(browser, status=303, **fields):
    values = {
        "full_name": "Борис", "email": "boris@romashka.by", "login": "boris",
        "role": "accountant", "password": PASSWORD,
    }  # fmt: skip
    return browser.post("account.users.invite", {**values, **fields}, status=status)


def last_link():
    letter = Notice.select().where(Notice.link_seed != "").order_by(Notice.id.desc()).get()
    return letter.link_path + letter_links.token_of(letter.link_seed)


def change(browser, user, status=303, **fields):
    values = {
        "full_name": user.full_name, "role": user.role, "access": "open", "password": PASSWORD,
    }  # fmt: skip
    return browser.post("account.users.show", {**values, **fields}, status=status, user=user.id)


def test_an_invitation_leads_from_the_letter_to_the_cabinet(app, browser, client):
    assert "Пригласить пользователя" in browser.get("account.show").text
    invite(browser)
    page = browser.follow()
    assert "Приглашение отправляется" in page.text
    assert "boris | Борис | Бухгалтер приглашен | нет | еще не входил" in rows(page)
    letter = Notice.get()
    assert (letter.kind, letter.recipient) == ("invitation", "boris@romashka.by")
    assert letter.words["invited_by"] == "Анна Котова"
    assert letter.words["company"] == "ООО «Ромашка»"
    boris = User.get(User.login == "boris")
    event = AuditEvent.get(AuditEvent.event == "user_invited")
    assert (event.user, event.client, event.subject) == (browser.user, client, f"user:{boris.id}")

    invited = Browser(app)
    page = invited.get(last_link())
    assert "ООО «Ромашка»" in page.text
    assert "boris" in page.text
    invited.post(last_link(), {"new": NEW, "again": NEW})
    assert "Пароль задан" in invited.follow().text
    invited.post("auth.login", {"login": "boris", "password": NEW})
    assert "Персональная информация" in invited.get("account.show").text
    assert User.get_by_id(boris.id).email == "boris@romashka.by", "confirmed by the letter"


def rows(page):
    return [" | ".join(td.get_text(" ", strip=True) for td in row.select("th, td"))
            for row in page.select("tbody tr")]  # fmt: skip


def test_nobody_signs_in_before_a_password_is_chosen(app, browser):
    invite(browser)
    for password in ("", " ", NEW):
        Browser(app).post("auth.login", {"login": "boris", "password": password}, status=422)


def test_a_newer_invitation_replaces_the_older(app, browser):
    invite(browser)
    old = last_link()
    boris = User.get(User.login == "boris")
    browser.post("account.users.again", user=boris.id)
    assert "Приглашение отправляется" in browser.follow().text
    assert last_link() != old
    assert "больше не действует" in Browser(app).get(old, status=410).text
    Browser(app).get(last_link())


def test_who_has_a_password_is_not_invited_again(browser, client):
    boris = make_user(client, password=PASSWORD)
    browser.post("account.users.again", user=boris.id)
    assert "Приглашение не требуется" in browser.follow().text
    assert not Notice.select().exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"login": "ANNA"}, "Логин anna занят"),
        ({"login": "two words"}, "без пробелов"),
        ({"login": ""}, "Введите логин"),
        ({"email": "boris"}, "name@example.by"),
        ({"email": "boris@romashka.by\r\nBcc: x@y.by"}, "name@example.by"),
        ({"role": "operator-administrator"}, "Неверный вариант"),
        ({"role": ""}, "Выберите роль"),
        ({"password": "wrong"}, "Неверный пароль"),
        ({"password": ""}, "Введите пароль"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(browser, fields, said):
    page = invite(browser, status=422, **fields)
    shown = page.select_one("[role=alert]").text
    assert said in shown
    if "full_name" not in fields:
        assert page.select_one("#full_name")["value"] == "Борис"
    assert not page.select_one("#password").get("value")
    assert not Notice.select().exists()
    assert User.select().count() == 1


def test_letters_to_new_addresses_are_not_without_number(app, browser, monkeypatch):
    config = app.config["CABINET"]
    monkeypatch.setitem(app.config, "CABINET", replace_limit(config, 2))
    invite(browser)
    invite(browser, login="vera")
    page = invite(browser, status=422, login="gleb")
    assert "Не больше 2 писем в день" in page.text
    boris = User.get(User.login == "boris")
    browser.post("account.users.again", user=boris.id)
    assert "Не больше 2 писем в день" in browser.follow().text


def replace_limit(config, limit):
    return replace(config, INVITATIONS_PER_DAY=limit)


def test_another_role_counts_from_the_next_click(app, browser, client):
    boris = make_user(client, login="boris", role=Role.ACCOUNTANT)
    theirs = Browser(app, boris)
    theirs.get("bills.call_detail.start")
    change(browser, boris, role="viewer", full_name="Борис Иванов")
    assert "Изменено" in browser.follow().text
    theirs.get("bills.call_detail.start", status=403)
    assert User.get_by_id(boris.id).full_name == "Борис Иванов"
    event = AuditEvent.get(AuditEvent.event == "user_changed")
    assert event.user == browser.user
    assert event.detail == {"changed": ["full_name", "role"], "role": "viewer"}


def test_shutting_out_ends_all_sessions_and_invitations_at_once(app, browser, client):
    boris = make_user(client, login="boris", password=PASSWORD)
    theirs = Browser(app, boris)
    change(browser, boris, access="closed")
    theirs.get("account.show", status=401)
    assert not UserSession.select().where(UserSession.user == boris).exists()
    Browser(app).post("auth.login", {"login": "boris", "password": PASSWORD}, status=422)
    invite(browser, login="vera")
    link = last_link()
    change(browser, User.get(User.login == "vera"), access="closed")
    Browser(app).get(link, status=410)
    assert AccessLink.get().closed_at is not None
    change(browser, boris, access="open")
    Browser(app).post("auth.login", {"login": "boris", "password": PASSWORD})


@pytest.mark.parametrize("fields", [{"access": "closed"}, {"role": "viewer"}])
def test_the_last_administrator_cannot_lock_the_company_out(browser, client, admin, fields):
    make_user(client, role=Role.ACCOUNTANT)
    make_user(client, is_active=False, password=PASSWORD)
    make_user(client)  # invited: nobody has chosen a password yet
    page = change(browser, admin, status=422, **fields)
    assert "единственный администратор" in page.select_one("[role=alert]").text
    browser.get("account.log.show")
    other = make_user(client, password=PASSWORD)
    change(browser, admin, **fields)
    browser.get("account.log.show", status=401 if "access" in fields else 403)
    assert User.get_by_id(other.id).is_active


def test_an_administrator_signs_somebody_out_everywhere(app, browser, client):
    boris = make_user(client, password=PASSWORD)
    theirs = [Browser(app, boris), Browser(app, boris)]
    browser.post("account.users.sign_out", user=boris.id)
    assert "сеансы пользователя завершены" in browser.follow().text
    for each in theirs:
        each.get("account.show", status=401)


def test_people_of_other_companies_and_the_operator_do_not_exist_here(browser):
    for user in (make_user(), make_user(role=Role.CLERK)):
        browser.get("account.users.show", user=user.id, status=404)
        change(browser, user, status=404)
        browser.post("account.users.again", user=user.id, status=404)
        browser.post("account.users.sign_out", user=user.id, status=404)
    refused = AuditEvent.select().where(AuditEvent.event == "authz_fail")
    assert {event.subject for event in refused} == {
        f"cabinet_user:{user.id}" for user in User.select().where(User.id != browser.user.id)
    }


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.VIEWER])
def test_others_than_administrators_only_see_the_list(app, client, admin, role):
    browser = Browser(app, make_user(client, role=role, password=PASSWORD))
    page = browser.get("account.show")
    assert "anna" in page.text
    assert not page.select("a[href*='/users/']")
    browser.get("account.users.show", user=admin.id, status=403)
    invite(browser, status=403)


def test_a_wrong_password_again_and_again_is_slowed_down(browser, client):
    boris = make_user(client)
    for _ in range(5):
        change(browser, boris, status=422, role="viewer", password="wrong")
    response = change(browser, boris, status=429, role="viewer")
    assert int(response.headers["Retry-After"]) > 0
    assert User.get_by_id(boris.id).role == Role.CLIENT_ADMINISTRATOR
