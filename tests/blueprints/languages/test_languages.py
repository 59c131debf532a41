"""A language is chosen in the frame of any page, stays with who chose it, and is nobody else's."""

from dataclasses import replace

import pytest

from models import AuditEvent, Client, Notice, Order, User
from services import access_letters, clock
from services.transactions import write_tx
from tests import factories
from tests.page import Browser

PASSWORD = "korova-na-lugu"


def choose(browser, code, at="/", **more):
    headers = {"Referer": f"http://localhost{at}"}
    return browser.post("languages.choose", {"language": code}, headers=headers, **more)


def spoken(page):
    return page.select_one("html")["lang"]


@pytest.fixture
def user(client_row):
    return factories.make_user(client_row, login="ivanov", password=PASSWORD)


def test_every_page_offers_the_languages_by_their_own_names(anonymous):
    page = anonymous.get("auth.login")
    assert spoken(page) == "ru"
    buttons = page.select("form.langs button")
    assert [button["aria-label"] for button in buttons] == ["Русский", "Беларуская", "English"]
    assert [button["lang"] for button in buttons] == ["ru", "be", "en"]
    assert [button.get("aria-current") for button in buttons] == ["true", None, None]


def test_a_visitor_comes_back_to_the_page_and_takes_the_language_along(anonymous, user):
    anonymous.get("auth.login")
    choose(anonymous, "en", "/login?next=/bills/")
    assert anonymous.response.location == "/login?next=/bills/"
    page = anonymous.follow()
    assert spoken(page) == "en"
    assert page.select_one("main button").text == "Sign in"
    anonymous.post("auth.login", {"login": "ivanov", "password": PASSWORD})
    assert spoken(anonymous.follow()) == "en"
    assert User.get_by_id(user.id).language == "en"
    anonymous.post("auth.logout")
    assert spoken(anonymous.follow()) == "en"


def test_whoever_signs_out_leaves_no_language_to_the_next(anonymous, user, client_row):
    factories.make_user(client_row, login="petrov", password=PASSWORD)
    anonymous.get("auth.login")
    choose(anonymous, "en", "/login")
    anonymous.post("auth.login", {"login": "ivanov", "password": PASSWORD})
    anonymous.follow()
    anonymous.post("auth.logout")
    anonymous.follow()
    anonymous.post("auth.login", {"login": "petrov", "password": PASSWORD})
    assert spoken(anonymous.follow()) == "ru"


def test_a_language_of_ones_own_is_not_overruled_by_a_visitor(anonymous, user):
    User.update(language="be").execute()
    anonymous.get("auth.login")
    choose(anonymous, "en", "/login")
    anonymous.post("auth.login", {"login": "ivanov", "password": PASSWORD})
    assert spoken(anonymous.follow()) == "be"


def test_a_user_keeps_it_on_every_device_and_it_is_written_down(app, browser):
    choose(browser, "be", "/bills/?page=2")
    assert browser.response.location == "/bills/?page=2"
    assert spoken(browser.get("home.show")) == "be"
    assert spoken(Browser(app, browser.user).get("home.show")) == "be"
    event = AuditEvent.get(AuditEvent.event == "language_chosen")
    assert (event.user, event.detail) == (browser.user, {"language": "be"})
    choose(browser, "be")
    assert AuditEvent.select().where(AuditEvent.event == "language_chosen").count() == 1


@pytest.mark.parametrize(
    "came_from",
    [
        "http://evil.example/",
        "http://localhost//evil.example/",
        "http://localhost/lang",
        "http://localhost/nothing",
        "http://[",
        "",
    ],
)
def test_it_leads_to_our_own_pages_only(browser, came_from):
    browser.post("languages.choose", {"language": "en"}, headers={"Referer": came_from})
    assert browser.response.location == "/"


@pytest.mark.parametrize("code", ["", "de", "../ru", "ru\n", "RU", "x" * 300])
def test_what_is_no_language_of_ours_is_refused(browser, code):
    choose(browser, code, status=422)
    assert User.get_by_id(browser.user.id).language == ""


def test_without_a_choice_the_company_counts_and_then_russian(app, client_row):
    browser = Browser(app, factories.make_user(client_row))
    assert spoken(browser.get("home.show", headers={"Accept-Language": "en"})) == "ru"
    Client.update(language="be").execute()
    assert spoken(browser.get("home.show")) == "be"
    assert spoken(Browser(app).get("auth.login")) == "ru"


def test_the_browser_counts_only_where_the_operator_lets_it(app, anonymous, monkeypatch):
    asks = {"Accept-Language": "de, be-BY;q=0.9, en;q=0.5"}
    assert spoken(anonymous.get("auth.login", headers=asks)) == "ru"
    held = replace(app.config["CABINET"], BROWSER_LANGUAGE=True)
    monkeypatch.setitem(app.config, "CABINET", held)
    assert spoken(anonymous.get("auth.login", headers=asks)) == "be"
    assert "Accept-Language" in anonymous.response.vary
    assert spoken(anonymous.get("auth.login", headers={"Accept-Language": "de"})) == "ru"
    choose(anonymous, "en", "/login")
    assert spoken(anonymous.get("auth.login", headers=asks)) == "en"


def test_refusals_speak_the_language_too(browser):
    choose(browser, "en")
    browser.get("/nothing", status=404)
    assert '<html lang="en">' in browser.response.text
    assert "Page not found" in browser.response.text


def test_an_order_keeps_the_language_it_was_placed_in(app, client_row, browser):
    number = factories.make_subscriber(client_row)
    choose(browser, "en")
    today = clock.now().date()
    period = {"start": today.replace(day=1), "end": today, "direction": "both"}
    browser.post("bills.call_detail.start", {**period, "file_format": "csv"})
    browser.follow()
    address = browser.response.request.path
    browser.post(address, {"shown": [number.id], "tick": [number.id], "go": "submit"})
    assert Order.get().language == "en"


def test_letters_speak_the_language_of_whom_they_are_for(app, base, client_row, user):
    user.email = "ivanov@romashka.by"
    user.save()
    for own, company, expected in (("", "", "ru"), ("", "be", "be"), ("en", "be", "en")):
        user.language, user.client.language = own, company
        with write_tx():
            access_letters.tell(user, access_letters.Told.FACTOR_ON, now=factories.NOON)
        notice = Notice.across_clients().order_by(Notice.id.desc()).get()
        assert notice.language == expected
    assert notice.words["at"].replace("\xa0", " ") == "10 Mar 2026 12:00"
