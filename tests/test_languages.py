"""Every page, letter and file in each language: no words of another one, plurals that agree.

What is data stays as it is: names of clients, lines of invoices, texts that people wrote.
"""

import email
import email.policy
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from bs4 import BeautifulSoup
from peewee import CharField, TextField

import texts
from domain import formats
from domain.orders import FileFormat
from models import Artefact, Client, Order, User
from models_all import ALL_MODELS
from services import invoice_reports, mailer, reports
from tests import factories
from tests.page import HTMX
from tests.security import world
from tests.security.test_hostile_texts import NOT_PAGES
from tests.test_texts import catalogues

CYRILLIC = re.compile(r"[А-Яа-яЁёІіЎў]+")
RUSSIAN_ONLY = re.compile(r"[ИиЩщЪъ]")
SHOWN_ATTRIBUTES = ("title", "placeholder", "aria-label", "alt", "data-l", "content", "value")
# In letters and on pages that tell of documents as they were given out: their own words.
OUR_OWN = {"Рус", "Русский", "Бел", "Беларуская"}


@pytest.fixture
def small(app, base):
    made = world.build(app)
    yield made
    world.clear(app)


def stored_words(config):
    """Every Cyrillic word of the database and of the settings: it may stand on any page."""
    found = set(OUR_OWN)
    for model in ALL_MODELS:
        fields = [f for f in model._meta.sorted_fields if isinstance(f, CharField | TextField)]
        if not fields:
            continue
        rows = model.select(*fields).tuples()
        found.update(CYRILLIC.findall(" ".join(str(value) for row in rows for value in row)))
    return found | set(CYRILLIC.findall(str(vars(config)) + repr(config)))


def shown_texts(page):
    """What a reader can see or hear of a page, without the mailbox's letters and typed values."""
    for tag in page.select("[lang=ru], [lang=be], textarea"):
        if tag.name != "html":
            tag.extract()
    yield from page.stripped_strings
    for tag in page.select("*"):
        for name in SHOWN_ATTRIBUTES:
            if isinstance(tag.get(name), str):
                yield tag[name]


def pages(made, language):
    """(address, page) of all pages of both sides in a language."""
    Client.update(language=language).execute()
    User.update(language=language).execute()
    for who in ("client", "operator"):
        browser = made.browser(who)
        for endpoint, address in made.pages(who):
            if endpoint in NOT_PAGES or endpoint.startswith("mailbox."):
                continue
            response = browser.client.get(address, headers=HTMX, buffered=True)
            if response.mimetype == "text/html":
                yield f"{who} {address}", BeautifulSoup(response.text, "html.parser")
        whole = browser.client.get("/nowhere", buffered=True)
        yield f"{who} /nowhere", BeautifulSoup(whole.text, "html.parser")


def test_no_page_in_english_has_words_of_another_language(small, app):
    known = stored_words(app.config["CABINET"])
    found = {}
    for where, page in pages(small, "en"):
        strangers = {w for text in shown_texts(page) for w in CYRILLIC.findall(text)} - known
        if strangers:
            found[where] = sorted(strangers)
    assert not found


def test_no_page_in_belarusian_has_letters_of_russian_alone(small, app):
    known = stored_words(app.config["CABINET"]) | words_said_in_russian()
    found = {}
    for where, page in pages(small, "be"):
        words = {w for text in shown_texts(page) for w in CYRILLIC.findall(text)} - known
        if strangers := sorted(filter(RUSSIAN_ONLY.search, words)):
            found[where] = strangers
    assert not found


def words_said_in_russian():
    """Words of what has no Belarusian yet, and is counted by bin/texts."""
    lacking = set(catalogues.lacking(catalogues.extract(), "be"))
    russian = catalogues.load("ru", catalogues.FOLDER)
    said = (each.string for each in russian if each.id and catalogues._forms(each.id)[0] in lacking)
    return set(CYRILLIC.findall(str(list(said))))


def test_belarusian_is_written_with_its_own_letters():
    catalogue = catalogues.load("be", catalogues.FOLDER)
    strings = (form for each in catalogue if each.id for form in catalogues._forms(each.string))
    assert [text for text in strings if RUSSIAN_ONLY.search(text)] == []


def test_english_has_no_cyrillic():
    catalogue = catalogues.load("en", catalogues.FOLDER)
    strings = (form for each in catalogue if each.id for form in catalogues._forms(each.string))
    assert [text for text in strings if CYRILLIC.search(text)] == []


# Of each, the forms for one, a few and many.
ONE, FEW, MANY = (1, 21, 101), (2, 22), (0, 5, 11, 25, 111)
FORMS = {
    ("ru", "%(num)d call", "%(num)d calls"): ("звонок", "звонка", "звонков"),
    ("be", "%(num)d call", "%(num)d calls"): ("званок", "званкі", "званкоў"),
    ("ru", "%(num)d number", "%(num)d numbers"): ("номер", "номера", "номеров"),
    ("ru", "%(num)d subscriber", "%(num)d subscribers"): ("абонент", "абонента", "абонентов"),
    ("be", "%(num)d number", "%(num)d numbers"): ("нумар", "нумары", "нумароў"),
    ("ru", "about %(num)d minute", "about %(num)d minutes"): ("минута", "минуты", "минут"),
    ("ru", "%(num)d order is before yours", "%(num)d orders are before yours"): (
        *("заказ", "заказа", "заказов"),
    ),
}


