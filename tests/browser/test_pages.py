"""Every page: accessible in light and dark, no wider than a phone, whole without scripts."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import keep_picture

CLIENT_PAGES = (
    "/",
    "/account/",
    "/payments/",
    "/bills/",
    "/bills/email/",
    "/bills/download/",
    "/bills/delivery/",
    "/bills/call-detail/",
    "/bills/charges/",
    "/bills/charges/charts/",
    "/instalments/",
    "/subscribers/",
    "/feedback/",
    "/feedback/new",
    "/call-centre/",
    "/orders/",
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def assert_accessible(page):
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


def assert_fits(page):
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], widths


def steps(page):
    """The pages of the wizard that have no address of their own beforehand: (name, opened)."""
    page.goto("/bills/call-detail/")
    page.get_by_label("По", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Далее").click()
    page.locator("main [role=alert]").wait_for()
    yield "period-error"
    page.goto("/bills/call-detail/")
    page.get_by_role("button", name="Далее").click()
    page.locator("#picker").wait_for()
    page.locator("input[name=tick]").first.check()
    yield "subscribers"
    page.get_by_label("Ввести свой список абонентов").fill("37529;375291112233")
    page.get_by_role("button", name="Проверить список").click()
    page.locator("#typed-report").wait_for()
    yield "typed-report"
    page.get_by_label("Ввести свой список абонентов").fill("")
    page.get_by_role("button", name="Сформировать детализацию").click()
    page.locator("#card").wait_for()
    yield "order"
    expect(page.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    yield "order-sent"
    page.goto("/orders/")
    yield "orders"


@pytest.mark.parametrize(
    ("login", "dark"),
    [
        ("demo", False),
        ("demo-large", True),
        pytest.param("demo", True, marks=pytest.mark.long),
        pytest.param("demo-large", False, marks=pytest.mark.long),
    ],
)
def test_the_wizard_is_accessible(visit, login, dark):
    page = visit(login, dark=dark)
    for name in steps(page):
        keep_picture(page, f"{login}-{name}-{'dark' if dark else 'light'}")
        assert_accessible(page)


@pytest.mark.parametrize("login", ["demo", "demo-large"])
def test_the_wizard_fits_a_phone(visit, login):
    page = visit(login, width=320, height=640)
    for name in steps(page):
        keep_picture(page, f"{login}-{name}-320")
        assert_fits(page)
        bar = page.locator(".bar")
        if bar.count():
            assert bar.bounding_box()["height"] <= 160  # a quarter of the screen


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible_and_fits(visit, dark):
    page = visit("demo", dark=dark)
    for path in CLIENT_PAGES:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(path)
        name = path.strip("/").replace("/", "-") or "home"
        keep_picture(page, f"{name}-{'dark' if dark else 'light'}")
        assert_accessible(page)
        page.set_viewport_size({"width": 320, "height": 640})
        keep_picture(page, f"{name}-320-{'dark' if dark else 'light'}")
        assert_fits(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_pages_outside_the_cabinet_are_accessible(visit, dark):
    page = visit(dark=dark, path="/login")
    keep_picture(page, f"login-{'dark' if dark else 'light'}")
    assert_accessible(page)
    page = visit("operator", dark=dark)
    page.goto("/operator/")
    keep_picture(page, f"operator-{'dark' if dark else 'light'}")
    assert_accessible(page)
    page.goto("/mailbox/")
    assert_accessible(page)
    page.goto("/no-such-page")
    assert_accessible(page)


def test_a_page_after_a_swap_is_as_accessible(visit):
    page = visit("demo")
    for words in ("Персональная информация", "Счета", "История заказов"):
        page.locator("#menu").get_by_role("link", name=words, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(words)
        assert_accessible(page)
