"""Every page: accessible in light and dark, no wider than a phone, whole without scripts."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser import probes
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
FURTHER_PAGES = (
    "/account/log/",
    "/account/users/invite",
    "/security/",
    "/security/password",
    "/security/address",
    "/security/factor/",
    "/payments/requisites/",
    "/payments/report/",
    "/payments/statement/",
    "/bills/charges/order/",
    "/call-centre/missed/",
    "/call-centre/change",
)
NOT_FOR_VIEWERS = (
    "Заказать счет на E-mail",
    "Загрузить счет по ссылке",
    "Детализация на E-mail",
)
OPERATOR_PAGES = ("/operator/", "/operator/unrated/", "/operator/feedback/", "/security/")
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
        assert not probes.everything(page), name


@pytest.mark.parametrize("login", ["demo", "demo-large"])
def test_the_wizard_fits_a_phone(visit, login):
    page = visit(login, width=320, height=640)
    for name in steps(page):
        keep_picture(page, f"{login}-{name}-320")
        assert_fits(page)
        assert not page.evaluate(probes.FOCUS), name
        bar = page.locator(".bar")
        if bar.count():
            assert bar.bounding_box()["height"] <= 160  # a quarter of the screen


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible(visit, length, dark):
    page = visit("demo", dark=dark)
    pages = (*CLIENT_PAGES, *further_pages(page))
    first, step = length(short=(1, 4) if dark else (0, 2), long=(0, 1))  # axe takes its time
    for path in pages[first::step]:
        page.goto(path)
        keep_picture(page, f"{name_of(path)}-{'dark' if dark else 'light'}")
        assert_accessible(page)


def test_every_page_is_laid_out_well(visit):
    page = visit("demo")
    for path in (*CLIENT_PAGES, *further_pages(page)):
        page.goto(path)
        assert not probes.everything(page), path


@pytest.mark.long
@pytest.mark.timeout(900)
def test_tab_leads_to_everything_and_is_always_seen(visit):
    page = visit("demo")
    for path in (*CLIENT_PAGES, *further_pages(page)):
        page.goto(path)
        shown = page.evaluate(probes.COUNT)
        reached = set()
        for _ in range(4 * shown):  # a day has several places of its own
            page.keyboard.press("Tab")
            place, width = page.evaluate(probes.HERE)
            if place < 0:
                break
            assert width >= 3, (path, place)
            reached.add(place)
        assert len(reached) == shown, path


def further_pages(page):
    """Those that are reached from a page of the menu; the bills' own are in test_bills.py."""
    page.goto("/account/")
    user = page.locator('main a[href*="/account/users/"]').first.get_attribute("href")
    page.goto("/bills/charges/")
    number = page.locator("#rows tbody a").first.get_attribute("href")
    return (*FURTHER_PAGES, user, number)


def name_of(path):
    return path.strip("/").replace("/", "-") or "home"


def test_every_page_is_whole_on_a_phone_without_scripts(visit):
    page = visit("demo", js=False, dark=True, width=320, height=640)
    for path in (*CLIENT_PAGES, *further_pages(page)):
        page.goto(path)
        keep_picture(page, f"{name_of(path)}-320-dark")
        assert page.locator("h1").count() == 1, path
        assert page.locator("#menu a").count() == 13, path
        assert_fits(page)


def test_the_operators_pages_are_laid_out_well(visit):
    page = visit("operator")
    leads = {}
    for path in ("/operator/clients/", "/operator/billing/", "/operator/imports/"):
        page.goto(path)
        leads[path] = page.locator("main td a").first.get_attribute("href")
    client = leads["/operator/clients/"]
    for path in (*OPERATOR_PAGES, *leads, *leads.values(), f"{client}/payment"):
        page.goto(path)
        keep_picture(page, f"{name_of(path)}-light")
        assert not probes.everything(page), path
    page.goto("/operator/feedback/")
    assert_accessible(page)


def test_in_a_clients_cabinet_the_operator_is_told_so_on_every_page(visit, length):
    page = visit("operator", path="/operator/clients/?q=Ромашка")
    page.locator("main td a").first.click()
    page.get_by_role("link", name="Посмотреть кабинет клиента").click()
    assert_accessible(page)
    page.get_by_label("Причина просмотра").fill("Звонили о счете за октябрь")
    page.get_by_role("button", name="Открыть кабинет").click()
    banner = page.locator("#onlooking")
    expect(page.get_by_role("heading", level=1)).to_have_text("ООО «Ромашка»")
    assert_accessible(page)
    names = page.locator("#menu").get_by_role("link").all_inner_texts()
    open_ones = [name for name in names if name not in NOT_FOR_VIEWERS]
    for words in open_ones[:: length(short=4, long=1)]:
        page.locator("#menu").get_by_role("link", name=words, exact=True).click()
        expect(page.locator("#menu [aria-current=page]")).to_have_text(words)
        expect(page.locator("h1")).to_have_count(1)
        expect(banner).to_contain_text("Изменить в нем ничего нельзя")
        assert not probes.everything(page), words
    page.set_viewport_size({"width": 320, "height": 640})
    assert_fits(page)
    banner.get_by_role("button", name="Закрыть кабинет клиента").click()
    page.wait_for_url("**/operator/clients/*")
    expect(page.get_by_role("button", name="Закрыть кабинет клиента")).to_have_count(0)


def test_pages_about_a_chosen_subscriber_are_as_good(visit):
    """The choice is the user's own: nobody else of these tests is this one."""
    page = visit("demo-accountant", path="/subscribers/")
    page.get_by_role("button", name="Выбрать").nth(1).click()
    number = page.locator("#ctx .sip b").inner_text()
    assert re.fullmatch(r"375\d{9}", number)
    assert_accessible(page)  # it came by a swap
    for words in ("Начисления за текущий период", "Мобильный колл-центр", "Детализация на E-mail"):
        page.locator("#menu").get_by_role("link", name=words, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(words)
        expect(page.locator("#ctx .sip b")).to_have_text(number)
        assert_accessible(page)
        assert not probes.everything(page), words
    page.get_by_role("button", name="Далее").click()
    expect(page.locator("main")).to_contain_text(f"Отмечен выбранный SIP-абонент {number}")
    assert_accessible(page)
    assert not page.evaluate(probes.FOCUS)


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
