"""«Выбор SIP-абонента» is a page that says what to do until the section opens."""

from tests.blueprints.closed_section import check_closed_section


def test_the_section_says_that_it_is_not_open_and_what_to_do(browser):
    check_closed_section(browser, "subscribers.show", "Выбор SIP-абонента")
