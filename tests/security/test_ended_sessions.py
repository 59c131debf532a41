"""A session that is over opens nothing, whoever still has its cookie; and a session is over when it
should be: by every route, by every way to ask.
"""

import re
from contextvars import Context
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from blueprints.paths import local_path
from commands.routes import describe
from domain.roles import Role
from models import User, UserSession
from services import accounts, clock
from tests import factories
from tests.page import HTMX, Browser
from tests.security import forms, world
from tests.security.tables import dump

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAMS = ({}, {"Accept": "*/*"}, {"Accept": "application/json"}, HTMX, {"HX-Request": "true"})
SAFE = {"GET", "HEAD"}


@pytest.fixture
def hands(monkeypatch):
    """A clock that stands still until moved: `hands(minutes=…)`."""
    moment = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def move(**by):
        moment[0] += timedelta(**by)

    return move


@pytest.fixture
def full(app, base, hands):
    with forms.full_world(app) as made:
        yield made


@pytest.fixture
def closed(app):
    """(row, method) of all routes that are not public, HEAD included."""
    rows = [row for row in describe(app) if not row["public"]]
    return [
        (row, method)
        for row in rows
        for method in [*row["methods"], *(["HEAD"] if "GET" in row["methods"] else [])]
    ]


def copy_of(browser):
    """Another browser with a copy of the cookie and of the form's token, made while both lived."""
    copied = Browser(browser.app)
    name = browser.app.session_interface.cookies.name
    copied.client.set_cookie(name, browser.client.get_cookie(name).value)
    copied._token = browser.token()
    return copied


def ask(browser, full, row, method, headers):
    data = {"csrf_token": browser.token()} if method == "POST" else None
    return Context().run(
        browser.client.open,
        full.address(row["rule"]),
        method=method,
        headers=headers,
        data=data,
        buffered=True,
    )


def sign_out(browsers, _hands):
    for browser in browsers:
        browser.post("auth.logout")


def sign_in_as_another(browsers, _hands):
    for browser in browsers:
        browser.post("auth.login", {"login": "ivanov", "password": forms.PASSWORD})


def new_password(browsers, _hands):
    for browser in browsers:
        accounts.set_password(browser.user, now=clock.now())


def end_all(browsers, _hands):
    for browser in browsers:
        assert accounts.end_sessions(browser.user, now=clock.now()) == 1


def disable(browsers, _hands):
    for browser in browsers:
        accounts.change_user(browser.user, is_active=False, now=clock.now())


def disable_in_the_table(browsers, _hands):
    for browser in browsers:
        User.update(is_active=False).where(User.id == browser.user.id).execute()


def wait_half_an_hour(_browsers, hands):
    hands(minutes=30)


def work_for_eight_hours(browsers, hands):
    for _ in range(24):
        for browser in browsers:
            browser.get("auth.stay", status=303)
        hands(minutes=20)


ENDS = [
    sign_out,
    sign_in_as_another,
    new_password,
    end_all,
    disable,
    disable_in_the_table,
    wait_half_an_hour,
    work_for_eight_hours,
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_a_cookie_captured_before_is_worth_nothing_after(app, full, closed, hands, length, end):
    """Every route, asked as a program, as htmx and as a browser asks."""
    browsers = [Browser(app, full.user), Browser(app, full.operator)]
    copies = dict(zip(("client", "operator"), map(copy_of, browsers), strict=True))
    for copied in copies.values():
        copied.get("auth.stay", status=303)
    end(browsers, hands)
    before = dump()
    for n, (row, method) in enumerate(closed):
        copied = copies[row["scope"]]
        for headers in length(short=PROGRAMS[n % len(PROGRAMS) :][:1], long=PROGRAMS):
            response = ask(copied, full, row, method, headers)
            assert response.status_code == 401, (row, method, headers)
            check_empty(response, full)
        if n % length(short=3, long=1) == 0:
            response = ask(copied, full, row, method, BROWSER)
            assert response.status_code == 303, (row, method)
            assert urlsplit(response.location).path == "/login"
            check_empty(response, full)
    assert dump() == before


def check_empty(response, full):
    """Nothing of anybody's is in an answer to who is not signed in, and no cookie is given out."""
    text = response.get_data(as_text=True)
    assert len(text) < 800
    for secret in (full.client.name, full.user.login, full.order.email, world.FILE.decode()):
        assert secret not in text
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("headers", [BROWSER, *PROGRAMS[:1], HTMX], ids=["browser", "curl", "htmx"])
def test_a_user_is_disabled_between_two_clicks(app, full, closed, headers):
    browser = Browser(app, full.user)
    address = browser.url("orders.file", key=full.order.key)
    response = Context().run(browser.client.get, address, headers=headers, buffered=True)
    assert response.status_code == 200
    User.update(is_active=False).where(User.id == full.user.id).execute()
    response = Context().run(browser.client.get, address, headers=headers, buffered=True)
    assert response.status_code == (303 if headers is BROWSER else 401)
    assert world.FILE not in response.data


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK])
def test_a_role_is_cut_between_two_clicks(app, full, closed, role):
    """Cut to a viewer, or an operator's administrator to a clerk: all that is lost answers 403."""
    user = full.operator if role.is_operator else full.user
    browser = Browser(app, user)
    lost = [
        (row, method)
        for row, method in closed
        if user.role in row["roles"] and role.value not in row["roles"]
    ]
    assert lost
    for row, method in lost:
        if method in SAFE:
            assert ask(browser, full, row, method, {}).status_code == 200, row
    accounts.change_user(user, role=role, now=clock.now())
    before = dump()
    for row, method in lost:
        for headers in ({}, HTMX):
            response = ask(browser, full, row, method, headers)
            assert response.status_code == 403, (row, method)
            assert world.FILE not in response.data
    assert dump() == before