@pytest.mark.parametrize(("asked", "forms"), FORMS.items())
def test_counts_agree_with_their_words(asked, forms):
    language, one, many = asked
    with texts.language(language):
        for numbers, form in zip((ONE, FEW, MANY), forms, strict=True):
            for number in numbers:
                text = texts.ngettext(one, many, number) % {"num": number}
                assert re.search(rf"\b{number} {form}\b", text), text


def test_in_english_one_stands_alone():
    with texts.language("en"):
        said = [texts.ngettext("%(num)d call", "%(num)d calls", n) for n in (0, 1, 2, 21, 101)]
    assert [text.endswith("s") for text in said] == [True, False, True, True, True]


def test_what_has_no_belarusian_is_said_in_russian():
    with texts.language("be"):
        texts._catalogue("be")._catalog.pop("Feedback", None)
        try:
            assert texts.gettext("Feedback") == "Обратная связь"
        finally:
            texts._catalogue.cache_clear()


WRITTEN = {
    "ru": ["09.03.2026", "09.03.2026 07:05", "1 234 567,05", "23,33 %", "0,125", "0,50", "1 234",
           "214 КБ", "1,5 МБ", "март 2026 г."],
    "en": ["9 Mar 2026", "9 Mar 2026 07:05", "1,234,567.05", "23.33%", "0.125", "0.50", "1,234",
           "214 KB", "1.5 MB", "March 2026"],
}  # fmt: skip
WRITTEN["be"] = [*WRITTEN["ru"][:-1], "сакавік 2026 г."]


@pytest.mark.parametrize("language", sorted(WRITTEN))
def test_dates_and_numbers_are_written_as_the_language_writes_them(language):
    with texts.language(language):
        written = [
            formats.format_date(date(2026, 3, 9)),
            formats.format_moment(datetime(2026, 3, 9, 7, 5, tzinfo=UTC)),
            formats.format_money(123456705),
            formats.format_percent(2333),
            formats.format_price(125000),
            formats.format_decimal(Decimal("0.5")),
            formats.format_integer(1234),
            formats.format_size(219136),
            formats.format_size(1_572_864),
            texts.month_text(date(2026, 3, 9)),
        ]
    assert [text.replace(formats.NBSP, " ") for text in written] == WRITTEN[language]


@pytest.fixture
def order(client_row, base):
    number = factories.make_subscriber(client_row, full_name="Ivanov Ivan")
    factories.make_call(number)
    Client.update(name="Romashka Ltd").execute()
    return factories.make_order(client_row, [number], number=12)


@pytest.mark.parametrize(
    ("language", "name", "sheets", "subject"),
    [
        ("ru", "Детализация", ["Сводка", "Звонки"], "Детализация звонков за период 01.03.2026"),
        ("be", "Дэталізацыя", ["Зводка", "Званкі"], "Дэталізацыя званкоў за перыяд 01.03.2026"),
        ("en", "Call details", ["Summary", "Calls"], "Call details for 1 Mar 2026"),
    ],
)
def test_a_worker_makes_file_and_letter_in_the_language_of_the_order(
    app, config, order, language, name, sheets, subject
):
    Order.update(language=language).execute()
    order = Order.across_clients().get()
    assert texts.current_language() == "ru"
    made = reports.render(order, made_at=factories.NOON, progress=lambda *_: None)
    assert made.display_name.startswith(f"{name} 2026-03-01")
    book = openpyxl.load_workbook(config.artefact_dir / made.path)
    assert set(sheets) <= set(book.sheetnames)
    artefact = Artefact.create(
        order=order, path=made.path, display_name=made.display_name, size=made.size,
        media_type=made.media_type, sha256=made.sha256, summary=made.summary,
        made_at=factories.NOON, expires_at=factories.NOON,
    )  # fmt: skip
    frozen = mailer.compose(order, artefact, ordinal=1, now=factories.NOON)
    content = (config.artefact_dir / frozen.path).read_bytes()
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message["Subject"].replace(formats.NBSP, " ").startswith(subject)
    html = message.get_body(("html",)).get_content()
    assert f'<html lang="{language}">' in html
    known = set(CYRILLIC.findall(config.OPERATOR_NAME))
    plain = message.get_body(("plain",)).get_content()
    if language == "en":
        assert set(CYRILLIC.findall(html + plain)) <= known


def test_a_bill_is_the_same_bytes_whoever_asks(small, tmp_path):
    made = {}
    for language in texts.LANGUAGES:
        with texts.language(language):
            for form in FileFormat:
                path = tmp_path / f"{language}.{form}"
                document = invoice_reports.write(small.invoice, form, path)
                made.setdefault(form, set()).add((path.read_bytes(), document.display_name))
    assert {form: len(each) for form, each in made.items()} == dict.fromkeys(FileFormat, 1)
