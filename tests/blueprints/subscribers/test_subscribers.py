"""«Выбор SIP-абонента»: the list, the choice, and what it does to other pages."""

from datetime import datetime, timedelta

import pytest

from domain.roles import Role
from models import AuditEvent, DraftSubscriber, OrderDraft
from models_subscribers import SubscriberChoice
from services import clock, subscriber_choice
from tests.factories import NOON, make_call, make_subscriber, make_user
from tests.page import Browser

NOW = datetime(2026, 3, 10, 15, tzinfo=clock.zone())
NO_SUCH = "Такого абонента нет среди номеров вашей компании"
PERIOD = {"start": "2026-03-01", "end": "2026-03-09", "direction": "out", "file_format": "xlsx"}


@pytest.fixture(autouse=True)
def march(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def trunk(client_row):
    return make_subscriber(
        client_row, number="375172000001", full_name="SIP соединение", plan="SIP-соединение"
    )


@pytest.fixture
def mine(client_row, trunk):
    """A connection with two numbers, and a number beside it that is blocked."""
    return [
        trunk,
        make_subscriber(client_row, number="375172000002", full_name="Ёлкин", connection=trunk),
        make_subscriber(client_row, number="375172000003", full_name="Аверин", connection=trunk),
        make_subscriber(
            client_row, number="375291111111", status="blocked", status_reason="Неоплата"
        ),
    ]


def choose(browser, subscriber):
    return browser.post("subscribers.choose", {"subscriber": str(subscriber.id)})


def numbers_in(page):
    return [
        row.th.find(string=True, recursive=False) for row in page.select("tbody tr:not(.total)")
    ]


def context(page):
    return " ".join(page.select_one("#ctx .sip").text.split())


def test_the_list_tells_what_each_subscriber_is(browser, client_row, mine):
    make_call(mine[1], NOON)
    make_call(mine[1], NOON - timedelta(days=3))
    page = browser.get("subscribers.show")
    assert page.h1.text == "Выбор SIP-абонента"
    heads = {head.text.strip() for head in page.select("thead th")}
    assert {"Тарифный план", "Статус", "Причина статуса", "Последний звонок"} <= heads
    assert numbers_in(page) == [row.number for row in mine]
    trunk, first, _second, blocked = (row.text for row in page.select("tbody tr"))
    assert "2 номера" in trunk
    assert "звонков нет" in trunk
    assert "375172000001" in first
    assert "10.03.2026 12:00:00" in first
    assert client_row.account_no in first
    assert "Заблокирован" in blocked
    assert "Неоплата" in blocked


def test_it_can_be_searched_sorted_and_narrowed(browser, client_row, mine):
    def found(**values):
        return numbers_in(browser.get("subscribers.show", **values))

    for _ in range(20):
        make_subscriber(client_row)
    assert found(q="елкин") == ["375172000002"]
    assert found(q="29 111") == ["375291111111"]
    assert numbers_in(browser.get("/subscribers/?status=blocked")) == ["375291111111"]
    assert found(sip="1") == ["375172000001"]
    assert found(connection=str(mine[0].id)) == ["375172000002", "375172000003"]
    by_name = found(connection=str(mine[0].id), sort="name")
    assert by_name == ["375172000003", "375172000002"]
    assert found(connection=str(mine[0].id), sort="name", desc="1") == by_name[::-1]
    page = browser.get("subscribers.show", page="2")
    assert "21–24 из 24" in page.caption.text
    assert "21–24 из 24" in browser.get("subscribers.show", page="99").caption.text
    assert (
        "не найдены по запросу «нет таких»" in browser.get("subscribers.show", q="нет таких").text
    )


def test_only_the_clients_own_are_listed_and_can_be_chosen(browser, mine):
    foreign = make_subscriber()
    assert foreign.number not in browser.get("subscribers.show").main.text
    choose(browser, foreign)
    assert NO_SUCH in browser.follow().text
    assert AuditEvent.select().where(AuditEvent.event == "authz_fail").count() == 1
    browser.post("subscribers.choose", {"subscriber": "x"})
    assert NO_SUCH in browser.follow().text
    assert not SubscriberChoice.select().exists()
    assert AuditEvent.select().where(AuditEvent.event == "authz_fail").count() == 1


@pytest.mark.parametrize("htmx", [False, True])
def test_every_page_says_who_is_chosen(browser, mine, htmx):
    assert context(browser.get("home.show", htmx=htmx)).startswith("SIP-абонент: вся компания")
    choose(browser, mine[1])
    assert "Выбран SIP-абонент 375172000002" in browser.follow().text
    for endpoint in ("home.show", "account.show", "bills.show", "orders.index", "payments.show"):
        page = browser.get(endpoint, htmx=htmx)
        assert context(page) == "SIP-абонент: 375172000002 Сменить SIP-абонента", endpoint
    assert page.select_one("#ctx").has_attr("hx-swap-oob") is htmx
    page = browser.get("subscribers.show")
    assert page.select_one(".tag.ok").text == "выбран"


def test_the_choice_is_the_users_own_and_outlives_the_session(browser, app, client_row, mine):
    choose(browser, mine[1])
    again = Browser(app, browser.user)
    assert "375172000002" in context(again.get("home.show"))
    other = Browser(app, make_user(client_row))
    assert "вся компания" in context(other.get("home.show"))
    choose(again, mine[2])
    assert "375172000003" in context(browser.get("home.show"))
    assert SubscriberChoice.select().count() == 1


@pytest.mark.parametrize(
    ("role", "button"),
    [
        (Role.CLIENT_ADMINISTRATOR, "Вся компания"),
        (Role.ACCOUNTANT, "Показать все мои номера"),
        (Role.VIEWER, "Показать все мои номера"),
    ],
)
def test_a_button_leads_back_to_the_whole_company(app, client_row, mine, role, button):
    browser = Browser(app, make_user(client_row, role=role))
    assert not browser.get("subscribers.show").find("button", string=button)
    choose(browser, mine[1])
    form = browser.follow().find("button", string=button).find_parent("form")
    browser.post(form["action"])
    assert "вся компания" in context(browser.follow())
    assert not SubscriberChoice.select().exists()


def test_one_who_ends_is_given_up_in_a_sentence(browser, mine):
    choose(browser, mine[1])
    browser.follow()
    mine[1].valid_to = NOW
    mine[1].save()
    page = browser.get("home.show")
    assert "375172000002 больше не относится к вашей компании" in page.select_one("#flash").text
    assert "вся компания" in context(page)
    assert "больше не относится" not in browser.get("home.show").text
    assert not SubscriberChoice.select().exists()
    choose(browser, mine[1])
    assert NO_SUCH in browser.follow().text


def test_the_wizard_begins_with_the_one_who_is_chosen(browser, mine):
    choose(browser, mine[1])
    browser.post("bills.call_detail.start", PERIOD)
    page = browser.follow()
    assert "Отмечен выбранный SIP-абонент 375172000002." in page.text
    assert [box["value"] for box in page.select("input[name=tick][checked]")] == [str(mine[1].id)]
    assert [box["value"] for box in page.select("input[name=shown]")] == [str(mine[1].id)]
    assert "Выбрано: 1 из 4" in page.text


def test_the_wizards_list_shows_the_company_when_asked(browser, mine):
    choose(browser, mine[0])
    browser.post("bills.call_detail.start", PERIOD)
    page = browser.follow()
    assert len(page.select("input[name=shown]")) == 3  # the connection and its numbers
    draft = OrderDraft.get()
    shown = [box["value"] for box in page.select("input[name=shown]")]
    form = {"shown": shown, "tick": shown[:1], "typed": "", "whose": "company", "go": "search"}
    browser.post("bills.call_detail.subscribers", form, key=draft.key)
    page = browser.follow()
    assert len(page.select("input[name=shown]")) == 4
    assert page.select_one("#whose option[selected]")["value"] == "company"
    browser.post(
        "bills.call_detail.subscribers",
        {"shown": [str(row.id) for row in mine], "whose": "company", "typed": "", "go": "reset"},
        key=draft.key,
    )
    page = browser.follow()
    assert "Отмечен выбранный" not in page.text  # its tick was taken away
    assert DraftSubscriber.select().where(DraftSubscriber.draft == draft).count() == 0


def test_nothing_is_ticked_beforehand_unless_somebody_is_chosen(browser, mine):
    browser.post("bills.call_detail.start", PERIOD)
    page = browser.follow()
    assert not page.select("input[name=tick][checked]")
    assert not page.select("#whose")


def test_charges_list_the_one_who_is_chosen(browser, mine):
    choose(browser, mine[0])
    page = browser.get("bills.charges.show")
    assert "Только выбранный" not in page.text
    assert "В списке только выбранный SIP-абонент 375172000001" in page.text
    assert [a.text for a in page.select("tbody th a")] == [row.number for row in mine[:3]]
    page = browser.get(page.find("a", string="Показать номера всей компании")["href"])
    assert len(page.select("#rows tbody th a")) == 4
    assert page.find("a", string="Только выбранный SIP-абонент 375172000001")


def test_choosing_and_giving_up_is_written_down(browser, client_row, mine):
    choose(browser, mine[1])
    browser.post("subscribers.everybody")
    browser.post("subscribers.everybody")  # nothing to give up
    rows = AuditEvent.select().where(AuditEvent.event == "subscriber_chosen")
    rows = rows.order_by(AuditEvent.id)
    assert [row.subject for row in rows] == [f"subscriber:{mine[1].id}", ""]
    assert all(row.client_id == client_row.id for row in rows)


def test_the_choice_of_one_client_is_not_found_for_another(client_row, mine, base):
    user, stranger = make_user(client_row), make_user()
    subscriber_choice.choose(client_row, user, mine[1].id, ip="", now=NOW)
    assert subscriber_choice.find(client_row, user) == mine[1]
    assert subscriber_choice.find(stranger.client, user) is None
