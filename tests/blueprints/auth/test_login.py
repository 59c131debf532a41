"""The sign-in page by its words, and what signing in and out changes."""

import pytest
from argon2 import PasswordHasher

from domain.roles import Role
from models import AuditEvent, SignInFailure, User, UserSession
from tests import factories
from tests.page import Browser

PASSWORD = "korova-na-lugu"
REFUSED = "Неверный логин или пароль"


@pytest.fixture
def user(client_row):
    return factories.make_user(client_row, login="ivanov", password=PASSWORD)


def sign_in(browser, login="ivanov", password=PASSWORD, **more):
    return browser.post("auth.login", {"login": login, "password": password}, **more)


def cookies(browser):
    return [line for line in browser.response.headers.getlist("Set-Cookie") if "=;" not in line]


def test_the_page_shows_the_words_of_the_contract(anonymous):
    page = anonymous.get("auth.login")
    assert [label.text for label in page.select("main label")] == ["Логин", "Пароль"]
    assert page.select_one("main button").text == "Войти"
    assert page.select_one("#login")["autocomplete"] == "username"
    assert page.select_one("#password")["autocomplete"] == "current-password"
    assert not page.select("nav a")


def test_the_right_password_opens_the_home_page_and_the_menu_ends_with_the_way_out(anonymous, user):
    sign_in(anonymous)
    assert anonymous.response.location == "/"
    page = anonymous.follow()
    assert page.select("nav button")[-1].text == "Выход"
    assert AuditEvent.get(AuditEvent.event == "signed_in").user == user
    assert User.get_by_id(user.id).last_sign_in_at is not None


def test_case_and_spaces_of_the_login_do_not_matter(anonymous, user):
    sign_in(anonymous, login=" Ivanov ")


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ivanov", "wrong"),
        ("nobody", PASSWORD),
        ("ivanov", ""),
        ("", PASSWORD),
        ("ivanov", "x" * 5000),
    ],
)
def test_a_wrong_pair_is_refused_with_the_form(anonymous, user, login, password):
    page = sign_in(anonymous, login, password, status=422)
    assert page.select_one("[role=alert]")
    assert page.select_one("#login")["value"] == login
    assert not page.select_one("#password").get("value")
    assert not UserSession.select().exists()


def test_an_unknown_login_a_wrong_password_and_a_disabled_user_look_alike(
    anonymous, user, client_row
):
    factories.make_user(client_row, login="gone", password=PASSWORD, is_active=False)
    answers = []
    for login, password in (("ivanov", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD)):
        page = sign_in(anonymous, login, password, status=422)
        assert REFUSED in page.select_one("[role=alert]").text
        page.select_one("#login")["value"] = ""
        for field in page.select("input[name=csrf_token]"):
            field["value"] = ""
        answers.append(str(page))
    assert answers[0] == answers[1] == answers[2]
    event = AuditEvent.get(AuditEvent.event == "sign_in_refused")
    assert event.user is None
    assert "ivanov" not in str(event.detail)


def test_a_session_brought_along_is_never_taken_over(anonymous, user):
    name = anonymous.app.session_interface.cookies.name
    anonymous.client.set_cookie(name, "chosen-by-somebody-else")
    sign_in(anonymous)
    assert "chosen-by-somebody-else" not in "".join(cookies(anonymous))
    assert anonymous.client.get_cookie(name).value != "chosen-by-somebody-else"


def test_signing_in_again_gives_a_new_session_and_ends_the_old(app, user, client_row):
    browser = Browser(app, user)
    old = UserSession.get().token_hash
    sign_in(browser)
    assert [row.token_hash != old for row in UserSession.select()] == [True]


def test_the_cookie_holds_the_token_and_the_database_its_hash_only(anonymous, user):
    sign_in(anonymous)
    cookie = anonymous.client.get_cookie(anonymous.app.session_interface.cookies.name)
    assert len(cookie.value) >= 43
    assert cookie.value not in str(UserSession.select().dicts().get())
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_who_has_not_signed_in_costs_no_row(anonymous):
    anonymous.get("auth.login")
    sign_in(anonymous, "nobody", "wrong", status=422)
    assert not UserSession.select().exists()


