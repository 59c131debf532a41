"""Signing in by a header of the intranet's proxy: from listed addresses, and for nothing beyond the
password.
"""

import pytest
from pyotp import TOTP

from config import Config, ConfigError
from models import AuditEvent, UserSession
from services import clock, second_factor
from services.audit import By
from tests.apps import another_app
from tests.factories import make_client, make_user
from tests.page import Browser

PROXY, STRANGER = "10.1.2.3", "10.9.9.9"
SETTINGS = {
    "TRUSTED_HEADER": "X-Remote-User",
    "TRUSTED_PROXIES": "10.1.2.0/24, 192.0.2.7",
    "PROXY_COUNT": 1,
}
PAGE = {"Accept": "text/html"}
IVANOV = {"X-Remote-User": "Ivanov"}


@pytest.fixture
def intranet(app, tmp_path):
    with another_app(tmp_path, **SETTINGS) as own_app:
        make_user(make_client(), login="ivanov", password="korova-na-lugu")
        yield own_app


def visitor(app, address=PROXY):
    browser = Browser(app)
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser


def signed_in():
    return UserSession.select().count()


def enter(browser, headers=IVANOV):
    """Open the list of bills, by way of the sign-in."""
    browser.get("/bills/", status=303, headers=headers)
    assert browser.response.location == "/login?next=/bills/"
    browser.get("/login?next=/bills/", status=303, headers=headers)
    assert browser.response.location == "/bills/"
    return browser.get("/bills/", headers=headers)


def test_whom_the_proxy_names_comes_in_without_a_password(intranet):
    page = enter(visitor(intranet))
    assert page.h1.text == "Счета"
    event = AuditEvent.get(AuditEvent.event == "signed_in")
    assert (event.user.login, event.detail) == ("ivanov", {"way": "header"})


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (STRANGER, IVANOV),
        (STRANGER, {**IVANOV, "X-Forwarded-For": PROXY}),
        (STRANGER, {**IVANOV, "X-Forwarded-For": f"{PROXY}, {PROXY}", "X-Real-IP": PROXY}),
        (STRANGER, {**IVANOV, "Forwarded": f"for={PROXY}"}),
        ("", IVANOV),
        (PROXY, {"X-Remote-User": "nobody"}),
        (PROXY, {"X-Remote-User": ""}),
        (PROXY, {"X-Remote-User": "ivanov,petrov"}),
        (PROXY, [("X-Remote-User", "ivanov"), ("X-Remote-User", "petrov")]),
        (PROXY, {"X-Remote-Users": "ivanov"}),
        (PROXY, {"Remote-User": "ivanov"}),
    ],
)
def test_all_others_see_the_ordinary_page(intranet, address, headers):
    browser = visitor(intranet, address)
    page = browser.get("/login", headers=headers)
    assert [label.text for label in page.select("main label")] == ["Логин", "Пароль"]
    browser.get("/bills/", status=303, headers=headers)
    assert not signed_in()


def test_the_address_is_that_of_the_proxy_and_not_of_the_person(intranet):
    enter(visitor(intranet), headers={**IVANOV, "X-Forwarded-For": STRANGER})


def test_without_the_setting_the_header_means_nothing(app, tmp_path):
    with another_app(tmp_path) as own_app:
        make_user(make_client(), login="ivanov")
        visitor(own_app, "127.0.0.1").get("/login", headers=IVANOV)
        assert not signed_in()


def test_who_is_disabled_stays_out(intranet):
    make_user(make_client(), login="petrov", is_active=False)
    visitor(intranet).get("/login", headers={"X-Remote-User": "petrov"})
    assert not signed_in()


def test_a_second_factor_is_asked_for(intranet):
    user = make_user(make_client(), login="petrov")
    with intranet.app_context():
        code = turn_factor_on(user)
    browser, header = visitor(intranet), {"X-Remote-User": "petrov"}
    browser.get("/login?next=/bills/", status=303, headers=header)
    assert browser.response.location == "/login/code?next=/bills/"
    assert not signed_in()
    browser.get("/bills/", status=303, headers=header)
    browser.get("/login/code?next=/bills/", headers=header)
    browser.post("/login/code?next=/bills/", {"code": code}, headers=header)
    assert browser.response.location == "/bills/"
    assert browser.get("/bills/", headers=header).h1.text == "Счета"
    browser.get("/bills/", status=303, headers=PAGE)
    assert not signed_in(), "named no more"


def turn_factor_on(user):
    """A factor of an application, and a recovery code beside it."""
    then = clock.now()
    factor = second_factor.begin(user, now=then)
    code = TOTP(second_factor.secret_of(factor)).at(then)
    return second_factor.confirm(user, code, by=By(now=then, user=user))[0]


def test_who_signs_out_stays_out_until_asked(intranet):
    browser = visitor(intranet)
    enter(browser)
    browser.post("auth.logout", headers=IVANOV)
    page = browser.get("/login", headers=IVANOV)
    assert "Корпоративный портал по-прежнему знает вас как ivanov" in page.main.text
    browser.get("/bills/", status=303, headers=IVANOV)
    assert not signed_in()
    way = page.find("a", string="Войти как ivanov")["href"]
    browser.get(way, status=303, headers=IVANOV)
    assert browser.get("/bills/", headers=IVANOV).h1.text == "Счета"


@pytest.mark.parametrize(
    ("address", "headers"),
    [(PROXY, {}), (PROXY, {"X-Remote-User": "petrov"}), (STRANGER, IVANOV)],
    ids=["signed out of the intranet", "somebody else", "past the proxy"],
)
def test_the_session_ends_when_the_proxy_names_them_no_more(intranet, address, headers):
    browser = visitor(intranet)
    enter(browser)
    browser.client.environ_base["REMOTE_ADDR"] = address
    browser.get("/bills/", status=303, headers={**PAGE, **headers})
    assert not signed_in()


def test_who_came_by_password_does_not_depend_on_the_header(intranet):
    browser = visitor(intranet)
    browser.post("auth.login", {"login": "ivanov", "password": "korova-na-lugu"})
    assert browser.get("/bills/", headers={"X-Remote-User": "petrov"}).h1.text == "Счета"


@pytest.mark.parametrize(
    "settings",
    [
        {"TRUSTED_HEADER": "X-Remote-User"},
        {"TRUSTED_HEADER": "X-Remote-User", "TRUSTED_PROXIES": "0.0.0.0/0"},
        {"TRUSTED_HEADER": "X-Remote-User", "TRUSTED_PROXIES": "proxy.local"},
        {"TRUSTED_HEADER": "X-Remote-User", "TRUSTED_PROXIES": "10.0.0.1/8"},
        {"TRUSTED_HEADER": "X_Remote_User", "TRUSTED_PROXIES": "10.0.0.1"},
        {"TRUSTED_HEADER": "Cookie", "TRUSTED_PROXIES": "10.0.0.1"},
    ],
)
def test_a_setting_that_lets_anybody_in_is_refused(settings):
    with pytest.raises(ConfigError, match="CABINET_TRUSTED_"):
        Config(**settings)
