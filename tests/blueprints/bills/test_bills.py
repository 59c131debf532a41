"""«Счета»: the source document's introduction and five paragraphs, and ways on."""

import pytest

from tests.blueprints.source_words import INTRODUCTION, PARAGRAPHS


def test_the_introduction_and_five_paragraphs_stand_word_for_word(browser):
    page = browser.get("bills.show")
    assert page.h1.text == "Счета"
    assert page.main.p.text == INTRODUCTION
    tasks = {item.h2.text: item.p.text for item in page.main.select(".tasks li")}
    assert list(tasks.items()) == list(PARAGRAPHS.items())


@pytest.mark.parametrize("title", PARAGRAPHS)
def test_a_name_is_a_link_once_and_its_paragraph_leads_there_too(browser, title):
    page = browser.get("bills.show")
    (link,) = page.find_all("a", string=title)
    assert browser.get(link["href"]).h1.text == title
    task = next(item for item in page.select(".tasks li") if item.h2.text == title)
    assert task.a["href"] == link["href"]
    assert task.a["aria-describedby"] == task.h2["id"]


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
