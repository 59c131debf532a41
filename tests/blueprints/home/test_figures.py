"""The figures of the home page: by day, destination and number, and this month beside the last."""

from datetime import datetime, timedelta

import pytest

from blueprints.home import figures
from models import Call
from models_billing import UsageDay, UsageMonth
from services import clock, usage
from tests.factories import NOON, make_call, make_import_run, make_subscriber

NOW = datetime(2026, 3, 10, 15, tzinfo=clock.zone())
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def march(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def trunk(client_row):
    return make_subscriber(client_row, full_name="SIP соединение", plan="SIP-соединение")


@pytest.fixture
def mine(client_row, trunk):
    return [
        make_subscriber(client_row, full_name="Первый", connection=trunk),
        make_subscriber(client_row, full_name="Второй"),
    ]


def talk(subscriber, at, micros, group="local", calls=1, seconds=60):
    """Calls as imports count them, and the file that brought them."""
    make_import_run(last_at=int(at.timestamp()))
    change = usage.Change({subscriber.id: subscriber.client_id})
    change.note(subscriber.id, int(at.timestamp()), group, (calls, seconds, 60, 0, micros, 0))
    change.save()


def words(tag):
    return " ".join(tag.get_text(" ").replace("\xa0", " ").split())


def tables(page):
    """Rows of the table behind each drawing, by its title."""
    return {
        figure.figcaption.text: [
            [words(cell) for cell in row.select("th, td")] for row in figure.select("tbody tr")
        ]
        for figure in page.select("figure.chart")
    }


def test_each_figure_has_its_table_and_its_sentence(browser, mine):
    talk(mine[0], NOON - DAY, 1_000_000, calls=3)
    talk(mine[1], NOON - 2 * DAY, 2_500_000, "international", calls=2, seconds=90)
    talk(mine[1], NOON - 2 * DAY, 0, usage.INCOMING, calls=4)
    page = browser.get("home.show")
    found = tables(page)
    days = found["Звонки по дням"]
    assert len(days) == 31
    assert days[6:10] == [
        ["07.03.2026, выходной", "0", "0,00"],
        ["08.03.2026, выходной", "6", "2,50"],
        ["09.03.2026", "3", "1,00"],
        ["10.03.2026", "нет данных", ""],
    ]
    assert found["Стоимость звонков по направлениям"] == [
        ["Международные звонки", "2", "2,50"],
        ["Звонки на стационарные номера Беларуси", "3", "1,00"],
    ]
    assert [row[1:] for row in found["Номера с самыми дорогими звонками"]] == [
        ["2", "2,50"],
        ["3", "1,00"],
    ]
    assert "Всего звонков: 9. Больше всего 08.03.2026: 6." in words(page.main)
    assert "Данные на 09.03.2026 12:00" in words(page.main)


def test_this_month_stands_beside_as_many_whole_days_of_the_last(browser, mine):
    talk(mine[0], datetime(2026, 2, 8, 12, tzinfo=clock.zone()), 5_000_000)
    talk(mine[0], datetime(2026, 2, 9, 12, tzinfo=clock.zone()), 70_000_000)  # too late a day
    talk(mine[0], NOON - 2 * DAY, 1_000_000)
    talk(mine[0], NOON - DAY, 80_000_000)  # a day that is not over as far as is known
    assert tables(browser.get("home.show"))["Этот месяц и прошлый"] == [
        ["01.03.2026 – 08.03.2026", "1", "0:01:00", "1,00"],
        ["01.02.2026 – 08.02.2026", "1", "0:01:00", "5,00"],
    ]


def test_a_shorter_month_is_compared_as_a_whole(monkeypatch, browser, mine):
    monkeypatch.setattr(clock, "now", lambda: NOW + 21 * DAY)
    talk(mine[0], datetime(2026, 2, 28, 12, tzinfo=clock.zone()), 5_000_000)
    talk(mine[0], NOON + 21 * DAY, 1_000_000)
    browser.sign_in(browser.user)
    assert tables(browser.get("home.show"))["Этот месяц и прошлый"] == [
        ["01.03.2026 – 30.03.2026", "0", "0:00:00", "0,00"],
        ["01.02.2026 – 28.02.2026", "1", "0:01:00", "5,00"],
    ]


def test_on_the_first_of_the_month_there_is_nothing_to_compare(monkeypatch, browser, mine):
    first = datetime(2026, 3, 1, 10, tzinfo=clock.zone())
    monkeypatch.setattr(clock, "now", lambda: first)
    talk(mine[0], first - 3 * DAY, 5_000_000)
    page = browser.get("home.show")
    assert tables(page) == {}
    assert "Ни один день этого месяца еще не закончился" in words(page.main)


def test_what_cost_nothing_makes_no_empty_chart(browser, mine):
    talk(mine[0], NOON - DAY, 0, usage.INCOMING)
    assert list(tables(browser.get("home.show"))) == ["Звонки по дням"]


def test_every_figure_leads_to_what_it_is_made_of(browser, mine):
    talk(mine[0], NOON - DAY, 1_000_000)
    talk(mine[1], NOON - 2 * DAY, 2_500_000, "international")
    page = browser.get("home.show")
    for figure in page.select("figure.chart"):
        assert figure.select("a"), figure.figcaption
    for link in page.select("main a"):
        browser.get(link["href"])
    named = {link.get("aria-label"): link for link in page.select("figure a[aria-label]")}
    for name, whose in (
        ("Звонки за 08.03.2026, выходной", {"day": "2026-03-08"}),
        ("Международные звонки: звонки месяца", {"group": "international"}),
    ):
        assert named[name]["href"] == browser.url("bills.charges.calls", **whose)
        assert named[name].text in name
    texts = [link.text.strip() for link in page.select("a")]
    assert texts.count("Начисления за текущий период") == 1
    number = page.main.find("a", string=lambda text: text and "Второй" in text)
    assert number["href"] == browser.url("bills.charges.number", subscriber=mine[1].id)


def test_with_a_subscriber_chosen_its_figures_are_shown_and_the_companys_on_demand(
    browser, trunk, mine
):
    talk(mine[0], NOON - DAY, 1_000_000)
    talk(mine[1], NOON - DAY, 2_500_000, "international")
    talk(trunk, NOON - 30 * DAY, 4_000_000)
    browser.post("subscribers.choose", {"subscriber": str(trunk.id)})
    page = browser.get("home.show")
    found = tables(page)
    assert "Звонки по дням" not in found
    assert [row[1:] for row in found["Номера с самыми дорогими звонками"]] == [["1", "1,00"]]
    assert [row[1:] for row in found["Стоимость звонков по направлениям"]] == [["1", "1,00"]]
    assert found["Этот месяц и прошлый"] == [
        ["01.03.2026 – 10.03.2026", "1", "0:01:00", "1,00"],
        ["01.02.2026 – 28.02.2026", "1", "0:01:00", "4,00"],
    ]
    assert f"только выбранный SIP-абонент {trunk.number}" in words(page.main)
    link = page.main.find("a", string="Вся компания")
    whole = browser.get(link["href"])
    assert len(tables(whole)["Номера с самыми дорогими звонками"]) == 2
    assert "Звонки по дням" in tables(whole)


def test_what_is_kept_follows_every_import_and_never_another_client(
    monkeypatch, browser, stranger, mine
):
    monkeypatch.setattr(figures, "KEPT_FROM", 1)
    monkeypatch.setattr(figures, "_kept", figures._Kept())
    numbers = "Номера с самыми дорогими звонками"

    def cost():
        return tables(browser.get("home.show"))[numbers][0][2]

    talk(mine[0], NOON - DAY, 1_000_000)
    assert cost() == "1,00"
    talk(mine[0], NOON - DAY, 1_000_000)
    assert cost() == "1,00"  # for a few seconds
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=6))
    assert cost() == "2,00"
    assert tables(stranger.get("home.show")) == {}
    mine[0].number = "375171111111"
    mine[0].save()
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=70))
    assert tables(browser.get("home.show"))[numbers][0][0].startswith("375 17 111-11-11")


def test_another_choice_has_figures_of_its_own(monkeypatch, browser, trunk, mine):
    monkeypatch.setattr(figures, "KEPT_FROM", 1)
    monkeypatch.setattr(figures, "_kept", figures._Kept())
    talk(mine[0], NOON - DAY, 1_000_000)
    assert "Звонки по дням" in tables(browser.get("home.show"))
    browser.post("subscribers.choose", {"subscriber": str(trunk.id)})
    assert "Звонки по дням" not in tables(browser.get("home.show"))
    assert "Звонки по дням" in tables(browser.get("home.show", whose="company"))


def test_no_call_is_read(browser, mine, monkeypatch):
    make_call(mine[0], NOON - DAY)
    UsageDay.update(micros=1_000_000).execute()
    UsageMonth.update(micros=1_000_000).execute()
    monkeypatch.setattr(Call, "select", None)
    assert tables(browser.get("home.show"))["Звонки по дням"]
