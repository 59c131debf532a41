"""Twenty things people come for, each done in a browser whose JavaScript is off."""

import re

import pytest
from playwright.sync_api import expect

from domain.orders import OrderState
from tests.browser.conftest import PASSWORD, Watch, sign_in
from tests.browser.test_walk import letter_of
from tests.run.conftest import wait_for

STEP_1 = "/bills/call-detail/"


class Visitor:
    """A browser without scripts, one window for all flows of a login."""

    def __init__(self, chromium, cabinet):
        self.cabinet, self.address = cabinet, f"http://127.0.0.1:{cabinet.port}"
        self._chromium, self._windows = chromium, {}
        self.watches = []

    def window(self, login):
        """The window of `login`, signed in; None is somebody's who has not."""
        if login not in self._windows:
            context = self._chromium.new_context(
                base_url=self.address, java_script_enabled=False, accept_downloads=True
            )
            context.set_default_timeout(20_000)
            page = context.new_page()
            self.watches.append(Watch(page, self.address, ["status of 4", "status of 5"]))
            if login:
                sign_in(page, login)
            self._windows[login] = page
        return self._windows[login]

    def close(self):
        for page in self._windows.values():
            page.context.close()


@pytest.fixture(scope="module")
def visitor(chromium, cabinet):
    made = Visitor(chromium, cabinet)
    yield made
    made.close()
    assert not [each for watch in made.watches for each in watch.complaints]


@pytest.fixture
def page(visitor):
    return visitor.window("demo")


@pytest.fixture
def many(visitor):
    """The window of the client with 1 500 numbers, at the second step."""
    page = visitor.window("demo-large")
    to_second_step(page)
    return page


def heading(page, words):
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def press(page, words):
    page.get_by_role("button", name=words, exact=True).click()


def follow(page, words):
    page.get_by_role("link", name=words, exact=True).first.click()


def to_second_step(page):
    page.goto(STEP_1)
    press(page, "Далее")
    page.locator("#picker").wait_for()


def place_order(page):
    """Order for the first number; the key of the order."""
    to_second_step(page)
    page.locator("input[name=tick]").first.check()
    press(page, "Сформировать детализацию")
    page.locator("#card").wait_for()
    return page.url.rpartition("/")[2]


def sent_order(visitor, page):
    """The page of an order whose letter has come; its key."""
    key = place_order(page)
    letter_of(visitor.cabinet, key)
    wait_for(lambda: state_of(visitor, key) == OrderState.SENT, "the order's end")
    page.reload()
    return key


@pytest.fixture(scope="module")
def sent(visitor):
    """The key of an order of "demo" whose letter has come."""
    return sent_order(visitor, visitor.window("demo"))


def state_of(visitor, key):
    return visitor.cabinet.query("SELECT state FROM customer_order WHERE key = ?", key)[0]


def set_state(visitor, key, state):
    sql = "UPDATE customer_order SET state = ?, reason = 'mail_refused' WHERE key = ?"
    visitor.cabinet.change(sql, (state, key))


def test_a_wrong_password_is_told(visitor):
    page = visitor.window(None)
    page.goto("/login")
    page.get_by_label("Логин").fill("demo")
    page.get_by_label("Пароль").fill("wrong")
    press(page, "Войти")
    expect(page.get_by_role("alert")).to_contain_text("Неверный логин или пароль")
    expect(page.get_by_label("Логин")).to_have_value("demo")


def test_the_page_that_was_asked_for_comes_after_signing_in(visitor):
    page = visitor.window(None)
    page.goto("/orders/?state=sent")
    page.get_by_label("Логин").fill("demo")
    page.get_by_label("Пароль").fill(PASSWORD)
    press(page, "Войти")
    heading(page, "История заказов")
    assert page.url.endswith("/orders/?state=sent")


def test_signing_out_closes_all_pages(visitor):
    page = visitor.window(None)
    page.goto("/account/")
    press(page, "Выход")
    expect(page.locator("#flash")).to_contain_text("Вы вышли")
    page.go_back()
    page.goto("/account/")
    page.get_by_label("Логин").wait_for()


