"""`bills.charges.calls`: the calls that a day, a month and a destination are made of."""

from datetime import datetime, timedelta

import pytest

from blueprints.bills import charges as pages
from domain.formats import format_phone
from models import Call, Client, db
from models_billing import TariffPlan, TariffRate, TariffVersion
from services import charge_calls, clock, subscriber_choice, usage
from services.charge_calls import Choice
from services.transactions import write_tx
from tests import databases
from tests.factories import make_call, make_client, make_import_run, make_subscriber

NOW = datetime(2026, 3, 10, 15, tzinfo=clock.zone())
NINTH = datetime(2026, 3, 9, 12, tzinfo=clock.zone())
PAGE = "bills.charges.calls"


@pytest.fixture(autouse=True)
def march(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def own(client_row):
    trunk = make_subscriber(client_row, plan="SIP-соединение")
    return [
        make_subscriber(client_row, full_name="Яковлева Анна", connection=trunk),
        make_subscriber(client_row, full_name="Борисов Петр"),
    ]


@pytest.fixture
def rates(base):
    plan = TariffPlan.create(name="Офис", created_at=NOW)
    version = TariffVersion.create(
        plan=plan, valid_from=NOW.date(), state="published", created_at=NOW
    )
    names = {"local": "Беларусь", "international": "Россия", "Своя группа": "Филиал"}
    return {
        group: TariffRate.create(
            version=version, prefix="7", name=name, destination_group=group, steps=[]
        )
        for group, name in names.items()
    }


@pytest.fixture
def run(base):
    return make_import_run(last_at=int(NINTH.timestamp()))


@pytest.fixture
def talk(rates, run):
    def talk(subscriber, at=NINTH, group="local", **values):
        rate, made = rates.get(group), {"import_run": run, **values}
        if rate:
            made |= {"rate_id": rate.id, "rating": 1, "price": 60_000, "billed_s": 60}
        return make_call(subscriber, at, **made)

    return talk


def listed(page):
    return [
        row.select_one("[data-l=Собеседник]").text for row in page.select("tr:has(> th[data-l])")
    ]


def count():
    """As imports do: the factory knows no destinations."""
    with write_tx():
        usage.make_anew()


def peers(*calls):
    return [call.peer for call in calls]


def test_a_day_lists_the_calls_of_all_numbers_the_latest_first(browser, own, talk):
    late = talk(own[1], NINTH + timedelta(hours=1), "international")
    early = talk(own[0])
    talk(own[0], NINTH - timedelta(days=1))
    talk(make_subscriber(make_client()))
    page = browser.get(PAGE, day="2026-03-09")
    assert page.h1.text == "Звонки за 09.03.2026"
    assert listed(page) == peers(late, early)
    row = page.select_one("tr:has(> th[data-l])")
    assert [cell.get_text(" ") for cell in row.select("[data-l]")][:6] == [
        "09.03.2026 13:00:00",
        f"{format_phone(own[1].number)} Борисов Петр",
        "исходящий",
        late.peer,
        "Россия",
        "0:01:00",
    ]
    browser.get(row.select_one("[data-l^=Цена] a")["href"])
    browser.get(row.select_one("[data-l=Номер] a")["href"])


def test_a_destination_lists_its_calls_of_the_month_and_of_the_last_one(browser, own, talk):
    february = talk(own[0], NINTH - timedelta(days=28), "international")
    abroad = talk(own[0], NINTH, "international")
    nobody = talk(own[0], NINTH, "", direction=0, billable_s=0)
    came = talk(own[1], NINTH + timedelta(hours=2), "", direction=1)
    branch = talk(own[1], NINTH, "Своя группа")
    count()
    for group, wanted in (
        ("international", abroad), ("?", nobody), ("in", came), ("Своя группа", branch),
    ):  # fmt: skip
        page = browser.get(PAGE, group=group)
        assert listed(page) == [wanted.peer], group
        assert page.select_one("dl.sum dd").text.startswith("1,")
    page = browser.get(PAGE, month="2026-02", group="international")
    assert (page.h1.text, listed(page)) == ("Звонки: февраль 2026 г.", [february.peer])
    assert len(listed(browser.get(PAGE))) == 4
    assert not listed(browser.get(PAGE, group="service"))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ({"day": "2026-01-31"}, 422),
        ({"day": "2026-04-01"}, 422),
        ({"day": "вчера"}, 422),
        ({"month": "2026-01"}, 404),
        ({"month": "2026-13"}, 404),
        ({"group": "nothing"}, 404),
        ({"group": "x" * 999}, 404),
        ({"before": "1-2"}, 404),
        ({"before": "9" * 30 + "-1-1"}, 404),
        ({"before": "999999999999999-9999999999-9999999999999999999"}, 404),
        ({"before": "999999999999999-9999999999-9223372036854775807"}, 200),
    ],
)
def test_nonsense_in_the_address_is_none_of_ours_and_a_day_is_told_of(
    browser, own, address, status
):
    page = browser.get(PAGE, status=status, **address)
    if status == 422:
        assert "Укажите день с 01.02.2026 по 31.03.2026." in page.main.text
        assert page.select_one("#day")["aria-invalid"] == "true"


