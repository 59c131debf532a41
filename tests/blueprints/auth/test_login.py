"""The sign-in page by its words, and what signing in changes."""

import pytest

from models import AuditEvent, SignInFailure, User, UserSession
from tests import factories
from tests.page import Browser

PASSWORD = "korova-na-lugu"


@pytest.fixture
def user(client_row):
    return factories.make_user(client_row, login="ivanov", password=PASSWORD)


def sign_in(browser, login="ivanov", password=PASSWORD, **more):
    return browser.post("auth.login", {"login": login, "password": password}, **more)


def test_the_page_shows_the_words_of_the_contract(anonymous):
    page = anonymous.get("auth.login")
    assert [label.text for label in page.select("main label")] == ["Логин", "Пароль"]
    assert page.select_one("main button").text == "Войти"
    assert page.select_one("#login")["autocomplete"] == "username"
    assert page.select_one("#password")["autocomplete"] == "current-password"


def test_the_right_password_opens_the_home_page_and_the_menu_ends_with_the_way_out(anonymous, user):
    sign_in(anonymous)
    assert anonymous.response.location == "/"
    page = anonymous.follow()
    assert page.select("nav button")[-1].text == "Выход"
