"""What every page is made of: pagers, fragments, titles of forms sent back."""

import pytest
from bs4 import BeautifulSoup
from flask import render_template_string

from blueprints import web

PAGE = """{% extends layout %}{% from "macros/page.html" import page_title %}
{% block title %}Имя{% endblock %}{% block content %}{{ page_title("Имя") }}{% endblock %}"""
FRAGMENT = {"HX-Request-Type": "partial"}
RESTORE = {**FRAGMENT, "HX-History-Restore-Request": "true"}


@pytest.mark.parametrize(
    ("page", "pages", "window"),
    [
        (1, 1, [1]),
        (1, 2, [1, 2]),
        (1, 5, [1, 2, None, 5]),
        (3, 5, [1, 2, 3, 4, 5]),
        (4, 7, [1, 2, 3, 4, 5, 6, 7]),
        (13, 25, [1, None, 12, 13, 14, None, 25]),
        (25, 25, [1, None, 24, 25]),
    ],
)
def test_a_pager_shows_ends_and_neighbours(page, pages, window):
    assert web.page_window(page, pages) == window


@pytest.fixture
def draw(app, base, monkeypatch):
    """Draw PAGE for a request of these headers, with this status."""
    monkeypatch.setattr(web, "render_template", render_template_string)

    def drawn(headers, status=200):
        with app.test_request_context("/", headers=headers):
            response = web.render_section(PAGE, status)
        assert response.status_code == status
        return BeautifulSoup(response.get_data(as_text=True), "html.parser")

    return drawn


@pytest.mark.parametrize(
    ("headers", "is_whole", "takes_focus"),
    [({}, True, False), (FRAGMENT, False, True), (RESTORE, True, False)],
)
def test_htmx_gets_a_fragment_and_all_others_the_whole_page(draw, headers, is_whole, takes_focus):
    page = draw(headers)
    assert bool(page.select_one("html")) is is_whole
    assert page.h1.has_attr("autofocus") is takes_focus
    assert page.title.text == "Имя – Личный кабинет SIP"


@pytest.mark.parametrize("headers", [{}, FRAGMENT])
def test_a_form_sent_back_says_so_in_its_title_and_leaves_the_focus_to_the_summary(draw, headers):
    page = draw(headers, 422)
    assert page.title.text == "Ошибка: Имя – Личный кабинет SIP"
    assert not page.h1.has_attr("autofocus")


def test_the_page_asks_for_nothing_from_elsewhere(draw):
    head = draw({}).head
    addresses = [tag.get("href") or tag.get("src") for tag in head.select("link, script")]
    assert len(addresses) == 5
    assert all(address.startswith("/static/") and "?v=" in address for address in addresses)
