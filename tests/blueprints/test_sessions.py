"""A session ends when it should: a cookie kept by somebody is worth nothing afterwards."""

from datetime import timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer

from blueprints.sessions import Cookies
from config import Config
from domain.orders import OrderState
from models import Order, User, UserSession
from services import accounts, clock, sessions
from tests import factories
from tests.factories import NOON
from tests.page import Browser


@pytest.fixture
def clock_hands(monkeypatch):
    """A clock that stands still until moved: `clock_hands(minutes)`."""
    moment = [NOON]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def move(minutes):
        moment[0] += timedelta(minutes=minutes)

    return move


@pytest.fixture
def copy(app, client_row):
    """A signed-in browser and another one with a copy of its cookie."""
    original = Browser(app, factories.make_user(client_row))
    thief = Browser(app)
    name = app.session_interface.cookies.name
    thief.client.set_cookie(name, original.client.get_cookie(name).value)
    thief.get("home.show")
    return original, thief


def is_out(browser):
    """Whether the session is over: a program hears 401, a person is led to the sign-in."""
    browser.get("home.show", status=401)
    assert browser.response.mimetype == "text/plain"
    browser.get("home.show", status=303, headers={"Accept": "text/html,*/*;q=0.8"})
    return browser.response.location.startswith("/login")


def test_a_copied_cookie_is_worth_nothing_after_signing_out(copy):
    original, thief = copy
    original.post("auth.logout")
    assert is_out(thief)


def test_a_new_password_ends_every_session_at_once(copy):
    original, thief = copy
    accounts.set_password(original.user, now=clock.now())
    assert is_out(original)
    assert is_out(thief)


def test_a_disabled_user_is_out_with_the_next_request(copy):
    original, thief = copy
    User.update(is_active=False).where(User.id == original.user.id).execute()
    assert is_out(original)
    assert is_out(thief)


def test_a_changed_role_holds_with_the_next_request(signed_in):
    signed_in.get("bills.call_detail.start")
    User.update(role="viewer").where(User.id == signed_in.user.id).execute()
    signed_in.get("bills.call_detail.start", status=403)
    assert "Администратор" in signed_in.response.text


def test_a_token_that_was_made_up_opens_nothing(app, base):
    browser = Browser(app)
    browser.client.set_cookie(app.session_interface.cookies.name, "x" * 43)
    assert is_out(browser)


def test_half_an_hour_without_a_request_ends_the_session(app, client_row, clock_hands):
    browser = Browser(app, factories.make_user(client_row))
    clock_hands(29)
    browser.get("home.show")
    clock_hands(29)
    browser.get("home.show")
    clock_hands(30)
    assert is_out(browser)


def test_eight_hours_end_every_session(app, client_row, clock_hands):
    browser = Browser(app, factories.make_user(client_row))
    for _ in range(23):
        clock_hands(20)
        browser.get("home.show")
    clock_hands(20)
    assert is_out(browser)


def test_a_page_that_asks_by_itself_does_not_keep_the_session_alive(app, client_row, clock_hands):
    user = factories.make_user(client_row)
    browser = Browser(app, user)
    Order.create(
        client=client_row, user=user, number=1, key="k1", draft_key="d1", kind="call_detail",
        params={"start": "2026-03-01", "end": "2026-03-02", "direction": "both", "format": "xlsx"},
        email="a@b.by", state=OrderState.ACCEPTED, created_at=NOON, due_at=NOON, next_try_at=NOON,
    )  # fmt: skip
    for _ in range(2):
        clock_hands(14)
        browser.get("orders.status", key="k1", htmx=True)
    clock_hands(2)
    browser.get("orders.status", key="k1", htmx=True, status=401)
    assert "Сессия завершена" in browser.response.text
    assert "HX-Redirect" not in browser.response.headers
    assert is_out(browser)


def test_being_there_is_written_down_once_a_minute(app, client_row, clock_hands):
    browser = Browser(app, factories.make_user(client_row))
    clock_hands(0.9)
    browser.get("home.show")
    assert UserSession.get().last_seen_at == NOON
    clock_hands(0.1)
    browser.get("home.show")
    assert UserSession.get().last_seen_at == NOON + timedelta(minutes=1)


