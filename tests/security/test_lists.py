"""The typed list of numbers tells nothing of other clients: a number of theirs and one of nobody's
are answered alike, and a list with such a number orders nothing at all.
"""

import json
import re
import statistics
import time

import pytest

from models import DraftSubscriber, Order, OrderDraft, Subscriber
from services import clock
from tests import factories
from tests.page import HTMX
from tests.security.tables import WATCHED, dump

THEIRS, NOBODYS = "375291234567", "375291234568"
LISTS = ("{}", "{};{}", "{};375291", "{}\n{}", "+{}", "8 (029) {}", "0{}", "{};{};я")

CHANGING = tuple(model for model in WATCHED if model is not Subscriber)  # that holds both numbers


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture
def own(client_row):
    """Numbers of one's own; another client has THEIRS, and nobody has NOBODYS."""
    factories.make_subscriber(number=THEIRS, full_name="Чужой Человек")
    return [factories.make_subscriber(client_row, number=f"37529111000{n}") for n in range(2)]


@pytest.fixture
def draft(browser, own):
    day = clock.now().date().isoformat()
    period = {"start": day, "end": day, "direction": "both", "file_format": "csv"}
    browser.post("bills.call_detail.start", period)
    return OrderDraft.get()


def masked(text, number):
    """A text without the number asked about, and without what differs each time."""
    text = re.sub(r'name="csrf_token"[^>]*', "", text)
    for way in (number, number[3:], number[5:]):
        text = text.replace(way, "N" * len(way))
    return text


def asked(browser, draft, number, **form):
    """What came of a form about `number`: the answer, and what stands in the tables."""
    form = {name: value.replace("{}", number) for name, value in form.items()}
    browser.response = browser.client.post(
        f"/bills/call-detail/{draft.key}/subscribers",
        data={"csrf_token": browser.token(), "shown": "", **form},
        headers=HTMX if "htmx" in form else {},
    )
    tables = {model.__name__: rows for model, rows in dump(CHANGING).items()}
    headers = sorted((k, masked(v, number)) for k, v in browser.response.headers)
    body = masked(browser.response.text, number)
    return browser.response.status_code, headers, body, masked(json.dumps(tables), number)


@pytest.mark.parametrize("go", ["check", "submit", "continue", "search", "p1"])
def test_anothers_number_and_nobodys_are_answered_alike(browser, draft, go):
    for typed in LISTS:
        theirs = asked(browser, draft, THEIRS, go=go, typed=typed)
        nobodys = asked(browser, draft, NOBODYS, go=go, typed=typed)
        assert theirs == nobodys, typed
        assert not Order.select().exists(), typed
        assert "Чужой" not in browser.response.text


@pytest.mark.parametrize("htmx", [False, True])
def test_searching_for_anothers_number_finds_what_searching_for_nobodys_does(browser, draft, htmx):
    pages = []
    for number in (THEIRS, NOBODYS, THEIRS[3:], NOBODYS[3:]):
        address = browser.url("bills.call_detail.subscribers", key=draft.key)
        headers = HTMX if htmx else {}
        response = browser.client.get(f"{address}?q={number}", headers=headers)
        pages.append(masked(response.text, number))
    assert pages[0] == pages[1]
    assert pages[2] == pages[3]


@pytest.mark.parametrize("bad", [THEIRS, NOBODYS, "375", "x"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_list_with_a_bad_entry_is_refused_whole(browser, draft, own, bad, place):
    numbers = [each.number for each in own]
    numbers.insert(place, bad)
    typed = ";".join(numbers)
    status, _headers, body, _tables = asked(browser, draft, bad, go="submit", typed=typed)
    assert status == 422
    assert not Order.select().exists()
    assert not DraftSubscriber.select().exists()
    for number in numbers:
        assert masked(number, bad) in body, "what was typed is kept"


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("others", [0, 20_000])
def test_times_of_both_answers(browser, draft, client_row, others):
    """A figure for the report: how much the medians of 200 tries differ."""
    stranger = factories.make_client()
    for n in range(others // 1000):
        rows = [
            {"client": stranger, "number": f"37533{n:03}{m:04}", "name_folded": ""}
            for m in range(1000)
        ]
        type(factories.make_subscriber(stranger)).insert_many(rows).execute()
    took = {THEIRS: [], NOBODYS: []}
    for n in range(420):
        for number in (THEIRS, NOBODYS) if n % 2 else (NOBODYS, THEIRS):
            began = time.perf_counter()
            asked_only(browser, draft, number)
            took[number].append(time.perf_counter() - began)
    theirs, nobodys = (statistics.median(took[each][20:]) * 1000 for each in (THEIRS, NOBODYS))
    difference = 100 * (theirs - nobodys) / nobodys
    print(  # noqa: T201 - a figure
        f"{others} numbers of others: theirs {theirs:.2f} ms, nobody's {nobodys:.2f} ms,"
        f" {difference:+.1f} %"
    )
    assert Order.select().count() == 0


def asked_only(browser, draft, number):
    data = {"csrf_token": browser.token(), "go": "check", "typed": number}
    response = browser.client.post(f"/bills/call-detail/{draft.key}/subscribers", data=data)
    assert response.status_code == 422
