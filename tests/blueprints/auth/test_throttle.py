"""Too many wrong passwords: a delay that a stranger cannot use to keep the owner out."""

from datetime import timedelta

import pytest

from models import SignInFailure
from services import clock, passwords
from tests import factories
from tests.factories import NOON
from tests.page import Browser

PASSWORD = "korova-na-lugu"
WRONG = "wrong"
HOUR = timedelta(hours=1)


@pytest.fixture
def user(client_row):
    return factories.make_user(client_row, login="ivanov", password=PASSWORD)


@pytest.fixture
def clock_hands(monkeypatch):
    """A clock that stands still until moved: `clock_hands(minutes)`."""
    moment = [NOON]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def move(minutes):
        moment[0] += timedelta(minutes=minutes)

    return move


@pytest.fixture
def verified(monkeypatch):
    """When passwords were looked at. The work itself is left out: it is not what is tested."""
    looked_at = []

    def is_right(password, stored):
        looked_at.append(clock.now())
        return stored is not None and password == PASSWORD

    monkeypatch.setattr(passwords, "is_right", is_right)
    return looked_at


@pytest.fixture
def owner(app, base):
    """The owner's browser; the guesses come from another one."""
    return Browser(app)


def attempt(browser, ip, password=WRONG, login="ivanov"):
    """Try to sign in from an address and return the status."""
    response = browser.client.post(
        "/login",
        data={"login": login, "password": password, "csrf_token": browser.token()},
        environ_overrides={"REMOTE_ADDR": ip},
    )
    browser.response = response
    return response.status_code


def in_the_worst_hour(moments):
    return max(sum(start <= each < start + HOUR for each in moments) for start in moments)


def test_a_thousand_guesses_from_two_hundred_addresses_are_twenty_verifications_an_hour(
    anonymous, user, verified, clock_hands, length
):
    guesses = length(short=240, long=1000)
    for guess in range(guesses):
        attempt(anonymous, f"10.0.0.{guess % 200}")
        clock_hands(120 / guesses)
    assert 35 <= len(verified) <= 41, "two hours of it"
    assert in_the_worst_hour(verified) <= 20


def test_whenever_the_guessing_stops_the_owner_waits_a_quarter_of_an_hour_at_most(
    app, anonymous, user, verified, clock_hands, length
):
    for n, minutes in enumerate(length(short=(1, 44), long=(1, 7, 14, 16, 29, 31, 44, 59, 90))):
        for minute in range(minutes):
            for guess in range(3):
                attempt(anonymous, f"10.{minute}.0.{guess}")
            clock_hands(1)
        owner, address = Browser(app), f"192.0.2.{n}"  # where they have never signed in from
        if attempt(owner, address, PASSWORD) == 429:
            wait_s = int(owner.response.headers["Retry-After"])
            assert wait_s <= 15 * 60, minutes
            clock_hands(wait_s / 60)
            assert attempt(owner, address, PASSWORD) == 303, minutes
        clock_hands(24 * 60)


def test_the_owner_gets_in_from_an_address_they_have_used_before(
    anonymous, owner, user, verified, clock_hands
):
    assert attempt(owner, "192.0.2.1", PASSWORD) == 303
    for _ in range(30):
        attempt(anonymous, "10.0.0.1")
    assert attempt(anonymous, "10.0.0.1", PASSWORD) == 429
    assert attempt(Browser(owner.app), "192.0.2.1", PASSWORD) == 303


def test_a_new_address_gets_in_a_quarter_of_an_hour_after_the_guessing(
    anonymous, user, verified, clock_hands
):
    for _ in range(30):
        attempt(anonymous, "10.0.0.1")
    clock_hands(14)
    assert attempt(anonymous, "192.0.2.1", PASSWORD) == 429
    clock_hands(1)
    assert attempt(anonymous, "192.0.2.1", PASSWORD) == 303


def test_the_owners_own_address_is_limited_too(anonymous, owner, user, verified, clock_hands):
    assert attempt(owner, "192.0.2.1", PASSWORD) == 303
    statuses = [attempt(anonymous, "192.0.2.1") for _ in range(12)]
    assert statuses == [422] * 5 + [429] * 7


def test_one_address_cannot_try_every_account(anonymous, base, verified, clock_hands):
    statuses = [attempt(anonymous, "10.0.0.1", login=f"user-{n}") for n in range(61)]
    assert statuses == [422] * 60 + [429]
    assert attempt(anonymous, "10.0.0.2", login="user-60") == 422


def test_the_answer_says_how_long_to_wait_and_keeps_the_login(
    anonymous, user, verified, clock_hands
):
    for _ in range(5):
        assert attempt(anonymous, "10.0.0.1") == 422
    clock_hands(3)
    assert attempt(anonymous, "10.0.0.1") == 429
    assert "Слишком много попыток. Повторите через 12 мин." in anonymous.response.text
    assert anonymous.response.headers["Retry-After"] == "720"
    assert 'value="ivanov"' in anonymous.response.text


def test_an_account_that_does_not_exist_is_slowed_down_alike(
    anonymous, user, verified, clock_hands
):
    answers = {}
    for login in ("ivanov", "nobody"):
        statuses = [attempt(anonymous, "10.0.0.1", login=login) for _ in range(6)]
        text = anonymous.response.text.replace(login, "")
        answers[login] = (statuses, len(text), anonymous.response.headers["Retry-After"])
    assert answers["ivanov"] == answers["nobody"]


def test_failures_are_not_kept_longer_than_they_count(anonymous, user, verified, clock_hands):
    attempt(anonymous, "10.0.0.1")
    clock_hands(15)
    attempt(anonymous, "10.0.0.2")
    assert [row.ip for row in SignInFailure.select()] == ["10.0.0.2"]


def test_the_login_itself_is_not_kept(anonymous, user, verified):
    attempt(anonymous, "10.0.0.1")
    assert "ivanov" not in str(list(SignInFailure.select().dicts()))
