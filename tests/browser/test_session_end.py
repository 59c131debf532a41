"""The line that tells before a session ends, and what it offers."""

from datetime import UTC, timedelta

import pytest
from playwright.sync_api import expect

from services import clock
from tests.browser.conftest import keep_picture
from tests.browser.test_pages import assert_accessible, assert_fits
from tests.browser.test_traps import to_second_step

IDLE_S, WARNED_S = 30 * 60, 120
TYPED = "375291112233"
LAST = "WHERE id = (SELECT max(id) FROM user_session)"  # the session of the test at hand
SEEN = f"UPDATE user_session SET last_seen_at = ? {LAST}"  # noqa: S608 - of constants
EXPIRES = f"UPDATE user_session SET expires_at = ? {LAST}"  # noqa: S608 - of constants


@pytest.fixture
def waiting(visit, cabinet):
    """A person at the second step who has typed something; and a way to let time pass."""
    page = visit("demo")
    page.clock.install()
    to_second_step(page)
    page.get_by_label("Ввести свой список абонентов").fill(TYPED)

    def pass_by(seconds, *, expires=False):
        """For the page and for the server. `expires`: it is the longest session that ends."""
        moment = clock.now() + timedelta(seconds=IDLE_S - seconds if expires else -seconds)
        cabinet.change(
            EXPIRES if expires else SEEN,
            (moment.astimezone(UTC).replace(tzinfo=None).isoformat(" "),),
        )
        page.clock.fast_forward(seconds * 1000)

    return page, pass_by


def line(page):
    return page.locator("#session-end")


def test_two_minutes_before_the_end_one_may_stay_without_losing_a_word(waiting):
    page, pass_by = waiting
    expect(line(page)).to_be_empty()
    pass_by(IDLE_S - WARNED_S + 1)
    expect(line(page)).to_contain_text("сессия завершится")
    expect(line(page)).to_have_attribute("role", "status")
    assert line(page).bounding_box()["y"] >= 0
    assert_accessible(page)
    keep_picture(page, "session-end")
    page.set_viewport_size({"width": 320, "height": 640})
    assert_fits(page)
    page.get_by_role("link", name="Продолжить работу").focus()
    page.keyboard.press("Enter")
    expect(line(page)).to_be_empty()
    expect(page.get_by_label("Ввести свой список абонентов")).to_have_value(TYPED)
    expect(page.locator("#picker")).to_be_visible()
    pass_by(IDLE_S - WARNED_S + 1)
    expect(line(page)).to_contain_text("сессия завершится")


def test_what_is_done_in_another_tab_counts(waiting):
    page, _ = waiting
    with page.expect_response("**/session") as looked:
        page.clock.fast_forward((IDLE_S - WARNED_S + 1) * 1000)
    assert looked.value.status == 200
    expect(line(page)).to_be_empty()


def test_the_end_of_the_longest_session_cannot_be_put_off(waiting):
    page, pass_by = waiting
    pass_by(IDLE_S - WARNED_S + 1, expires=True)
    expect(line(page)).to_contain_text("войдите снова")
    expect(page.get_by_role("link", name="Продолжить работу")).to_have_count(0)


def test_after_the_end_the_page_says_so_and_keeps_what_was_typed(waiting):
    page, pass_by = waiting
    pass_by(IDLE_S + 1)
    expect(page.locator("#neterr")).to_contain_text("Сессия завершена")
    expect(page.get_by_label("Ввести свой список абонентов")).to_have_value(TYPED)


def test_without_scripts_nothing_is_said(visit):
    page = visit("demo", js=False)
    expect(line(page)).to_be_empty()
    page.goto("/session")
    expect(page).to_have_url(page.url.removesuffix("session"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
