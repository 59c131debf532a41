"""The second factor, by the words of its pages and by codes that an application would show."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from domain.roles import OPERATOR_ROLES, Role
from domain.writers.pdf_qr import QUIET, modules
from domain.writers.qr_svg import qr_path
from models import AuditEvent, Notice, UserSession
from models_access import Attempt, RecoveryCode, SecondFactor, SecondStep
from services import clock, second_factor, second_step, sessions
from services.audit import By
from tests.factories import make_client, make_user
from tests.page import Browser

PASSWORD = "korova-na-lugu"


@pytest.fixture
def hands(monkeypatch):
    """Moves the clock on from the begin of a step of codes."""
    start = clock.now()
    start -= timedelta(seconds=clock.epoch(start) % 30, microseconds=start.microsecond)
    moment = [start]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def move(**passed):
        moment[0] = start + timedelta(**passed)

    return move


@pytest.fixture
def user(base):
    return make_user(make_client(), login="ivanov", password=PASSWORD, email="i@romashka.by")


@pytest.fixture
def phone(user, hands):
    """The telephone of a user who has set it up an hour ago: `phone(seconds=30)` is a code."""
    then = clock.now() - timedelta(hours=1)
    factor = second_factor.begin(user, now=then)
    application = pyotp.TOTP(second_factor.secret_of(factor))
    codes = second_factor.confirm(user, application.at(then), by=By(now=then, user=user))
    return Phone(application, codes)


class Phone:
    """What shows codes, and the paper with those for the day it is lost."""

    def __init__(self, application, codes):
        self.application, self.codes = application, codes

    def __call__(self, **later):
        return self.application.at(clock.now() + timedelta(**later))


def password(browser, **more):
    return browser.post("auth.login", {"login": "ivanov", "password": PASSWORD}, **more)


def code(browser, text, *, status=303, **more):
    browser._token = None  # that of the sign-in page is over
    return browser.post("auth.code", {"code": text}, status=status, **more)


def is_in(browser):
    response = browser.client.get("/account/", headers={"Accept": "text/html"})
    return response.status_code == 200


def test_it_is_set_up_from_the_page_of_ones_own(app, user, hands):
    browser = Browser(app, user)
    assert "Коды из приложения" in browser.get("auth.own.show").text
    assert "приложение для таких кодов" in browser.get("auth.factor.show").text
    browser.post("auth.factor.begin", {"password": PASSWORD})
    page = browser.follow()
    assert page.select_one("svg.qr path")["d"]
    secret = page.select_one(".key").text.replace(" ", "")
    assert not second_factor.has(user), "not before a code of it was entered"
    page = browser.post("auth.factor.confirm", {"code": "000000"}, status=422)
    assert "Код не подходит" in page.select_one("[role=alert]").text
    assert page.select_one(".key").text.replace(" ", "") == secret
    page = browser.post(
        "auth.factor.confirm", {"code": pyotp.TOTP(secret).at(clock.now())}, status=200
    )
    codes = [each.text for each in page.select(".codes code")]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}", each) for each in codes)
    assert second_factor.has(user)
    letter = Notice.get()
    assert (letter.recipient, letter.words["what"]) == ("i@romashka.by", "factor_on")
    assert AuditEvent.get(AuditEvent.event == "factor_on").user == user
    browser.get("auth.factor.confirm", status=303)
    assert "Осталось кодов восстановления" in browser.get("auth.factor.show").text


def test_the_secret_is_not_shown_for_long(app, user, hands):
    browser = Browser(app, user)
    browser.post("auth.factor.begin", {"password": PASSWORD})
    shown = browser.follow().select_one(".key").text.replace(" ", "")
    hands(minutes=15)
    browser.get("auth.factor.confirm", status=303)
    browser.post("auth.factor.confirm", {"code": pyotp.TOTP(shown).at(clock.now())})
    assert not second_factor.has(user)


def test_the_password_is_asked_for_first(app, user):
    browser = Browser(app, user)
    page = browser.post("auth.factor.begin", {"password": "wrong"}, status=422)
    assert "Неверный пароль" in page.text
    assert not SecondFactor.select().exists()


def test_signing_in_needs_password_and_code(app, user, phone, hands):
    browser = Browser(app)
    password(browser)
    assert browser.response.location == "/login/code"
    assert not UserSession.select().exists()
    assert not is_in(browser)
    page = browser.follow()
    assert [label.text for label in page.select("main label")] == ["Код"]
    assert page.select_one("#code")["autocomplete"] == "one-time-code"
    code(browser, phone())
    assert browser.response.location == "/"
    assert is_in(browser)
    assert not SecondStep.select().exists()


def test_the_page_to_go_on_with_is_kept_over_both_steps(app, user, phone, hands):
    target = "/account/log/?who=operator"
    browser = Browser(app)
    browser.get(target, status=303, headers={"Accept": "text/html"})
    browser.post(browser.response.location, {"login": "ivanov", "password": PASSWORD})
    place = urlsplit(browser.response.location)
    assert (place.path, parse_qs(place.query)) == ("/login/code", {"next": [target]})
    page = browser.follow()
    back = page.select_one("main .actions a")["href"]
    assert parse_qs(urlsplit(back).query) == {"next": [target]}
    page = browser.post(page.select_one("main form")["action"], {"code": "1"}, status=422)
    browser.post(page.select_one("main form")["action"], {"code": phone()})
    assert browser.response.location == target


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/login/code"])
def test_nobody_is_led_away(app, user, phone, hands, target):
    browser = Browser(app)
    password(browser, next=target)
    code(browser, phone(), next=target)
    assert urlsplit(browser.response.location).netloc == ""
    assert "evil" not in browser.response.location


def test_htmx_is_told_to_load_whole_pages(app, user, phone, hands):
    browser = Browser(app)
    password(browser, htmx=True, status=204)
    assert browser.response.headers["HX-Redirect"] == "/login/code"
    code(browser, phone(), htmx=True, status=204)
    assert browser.response.headers["HX-Redirect"] == "/"
    assert is_in(browser)


def test_a_code_is_taken_once(app, user, phone, hands):
    first, second = Browser(app), Browser(app)
    shown = phone()
    password(first)
    code(first, shown)
    password(second)
    page = code(second, shown, status=422)
    assert "Код не подходит" in page.select_one("[role=alert]").text
    code(second, phone(seconds=-30), status=422)  # an older one neither
    hands(seconds=30)
    code(second, phone())


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_telephones_clock_may_be_wrong_by_one_step(app, user, phone, hands, seconds, is_taken):
    browser = Browser(app)
    password(browser)
    code(browser, f" {phone(seconds=seconds)[:3]} {phone(seconds=seconds)[3:]}",
         status=303 if is_taken else 422)  # fmt: skip
    assert is_in(browser) is is_taken


def test_a_recovery_code_lets_in_once_and_the_owner_is_told(app, user, phone, hands):
    first, second = Browser(app), Browser(app)
    password(first)
    code(first, phone.codes[3].upper().replace("-", " "))
    assert is_in(first)
    assert second_factor.codes_left(user) == 9
    letters = [letter.words["what"] for letter in Notice.select().order_by(Notice.id)]
    assert letters == ["factor_on", "recovery_used"]
    password(second)
    code(second, phone.codes[3], status=422)
    code(second, phone.codes[4])


def test_of_secrets_and_codes_nothing_is_kept_that_could_be_used(user, phone, hands):
    kept = str(list(SecondFactor.select().dicts())) + str(list(RecoveryCode.select().dicts()))
    secret = second_factor.secret_of(second_factor.find(user))
    assert secret not in kept
    for each in phone.codes:
        assert each not in kept
        assert each.replace("-", "") not in kept


def test_ten_tries_a_day_and_not_one_more(app, user, phone, hands):
    for n in range(10):
        browser = Browser(app)
        password(browser)
        code(browser, f"{n:06}", status=422)
    response = code(browser, phone(), status=429)
    assert int(response.headers["Retry-After"]) > 0
    assert not is_in(browser)
    assert Attempt.select().count() == 10
    assert AuditEvent.select().where(AuditEvent.event == "code_refused").count() == 10
    hands(days=1, seconds=1)
    password(browser)
    code(browser, phone())
    assert not Attempt.select().exists(), "the right one takes the wrong ones back"


def test_the_second_step_waits_ten_minutes_and_no_longer(app, user, phone, hands):
    browser = Browser(app)
    password(browser)
    hands(minutes=10)
    code(browser, phone())
    assert browser.response.location == "/login"
    assert "Введите логин и пароль еще раз" in browser.follow().text
    assert not is_in(browser)
    assert second_step.sweep(now=clock.now()) == 1


def test_without_the_first_step_there_is_no_second(app, user, phone, hands):
    browser = Browser(app)
    browser.get("auth.code", status=303)
    assert browser.response.location == "/login"
    code(browser, phone())
    assert not is_in(browser)


def test_a_new_password_ends_what_was_half_way(app, user, phone, hands):
    browser = Browser(app)
    password(browser)
    owner = Browser(app, user)
    new = "три слова подряд"
    owner.post("auth.own.password", {"password": PASSWORD, "new": new, "again": new})
    code(browser, phone())
    assert not is_in(browser)


def test_a_new_password_between_code_and_session_lets_nobody_in(
    app, user, phone, hands, monkeypatch
):
    browser = Browser(app)
    password(browser)
    check = second_factor.check

    def overtaken(who, *rest, **more):
        check(who, *rest, **more)
        sessions.end_all(who)

    monkeypatch.setattr(second_factor, "check", overtaken)
    code(browser, phone())
    assert not UserSession.select().exists()


def test_who_was_signed_in_before_is_not_any_more(app, user, phone, hands):
    browser = Browser(app, make_user(user.client))
    password(browser)
    assert not is_in(browser)
    code(browser, phone())
    assert "ivanov" in browser.get("auth.own.show").text


def test_it_is_turned_off_with_the_password(app, user, phone, hands):
    browser = Browser(app, user)
    browser.post("auth.factor.remove", {"password": "wrong"}, status=422)
    assert second_factor.has(user)
    browser.post("auth.factor.remove", {"password": PASSWORD})
    assert "Второй фактор отключен" in browser.follow().text
    assert not RecoveryCode.select().exists()
    assert "factor_off" in [letter.words["what"] for letter in Notice.select()]
    password(Browser(app))
    browser.get("auth.factor.remove", status=303)


def test_new_recovery_codes_replace_the_old(app, user, phone, hands):
    browser = Browser(app, user)
    assert "10" in browser.get("auth.factor.codes").main.text
    page = browser.post("auth.factor.codes", {"password": PASSWORD}, status=200)
    codes = [each.text for each in page.select(".codes code")]
    assert not set(codes) & set(phone.codes)
    other = Browser(app)
    password(other)
    code(other, phone.codes[0], status=422)
    code(other, codes[0])


@pytest.mark.parametrize("role", sorted(OPERATOR_ROLES))
def test_where_it_must_be_every_page_leads_to_it_until_it_is_set_up(
    app, base, hands, monkeypatch, role
):
    config = replace(app.config["CABINET"], SECOND_FACTOR="operator")
    monkeypatch.setitem(app.config, "CABINET", config)
    clerk = make_user(role=role, login="clerk", password=PASSWORD)
    browser = Browser(app, clerk)
    for page in ("operator.show", "auth.own.show", "operator.imports.index"):
        browser.get(page, status=303)
        assert browser.response.location == "/security/factor/"
        browser.get(page, htmx=True, status=204)
        assert browser.response.headers["HX-Redirect"] == "/security/factor/"
    assert "обязателен" in browser.get("auth.factor.show").text
    browser.post("auth.factor.begin", {"password": PASSWORD})
    secret = browser.follow().select_one(".key").text.replace(" ", "")
    shown = pyotp.TOTP(secret).at(clock.now())
    browser.post("auth.factor.confirm", {"code": shown}, status=200)
    browser.get("operator.show")
    page = browser.get("auth.factor.show")
    assert "Отключить" not in page.text
    browser.post("auth.factor.remove", {"password": PASSWORD}, status=403)
    Browser(app, make_user()).get("account.show")


def test_who_must_have_one_is_a_setting(app, user, monkeypatch):
    clerk = make_user(role=Role.CLERK)
    for value, demo, required in (
        ("", True, (False, False)), ("", False, (True, False)), ("none", False, (False, False)),
        ("operator", True, (True, False)), ("all", True, (True, True)),
    ):  # fmt: skip
        config = replace(app.config["CABINET"], SECOND_FACTOR=value, DEMO=demo)
        monkeypatch.setitem(app.config, "CABINET", config)
        assert tuple(map(second_factor.is_required, (clerk, user))) == required


def test_the_code_for_the_application_is_drawn_as_it_is_read(user, hands):
    factor = second_factor.begin(user, now=clock.now())
    address = second_factor.address_of(factor, user)
    assert address.startswith("otpauth://totp/")
    assert parse_qs(urlsplit(address).query)["secret"] == [second_factor.secret_of(factor)]
    path, rows = qr_path(address), modules(address)
    dark = set()
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path.d):
        dark |= {(int(x) + n - QUIET, int(y) - QUIET) for n in range(int(length))}
    for y, row in enumerate(rows):
        drawn = sorted(x for x, line in dark if line == y)
        assert drawn == [x for x, is_dark in enumerate(row) if is_dark]
    assert path.size == len(rows) + 2 * QUIET


def test_setting_it_up_ends_what_was_opened_without_a_code(app, user, hands):
    browser, elsewhere = Browser(app, user), Browser(app, user)
    browser.post("auth.factor.begin", {"password": PASSWORD})
    page = browser.follow()
    secret = page.select_one(".key").text.replace(" ", "")
    page = browser.post(
        "auth.factor.confirm", {"code": pyotp.TOTP(secret).at(clock.now())}, status=200
    )
    assert "На всех других устройствах выполнен выход" in page.text
    assert is_in(browser)
    assert not is_in(elsewhere)
    event = AuditEvent.get(AuditEvent.event == "factor_on")
    assert event.detail == {"sessions_ended": 1}