@pytest.mark.parametrize(("at_once", "at_most"), [(20_000, 200_000), (2, 3), (1, 1)])
def test_pages_follow_each_other_and_leave_no_call_out(
    browser, own, talk, monkeypatch, at_once, at_most
):
    monkeypatch.setattr(pages, "CALLS_PER_PAGE", 2)
    monkeypatch.setattr(charge_calls, "READ_AT_ONCE", at_once)
    monkeypatch.setattr(charge_calls, "READ_AT_MOST", at_most)
    steps = (0, 0, 1, 1, 26 * 3600, 49 * 3600)  # some at one moment, of two numbers
    calls = [
        talk(own[n % 2], NINTH - timedelta(seconds=step), "international")
        for n, step in enumerate(steps)
    ]
    for hours in range(5):
        talk(own[0], NINTH - timedelta(hours=hours))
    count()
    wanted = sorted(
        calls, key=lambda call: (call.started_at, call.subscriber_id, call.seq), reverse=True
    )
    page, seen, fetched = browser.get(PAGE, group="international"), [], 1
    while older := page.main.find("a", string="Более ранние звонки"):
        seen += listed(page)
        page, fetched = browser.get(older["href"]), fetched + 1
        assert fetched < 40
    assert seen + listed(page) == peers(*wanted)
    assert fetched == 3 or at_most < 200_000


def test_the_chosen_sip_subscriber_narrows_the_list(browser, client_row, own, talk):
    mine, other = talk(own[0]), talk(own[1])
    trunk = own[0].connection
    subscriber_choice.choose(client_row, browser.user, trunk.id, ip="", now=NOW)
    page = browser.get(PAGE, day="2026-03-09")
    assert listed(page) == [mine.peer]
    assert not page.select("dl.sum"), "no sum of a day is kept of some numbers"
    assert browser.get(PAGE).select_one("dl.sum dd").text.startswith("1,")
    page = browser.get(page.main.find("a", string="Вся компания")["href"])
    assert sorted(listed(page)) == sorted(peers(mine, other))
    assert page.select_one("form [name=whose]")["value"] == "company"


def test_callers_are_shown_in_part_where_that_is_the_policy(browser, client_row, own, talk):
    talk(own[0], NINTH, "", direction=1, peer="375291234567")
    Client.update(hide_incoming_peers=True).where(Client.id == client_row.id).execute()
    page = browser.get(PAGE, group="in")
    assert listed(page) == ["375291234***"]
    assert "375291234567" not in page.text


def test_no_more_is_read_than_the_numbers_calls_of_the_days(client_row, own, talk):
    talk(own[0])
    count()
    choice = Choice(NINTH.date().replace(day=1), NINTH.date(), "local")
    asked, execute = [], db.obj.execute_sql

    def listen(sql, params=None):
        asked.append((sql, params))
        return execute(sql, params)

    db.obj.execute_sql = listen
    try:
        charge_calls.find_page(client_row, choice, before=None, size=50)
    finally:
        del db.obj.execute_sql
    (question,) = [each for each in asked if f'FROM "{Call._meta.table_name}"' in each[0]]
    if databases.kind == "sqlite":
        plan = " ".join(row[3] for row in execute(f"EXPLAIN QUERY PLAN {question[0]}", question[1]))
        assert "USING PRIMARY KEY (subscriber_id=? AND started_at>? AND started_at<?)" in plan
        return
    plan = " ".join(row[0] for row in execute(f"EXPLAIN {question[0]}", question[1]))
    assert "subscriber_id = " in plan
    assert "started_at >= " in plan.split("Index Cond", 1)[1]
