"""Bills in the browser: accessible in light and dark, whole on a phone, by clicks and without
scripts.
"""

import pytest
from playwright.sync_api import expect

from domain.periods import month_start
from services import clock
from tests.browser import probes
from tests.browser.conftest import keep_picture
from tests.browser.test_pages import assert_accessible, assert_fits

DEMO = "100000000001"  # account of the client of the login `demo`


@pytest.fixture(scope="module")
def bills(cabinet):
    """Bills of two months for the demo's client."""
    for back in (2, 1):
        month = month_start(clock.now().date(), back)
        run = cabinet.flask("billing", "run", f"{month:%Y-%m}", "--client", DEMO, "--no-mail")
        output, _ = run.communicate(timeout=60)
        assert run.returncode == 0, output


def pages(page):
    """Every page of a bill: its name, opened."""
    page.goto("/bills/")
    yield "bills"
    page.locator("table.bills tbody tr").first.locator("a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Счет №")
    bill = page.url
    yield "bill"
    for path, name in (
        ("changes/", "bill-changes"),
        ("changes/numbers/", "bill-changed-numbers"),
        ("comparison/", "bill-comparison"),
        ("numbers/?line=3", "bill-numbers-of-a-line"),
        ("numbers/", "bill-numbers"),
    ):
        page.goto(bill + path)
        yield name
    page.locator("#rows tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Номер")
    yield "bill-number"


@pytest.mark.parametrize(
    "dark", [pytest.param(False, marks=pytest.mark.long, id="light"), pytest.param(True, id="dark")]
)
def test_every_page_of_a_bill_is_accessible_and_fits(visit, bills, dark):
    page = visit("demo", dark=dark)
    for name in pages(page):
        page.set_viewport_size({"width": 1280, "height": 900})
        keep_picture(page, f"{name}-{'dark' if dark else 'light'}")
        assert_accessible(page)
        assert not probes.everything(page), name
        page.set_viewport_size({"width": 320, "height": 640})
        keep_picture(page, f"{name}-320-{'dark' if dark else 'light'}")
        assert_fits(page)


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_from_the_sum_to_the_reason_of_a_price_and_back(visit, bills, js):
    page = visit("demo", js=js, path="/bills/")
    page.locator("table.bills tbody tr").first.locator("a").first.click()
    page.get_by_role("link", name="Международные звонки").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Счет по номерам")
    page.locator("#rows tbody th a").first.click()
    price = page.locator("table.calls tbody a").first
    price.click()
    reasons = page.locator("[id^=why-] li")
    expect(reasons.first).to_contain_text("Тариф")
    assert ("/bills/charges/" in page.url) is False
    if js:
        expect(page.get_by_role("heading", level=1)).to_contain_text("Номер")
    else:
        page.get_by_role("link", name="Назад").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Номер")
