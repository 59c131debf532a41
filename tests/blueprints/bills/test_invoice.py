"""The page of a bill: its lines, numbers and calls, what has changed, and the comparison."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from blueprints.bills import invoice as pages
from domain.cdr.record import CallDirection
from domain.roles import Role
from models import AuditEvent, Call
from models_billing import Discount, PlanAssignment
from services import clock, corrections, invoices, rating, usage
from services.audit import AuditEventKind
from services.transactions import write_tx
from tests.factories import NOON, make_import_run, make_user
from tests.page import Browser
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import APRIL, LATER, MARCH

PAGES = ("show", "comparison", "numbers", "changes", "changed_numbers")


@pytest.fixture(autouse=True)
def may(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: LATER)


@pytest.fixture
def own(client_row):
    """Two numbers of the browser's client with a tariff, and calls of March."""
    cases.make_plan()
    numbers = [cases.add_number(client_row, n) for n in range(2)]
    cases.talk_a_bit(client_row)
    return numbers


@pytest.fixture
def march(own, client_row):
    cases.form()
    return invoices.of_client(client_row)[0]


@pytest.fixture
def april(march, client_row):
    cases.form(APRIL, LATER)
    return invoices.of_client(client_row)[0]


def open_page(browser, invoice, name="show", **values):
    return browser.get(f"bills.invoice.{name}", key=invoice.key, **values)


def words(tag):
    return " ".join(tag.get_text(" ").replace("\xa0", " ").split())


def cells(row):
    return [words(cell) for cell in row.select("th, td")]


def rows(page, css=".charges"):
    return [cells(row) for row in page.select(f"{css} tbody tr:not(.why)")]


# --- The bill -------------------------------------------------------------------------------------


def test_a_bill_has_its_lines_vat_balances_and_the_sum_in_words(browser, own, client_row):
    cases.pay(client_row, 500, 12, "17")
    cases.charge(client_row, "IP-телефон", 1_000, service="goods")
    cases.form()
    page = open_page(browser, invoices.of_client(client_row)[0])
    assert page.h1.text == "Счет № 2026-000001 от 02.04.2026"
    main = words(page.main)
    assert "Платеж 12.03.2026, документ № 17 -5,00" in main
    paper, today = (main.index(each) for each in ("В документе от 02.04.2026", "На сегодня"))
    assert today < main.index("Остаток по этому счету") < main.index("Оплатить до") < paper
    assert "К оплате 16,20 Шестнадцать белорусских рублей 20 копеек" in main[paper:]
    assert rows(page)[:5] == [
        ["1", "Абонентская плата: SIP-номер", "2", "", "7,00", "25 %", "1,75", "8,75"],
        [
            *("2", "Звонки на стационарные номера Беларуси", "2", "0:02:35", "0,05"),
            *("25 %", "0,01", "0,06"),
        ],
        [
            *("3", "Звонки на мобильные номера Беларуси", "1", "0:02:01", "0,31"),
            *("25 %", "0,08", "0,39"),
        ],
        ["4", "IP-телефон", "1", "", "10,00", "20 %", "2,00", "12,00"],
        ["", "Итого по ставке НДС 25 %", "", "", "7,36", "", "1,84", "9,20"],
    ]


def test_a_bill_leads_to_its_order_to_its_proof_and_back(browser, march):
    page = open_page(browser, march)
    links = {words(link): link["href"] for link in page.main.select("a")}
    email = browser.get(links["Отправить этот счет на E-mail"])
    assert [box["value"] for box in email.select("input[name=documents][checked]")] == [march.key]
    address, _, anchor = links["Получить этот счет по ссылке"].partition("#")
    assert march.key in browser.get(address).select_one(f'[id="{anchor}"]').form.decode()
    assert links["Подлинность документа"] == f"/verify/{march.key}"
    assert links["Назад"] == "/bills/"
    assert page.select_one("#menu a[aria-current]").text == "Счета"


def test_a_bill_of_long_ago_is_not_offered_by_a_link(app, browser, march, monkeypatch):
    config = replace(app.config["CABINET"], INVOICE_LINK_MONTHS=1)
    monkeypatch.setitem(app.config, "CABINET", config)
    text = words(open_page(browser, march).main)
    assert "на E-mail" in text
    assert "по ссылке" not in text


def test_a_viewer_sees_a_bill_and_orders_nothing(app, client_row, march):
    viewer = Browser(app, make_user(client_row, role=Role.VIEWER))
    assert "E-mail" not in words(open_page(viewer, march).main)


def test_a_bill_and_its_credit_note_lead_to_each_other(browser, march):
    note = corrections.correct(
        march, [corrections.Correction(1, Fraction(1, 2))], reason="Ошибка", now=LATER
    )
    page = open_page(browser, march)
    assert "Счет исправлен: корректировка № 2026-000002 (-4,38)" in words(page.main)
    page = browser.get(page.main.find("a", string="корректировка № 2026-000002")["href"])
    assert "Ошибка: Абонентская плата: SIP-номер" in words(page.main)
    assert page.main.find("a", string="2026-000001")["href"] == f"/bills/{march.key}/"
    for name in PAGES[1:]:
        open_page(browser, note, name, status=404)


