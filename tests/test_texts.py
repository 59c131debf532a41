"""Texts are complete, and the screens speak the words of the source document to the letter."""

import importlib.util
import re
from datetime import timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

from services import clock
from tests.blueprints.source_words import PERIOD
from tests.factories import NOON, make_order, make_subscriber

ROOT = Path(__file__).parent.parent
_spec = importlib.util.spec_from_file_location("catalogues", ROOT / "bin" / "catalogues.py")
catalogues = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(catalogues)

FORMAT_HINT = (
    "В данном поле необходимо ввести номера абонентов в формате 375xxxxxxxxx через разделитель "
    "«;», например 375xxxxxxxxx;375xxxxxxxxx"
)
OWN_NUMBERS = "Номера должны принадлежать Вашей компании."
# «Вы» as the source document writes it; on all other screens it is «вы», in letters «Вы».
WITH_A_CAPITAL = (OWN_NUMBERS, "В этом разделе Вам предоставляется возможность")
POLITE = re.compile(r"\b[Вв](?:ы|ас|ам|ами|аш[а-я]*)\b")


def labels(page, of="input, select, textarea"):
    """The text of the label of every control that can be seen."""
    shown = [field for field in page.main.select(of) if field.get("type") != "hidden"]
    marks = [page.select_one(f'label[for="{field.get("id")}"]') for field in shown]
    return [mark.text for mark in marks if mark]


def presses(page):
    """The texts of links and buttons."""
    return [" ".join(tag.text.split()) for tag in page.main.select("a, button")]


def test_no_text_lacks_russian():
    assert catalogues.breaches(catalogues.extract()) == []


def of_letters():
    """Msgids that letters are written with."""
    files = [("**.html", "jinja2"), ("**.txt", "jinja2")]
    found = extract_from_dir(ROOT / "templates" / "mail", files)
    return {each[2] if isinstance(each[2], str) else each[2][0] for each in found}


def miswritten(text, *, in_a_letter):
    """How people are addressed in a text, where it is not as it should be."""
    for word in POLITE.finditer(text):
        begins = re.search(r"(^|[.!?«] ?)$", text[: word.start()])
        has_capital = word[0][0] == "В"
        wanted = in_a_letter or begins or text.startswith(WITH_A_CAPITAL)
        if has_capital != bool(wanted):
            yield f"{word[0]}: {text}"


def test_people_are_addressed_with_a_capital_in_letters_and_without_on_screens():
    letters = of_letters()
    assert len(letters) > 50
    wrong = [
        found
        for message in catalogues.load("ru", catalogues.FOLDER)
        if message.id
        for text in catalogues._forms(message.string)
        for found in miswritten(text, in_a_letter=catalogues._forms(message.id)[0] in letters)
    ]
    assert wrong == []
    assert list(miswritten("У Вас нет счетов", in_a_letter=False))
    assert list(miswritten("Кто-то, скорее всего вы, забыл", in_a_letter=True))
    assert not list(miswritten("Вы вышли. Ваш сеанс", in_a_letter=False))


def test_clients_are_told_nothing_in_the_words_of_programs():
    words = re.compile(
        r"\b(?:job|worker|UUID|traceback|exception|enum|null|None|SQL|Redis)\b", re.IGNORECASE
    )
    found = [
        text
        for message in catalogues.load("ru", catalogues.FOLDER)
        if message.id
        for text in catalogues._forms(message.string)
        if words.search(text)
    ]
    assert found == []


def test_what_is_missing_is_found(tmp_path):
    template = Catalog()
    template.add("Day {start}")
    template.add("New")
    place = tmp_path / "ru" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "messages.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        '#, python-brace-format\nmsgid "Day {start}"\nmsgstr ""\n\nmsgid "Old"\nmsgstr "Старое"\n',
        encoding="utf-8",
    )
    assert catalogues.breaches(template, tmp_path) == [
        "not in translations/en: Day {start}",
        "not in translations/en: New",
        "not in translations/ru: New",
        "ru: messages.mo is not made of messages.po; run bin/texts",
        "ru: no longer used: Old",
        "without Russian: Day {start}",
    ]
    for language in catalogues.LANGUAGES:
        catalogues.update(language, template, tmp_path)
    assert catalogues.breaches(template, tmp_path) == [
        "without Russian: Day {start}",
        "without Russian: New",
    ]


def test_step_one_speaks_the_words_of_the_source(browser):
    page = browser.get("bills.call_detail.start")
    assert page.h1.text == "Детализация на E-mail"
    assert [legend.text.strip() for legend in page.select("legend")][:2] == [
        PERIOD,
        "Тип детализации",
    ]
    shown = labels(page)
    assert shown[:5] == ["С", "По", "Исходящие", "Входящие", "Исходящие+Входящие"]
    assert shown[5:] == ["XLSX", "CSV", "PDF"]
    assert presses(page) == ["Текущий месяц", "Прошлый месяц", "В меню", "Далее"]


@pytest.fixture
def step_two(browser, client_row):
    """The second step for a client of four numbers, as in the source document."""
    make_subscriber(client_row, full_name="SIP соединение", plan="SIP-соединение")
    for _ in range(3):
        make_subscriber(client_row, full_name="SIP-номер")
    today = clock.now().date()
    period = {"start": today.replace(day=1), "end": today, "direction": "both"}
    browser.post("bills.call_detail.start", {**period, "file_format": "xlsx"})
    return browser.follow()


def test_step_two_speaks_the_words_of_the_source(step_two):
    page = step_two
    assert page.h1.text == "Детализация на E-mail"
    assert "Список абонентов" in page.caption.text
    heads = [" ".join(head.text.split()) for head in page.select("thead th")]
    assert heads == ["Отметить все", "Номер телефона", "Ф.И.О.", "Статус", "Причина статуса"]
    first = [
        " ".join(cell.get_text(" ").split()) for cell in page.select_one("tbody tr").select("td")
    ]
    assert first[2:] == ["SIP соединение SIP-соединение", "Активный", ""]
    assert {"Строк на странице", "Ввести свой список абонентов"} <= set(labels(page))
    assert "Страница 1 из 1" in page.main.text
    hints = page.select_one(f"#{page.textarea['aria-describedby']}").text
    assert FORMAT_HINT in hints
    assert OWN_NUMBERS in hints
    wanted = {"Отметить все", "Проверить список", "Назад", "Сформировать детализацию"}
    assert wanted <= set(presses(page))
    assert "Только SIP-соединение" in page.main.text


def test_the_order_page_promises_in_the_words_of_the_source(browser, client_row, step_two):
    numbers = [field["value"] for field in step_two.select("input[name=shown]")]
    address = browser.response.request.path
    browser.post(address, {"shown": numbers, "tick": numbers[:1], "go": "submit"})
    page = browser.follow()
    assert "Заказанная детализация " in page.main.text
    assert "будет выслана на адрес d***@e***.by" in page.main.text
    assert "Назад" in presses(page)


def test_the_day_of_waiting_is_said_only_when_there_is_one(browser, client_row):
    waits = make_order(client_row, due_at=NOON + timedelta(days=1))
    promise = "Заказанная детализация по истечении суток будет выслана на адрес d***@e***.by"
    text = browser.get("orders.show", key=waits.key).main.text
    assert promise in text
    assert "Отправим после 11.03.2026 12:00" in text
    at_once = browser.get("orders.show", key=make_order(client_row).key).main.text
    assert "по истечении суток" not in at_once
    assert "будет выслана на адрес d***@e***.by" in at_once
