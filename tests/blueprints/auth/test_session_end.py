"""The line about the end of the session: when it speaks, what counts as work."""

from datetime import timedelta

import pytest

from models import UserSession
from services import clock
from tests.factories import NOON, make_user
from tests.page import Browser


@pytest.fixture
def at(monkeypatch):
    """Set the clock to so many minutes after the sign-in."""

    def set_clock(minutes):
        monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=minutes))

    set_clock(0)
    return set_clock


@pytest.fixture
def person(at, app, client_row):
    return Browser(app, make_user(client_row))


def line(person, endpoint="auth.session_end"):
    return person.get(endpoint, htmx=True).select_one("#session-end")


def test_a_page_says_nothing_and_looks_again_two_minutes_before(person):
    found = person.get("home.show").select_one("#session-end")
    assert not found.text.strip()
    assert found["role"] == "status"
    assert found["hx-trigger"] == "every 1680s"


@pytest.mark.parametrize(("minutes", "speaks", "looks"), [(1, False, 1620), (28, True, 121)])
def test_looking_does_not_prolong_the_session(person, at, minutes, speaks, looks):
    at(minutes)
    found = line(person)
    assert ("В 12:30 сессия завершится" in found.text) is speaks
    assert found["hx-trigger"] == f"every {looks}s"
    assert UserSession.get().last_seen_at == NOON


def test_staying_prolongs_it(person, at):
    at(29)
    assert "В 12:30" in line(person).text
    assert not line(person, "auth.stay").text.strip()
    at(58)
    assert "В 12:59" in line(person).text


def test_the_longest_session_ends_whatever_one_does(person, at):
    for minutes in range(20, 480, 20):
        at(minutes)
        person.get("home.show")
    at(479)
    found = line(person, "auth.stay")
    assert "В 20:00" in found.text
    assert found.a is None


def test_after_the_end_a_look_is_refused_without_a_redirect(person, at):
    at(31)
    person.get("auth.session_end", htmx=True, status=401)
    assert "HX-Redirect" not in person.response.headers


@pytest.mark.parametrize("endpoint", ["auth.session_end", "auth.stay"])
def test_without_scripts_both_lead_home(person, endpoint):
    person.get(endpoint, status=303)
    assert person.response.location == "/"


def test_who_has_not_signed_in_is_told_nothing(anonymous):
    found = anonymous.get("auth.login").select_one("#session-end")
    assert not found.has_attr("hx-get")