def test_every_line_of_the_menu_opens_its_page(page):
    page.goto("/")
    names = page.locator("#menu a").all_inner_texts()
    assert len(names) == 13
    for name in names:
        page.locator("#menu").get_by_role("link", name=name, exact=True).click()
        heading(page, name)
        expect(page.locator("#menu [aria-current=page]")).to_have_text(name)


def test_the_company_is_described(page):
    page.goto("/account/")
    expect(page.locator("main")).to_contain_text("УНП")
    expect(page.locator("main")).to_contain_text(re.compile(r"\S\*\*\*@\S\*\*\*\.\w+"))


def test_the_bills_section_explains_its_five_items(page):
    page.goto("/bills/")
    expect(page.locator("ul.tasks li")).to_have_count(5)
    page.locator("ul.tasks li").nth(3).get_by_role("link").click()
    heading(page, "Детализация на E-mail")


def test_a_link_fills_in_the_previous_month(page):
    page.goto(STEP_1)
    first = page.get_by_label("С", exact=True).input_value()
    follow(page, "Прошлый месяц")
    assert page.get_by_label("С", exact=True).input_value() < first
    follow(page, "Текущий месяц")
    expect(page.get_by_label("С", exact=True)).to_have_value(first)


def test_a_wrong_period_is_named_at_its_field(page):
    page.goto(STEP_1)
    page.get_by_label("По", exact=True).fill("2020-01-01")
    press(page, "Далее")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("По", exact=True)).to_have_attribute("aria-invalid", "true")
    assert page.title().startswith("Ошибка:")


def test_nothing_chosen_is_told(page):
    to_second_step(page)
    press(page, "Сформировать детализацию")
    expect(page.get_by_role("alert")).to_contain_text("Отметьте хотя бы одного")


def test_ticked_numbers_are_ordered_and_come_by_mail(visitor, page):
    to_second_step(page)
    for tick in page.locator("input[name=tick]").all()[:2]:
        tick.check()
    press(page, "Сформировать детализацию")
    expect(page.locator("main")).to_contain_text("Заказанная детализация будет выслана на адрес")
    assert list(letter_of(visitor.cabinet, page.url.rpartition("/")[2]).iter_attachments())


def test_all_numbers_are_marked_at_once(page):
    to_second_step(page)
    press(page, "Отметить все")
    expect(page.locator("#selbar")).to_have_text("Выбрано: 4 из 4")
    expect(page.locator("input[name=tick]:checked")).to_have_count(4)


def test_a_number_is_found_and_ticks_outlive_the_search(many):
    number = many.locator("table.picker tbody label").nth(3).inner_text()
    many.locator("input[name=tick]").nth(0).check()
    many.get_by_label("Номер или Ф.И.О.").fill(number)
    press(many, "Найти")
    expect(many.locator("input[name=tick]")).to_have_count(1)
    press(many, "Выбрать все найденные (1)")
    press(many, "Сбросить")
    expect(many.locator("#selbar")).to_contain_text("Выбрано: 2 из")


def test_only_sip_connections_are_shown(page):
    to_second_step(page)
    page.get_by_label("Только SIP-соединение").check()
    press(page, "Найти")
    expect(page.locator("input[name=tick]")).to_have_count(1)


def test_ticks_outlive_turning_pages(many):
    many.locator("input[name=tick]").nth(1).check()
    press(many, "Страница 2")
    expect(many.locator("main")).to_contain_text("Страница 2 из")
    many.locator("input[name=tick]").nth(1).check()
    press(many, "Страница 1")
    expect(many.locator("input[name=tick]").nth(1)).to_be_checked()
    expect(many.locator("#selbar")).to_contain_text("Выбрано: 2 из")


def test_more_rows_are_shown_on_a_page(many):
    many.get_by_label("Строк на странице").select_option("100")
    press(many, "Показать")
    expect(many.locator("input[name=tick]")).to_have_count(100)


