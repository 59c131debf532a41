"""«Звонки без цены»: the list, doing without their price, taking that back."""

from datetime import timedelta

import pytest

from domain.rating.states import CallRating
from domain.roles import Role
from models import Call, Client
from models_billing import Waiver
from services import billing, clock, import_turns
from tests import factories
from tests.factories import NOON
from tests.page import Browser
from tests.services.test_billing import MARCH

PAGE = "operator.unrated"


@pytest.fixture(autouse=True)
def april(app, base, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON.replace(month=4))


@pytest.fixture
def number(client_row):
    """A number with three calls to Poland that have no price."""
    number = factories.make_subscriber(client_row)
    for n in range(3):
        started = NOON + timedelta(minutes=n)
        factories.make_call(
            number,
            started,
            answered_at=int(started.timestamp()),
            peer="48221112233",
            rating=CallRating.NO_RATE,
        )
    return number


@pytest.fixture
def opened(operator_browser, number):
    """The page of the calls, opened from the list."""
    page = operator_browser.get(f"{PAGE}.index")
    return operator_browser.get(page.select_one("td a")["href"])


def send(browser, page, status=303, **fields):
    action = page.select_one("main form")["action"]
    return browser.post(action, fields, status=status)


def test_groups_are_listed_with_their_reasons(operator_browser, number):
    page = operator_browser.get(f"{PAGE}.index")
    cells = [cell.text for cell in page.select("tbody td")]
    assert cells[0] == "март 2026 г."
    assert cells[2:] == ["В тарифе нет цены", "48…", "3", "0:03:00"]
    assert "У всех звонков есть цена" in operator_browser.get(f"{PAGE}.index", account="0").text


def test_ticked_calls_are_waived_and_the_rest_stays(operator_browser, opened):
    boxes = [box["value"] for box in opened.select("input[name=call]")]
    assert len(boxes) == 3
    send(operator_browser, opened, call=boxes[:2], reason="Проба", which="ticked")
    page = operator_browser.follow()
    assert "Оплата не берется, звонков: 2" in page.text
    assert page.select_one("tbody td.num").text == "1"
    assert sorted(call.rating for call in Call.select()) == [4, 5, 5]


def test_a_group_is_waived_taken_back_and_billed(operator_browser, opened, client_row):
    send(operator_browser, opened, reason="Проба линии", which="all")
    page = operator_browser.follow()
    assert "У всех звонков есть цена" in page.text
    waiver = Waiver.across_clients().get()
    assert (waiver.reason, waiver.calls, waiver.user) == ("Проба линии", 3, operator_browser.user)
    operator_browser.post(f"{PAGE}.undo", {"waiver": waiver.id})
    assert "отменено" in operator_browser.follow().text
    assert {call.rating for call in Call.select()} == {CallRating.NO_PLAN}
    operator_browser.post(f"{PAGE}.undo", {"waiver": waiver.id})
    assert "Отменять нечего" in operator_browser.follow().text
    page = operator_browser.get(f"{PAGE}.index")
    send(operator_browser, operator_browser.get(page.select_one("td a")["href"]),
         reason="Снова", which="all")  # fmt: skip
    assert billing.form_month(MARCH, client=client_row, now=clock.now()).formed == 1
    page = operator_browser.get(f"{PAGE}.index")
    assert "месяц уже со счетом" in page.text
    operator_browser.post(f"{PAGE}.undo", {"waiver": waiver.id + 1})
    assert "Это стоит на счете за 03.2026" in operator_browser.follow().text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": "", "which": "all"}, "Укажите причину"),
        ({"reason": "x" * 201, "which": "all"}, "Укажите причину"),
        ({"reason": "Проба", "which": "ticked"}, "Отметьте звонки или выберите все"),
        ({"reason": "Проба", "which": "ticked", "call": "1-x-3"}, "Отметьте звонки"),
    ],
)
def test_a_refusal_says_what_to_do_and_keeps_what_was_typed(
    operator_browser, opened, fields, sentence
):
    page = send(operator_browser, opened, 422, **fields)
    assert sentence in page.select_one(".summary").text
    assert page.select_one("input[name=reason]")["value"] == fields["reason"]
    assert not Waiver.across_clients().exists()


def test_while_records_are_read_in_it_waits(app, operator_browser, opened):
    with import_turns.one_at_a_time(app.config["CABINET"].data_dir):
        page = send(operator_browser, opened, 422, reason="Проба", which="all")
    assert "Повторите через минуту" in page.text


def test_what_names_no_calls_leads_to_the_list(operator_browser, number):
    account = Client.get().account_no
    for query in ("", "?month=2026-03", f"?account={account}&month=x&reason=4&to=48*",
                  f"?account={account}&month=2026-03&reason=4&to=99*"):  # fmt: skip
        operator_browser.get(f"/operator/unrated/calls{query}", status=303)
        operator_browser.post(f"/operator/unrated/waive{query}", {"reason": "x", "which": "all"})
    assert not Waiver.across_clients().exists()


def test_a_month_that_no_call_is_of_is_none(operator_browser, number):
    account = Client.get().account_no
    for month in ("0001-01", "9999-12"):
        assert operator_browser.get(f"/operator/unrated/?month={month}").h1
        query = f"?account={account}&month={month}&reason=0&to=112"
        operator_browser.get(f"/operator/unrated/calls{query}", status=303)


def test_a_clerk_only_looks(app, number, opened):
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    page = clerk.get(clerk.get(f"{PAGE}.index").select_one("td a")["href"])
    assert not page.select("input[name=call], input[name=reason]")
    assert send(clerk, page, 403, reason="x", which="all")
