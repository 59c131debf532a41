"""The operator's pages of money, in a browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import keep_picture
from tests.browser.test_pages import assert_accessible, assert_fits

FORMED = 120_000  # ms


@pytest.mark.parametrize("js", [True, pytest.param(False, marks=pytest.mark.long)])
def test_what_would_be_formed_is_told_by_a_job_that_is_waited_for(cabinet, visit, js):
    """Only looked at: the other tests of this cabinet have its bills to themselves."""
    account = f"9000000000{int(js):02}"  # the demo's clients have theirs
    added = cabinet.flask(
        *("client", "add", "ООО «Новичок»", "--account", account),
        *("--unp", "190000077", "--email", "new@example.by"),
    )
    output, _ = added.communicate(timeout=60)
    assert added.returncode == 0, output
    page = visit("operator", path="/operator/billing/", js=js)
    page.locator("td a").first.click()
    page.get_by_role("button", name="Проверить, что будет сформировано").click()
    page.wait_for_url("**/operator/billing/requests/*")
    wait_for_it(page, page.locator("#card h2"), js=js)
    expect(page.locator("#card")).to_contain_text("Будет сформировано")
    page.get_by_role("link", name="Назад").click()
    expect(page.locator("h1")).to_contain_text("Счета:")


def wait_for_it(page, state, *, js):
    if js:
        expect(state).to_have_text("Готово", timeout=FORMED)
        return
    for _ in range(100):
        if state.text_content() == "Готово":
            return
        page.wait_for_timeout(1000)
        page.get_by_role("link", name="Обновить состояние").click()
    raise AssertionError("the bills were not formed")


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_operators_pages_of_money_fit_a_phone_and_are_accessible(visit, dark):
    page = visit("operator", path="/operator/clients/", width=320, height=640, dark=dark)
    page.locator("td a").first.click()
    expect(page.locator("h2").first).to_have_text("Платежи")
    client = page.url
    paths = ("/operator/unrated/", "/operator/billing/", client, f"{client}/payment")
    for path in paths:
        page.goto(path)
        assert_fits(page)
        assert_accessible(page)
        name = re.sub(r"\W+", "-", path.partition("/operator/")[2]).strip("-")
        keep_picture(page, f"operator-{name}-{'dark' if dark else 'light'}")
