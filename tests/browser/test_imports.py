"""«Импорт записей» in a browser: a file sent, checked, stored and taken out, with a real worker."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import keep_picture
from tests.browser.test_pages import assert_accessible, assert_fits
from tests.domain.cdr.dialects import text
from tests.services.test_imports import later

START = "/operator/imports/"


@pytest.fixture
def master(tmp_path):
    """A file with a record of each fate but the first."""
    path = tmp_path / "Master-с-длинным-названием-без-единого-пробела-2026-03-10.csv"
    path.write_text(text(*(later(n) for n in range(30)), later(31, billsec="-1"), ["#"]), "utf-8")
    return path


def send(page, master, zone="UTC"):
    page.get_by_label("Файлы с записями").set_input_files(master)
    page.get_by_label("Часовой пояс записей").fill(zone)
    page.get_by_role("button", name="Загрузить", exact=True).click()


def refresh_until(page, state, *, js):
    """Wait for the card to say `state`: it looks by itself, or by the link without scripts."""
    head = page.locator("#card h2")
    for _ in range(60):
        if js or head.text_content() == state:
            break
        page.wait_for_timeout(500)
        if page.get_by_role("link", name="Обновить состояние").count():
            page.get_by_role("link", name="Обновить состояние").click()
    expect(head).to_have_text(state, timeout=30_000)


@pytest.mark.parametrize("js", [True, False])
def test_a_file_goes_in_and_out_again(visit, master, js):
    page = visit("operator", path=START, js=js)
    send(page, master)
    page.wait_for_url("**/operator/imports/*")
    refresh_until(page, "Проверен, не загружен", js=js)
    expect(page.locator("#card")).to_contain_text("отрицательная длительность")
    page.get_by_role("button", name="Загрузить", exact=True).click()
    refresh_until(page, "Загружен", js=js)
    page.get_by_role("link", name="Откатить").click()
    page.get_by_role("button", name="Откатить").click()
    refresh_until(page, "Откат выполнен", js=js)


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.long)])
def test_all_its_pages_can_be_read_by_anybody_on_anything(visit, master, dark):
    page = visit("operator", path=START, width=320, height=640, dark=dark)
    look(page, "imports", dark)
    page.get_by_role("button", name="Загрузить", exact=True).click()
    page.locator("main [role=alert]").wait_for()
    look(page, "imports-error", dark)
    send(page, master, zone="Europe/Minsk")
    page.wait_for_url("**/operator/imports/*")
    refresh_until(page, "Проверен, не загружен", js=True)
    look(page, "import-checked", dark)
    page.get_by_label("Часовой пояс указан верно, загрузить файл").check()
    page.get_by_role("button", name="Загрузить", exact=True).click()
    refresh_until(page, "Загружен", js=True)
    look(page, "import-done", dark)
    page.get_by_role("link", name="Откатить").click()
    page.get_by_role("button", name="Откатить").wait_for()
    look(page, "import-rollback", dark)
    page.goto(START)
    look(page, "imports-list", dark)


def look(page, name, dark):
    assert_accessible(page)
    assert_fits(page)
    keep_picture(page, f"{name}-{'dark' if dark else 'light'}-320")
