"""Small things that add up: every line of the menu, the way back in a long list, an address that is
passed on, many chosen at once, and what a first visit costs.
"""

import gzip
import re

from playwright.sync_api import expect

from tests.browser.test_traps import to_second_step

FIRST_VISIT_KB = 25
# Told by the browser itself: when the largest thing was painted, and how much has moved since.
PAINTED = """() => new Promise((done) => {
  let shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) shifted += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => done([list.getEntries().at(-1).startTime, shifted]))
    .observe({ type: 'largest-contentful-paint', buffered: true });
})"""


def test_every_line_of_the_menu_moves_title_focus_scroll_and_mark(visit):
    page = visit("demo-large")
    menu = page.locator("#menu")
    names = menu.get_by_role("link").all_inner_texts()
    assert len(names) == 13
    titles = {page.title()}
    for words in names:
        page.evaluate("scrollTo(0, 400)")
        menu.get_by_role("link", name=words, exact=True).click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(words)
        expect(heading).to_be_focused()
        expect(menu.locator("[aria-current=page]")).to_have_text(words)
        assert page.evaluate("scrollY") == 0, words
        assert page.title() not in titles
        titles.add(page.title())


def test_back_into_a_long_list_leads_to_where_one_was(visit):
    page = visit("demo-large", path="/bills/charges/?per_page=100")
    row = page.locator("#rows tbody a").nth(60)
    row.scroll_into_view_if_needed()
    was = page.evaluate("scrollY")
    assert was > 500
    row.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Начисления по номеру")
    page.go_back()
    expect(page.locator("#rows tbody tr").nth(60)).to_be_visible()
    page.wait_for_function("was => Math.abs(scrollY - was) <= 50", arg=was)


def test_many_are_chosen_over_all_pages_and_the_address_can_be_passed_on(visit):
    page = visit("demo-large")
    to_second_step(page)
    page.locator("input[name=tick]").nth(2).check()
    expect(page.locator("#selbar")).to_contain_text("Выбрано: 1 из")
    for number in (2, 3):
        page.get_by_role("button", name=f"Страница {number}", exact=True).click()
        expect(page.locator("main")).to_contain_text(f"Страница {number} из")
        page.locator("input[name=tick]").first.check()
        expect(page.locator("#selbar")).to_contain_text(f"Выбрано: {number} из")
    page.get_by_label("Номер или Ф.И.О.").press_sequentially("анна")
    page.wait_for_url("**q=%D0%B0%D0%BD%D0%BD%D0%B0*")
    button = page.get_by_role("button", name=re.compile(r"Выбрать все найденные"))
    found = int(re.sub(r"\D", "", button.inner_text()))
    assert found > 20, "more than a page of them"
    button.click()
    expect(page.locator("#selbar")).not_to_contain_text("Выбрано: 3 из")
    chosen = int(re.search(r"Выбрано: (\d+)", page.locator("#selbar").inner_text())[1])
    assert found <= chosen <= found + 3
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#selbar")).to_contain_text(f"Выбрано: {chosen} из")
    expect(other.get_by_label("Номер или Ф.И.О.")).to_have_value("анна")
    expect(other.locator("header.top .brand")).to_be_visible()
    other.close()
    page.get_by_role("button", name="Сформировать детализацию").click()
    expect(page.locator("main dl.sum").last).to_contain_text(f"Абоненты{chosen}:")


def test_a_first_visit_is_light_and_nothing_moves(visit):
    page = visit(path="/healthz")
    answers = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it gets a mark
    page.goto("/login", wait_until="networkidle")
    names = [each.url.rpartition("/")[2].partition("?")[0] for each in answers]
    assert sorted(names) == [
        "brand.css", "cabinet.css", "cabinet.js", "htmx-4.0.1.min.js", "icon.svg", "login",
    ]  # fmt: skip
    size = sum(len(gzip.compress(each.body())) for each in answers)
    assert size <= FIRST_VISIT_KB * 1024, size
    painted_ms, shifted = page.evaluate(PAINTED)
    assert painted_ms > 0
    assert shifted < 0.02
    page.goto("/login")
    assert page.get_by_label("Логин").get_attribute("autocomplete") == "username"
    assert page.get_by_label("Пароль").get_attribute("autocomplete") == "current-password"
    page.get_by_label("Пароль").focus()
    page.keyboard.insert_text("pasted")  # as a paste and a keeper of passwords do
    expect(page.get_by_label("Пароль")).to_have_value("pasted")


def test_without_a_style_sheet_the_wizard_can_be_read_and_used(visit):
    visit.expected += ["ERR_FAILED"]
    page = visit("demo")
    page.route("**/*.css*", lambda route: route.abort())
    page.goto("/bills/call-detail/")
    text = page.locator("body").inner_text()
    order = ["Перейти к содержанию", "ООО «Ромашка»", "Меню", "Детализация на E-mail"]
    order += ["Укажите начальную", "Тип детализации", "Формат файла", "В меню", "Далее"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    page.get_by_role("button", name="Далее").click()
    page.locator("input[name=tick]").first.check()
    page.get_by_role("button", name="Сформировать детализацию").click()
    expect(page.locator("#card")).to_be_visible()
