"""«Загрузить счет по ссылке» is a page that says what to do until the section opens."""

from tests.blueprints.closed_section import check_closed_section
from tests.blueprints.source_words import PARAGRAPHS


def test_the_section_says_that_it_is_not_open_and_what_to_do(browser):
    check_closed_section(
        browser,
        "bills.download_bill.show",
        "Загрузить счет по ссылке",
        PARAGRAPHS["Загрузить счет по ссылке"],
    )
