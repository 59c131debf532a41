"""The walk of the source document by its words, from the menu to the letter in the mailbox."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import keep_picture
from tests.domain.writers.sample import COLUMNS
from tests.run.conftest import wait_for

MINSK = ZoneInfo("Europe/Minsk")
INTRODUCTION = "Раздел включает информацию, связанную со счетами клиента."
ITEMS = (
    "Заказать счет на E-mail",
    "Загрузить счет по ссылке",
    "Изменить способ/адрес доставки",
    "Детализация на E-mail",
    "Начисления за текущий период",
)


def menu(page, words):
    """Choose a line of the menu."""
    page.locator("#menu").get_by_role("link", name=words, exact=True).click()


def heading(page, words):
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def letters(cabinet):
    """All letters of the try-out mailbox, in order."""
    return [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted((cabinet.data_dir / "mail").glob("*.eml"))
    ]


def letter_of(cabinet, key):
    """The letter of one order, once it has come."""
    found = wait_for(
        lambda: [each for each in letters(cabinet) if key in each["Message-ID"]], "the letter"
    )
    assert len(found) == 1
    return found[0]


def rows_of(letter):
    """Rows of sheet «Звонки» as (id, number, peer, moment in Minsk, direction, seconds)."""
    (attachment,) = letter.iter_attachments()
    book = openpyxl.load_workbook(io.BytesIO(attachment.get_content()))
    assert book.sheetnames[:2] == ["Сводка", "Звонки"]
    heads, *rows = book["Звонки"].iter_rows(values_only=True)
    assert heads == COLUMNS
    for row in rows:
        values = dict(zip(COLUMNS, row, strict=True))
        day, hour = values["Дата"], values["Время"]
        moment = datetime.combine(day.date() if isinstance(day, datetime) else day, hour)
        yield (
            values["ID записи"],
            values["Номер абонента"],
            values["Собеседник"],
            moment,
            {"Исходящий": "out", "Входящий": "in"}[values["Направление"]],
            seconds(values["Тарифицируемая длительность"]),
        )


def seconds(value):
    """Of a cell in [h]:mm:ss, however it is read."""
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    return value.hour * 3600 + value.minute * 60 + value.second


def truth(cabinet, numbers, first, last):
    """What the demo's own book says about these numbers and days (in Minsk)."""
    with (cabinet.data_dir / "demo" / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            started = datetime.strptime(row["started_utc"], "%Y-%m-%dT%H:%M:%SZ")
            moment = started.replace(tzinfo=UTC).astimezone(MINSK).replace(tzinfo=None)
            if row["number"] in numbers and first <= moment.date() <= last:
                yield (
                    row["call_id"],
                    row["number"],
                    row["peer"],
                    moment,
                    row["direction"],
                    int(row["billable_s"]),
                )


@pytest.mark.parametrize("js", [True, False], ids=["js", "no-js"])
def test_the_walk_of_the_source_document(visit, cabinet, js):
    page = visit("demo", js=js)
    menu(page, "Счета")
    heading(page, "Счета")
    expect(page.locator("main")).to_contain_text(INTRODUCTION)
    for item in ITEMS:
        expect(page.get_by_role("link", name=item, exact=True)).to_be_visible()
        expect(page.locator("main").get_by_role("heading", name=item)).to_be_visible()
    keep_picture(page, f"bills-{js}")
    menu(page, "Детализация на E-mail")
    heading(page, "Детализация на E-mail")
    expect(page.locator("legend").first).to_have_text(
        "Укажите начальную и конечную дату периода, за который хотите получить детализации звонков:"
    )
    page.get_by_role("link", name="Прошлый месяц", exact=True).click()
    page.wait_for_url("**month=previous")
    first = datetime.strptime(page.get_by_label("С", exact=True).input_value(), "%Y-%m-%d").date()
    last = datetime.strptime(page.get_by_label("По", exact=True).input_value(), "%Y-%m-%d").date()
    page.get_by_label("Исходящие+Входящие", exact=True).check()
    page.get_by_label("XLSX", exact=True).check()
    page.get_by_role("button", name="Далее", exact=True).click()
    page.get_by_text("Список абонентов", exact=True).wait_for()
    ticks = page.locator("input[name=tick]")
    expect(ticks).to_have_count(4)
    expect(page.locator("input[name=tick]:checked")).to_have_count(0)
    numbers = page.locator("table.picker tbody label").all_inner_texts()[:2]
    for number in numbers:
        page.get_by_label(number, exact=True).check()
    page.get_by_role("button", name="Сформировать детализацию", exact=True).click()
    expect(page.locator("main")).to_contain_text("Заказанная детализация будет выслана на адрес")
    key = page.url.rpartition("/")[2]
    letter = letter_of(cabinet, key)
    found = Counter(rows_of(letter))
    assert found == Counter(truth(cabinet, set(numbers), first, last))
    assert found, "the demo has calls of these numbers"
    assert not any(number in letter["Subject"] for number in numbers)
    refresh = page.get_by_role("link", name="Обновить состояние")
    if not js and refresh.count():  # the letter may have gone before the page was drawn
        refresh.click()
    expect(page.locator("#card")).to_contain_text("Отправлен")
    keep_picture(page, f"order-sent-{js}")
    page.locator("main").get_by_role("link", name="Назад", exact=True).click()
    heading(page, "Детализация на E-mail")
    page.get_by_role("link", name="В меню", exact=True).click()
    page.wait_for_url("**/")


def test_the_walk_by_keyboard_alone(visit, cabinet):
    page = visit("demo")
    menu_link = page.locator("#menu").get_by_role("link", name="Детализация на E-mail")
    tab_to(page, menu_link)
    page.keyboard.press("Enter")
    heading(page, "Детализация на E-mail")
    tab_to(page, page.get_by_role("button", name="Далее"))
    page.keyboard.press("Enter")
    page.locator("#picker").wait_for()
    tab_to(page, page.locator("input[name=tick]").first)
    page.keyboard.press("Space")
    expect(page.locator("#selbar")).to_have_text("Выбрано: 1 из 4")
    tab_to(page, page.get_by_role("button", name="Сформировать детализацию"))
    page.keyboard.press("Enter")
    page.locator("#card").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H1"
    letter_of(cabinet, page.url.rpartition("/")[2])


def tab_to(page, target):
    """Press Tab until `target` has the focus, which must be seen wherever it goes."""
    handle = target.element_handle()
    for _ in range(80):
        page.keyboard.press("Tab")
        if handle.evaluate("element => element === document.activeElement"):
            outline = handle.evaluate("element => getComputedStyle(element).outlineWidth")
            assert float(outline.removesuffix("px")) >= 3
            return
    raise AssertionError("Tab does not lead there")