def test_who_is_signed_in_need_not_do_it_again(signed_in):
    signed_in.get("auth.login", status=303)
    assert signed_in.response.location == "/"


def test_signing_out_ends_the_session_and_clears_what_the_browser_has_kept(signed_in):
    signed_in.post("auth.logout")
    assert signed_in.response.location == "/login"
    assert signed_in.response.headers["Clear-Site-Data"] == '"cache"'
    assert not UserSession.select().exists()
    assert AuditEvent.get(AuditEvent.event == "signed_out").user == signed_in.user
    assert "Вы вышли" in signed_in.follow().text
    signed_in.get("home.show", status=303)


def test_signing_out_needs_the_button(signed_in):
    signed_in.get("/logout", status=405)
    signed_in.post("auth.logout", {"csrf_token": ""}, status=422)
    assert "Форма устарела" in signed_in.response.text
    signed_in.get("home.show")


def test_htmx_is_told_to_load_the_whole_page(anonymous, user):
    sign_in(anonymous, htmx=True, status=204)
    assert anonymous.response.headers["HX-Redirect"] == "/"
    browser = Browser(anonymous.app, user)
    browser.post("auth.logout", htmx=True, status=204)
    assert browser.response.headers["HX-Redirect"] == "/login"


def test_a_stale_form_says_so_and_keeps_what_was_typed(anonymous, user):
    data = {"login": "ivanov", "password": PASSWORD, "csrf_token": "old"}
    page = anonymous.post("auth.login", data, status=422)
    assert "Форма устарела. Проверьте данные и отправьте еще раз" in page.text
    assert page.select_one("#login")["value"] == "ivanov"
    assert not UserSession.select().exists()


def test_a_hash_of_weaker_parameters_is_renewed(anonymous, client_row):
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    user = factories.make_user(client_row, login="ivanov", password_hash=weak)
    sign_in(anonymous)
    assert "m=19456,t=2,p=1" in User.get_by_id(user.id).password_hash


def test_an_operator_is_led_to_the_operators_page(anonymous, base):
    factories.make_user(role=Role.CLERK, login="clerk", password=PASSWORD)
    sign_in(anonymous, "clerk")
    anonymous.follow(status=303)
    assert anonymous.response.location == "/operator/"


@pytest.mark.parametrize(
    "target", ["/bills/", "/bills/?a=1&b=%D0%B0", "/orders/x7", "/bills/call-detail/"]
)
def test_one_goes_on_with_the_page_one_wanted(anonymous, user, target):
    anonymous.get(anonymous.url("auth.login", next=target))
    action = anonymous.get("auth.login", next=target).select_one("main form")["action"]
    anonymous.post(action, {"login": "ivanov", "password": PASSWORD})
    assert anonymous.response.location == target


FOREIGN = [
    "http://evil.example/",
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "http:evil.example",
    "http:/evil.example",
    "http:///evil.example",
    "https:\\\\evil.example",
    "/..//evil.example",
    "/.//evil.example",
    "/bills//evil.example",
    "/%2e%2e//evil.example",
    "//localhost@evil.example",
    "/\u2028/evil.example",
    "/\uff0fevil.example",
    "?next=//evil.example",
    "#//evil.example",
    "",
    "/login",
    "/logout",
    "/login?next=/login",
]


@pytest.mark.parametrize("target", FOREIGN)
def test_nobody_is_led_off_the_cabinet(anonymous, user, target):
    url = anonymous.url("auth.login", next=target)
    assert "next" not in anonymous.get(url).select_one("main form")["action"]
    anonymous.post(url, {"login": "ivanov", "password": PASSWORD})
    assert anonymous.response.location == "/"


def test_a_failure_is_forgotten_after_the_right_password(anonymous, user):
    sign_in(anonymous, password="wrong", status=422)
    assert SignInFailure.select().count() == 1
    sign_in(anonymous)
    assert SignInFailure.select().count() == 0