@pytest.mark.parametrize("page", PAGES)
def test_a_strangers_bill_is_one_that_does_not_exist(stranger, march, page):
    def answer(key):
        stranger.get(f"bills.invoice.{page}", key=key, status=404)
        return re.sub(r'name="csrf_token"[^>]*', "", stranger.response.text).replace(key, "")

    assert answer(march.key) == answer("z" * len(march.key))
    [event] = AuditEvent.select().where(AuditEvent.event == AuditEventKind.ACCESS_REFUSED)
    assert (event.user, event.subject) == (stranger.user, f"invoice:{march.id}")


def test_a_strangers_number_and_call_are_not_there_either(browser, stranger, march, own):
    other = cases.add_number(stranger.user.client, 7)
    open_page(browser, march, "number", subscriber=other.id, status=404)
    call = Call.select().where(Call.subscriber_id == own[0].id).get()
    key = {"subscriber": own[0].id, "started": call.started_at, "seq": call.seq}
    open_page(browser, march, "call", **key)
    stranger.get("bills.invoice.call", key=march.key, **key, status=404)


# --- Numbers and calls ----------------------------------------------------------------------------


def test_numbers_make_the_bill(browser, march):
    page = open_page(browser, march, "numbers")
    assert rows(page) == [
        [
            *("375173000000 Приёмная SIP-номер", "3,50"),
            *("0,02 1 звонок, 0:00:47", "0,00", "3,52"),
        ],
        [
            *("375173000001 Иванова Анна Сергеевна SIP-номер", "3,50"),
            *("0,34 2 звонка, 0:03:49", "0,00", "3,84"),
        ],
        ["Всего по компании", "", "", "", "7,36"],
    ]


def test_what_is_no_numbers_stands_below_them(browser, own, client_row):
    Discount.create(client=client_row, name="5 %", percent=500, valid_from=MARCH)
    cases.form()
    page = open_page(browser, invoices.of_client(client_row)[0], "numbers")
    assert [row[-1] for row in rows(page)[-2:]] == ["-0,37", "6,99"]


def test_numbers_are_found_by_line_digits_and_name(browser, march):
    def found(**values):
        page = open_page(browser, march, "numbers", **values)
        return [row[0].split()[0] for row in rows(page) if row[0][:3] == "375"]

    assert found(line=3) == ["375173000001"]
    assert found(q="3000000") == ["375173000000"]
    assert found(q="иванова") == ["375173000001"]
    assert found(sort="net") == ["375173000001", "375173000000"]
    assert found(q="нет такого") == []
    assert found(line=3, q="3000000") == []
    assert found(line="x", sort="x", page="x", per_page="7") == found()


def test_pages_of_numbers_come_out_of_the_table(browser, client_row, monkeypatch):
    cases.make_plan()
    for n in range(25):
        cases.add_number(client_row, n)
    cases.form()
    [invoice] = invoices.of_client(client_row)
    monkeypatch.setattr(invoices, "annex_of", None)
    page = open_page(browser, invoice, "numbers", page=2)
    assert [row[0].split()[0][-2:] for row in rows(page)] == ["20", "21", "22", "23", "24", "го"]
    assert "Страница 2 из 2" in words(page.main)


def test_a_number_has_its_part_of_each_line_and_its_calls_with_their_reasons(browser, march, own):
    page = open_page(browser, march, "number", subscriber=own[1].id)
    assert rows(page) == [
        ["Абонентская плата: SIP-номер", "1", "", "3,50"],
        ["Звонки на стационарные номера Беларуси", "1", "0:01:48", "0,03"],
        ["Звонки на мобильные номера Беларуси", "1", "0:02:01", "0,31"],
        ["Всего", "", "", "3,84"],
    ]
    text = words(page.main)
    assert "В счете 2 звонка на 0,34. В списке 2 звонка, 0,345342 до округления" in text
    assert [row[1] for row in rows(page, ".calls")] == ["375291112233", "375172223344"]
    link = page.select_one(".calls a")
    assert (
        browser.get(link["href"])
        .main.find("a", string="Назад")["href"]
        .endswith(f"/bills/{march.key}/numbers/{own[1].id}/")
    )
    why = browser.get(link["hx-get"], htmx=True)
    assert "SIP-номер" in words(why)
    only = open_page(browser, march, "number", subscriber=own[1].id, line=3)
    assert [row[1] for row in rows(only, ".calls")] == ["375291112233"]
    assert "В счете 1 звонок на 0,31" in words(only.main)


