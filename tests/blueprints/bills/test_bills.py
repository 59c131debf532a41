"""«Счета»: the source document's introduction and five paragraphs, and ways on."""

import pytest

from tests.blueprints.source_words import INTRODUCTION, PARAGRAPHS


def test_the_introduction_and_five_paragraphs_stand_word_for_word(browser):
    page = browser.get("bills.show")
    assert page.h1.text == "Счета"
    assert page.main.p.text == INTRODUCTION
    tasks = {item.a.text: item.p.text for item in page.main.select(".tasks li")}
    assert list(tasks.items()) == list(PARAGRAPHS.items())


@pytest.mark.parametrize("title", PARAGRAPHS)
def test_a_name_leads_to_its_page(browser, title):
    link = browser.get("bills.show").main.find("a", string=title)
    assert browser.get(link["href"]).h1.text == title


def test_to_menu_leads_home(browser):
    link = browser.get("bills.show").main.find("a", string="В меню")
    assert link["href"] == browser.url("home.show")


def test_htmx_gets_the_fragment_with_the_menu_beside_it(browser):
    part = browser.get("bills.show", htmx=True)
    assert part.title.text == "Счета – Личный кабинет SIP"
    assert part.h1.has_attr("autofocus")
    assert not part.h1.has_attr("id")
    assert [tag["id"] for tag in part.select("[hx-swap-oob]")] == ["menu", "ctx", "flash"]
    assert part.select_one("#menu a[aria-current]").text == "Счета"


def test_going_back_in_the_history_gets_a_whole_page_that_leaves_the_focus_alone(browser):
    back = {"HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
    page = browser.get("bills.show", headers=back)
    assert page.select_one("html")
    assert not page.select("[autofocus]")
