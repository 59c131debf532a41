"""What is too much is refused with a page that says so, and nothing of it is kept: a long form, a
full disk, a client's share of it. (A large upload: `tests/blueprints/operator/test_imports.py`.)
"""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.orders import OrderState
from models import Artefact, Order, OrderDraft
from services import clock
from services.space import MB
from tests.factories import NOON, make_order, make_subscriber

ITEM = "bills.call_detail"
PERIOD = {"start": "2026-03-01", "end": "2026-03-09", "direction": "out", "file_format": "csv"}


@pytest.fixture
def settings(app, monkeypatch):
    """Change settings of the shared application for one test."""
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def change(**values):
        monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **values))

    return change


@pytest.fixture
def press(settings, browser, client_row):
    """Press «Сформировать детализацию»; the page that comes."""
    tick = make_subscriber(client_row).id
    browser.post(f"{ITEM}.start", PERIOD)
    draft = OrderDraft.get()

    def send(status):
        form = {"go": "submit", "typed": "", "shown": tick, "tick": tick}
        return browser.post(f"{ITEM}.subscribers", form, key=draft.key, status=status)

    return send


def fill(monkeypatch, free_percent):
    usage = type(shutil.disk_usage("/"))(1000, 1000 - 10 * free_percent, 10 * free_percent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)


def test_a_full_disk_takes_no_order_and_says_so_until_there_is_room(
    press, settings, browser, monkeypatch
):
    settings(MIN_FREE_PERCENT=10)
    fill(monkeypatch, 9)
    press(503)
    assert "на сервере мало места" in browser.response.text
    assert int(browser.response.headers["Retry-After"]) > 0
    assert not Order.select().exists()
    fill(monkeypatch, 10)
    press(303)
    assert Order.select().count() == 1
    fill(monkeypatch, 1)
    press(303)  # the same draft again: its order is there, and there it leads
    assert Order.select().count() == 1


def test_a_client_whose_share_is_full_is_told_until_when(press, settings, browser, client_row):
    settings(ARTEFACT_QUOTA_MB=3)
    order = make_order(client_row, state=OrderState.SENT)
    Artefact.create(
        order=order,
        path="x/1.csv",
        display_name="x.csv",
        media_type="text/csv",
        size=3 * MB,
        sha256="",
        made_at=NOON,
        expires_at=NOON + timedelta(days=5),
    )
    page = press(422)
    words = page.select_one(".summary").text
    assert "3 МБ" in words
    assert "15.03.2026" in words
    assert Order.select().count() == 1
    Artefact.update(removed_at=NOON).execute()
    press(303)


def test_a_form_that_is_too_large_is_a_page_that_says_so(browser, settings):
    browser.post(f"{ITEM}.start", {**PERIOD, "x": "x" * (3 * MB)}, status=413)
    assert "не более 2 МБ" in browser.response.text
    assert not OrderDraft.select().exists()