def test_incoming_calls_and_those_of_other_months_are_not_on_the_bill(browser, own, client_row):
    incoming = cases.talk(own[0], direction=CallDirection.IN, started=NOON + timedelta(hours=3))
    other = cases.talk(own[0], started=datetime(2026, 4, 3, 9, tzinfo=UTC))
    cases.form()
    [invoice] = invoices.of_client(client_row)
    page = open_page(browser, invoice, "number", subscriber=own[0].id)
    assert len(rows(page, ".calls")) == 1
    for call in (incoming, other):
        key = {"subscriber": own[0].id, "started": call.started_at, "seq": call.seq}
        open_page(browser, invoice, "call", **key, status=404)


# --- What has changed -----------------------------------------------------------------------------


def test_of_the_first_bill_there_is_nothing_to_compare(browser, march):
    assert "Что изменилось" not in words(open_page(browser, march).main)
    assert "сравнивать не с чем" in words(open_page(browser, march, "changes").main)
    open_page(browser, march, "changed_numbers", status=303)


def kopecks(text):
    return int(text.replace("\xa0", "").replace(" ", "").replace("+", "").replace(",", ""))


def test_what_has_changed_makes_the_difference_and_leads_to_what_is_behind(
    browser, march, own, client_row
):
    cases.add_number(client_row, 2, valid_from=datetime(2026, 4, 10, tzinfo=UTC))
    PlanAssignment.create(
        client=client_row, subscriber=own[0], valid_from=APRIL,
        plan=cases.make_plan("SIP-максимум", 990).plan,
    )  # fmt: skip
    cases.charge(client_row, "Выезд", 1_500)
    late = make_import_run()
    cases.talk(own[0], "mobile", 60, NOON + timedelta(days=2), import_run=late)
    cases.talk(own[1], "local", 300, datetime(2026, 4, 7, 9, tzinfo=UTC), import_run=late)
    cases.talk(own[1], "russia", 60, datetime(2026, 4, 8, 9, tzinfo=UTC), import_run=late)
    cases.form(APRIL, LATER)
    april = invoices.of_client(client_row)[0]
    assert "Что изменилось" in words(open_page(browser, april).main)
    page = open_page(browser, april, "changes")
    told = [(row[0], kopecks(row[3])) for row in rows(page)]
    *parts, (_word, whole) = told
    assert sum(amount for _name, amount in parts) == whole == april.total - march.total
    names = [name.split(" ")[0:2] for name, _amount in parts]
    for start in (["Новые", "номера"], ["Другой", "тарифный"], ["Разовые", "начисления"]):
        assert start in names
    assert any("объем разговоров" in name for name, _amount in parts)
    assert any("поступившие позже" in name for name, _amount in parts)
    for link in page.select(".changes a"):
        browser.get(link["href"])
    plans = open_page(browser, april, "changed_numbers", which="plan")
    assert rows(plans) == [["375173000000 Приёмная", "SIP-номер", "SIP-максимум", "3,50", "9,90"]]


def test_months_that_are_alike_have_not_changed(browser, client_row):
    cases.make_plan()
    cases.add_number(client_row)
    cases.form()
    cases.form(APRIL, LATER)
    page = open_page(browser, invoices.of_client(client_row)[0], "changes")
    assert "за оба месяца начислено одинаково" in words(page.main)


# --- The comparison -------------------------------------------------------------------------------


def test_bill_call_detail_and_charges_agree(browser, march):
    for name in ("show", "comparison"):
        text = words(open_page(browser, march, name).main)
        assert "сходится" in text
        assert "разница 0,00" in text


def test_calls_that_came_later_are_named_and_lead_to_the_bill_that_has_them(
    browser, march, own, client_row
):
    late = make_import_run()
    cases.talk(own[0], "mobile", 60, NOON + timedelta(days=2), import_run=late)
    rating.rerun(MARCH, APRIL)
    text = words(open_page(browser, march, "comparison").main)
    assert "+0,15 1 звонок поступил после формирования счета, войдет в следующий счет" in text
    cases.form(APRIL, LATER)
    april = invoices.of_client(client_row)[0]
    page = open_page(browser, march, "comparison")
    assert page.main.find("a", string="2026-000002")["href"] == f"/bills/{april.key}/"
    assert "сходится" in words(open_page(browser, april, "comparison").main)
    number = open_page(browser, april, "number", subscriber=own[0].id)
    assert [row[1] for row in rows(number, ".calls")] == ["375291112233"]


def test_calls_that_were_taken_out_are_named(browser, march, own):
    call = Call.select().where(Call.subscriber_id == own[1].id).order_by(Call.started_at).get()
    with write_tx():
        call.delete_instance()
        usage.make_anew()
    page = open_page(browser, march, "comparison")
    assert "изменились или были исключены" in words(page.main)
    number = open_page(browser, march, "number", subscriber=own[1].id)
    assert "сам счет остается прежним" in words(number.main)


def test_a_bill_with_very_many_calls_is_compared_when_asked(browser, march, monkeypatch):
    monkeypatch.setattr(pages, "COMPARED_AT_ONCE", 1)
    page = open_page(browser, march)
    assert "сверка займет несколько секунд" in words(page.main)
    link = page.main.find("a", string="Сверить")
    assert "сходится" in words(browser.get(link["href"]).main)
