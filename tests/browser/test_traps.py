"""Back, double clicks, two tabs, ended sessions, lost servers: what people and networks do."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD


def count_orders(cabinet):
    return cabinet.query("SELECT count(*) FROM customer_order")[0]


def to_second_step(page):
    page.goto("/bills/call-detail/")
    page.get_by_role("button", name="Далее").click()
    page.locator("#picker").wait_for()


def place_order(page):
    to_second_step(page)
    page.locator("input[name=tick]").first.check()
    page.get_by_role("button", name="Сформировать детализацию").click()
    page.locator("#card").wait_for()


def end_session(page):
    """What the server does to a session that has run out: the cookie opens nothing more."""
    page.context.clear_cookies()


@pytest.mark.parametrize("js", [True, False], ids=["js", "no-js"])
def test_a_double_click_makes_one_order(visit, cabinet, js):
    page = visit("demo", js=js)
    to_second_step(page)
    page.locator("input[name=tick]").first.check()
    before = count_orders(cabinet)
    page.get_by_role("button", name="Сформировать детализацию").dblclick(no_wait_after=True)
    page.locator("#card").wait_for()
    page.wait_for_timeout(500)
    assert count_orders(cabinet) == before + 1


@pytest.mark.parametrize("js", [True, False], ids=["js", "no-js"])
def test_back_from_the_result_shows_the_order(visit, cabinet, js):
    page = visit("demo", js=js)
    place_order(page)
    order = page.url
    before = count_orders(cabinet)
    page.go_back()
    page.wait_for_timeout(500)  # the order stands already: wait for what might replace it
    expect(page).to_have_url(order)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Заказ №")
    expect(page.locator("#picker")).to_have_count(0)
    assert count_orders(cabinet) == before


def test_back_to_the_first_step_shows_its_answers(visit):
    page = visit("demo")
    page.goto("/bills/call-detail/")
    page.get_by_label("Входящие", exact=True).check()
    page.get_by_role("button", name="Далее").click()
    page.locator("#picker").wait_for()
    page.get_by_role("button", name="Назад", exact=True).click()
    expect(page.get_by_label("Входящие", exact=True)).to_be_checked()


def test_ticks_are_there_again_after_leaving_and_coming_back(visit):
    page = visit("demo-large")
    to_second_step(page)
    page.locator("input[name=tick]").nth(2).check()
    expect(page.locator("#selbar")).to_contain_text("Выбрано: 1 из")
    page.get_by_role("button", name="Страница 2", exact=True).click()
    expect(page.locator("main")).to_contain_text("Страница 2 из")
    page.locator("input[name=tick]").nth(0).check()
    expect(page.locator("#selbar")).to_contain_text("Выбрано: 2 из")
    page.go_back()
    expect(page.locator("input[name=tick]").nth(2)).to_be_checked()
    page.reload()
    expect(page.locator("#selbar")).to_contain_text("Выбрано: 2 из")


def test_search_as_one_types_finds_and_selects_all_found(visit):
    page = visit("demo-large")
    to_second_step(page)
    number = page.locator("table.picker tbody label").nth(3).inner_text()
    page.get_by_label("Номер или Ф.И.О.").press_sequentially(number[-7:], delay=30)
    expect(page.locator("input[name=tick]")).to_have_count(1)
    assert f"q={number[-7:]}" in page.url
    page.get_by_role("button", name="Выбрать все найденные (1)").click()
    expect(page.locator("#selbar")).to_contain_text("Выбрано: 1 из")


def test_enter_in_the_search_does_not_order(visit, cabinet):
    page = visit("demo-large")
    to_second_step(page)
    before = count_orders(cabinet)
    page.get_by_label("Номер или Ф.И.О.").fill("37517")
    page.get_by_label("Номер или Ф.И.О.").press("Enter")
    page.wait_for_url("**q=37517*")
    assert count_orders(cabinet) == before


def test_two_tabs_are_two_orders_that_do_not_mix(visit, cabinet):
    page = visit("demo")
    other = page.context.new_page()
    before = count_orders(cabinet)
    to_second_step(page)
    to_second_step(other)
    page.locator("input[name=tick]").nth(0).check()
    other.locator("input[name=tick]").nth(1).check()
    expect(other.locator("#selbar")).to_have_text("Выбрано: 1 из 4")
    for tab in (page, other):
        tab.get_by_role("button", name="Сформировать детализацию").click()
        tab.locator("#card").wait_for()
    assert page.url != other.url
    assert count_orders(cabinet) == before + 2
    other.close()


def test_an_ended_session_leads_to_the_sign_in_and_back(visit):
    page = visit("demo")
    end_session(page)
    page.locator("#menu").get_by_role("link", name="Счета", exact=True).click()
    page.get_by_label("Логин").wait_for()
    expect(page.locator("#menu a")).to_have_count(0)
    page.get_by_label("Логин").fill("demo")
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Счета")


def test_an_ended_session_keeps_what_was_typed(visit):
    page = visit("demo")
    to_second_step(page)
    page.get_by_label("Ввести свой список абонентов").fill("375291112233")
    end_session(page)
    page.get_by_role("button", name="Сформировать детализацию").click()
    expect(page.locator("#neterr")).to_contain_text("Сессия завершена")
    expect(page.get_by_label("Ввести свой список абонентов")).to_have_value("375291112233")


def test_errors_take_the_focus_and_lead_to_their_fields(visit):
    page = visit("demo")
    page.goto("/bills/call-detail/")
    page.get_by_label("По", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Далее").click()
    summary = page.locator("main [role=alert]")
    expect(summary).to_be_focused()
    assert page.title().startswith("Ошибка:")
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("По", exact=True)).to_be_focused()
    expect(page.get_by_label("По", exact=True)).to_have_attribute("aria-invalid", "true")
    told = page.get_by_label("По", exact=True).get_attribute("aria-describedby")
    assert any("err" in each for each in told.split()), told


def test_the_card_stops_asking_when_the_order_is_done(visit):
    page = visit("demo")
    place_order(page)
    expect(page.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    expect(page.locator("#card[hx-trigger]")).to_have_count(0)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4000)
    assert not asked


def test_a_lost_server_leaves_the_page_and_says_so(visit):
    visit.expected += ["ERR_FAILED", "Failed to fetch"]
    page = visit("demo")
    page.goto("/bills/call-detail/")
    page.route("**/orders/", lambda route: route.abort())
    page.locator("#menu").get_by_role("link", name="История заказов").click()
    expect(page.locator("#neterr")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Детализация на E-mail")
    page.unroute("**/orders/")
    page.locator("#menu").get_by_role("link", name="История заказов").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("История заказов")
    expect(page.locator("#neterr")).to_be_hidden()


def test_an_error_of_the_server_leaves_the_page_and_tells_its_code(visit):
    page = visit("demo", path="/bills/call-detail/")
    answer = {"status": 500, "headers": {"X-Error-Code": "0badc0de"}, "body": "<h1>lost</h1>"}
    page.route("**/orders/", lambda route: route.fulfill(**answer))
    page.locator("#menu").get_by_role("link", name="История заказов").click()
    expect(page.locator("#neterr")).to_contain_text("Код ошибки: 0badc0de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Детализация на E-mail")
    page.unroute("**/orders/")
    page.locator("#menu").get_by_role("link", name="История заказов").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("История заказов")
    expect(page.locator("#neterr")).to_be_hidden()