def test_sessions_that_have_run_out_are_swept(app, client_row, clock_hands):
    factories_user = factories.make_user(client_row)
    Browser(app, factories_user)
    clock_hands(20)
    Browser(app, factories_user)
    clock_hands(15)
    assert sessions.sweep(now=clock.now(), idle=timedelta(minutes=30)) == 1
    assert UserSession.select().count() == 1


def test_an_expired_session_leads_back_to_the_page_and_its_query(anonymous):
    anonymous.get("/bills/?a=1&b=%D0%B0", status=303)
    assert anonymous.response.location == "/login?next=/bills/?a%3D1%26b%3D%25D0%25B0"


@pytest.mark.parametrize(
    ("path", "referrer", "expected"),
    [
        ("/bills/call-detail/", None, "/login?next=/bills/call-detail/"),
        ("/orders/k1/retry", "http://localhost/orders/k1?a=b", "/login?next=/orders/k1?a%3Db"),
        ("/orders/k1/retry", "http://evil.example/orders/k1", "/login"),
        ("/orders/k1/retry", None, "/login"),
        ("/orders/k1/retry", "http://[", "/login"),
        ("/logout", "http://localhost/orders/", "/login?next=/orders/"),
    ],
)
def test_a_form_sent_too_late_leads_to_the_page_it_stood_on(anonymous, path, referrer, expected):
    headers = {"Referer": referrer} if referrer else {}
    anonymous.post(path, {"csrf_token": "x"}, headers=headers)
    assert anonymous.response.location == expected


def test_a_form_that_htmx_sent_too_late_keeps_what_was_typed(anonymous):
    anonymous.post("/bills/call-detail/", {"csrf_token": "x"}, htmx=True, status=401)
    assert "HX-Redirect" not in anonymous.response.headers
    assert "Войдите в новой вкладке и повторите отправку" in anonymous.response.text
    assert "<html" not in anonymous.response.text


def test_a_visitors_cookie_carries_nothing_but_the_form_secret(app, anonymous):
    anonymous.get("auth.login")
    cookies = app.session_interface.cookies
    text = anonymous.client.get_cookie(cookies.anonymous_name).value
    values = URLSafeTimedSerializer(app.secret_key, salt="visitor").loads(text)
    assert set(values) == {"csrf_token"}
    assert anonymous.client.get_cookie(cookies.name) is None


def test_a_visitors_cookie_cannot_bring_in_anything_else(app, anonymous):
    forged = URLSafeTimedSerializer(app.secret_key, salt="visitor").dumps({"user": 1})
    anonymous.client.set_cookie(app.session_interface.cookies.anonymous_name, forged)
    anonymous.get("home.show", status=303)


def test_static_files_ask_no_session_and_set_no_cookie(signed_in):
    signed_in.get("/static/cabinet.css")
    assert "Set-Cookie" not in signed_in.response.headers


@pytest.mark.parametrize(
    ("settings", "name", "attributes"),
    [
        ({}, "cab-8000", "HttpOnly; Path=/; SameSite=Lax"),
        ({"PORT": 8201}, "cab-8201", "HttpOnly; Path=/; SameSite=Lax"),
        ({"PUBLIC_URL": "http://cab.by/x"}, "cab", "HttpOnly; Path=/x; SameSite=Lax"),
        ({"PUBLIC_URL": "https://cab.by"}, "__Host-cab", "Secure; HttpOnly; Path=/; SameSite=Lax"),
        (
            {"PUBLIC_URL": "https://cab.by/cabinet/"},
            "__Secure-cab",
            "Secure; HttpOnly; Path=/cabinet; SameSite=Lax",
        ),
        (
            {"PUBLIC_URL": "https://cab.by", "EMBED": True},
            "__Host-cab",
            "Secure; HttpOnly; Path=/; SameSite=None; Partitioned",
        ),
        (
            {"PUBLIC_URL": "http://cab.by", "EMBED": True},
            "cab",
            "HttpOnly; Path=/; SameSite=Lax",
        ),
    ],
)
def test_the_cookie_fits_the_public_address(app, settings, name, attributes):
    cookies = Cookies.of(Config(**settings))
    assert cookies.name == name
    assert cookies.anonymous_name == f"{name}-visitor"
    response = app.response_class()
    cookies.write(response, cookies.name, "v")
    assert response.headers["Set-Cookie"] == f"{name}=v; {attributes}"
