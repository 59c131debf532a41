"""«Начисления за текущий период»: the list of sums, drawings, a number's calls, a call's price."""

import re
from datetime import date, datetime, timedelta

import pytest

from domain.rating.states import CallRating
from models import AuditEvent, Call, Client
from models_billing import (
    OneOffCharge,
    TariffFee,
    TariffPackage,
    TariffPlan,
    TariffRate,
    TariffVersion,
)
from services import clock, rating, usage
from services.audit import AuditEventKind
from services.transactions import write_tx
from tests.factories import make_call, make_import_run, make_subscriber
from tests.page import Browser

NOW = datetime(2026, 3, 10, 15, tzinfo=clock.zone())
NOON = datetime(2026, 3, 9, 12, tzinfo=clock.zone())
LIST = "bills.charges.show"
PAID = "Разговор: {0} ({1} с). К оплате: {0} ({1} с): начатый шаг тарификации считается целиком."
ROUNDED = (
    "До округления: {}. Округлено один раз, до 4 знаков после запятой (половина и больше – вверх)."
)
WITH_VAT = (
    "Без НДС: {}. НДС 25 %: {}, с НДС: {}. В счете НДС считается один раз, с суммы всех строк."
)


@pytest.fixture(autouse=True)
def march(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def version(client_row):
    plan = TariffPlan.create(name="Офис", created_at=NOW)
    made = TariffVersion.create(
        plan=plan, valid_from=date(2026, 1, 1), state="published", created_at=NOW,
        rounding_places=4,
    )  # fmt: skip
    TariffFee.create(version=made, code="number", name="Абонентская плата", amount=310)
    for prefix, name, group, price in (
        ("375", "Беларусь", "local", 60_000),
        ("7495", "Россия, Москва", "international", 457_800),
    ):
        TariffRate.create(
            version=made, prefix=prefix, name=name, destination_group=group,
            steps=[[0, price, 60, 60], [60, price, 60, 1]],
        )  # fmt: skip
    return made


@pytest.fixture
def own(client_row, version):
    names = ("Яковлева Анна", "Борисов Пётр")
    return [make_subscriber(client_row, plan="Офис", full_name=name) for name in names]


def talk(subscriber, peer="375171112233", seconds=61, at=NOON, **values):
    return make_call(
        subscriber, at, billable_s=seconds, peer=peer,
        answered_at=int(at.timestamp()) if seconds else None,
        **{"import_run": make_import_run(last_at=int(NOON.timestamp())), **values},
    )  # fmt: skip


def price():
    rating.rerun(NOW.date(), NOW.date())
    with write_tx():
        usage.make_anew()


def words(tag):
    return " ".join(tag.get_text(" ").split())


def cells(page, subscriber):
    """The cells of a number's row by their titles."""
    link = page.main.find("a", string=subscriber.number)
    return {cell["data-l"]: words(cell) for cell in link.find_parent("tr").select("[data-l]")}


def numbers(page):
    return [row.a.text for row in page.select("#rows tbody tr:not(.total)")]


def call_values(call):
    return {"subscriber": call.subscriber_id, "started": call.started_at, "seq": call.seq}


def reasons(page):
    return [words(item) for item in page.select("[id^=why-] li")]


# --- The list -------------------------------------------------------------------------------------


def test_a_row_has_every_sum_of_the_number(browser, own):
    talk(own[0])
    talk(own[0], "74951112233", 60)
    talk(own[0], direction=1, seconds=30)
    price()
    row = cells(browser.get(LIST), own[0])
    assert row == {
        "Номер телефона": f"{own[0].number} Яковлева Анна Офис",
        "Абонплата": "1,00 за месяц 3,10",
        "Исходящие звонки": "0,52 2 звонка, 0:02:01",
        "из них межд.": "0,46",
        "Входящие звонки": "0,00 1 звонок, 0:00:30",
        "Из пакетов, ч:мм:сс": "0:00:00",
        "Разовые": "0,00",
        "Рассрочка": "0,00",
        "Без НДС": "1,52",
        "НДС": "0,38",
        "Всего": "1,90",
        "Прогноз на месяц": row["Прогноз на месяц"],
    }


def test_the_company_stands_on_top_with_its_vat_forecast_and_how_fresh_it_is(browser, own):
    talk(own[0], seconds=0)
    price()
    main = words(browser.get(LIST).main)
    assert "Данные на 09.03.2026 12:00" in main
    assert "Без НДС 2,00 НДС 25 % 0,50" in main
    assert "Всего с НДС 2,50" in main
    assert "Прогноз до конца месяца с НДС 7,75" in main


def test_rows_make_the_total_with_what_is_the_companys_own(browser, client_row, own):
    OneOffCharge.create(
        client=client_row, day=NOW.date(), name="Выезд мастера", amount=1000, created_at=NOW
    )
    talk(own[0])
    price()
    page = browser.get(LIST)
    totals = [[words(cell) for cell in row.select("th, td")] for row in page.select("#rows .total")]
    assert totals[0][0] == "На компанию в целом"
    assert totals[1][0] == "Всего по компании"
    rows = [cells(page, number)["Всего"] for number in own]
    kopecks = [int(text.replace(",", "")) for text in (*rows, totals[0][10], totals[1][10])]
    assert sum(kopecks[:-1]) == kopecks[-1]
    assert "Выезд мастера" in words(page.select_one("details.lines"))


def test_calls_without_a_price_are_said_to_be_such_and_are_no_nought(browser, own):
    for n in range(2):
        talk(own[1], "48221112233", at=NOON + timedelta(minutes=n))
    price()
    page = browser.get(LIST)
    assert "без цены: 2 звонка" in cells(page, own[1])["Исходящие звонки"]
    notice = page.main.select_one(".alert.warn")
    assert "без цены: 2 звонка" in words(notice)
    assert numbers(browser.get(notice.a["href"]))[0] == own[1].number


def test_every_column_is_a_link_that_sorts_and_turns_round(browser, own):
    talk(own[1])
    price()
    page = browser.get(LIST)
    links = page.select("#rows thead a")
    assert len(links) == 13
    for link in links:
        assert sorted(numbers(browser.get(link["href"]))) == sorted(numbers(page))
    by_calls = browser.get(LIST, sort="out", desc="1")
    assert numbers(by_calls) == [own[1].number, own[0].number]
    head = by_calls.select_one("#rows thead th[aria-sort=descending]")
    assert head.a.text == "Исходящие звонки"
    assert numbers(browser.get(head.a["href"])) == [own[0].number, own[1].number]
    assert numbers(browser.get(LIST, sort="name"))[0] == own[1].number


def test_what_is_not_understood_is_as_if_it_were_not_there(browser, own):
    plain = numbers(browser.get(LIST))
    for values in ({"sort": "x", "desc": "y"}, {"page": "-3"}, {"page": "x", "per_page": "7"}):
        assert numbers(browser.get(LIST, **values)) == plain


def test_the_list_is_searched_and_paged_and_the_order_stays(browser, client_row, own):
    for n in range(24):
        make_subscriber(client_row, plan="Офис", full_name=f"Сотрудник {n:02}")
    first = browser.get(LIST, sort="name", desc="1")
    assert len(numbers(first)) == 20
    assert "Страница 1 из 2" in words(first)
    assert not first.select("#rows .total")
    second = browser.get(first.select_one("#rows .pages a[aria-label='Страница 2']")["href"])
    assert len(numbers(second)) == 6
    assert numbers(second)[-1] == own[1].number
    assert len(numbers(browser.get(LIST, per_page=50))) == 26
    found = browser.get(LIST, q="борисов")
    assert numbers(found) == [own[1].number]
    assert found.select_one("#q")["value"] == "борисов"
    none = browser.get(LIST, q="никого")
    assert "Абоненты не найдены по запросу «никого»." in words(none)


def test_packages_are_told_with_what_is_left(browser, own, version):
    TariffPackage.create(
        version=version, ordinal=1, code="home", name="10 минут", quota_s=600, is_shared=True
    )
    TariffPackage.create(version=version, ordinal=2, code="own", quota_s=60, groups=["x"])
    talk(own[0], seconds=540)
    price()
    page = browser.get(LIST)
    assert "10 минут: использовано 0:09:00 из 0:10:00, осталось 0:01:00" in words(page.main)
    assert cells(page, own[0])["Из пакетов, ч:мм:сс"] == "0:09:00 осталось 0:01:00"


def test_a_client_without_numbers_or_calls_has_a_page(browser, base):
    page = browser.get(LIST)
    assert "В этом месяце у компании нет номеров." in words(page.main)
    assert "Звонки еще не загружены" in words(page.main)
    browser.get("bills.charges.charts")


# --- Drawings -------------------------------------------------------------------------------------


def test_each_drawing_tells_what_it_shows_and_has_its_table(browser, own):
    talk(own[0], seconds=600)
    talk(own[1], "74951112233")
    price()
    page = browser.get("bills.charges.charts")
    figures = page.select("figure.chart")
    assert len(figures) == 3
    for figure in figures:
        assert len(figure.select("svg[role=img]")) == 2
        for svg in figure.select("svg"):
            told = [page.find(id=key).text for key in svg["aria-labelledby"].split()]
            assert all(told)
        assert figure.select_one("details summary").text.startswith("Показать таблицу")
        assert figure.select_one("details table")
    days = figures[0].select("tbody tr")
    assert [words(cell) for cell in days[8].select("th, td")] == ["09.03.2026", "2", "1,0654"]
    assert [words(cell) for cell in days[30].select("th, td")][1:] == ["нет данных"] * 2
    assert words(days[6].th) == "07.03.2026, выходной"
    assert words(days[-1]) == "Всего 2 1,0654"
    assert len(figures[0].select("svg")[0].select("rect")) == 9
    assert own[0].number[-2:] in words(figures[2].select("tbody tr")[0].th)


def test_a_month_without_calls_is_a_sentence_and_no_empty_axis(browser, own):
    page = browser.get("bills.charges.charts")
    assert not page.main.select("svg")
    assert words(page.main).count("Платных звонков пока нет.") == 3


# --- A number and its calls -----------------------------------------------------------------------


def test_a_number_shows_its_calls_each_with_its_price(browser, own):
    talk(own[0], "74951112233", 61)
    talk(own[0], direction=1, at=NOON + timedelta(hours=1))
    talk(own[0], "48221112233", at=NOON + timedelta(hours=2))
    talk(own[0], seconds=0, at=NOON + timedelta(hours=3))
    talk(own[1])
    price()
    page = browser.get(browser.get(LIST).main.find("a", string=own[0].number)["href"])
    rows = page.select("table.calls tbody tr:not(.why)")
    assert [words(row.select("td")[-1]) for row in rows] == ["0,00", "без цены", "0,00", "0,4654"]
    assert [words(cell) for cell in rows[-1].select("th, td")][:6] == [
        "09.03.2026 12:00:00", "исходящий", "74951112233", "Россия, Москва", "0:01:01", "0:01:01",
    ]  # fmt: skip
    shown = [link["href"] for link in page.main.select(".quick a")]
    counts = [len(browser.get(url).select("table.calls tbody tr:not(.why)")) for url in shown]
    assert counts == [4, 1, 1, 1]


def test_callers_are_hidden_where_that_is_the_policy(browser, client_row, own):
    talk(own[0], "375291234567", direction=1)
    price()
    Client.update(hide_incoming_peers=True).where(Client.id == client_row.id).execute()
    call = Call.get(Call.subscriber_id == own[0].id)
    for page in (
        browser.get("bills.charges.number", subscriber=own[0].id),
        browser.get("bills.charges.call", **call_values(call)),
    ):
        assert "375291234***" in words(page)
        assert "375291234567" not in str(page)


def test_calls_come_in_pages(browser, own):
    for n in range(51):
        talk(own[0], at=NOON + timedelta(minutes=n))
    page = browser.get("bills.charges.number", subscriber=own[0].id)
    assert len(page.select("table.calls tbody tr:not(.why)")) == 50
    rest = browser.get(page.select_one(".pages a[aria-label='Страница 2']")["href"])
    assert len(rest.select("table.calls tbody tr:not(.why)")) == 1


def test_a_call_says_in_sentences_why_it_costs_that(browser, own):
    call = talk(own[0], "74951112233", 61)
    price()
    page = browser.get("bills.charges.call", **call_values(call))
    assert reasons(page) == [
        "Тариф «Офис» в редакции, которая действует с 01.01.2026.",
        "Номер 74951112233 начинается с 7495: направление «Россия, Москва».",
        PAID.format("0:01:01", 61),
        "1 × 60 с = 60 с по 0,4578 за минуту: 0,4578.",
        "1 × 1 с = 1 с по 0,4578 за минуту: 0,00763.",
        ROUNDED.format("0,46543"),
        WITH_VAT.format("0,4654", "0,11635", "0,58175"),
    ]


def test_a_price_opens_in_place_and_as_a_page_without_scripts(browser, own):
    call = talk(own[0])
    price()
    page = browser.get("bills.charges.number", subscriber=own[0].id)
    link = page.select_one("table.calls a[hx-get]")
    assert page.select_one(link["hx-target"].replace("#slot-", "[id='slot-") + "']").text == ""
    part = browser.get(link["hx-get"], htmx=True)
    assert part.select_one("[id^=why-]")
    assert not part.select("h1, title")
    assert reasons(part) == reasons(browser.get(link["href"]))
    browser.get("bills.charges.why", **call_values(call), status=303)
    assert browser.response.location == link["href"]


def test_what_a_package_paid_is_told(browser, own, version):
    TariffPackage.create(
        version=version, ordinal=1, code="home", name="Дом", quota_s=90, is_shared=True
    )
    first = talk(own[0], seconds=60)
    second = talk(own[1], seconds=60, at=NOON + timedelta(minutes=5))
    price()
    whole = reasons(browser.get("bills.charges.call", **call_values(first)))
    assert "Из пакета «Дом» взято 0:01:00 (60 с)." in whole
    assert "Пакет покрывает весь разговор: платить не нужно." in whole
    part = reasons(browser.get("bills.charges.call", **call_values(second)))
    assert "Из пакета «Дом» взято 0:00:30 (30 с)." in part
    assert any(line.endswith("по 0,06 за минуту: 0,06.") for line in part)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"direction": 1}, "Входящие звонки бесплатны."),
        ({"seconds": 0}, "На звонок не ответили: такой звонок ничего не стоит."),
        ({"peer": "48221112233"}, "В тарифе нет цены для номера 48221112233."),
    ],
)
def test_a_call_without_a_price_says_why_it_has_none(browser, own, values, sentence):
    call = talk(own[0], **values)
    price()
    assert sentence in words(browser.get("bills.charges.call", **call_values(call)))


