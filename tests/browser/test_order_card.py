"""The card of an order at work: what it says, to whom, and what keeps it going.

The order is put into a state and held by nobody who works, so that it stays there; the page's own
clock is moved on, so that it looks again without anybody's waiting.
"""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from domain.orders import OrderState
from tests.browser.conftest import PASSWORD
from tests.browser.test_traps import end_session, place_order

TICK_MS = 6_000  # longer than any pause of the first ten minutes
SPOKEN = """
window.spoken = [];
new MutationObserver(() => {
  const text = document.getElementById('st').textContent;
  if (text !== window.spoken.at(-1)) window.spoken.push(text);
}).observe(document.body, { childList: true, characterData: true, subtree: true });
"""


@pytest.fixture
def at_work(visit, cabinet):
    """(page of an order that is at work, change its row, let the page look again)."""
    page = visit("demo")
    place_order(page)
    expect(page.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    key = page.url.rpartition("/")[2]

    def change(**values):
        names = ", ".join(f"{name} = ?" for name in values)
        sql = f"UPDATE customer_order SET {names} WHERE key = ?"  # noqa: S608 - names of ours
        cabinet.change(sql, (*values.values(), key))

    moment = datetime.now(UTC).replace(tzinfo=None)
    change(
        state=OrderState.RENDERING, closed_at=None, total=1000, done=0, attempts=1,
        lease_token="held", lease_until=(moment + timedelta(days=1)).isoformat(" "),
        heartbeat_at=(moment + timedelta(hours=1)).isoformat(" "),
        made_at=(moment - timedelta(seconds=100)).isoformat(" "),
    )  # fmt: skip
    page.clock.install()
    page.reload()
    page.evaluate(SPOKEN)
    yield page, change, lambda: page.clock.fast_forward(TICK_MS)
    change(state=OrderState.SENT, closed_at=moment.isoformat(" "), lease_token="", lease_until=None)


def percents(page):
    return int(page.locator("#card progress").get_attribute("value"))


def test_a_card_at_work_keeps_the_focus_speaks_seldom_and_ends(at_work):
    page, change, look_again = at_work
    card, cancel = page.locator("#card"), page.get_by_role("link", name="Отменить заказ")
    expect(card).to_contain_text("Готово 0 %")
    expect(card).not_to_contain_text("Осталось")
    expect(page.locator("#promised")).to_be_hidden()
    cancel.focus()
    seen = []
    for done in (20, 110, 260, 300, 510, 600, 770, 900, 990):
        change(done=done)
        look_again()
        expect(card).to_contain_text(f"Готово {done // 10} %")
        seen.append(percents(page))
        expect(cancel).to_be_focused()
        if done >= 110:
            expect(card).to_contain_text("Осталось")
    assert seen == sorted(seen)
    assert page.title().startswith("99 % – Заказ №")
    change(state=OrderState.SENT, closed_at=datetime.now(UTC).replace(tzinfo=None).isoformat(" "))
    look_again()
    expect(card).to_contain_text("Отправлен")
    expect(page.locator("#promised")).to_contain_text("Обещано")
    expect(page.locator("#promised")).to_be_visible()
    expect(page.locator("#card[hx-trigger]")).to_have_count(0)
    spoken = [text for text in page.evaluate("window.spoken") if text]
    assert 4 <= len(spoken) <= 6, spoken
    assert spoken[-1] == "Заказ отправлен"


def test_a_card_outlives_errors_a_cut_network_and_the_end_of_the_session(visit, at_work):
    visit.expected += ["ERR_FAILED", "Failed to fetch"]
    page, change, look_again = at_work
    card = page.locator("#card")
    expect(card).to_contain_text("Готово 0 %")
    for answer in (
        lambda route: route.fulfill(status=500, body="<h1>lost</h1>"),
        lambda route: route.abort(),
    ):
        page.route("**/status", answer)
        for _ in range(3):
            with page.expect_request("**/status"):
                look_again()
        expect(card).to_contain_text("Готово")
        expect(page.locator("#neterr")).to_be_hidden()
        page.unroute("**/status")
        change(done=430)
        look_again()
        expect(card).to_contain_text("Готово 43 %")
        change(done=0)
    end_session(page)
    look_again()
    expect(page.locator("main")).to_contain_text("Сессия завершена")
    expect(page.locator("main [hx-trigger^=every]")).to_have_count(0)


def test_an_answer_that_does_not_come_is_told_and_the_button_works_again(visit):
    visit.expected += ["htmx:error: timeout"]
    page = visit("demo", path="/bills/call-detail/")
    page.clock.install()
    page.route("**/bills/call-detail/", lambda _route: None)
    button = page.get_by_role("button", name="Далее")
    button.click()
    expect(button).to_be_disabled()
    page.clock.fast_forward(20_500)
    expect(page.locator("#neterr")).to_contain_text("Сервер не ответил вовремя")
    expect(button).to_be_enabled()
    page.unroute("**/bills/call-detail/")
    button.click()
    page.locator("#picker").wait_for()


def test_a_request_typed_when_the_session_has_ended_is_not_lost(visit):
    page = visit("demo", path="/feedback/new")
    page.get_by_label("Тема").select_option(index=1)
    page.get_by_label("Текст", exact=True).fill("Не звонит телефон")
    end_session(page)
    page.get_by_role("button", name="Отправить обращение").click()
    banner = page.locator("#neterr")
    expect(banner).to_contain_text("Сессия завершена")
    with page.context.expect_page() as opened:
        banner.get_by_role("link", name="Открыть новую вкладку").click()
    tab = opened.value
    tab.get_by_label("Логин").fill("demo")
    tab.get_by_label("Пароль").fill(PASSWORD)
    tab.get_by_role("button", name="Войти").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("ООО «Ромашка»")
    expect(page.get_by_label("Текст", exact=True)).to_have_value("Не звонит телефон")
    page.get_by_role("button", name="Отправить обращение").click()
    summary = page.locator("main [role=alert]")
    expect(summary).to_contain_text("Форма устарела")
    expect(page.get_by_label("Текст", exact=True)).to_have_value("Не звонит телефон")
    page.get_by_role("button", name="Отправить обращение").click()
    expect(page.locator("main")).to_contain_text("Не звонит телефон")
    expect(page.locator("main [role=alert]")).to_have_count(0)
