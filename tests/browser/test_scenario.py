"""Everything there is to click, in one go: what the browser complains of, keeps and shows again.

Complaints (policy, console, dialogs, other hosts) fail any test of this folder: see `Watch`.
"""

import re

from playwright.sync_api import expect

from tests.browser.test_pages import CLIENT_PAGES
from tests.browser.test_traps import place_order, to_second_step

PRIVATE = re.compile(r"\d{7}|@|[А-Яа-я]{3}")  # numbers, addresses, names
KEPT = "JSON.stringify([{...sessionStorage}, {...localStorage}])"


def hear(page):
    """Every answer this page gets, from now on."""
    answers = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it gets a mark
    return answers


def assert_kept_nowhere(answers):
    """Nothing dynamic may be kept by a cache, and whatever keeps it must tell readers apart."""
    dynamic = [each for each in answers if "/static/" not in each.url]
    assert len(dynamic) >= 10
    for answer in dynamic:
        caching, vary = answer.headers.get("cache-control", ""), answer.headers.get("vary", "")
        assert "no-store" in caching, answer.url
        assert {"hx-request", "cookie"} <= {each.strip().lower() for each in vary.split(",")}


def assert_nothing_private_is_kept(page):
    kept = page.evaluate(KEPT)
    assert not PRIVATE.search(kept), kept


def assert_is_whole(page, heading):
    """A page with its head, menu and style, not a fragment that lost them."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("header.top .brand")).to_be_visible()
    expect(page.locator("#menu").get_by_role("link", name="Счета", exact=True)).to_be_visible()
    assert page.evaluate("document.styleSheets.length") == 2
    assert page.locator("#menu").count() == 1


def test_all_a_client_can_do_leaves_no_trace_and_no_complaint(visit):
    page = visit("demo-large")
    answers = hear(page)
    for path in CLIENT_PAGES:
        page.locator("#menu").get_by_role("link").nth(0).wait_for()
        link = page.locator(f'#menu a[href="{path}"]')
        link.click() if link.count() else page.goto(path)
        page.wait_for_url(f"**{path}")
    page.goto("/bills/call-detail/")
    page.get_by_role("link", name="Прошлый месяц").click()
    page.wait_for_url("**month=previous")
    page.get_by_label("По", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Далее").click()
    page.locator("main [role=alert]").wait_for()
    to_second_step(page)
    number = page.locator("table.picker tbody label").nth(3).inner_text()
    page.get_by_label("Номер или Ф.И.О.").press_sequentially(number[-5:], delay=20)
    page.wait_for_url(f"**q={number[-5:]}*")
    page.get_by_role("button", name="Выбрать все найденные").click()
    expect(page.locator("#selbar")).not_to_contain_text("Выбрано: 0 ")
    page.get_by_role("button", name="Показать выбранные").click()
    page.wait_for_url("**sel=1*")
    page.get_by_role("button", name="Показать все").wait_for()
    page.get_by_label("Ввести свой список абонентов").fill(f"{number};375000;abc")
    page.get_by_role("button", name="Проверить список").click()
    page.get_by_role("button", name=re.compile("Продолжить с")).click()
    page.locator("#card").wait_for()
    expect(page.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    page.get_by_role("button", name="Заказать такую же").click()
    page.get_by_role("button", name="Далее").wait_for()
    for path in ("/nowhere", "/operator/", "/orders/?state=sent", "/orders/nobodys-key"):
        page.goto(path)
    assert_kept_nowhere(answers)
    assert_nothing_private_is_kept(page)
    page.get_by_role("button", name="Выход").click()
    page.get_by_label("Логин").wait_for()
    assert_nothing_private_is_kept(page)


def test_all_the_operator_can_see_leaves_no_trace_and_no_complaint(visit):
    client = visit("demo")
    place_order(client)
    expect(client.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    page = visit("operator")
    answers = hear(page)
    page.goto("/operator/")
    page.locator('main a[href*="/operator/orders/"]').first.click()
    page.wait_for_url("**/operator/orders/*")
    page.get_by_role("link", name="Назад").click()
    page.wait_for_url("**/operator/")
    page.locator(".filters a").last.click()
    page.wait_for_url("**/operator/?state=*")
    page.locator("#menu").get_by_role("link", name="Импорт записей").click()
    page.wait_for_url("**/operator/imports/")
    page.locator('main td a[href*="/operator/imports/"]').first.click()
    page.locator("#card").wait_for()
    for path in ("/operator/?state=failed", "/operator/imports/999999", "/orders/", "/mailbox/"):
        page.goto(path)
    page.locator('main td a[href*="/mailbox/"]').first.click()
    page.frame_locator("iframe.mail").get_by_text("Здравствуйте").wait_for()
    assert_kept_nowhere(answers)
    assert_nothing_private_is_kept(page)


def test_back_shows_whole_pages_wherever_one_comes_from(visit):
    """From page to page by htmx, after a reload, and from another document altogether."""
    page = visit("demo")
    for words in ("Персональная информация", "История заказов", "Счета"):
        page.locator("#menu").get_by_role("link", name=words, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(words)
    page.go_back()
    assert_is_whole(page, "История заказов")
    page.reload()
    assert_is_whole(page, "История заказов")
    page.goto("about:blank")
    page.go_back()
    assert_is_whole(page, "История заказов")
    page.go_back()
    assert_is_whole(page, "Персональная информация")
    page.go_forward()
    assert_is_whole(page, "История заказов")


def test_after_signing_out_no_step_back_shows_anything(visit):
    page = visit("demo")
    to_second_step(page)
    number = page.locator("table.picker tbody label").first.inner_text()
    page.locator("#menu").get_by_role("link", name="Персональная информация").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Персональная информация")
    page.get_by_role("button", name="Выход").click()
    page.get_by_label("Логин").wait_for()
    for _ in range(3):
        page.go_back()
        page.get_by_label("Логин").wait_for()
        text = page.content()
        assert number not in text
        assert "***@" not in text


def test_the_watch_complains(visit):
    """Or all the tests of this folder would prove nothing."""
    page = visit("demo")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    page.evaluate("document.body.append(new Image())")
    page.evaluate("document.body.lastChild.src = 'http://127.0.0.1:9/x.png'")
    page.evaluate("setTimeout(() => { throw new Error('broken') })")
    page.evaluate("setTimeout(() => alert('hello'))")
    page.wait_for_timeout(300)
    heard = "\n".join(visit.watch.complaints)
    for words in ("policy: style-src", "policy: script-src", "policy: img-src", "broken", "hello"):
        assert words in heard
    visit.watch.complaints.clear()