def test_a_user_moved_to_another_client_loses_the_first_at_once(app, full):
    browser = Browser(app, full.user)
    browser.get("orders.show", key=full.order.key)
    User.update(client=factories.make_client()).where(User.id == full.user.id).execute()
    for view in ("show", "status", "file", "cancel"):
        browser.get(f"orders.{view}", key=full.order.key, status=404)
    assert full.client.name not in str(browser.get("account.show"))


# --- How long a session lives ---------------------------------------------------------------------


def test_a_session_lives_to_the_last_second_of_its_half_hour(app, full, hands):
    browser = Browser(app, full.user)
    hands(minutes=29, seconds=59)
    browser.get("home.show")
    hands(minutes=30)
    browser.get("home.show", status=401)


def test_whatever_a_page_asks_by_itself_is_marked(app):
    """Each address that a template polls belongs to a view that does not keep a session alive."""
    polled = set()
    for path in TEMPLATES.rglob("*.html"):
        for tag in re.findall(r"<[a-z][^>]*hx-trigger=\"[^\"]*every[^>]*>", path.read_text()):
            polled.update(re.findall(r"hx-get=\"\{\{ url_for\('([^']+)'", tag))
            assert "hx-get" in tag, (path, tag)
            assert polled, (path, tag)
    assert {"orders.status", "auth.session_end", "operator.imports.status"} <= polled
    for endpoint in polled:
        assert getattr(app.view_functions[endpoint], "does_not_prolong", False), endpoint


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(app, full, closed, hands):
    polls = [
        row
        for row, method in closed
        if method == "GET" and getattr(app.view_functions[row["endpoint"]], "does_not_prolong", 0)
    ]
    assert len(polls) >= 3
    for row in polls:
        browser = Browser(app, full.operator if row["scope"] == "operator" else full.user)
        for _ in range(5):
            hands(minutes=5)
            assert ask(browser, full, row, "GET", HTMX).status_code == 200, row
        hands(minutes=5)
        response = ask(browser, full, row, "GET", HTMX)
        assert response.status_code == 401, row
        assert "Сессия завершена" in response.text
        assert UserSession.select().where(UserSession.user == browser.user).exists(), "until swept"


# --- What a page is told when the session is over -------------------------------------------------


def test_htmx_is_led_to_the_sign_in_with_a_page_of_ours_to_go_on_with(app, full, closed, hands):
    browsers = {"client": Browser(app, full.user), "operator": Browser(app, full.operator)}
    hands(minutes=31)
    for row, method in closed:
        view = app.view_functions[row["endpoint"]]
        for more in ({}, {"HX-Request-Type": "partial"}):
            headers = {"HX-Request": "true", "HX-Current-URL": "http://evil.example/", **more}
            response = ask(browsers[row["scope"]], full, row, method, headers)
            assert response.status_code == 401, row
            assert "password" not in response.text, "never the sign-in inside a fragment"
            assert "<form" not in response.text
            leads = method in SAFE and not getattr(view, "does_not_prolong", False)
            assert ("HX-Redirect" in response.headers) is leads, (row, method)
            if leads:
                target = urlsplit(response.headers["HX-Redirect"])
                assert (target.scheme, target.netloc, target.path) == ("", "", "/login")
                [goes_on] = parse_qs(target.query)["next"]
                assert goes_on == full.address(row["rule"])
                with app.test_request_context():
                    assert local_path(goes_on) == goes_on
            elif method != "HEAD":
                assert "Сессия завершена" in response.text, "somebody sees why nothing happened"


KEPT = {
    "feedback.answer": {"text": "Почему так дорого?"},
    "feedback.ask": {"text": "Почему так дорого?", "number": "375291112233"},
    "operator.feedback.answer": {"text": "Потому что далеко"},
    "operator.feedback.note": {"note": "Перезвонить завтра"},
    "auth.login": {"login": "typed-by-me"},
    "bills.call_detail.start": {"start": "01.11.2026", "end": "02.11.2026"},
    "bills.call_detail.period": {"start": "01.11.2026", "end": "02.11.2026"},
    "bills.call_detail.subscribers": {"typed": "375291112233;что-то"},
    "operator.imports.upload": {"zone": "Asia/Omsk", "exchange": "Hinterland", "account": "77777"},
}


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
@pytest.mark.parametrize("token", ["", "old", "of another session"])
def test_a_stale_form_says_so_and_keeps_what_was_typed(app, full, htmx, token):
    other = Browser(app, factories.make_user()).token()
    before = {k: v for k, v in dump().items() if k is not UserSession}
    for endpoint, (who, address, fields) in forms.all_forms(full).items():
        browser = Browser(app, who)
        typed = {**KEPT.get(endpoint, {}), "csrf_token": other if "another" in token else token}
        data = forms.sent({**fields, **typed})
        headers = HTMX if htmx else {}
        response = Context().run(browser.client.post, address, data=data, headers=headers)
        assert response.status_code == 422, endpoint
        assert "Форма устарела" in response.text, endpoint
        for name, text in KEPT.get(endpoint, {}).items():
            assert text in response.text, (endpoint, name)
        assert forms.PASSWORD not in response.text
    assert {k: v for k, v in dump().items() if k is not UserSession} == before