def test_a_call_of_a_number_without_a_tariff_one_waived_and_one_not_rated(browser, client_row):
    number = make_subscriber(client_row, plan="Нет такого")
    call = talk(number)
    price()
    address = browser.url("bills.charges.call", **call_values(call))
    assert "не было тарифа" in words(browser.get(address))
    for rating_now, said in ((CallRating.WAIVED, "не берет"), (None, "еще не тарифицирован")):
        Call.update(rating=rating_now).where(Call.subscriber_id == number.id).execute()
        assert said in words(browser.get(address))


def test_a_price_that_the_tariff_no_longer_gives_is_said_to_be_old(browser, own):
    call = talk(own[0])
    price()
    Call.update(price=1).where(Call.subscriber_id == own[0].id).execute()
    page = browser.get("bills.charges.call", **call_values(call))
    assert "В суммах этот звонок стоит 0,000001" in words(page)


# --- Strangers ------------------------------------------------------------------------------------


def test_strangers_find_nothing(app, stranger, own):
    call = talk(own[0])
    price()
    own_number, own_call = {"subscriber": own[0].id}, call_values(call)
    assert own[0].number not in words(stranger.get(LIST))
    for endpoint, values in (
        ("bills.charges.number", own_number),
        ("bills.charges.call", own_call),
        ("bills.charges.why", own_call),
    ):
        stranger.get(endpoint, **values, status=404)
    assert AuditEvent.select().where(AuditEvent.event == AuditEventKind.ACCESS_REFUSED).count() == 3
    mine = make_subscriber(stranger.user.client)
    stranger.get("bills.charges.call", **(own_call | {"subscriber": mine.id}), status=404)
    assert isinstance(stranger, Browser)


def test_a_number_of_last_year_has_its_page_without_sums(browser, client_row, own):
    own[0].valid_to = datetime(2025, 12, 1, tzinfo=clock.zone())
    own[0].save()
    page = browser.get("bills.charges.number", subscriber=own[0].id)
    assert not page.main.select("dl")
    assert re.search("Таких звонков в этом месяце нет", words(page))
