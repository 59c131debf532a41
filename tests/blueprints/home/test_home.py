"""The home page: the last orders of this client, and the way to a new one."""

import pytest

from domain.roles import Role
from tests.blueprints.source_words import ADDED, LEAVE, MENU
from tests.factories import make_order, make_user
from tests.page import Browser


def test_the_menu_holds_the_words_of_the_source_in_its_order(browser):
    menu = browser.get("home.show").select_one("#menu")
    assert tuple(link.text for link in menu.select("a")) == MENU + ADDED
    assert [button.text for button in menu.select("form button")] == [LEAVE]
    assert not menu.select("[aria-current]")


def test_every_line_of_the_menu_opens_its_page_and_marks_itself(browser):
    for link in browser.get("home.show").select("#menu a"):
        page = browser.get(link["href"])
        assert page.h1.text == link.text
        assert [mark.text for mark in page.select("#menu [aria-current=page]")] == [link.text]
        back = page.main.find("a", string=lambda text: text and text.strip() == "В меню")
        assert back["href"] == browser.url("home.show"), link.text


def test_the_last_five_orders_are_shown_newest_first(browser, client_row):
    orders = [make_order(client_row) for _ in range(6)]
    make_order()
    page = browser.get("home.show")
    numbers = [row.th.text for row in page.select("tbody tr")]
    assert numbers == [str(order.number) for order in orders[:0:-1]]
    assert page.tbody.a["href"] == browser.url("orders.show", key=orders[-1].key)


def test_nothing_ordered_yet_is_said(browser):
    main = browser.get("home.show").main
    assert "Вы еще ничего не заказывали." in main.text
    link = main.find("a", string="Заказать детализацию")
    assert link["href"] == browser.url("bills.call_detail.start")


def test_a_viewer_is_not_offered_what_he_may_not_do(app, client_row):
    viewer = Browser(app, make_user(client_row, role=Role.VIEWER))
    assert not viewer.get("home.show").main.find("a", string="Заказать детализацию")


def test_the_head_says_whose_cabinet_it_is(browser, client_row):
    page = browser.get("home.show")
    assert client_row.name in page.header.text
    assert f"Лицевой счет {client_row.account_no}" in page.header.text


@pytest.mark.parametrize("name", ["cabinet.css", "brand.css", "cabinet.js", "icon.svg"])
def test_static_files_are_kept_for_a_year_by_their_hash(browser, name):
    page = browser.get("home.show")
    tag = page.select_one(f'head [href*="{name}?v="], head [src*="{name}?v="]')
    with browser.client.get(tag.get("href") or tag.get("src")) as response:
        assert response.cache_control.max_age == 365 * 24 * 3600
        assert response.cache_control.immutable