def test_a_typed_list_is_checked_and_ordered_without_its_bad_entries(visitor, page):
    to_second_step(page)
    number = page.locator("table.picker tbody label").first.inner_text()
    page.get_by_label("Ввести свой список абонентов").fill(f"{number};375291;375999999999")
    press(page, "Проверить список")
    expect(page.locator("#typed-report tbody tr")).to_have_count(2)
    press(page, "Продолжить с 1 номером")
    expect(page.locator("main dl.sum").last).to_contain_text(number)


def test_the_first_step_remembers_its_answers(page):
    page.goto(STEP_1)
    page.get_by_label("Входящие", exact=True).check()
    page.get_by_label("CSV", exact=True).check()
    press(page, "Далее")
    press(page, "Назад")
    expect(page.get_by_label("Входящие", exact=True)).to_be_checked()
    expect(page.get_by_label("CSV", exact=True)).to_be_checked()


def test_an_order_is_followed_and_its_file_fetched(visitor, page):
    place_order(page)
    for _ in range(120):
        if page.locator("#card a[download]").count():
            break
        page.wait_for_timeout(250)
        if page.get_by_role("link", name="Обновить состояние").count():
            follow(page, "Обновить состояние")
    expect(page.locator("#card h2")).to_have_text("Отправлен")
    with page.expect_download() as download:
        page.locator("#card a[download]").click()
    assert download.value.path().stat().st_size > 1000


def test_the_same_is_ordered_again_and_found_in_the_history(page, sent):
    page.goto(f"/orders/{sent}")
    press(page, "Заказать такую же")
    press(page, "Далее")
    expect(page.locator("#selbar")).to_have_text("Выбрано: 1 из 4")
    page.goto("/orders/")
    follow(page, "Отправленные")
    page.locator(f'main a[href="/orders/{sent}"]').click()
    heading(page, re.compile("Заказ №"))


def test_a_failed_order_is_tried_again(visitor, page):
    key = sent_order(visitor, page)
    set_state(visitor, key, OrderState.FAILED)
    page.goto(f"/orders/{key}")
    press(page, "Повторить")
    expect(page.locator("#card h2")).not_to_have_text("Не выполнен")


def test_the_operator_sends_a_failed_order_on_its_way(visitor, page):
    key = sent_order(visitor, page)
    set_state(visitor, key, OrderState.FAILED)
    operator = visitor.window("operator")
    operator.goto("/operator/?state=failed")
    operator.locator(f'main a[href="/operator/orders/{key}"]').click()
    press(operator, "Повторить")
    expect(operator.locator("#flash")).to_contain_text("Заказ №")


def test_the_operator_reads_a_letter_of_the_tryout_mailbox(visitor, sent):
    operator = visitor.window("operator")
    operator.goto("/mailbox/")
    operator.locator('main td a[href*="/mailbox/"]').first.click()
    expect(operator.locator("pre.mail")).to_contain_text("Здравствуйте")
    with operator.expect_download() as download:
        operator.locator('main a[href*="/files/"]').click()
    assert download.value.path().stat().st_size > 1000


def test_an_ended_session_leads_back_to_the_form(visitor):
    page = visitor.window("demo")
    to_second_step(page)
    at = page.url
    page.context.clear_cookies()
    page.locator("input[name=tick]").first.check()
    press(page, "Сформировать детализацию")
    page.get_by_label("Логин").fill("demo")
    page.get_by_label("Пароль").fill(PASSWORD)
    press(page, "Войти")
    assert page.url == at
    page.locator("#picker").wait_for()


def test_an_order_is_cancelled_after_a_question(visitor, page, sent):
    later = "UPDATE customer_order SET state = ?, next_try_at = ?, closed_at = NULL WHERE key = ?"
    visitor.cabinet.change(later, (OrderState.ACCEPTED, "2099-01-01 00:00:00", sent))
    page.goto(f"/orders/{sent}")
    follow(page, "Отменить заказ")
    heading(page, re.compile("Отменить заказ №"))
    press(page, "Отменить заказ")
    expect(page.locator("#card h2")).to_have_text("Отменен")
    assert state_of(visitor, sent) == OrderState.CANCELLED
