"""«Информация по рассрочке»: plans, their parts and the bills on which they stand."""

import csv
import io
from datetime import UTC, date, datetime

import pytest

from domain.billing.instalments import PlanEnd
from domain.roles import Role
from models_billing import InstalmentPlan, Payment
from models_subscribers import ScopeSubscriber, UserScope
from services import billing, clock, instalments, invoices
from services.audit import By
from services.instalments import Purchase
from tests.factories import make_client, make_subscriber, make_user
from tests.page import Browser
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import MARCH

TODAY = datetime(2026, 4, 10, 9, tzinfo=UTC)


def sell(client, **values):
    purchase = Purchase(
        **{
            "contract_no": "Р-1",
            "goods": "Телефон",
            "price": 13_000,
            "first_payment": 1_000,
            "months": 12,
            "starts_on": date(2026, 3, 15),
            **values,
        }
    )
    return instalments.add(client, purchase, by=By(now=TODAY))


@pytest.fixture
def march(client_row, monkeypatch):
    """A bill of March with the first of twelve parts on it."""
    monkeypatch.setattr(clock, "now", lambda: TODAY)
    sell(client_row)
    billing.form_month(MARCH, now=cases.NOW)
    return invoices.of_client(client_row)[0]


def words(tag):
    return " ".join(tag.get_text(" ").replace("\xa0", " ").split())


def facts(page):
    keys, values = page.select("dl.sum dt"), page.select("dl.sum dd")
    return {words(key): words(value) for key, value in zip(keys, values, strict=True)}


def test_without_plans_it_says_so(browser):
    sell(make_client())
    page = browser.get("instalments.show")
    assert page.h1.text == "Информация по рассрочке"
    assert "У вас нет товаров в рассрочку." in words(page.main)


def test_a_plan_tells_what_is_paid_and_what_is_left(browser, client_row, march):
    told = facts(browser.get("instalments.show"))
    assert told["Взносов оплачено"].startswith("0 / 12")
    assert told["Остаток"] == "120,00"
    assert told["Ближайший взнос"] == "10,00, 15.04.2026"
    assert told["Сумма досрочного погашения"].startswith("110,00")
    Payment.create(
        client=client_row, paid_on=date(2026, 4, 5), amount=march.total, key="k", created_at=TODAY
    )
    page = browser.get("instalments.show")
    assert facts(page)["Взносов оплачено"] == "1 / 12; вместе с первым взносом оплачено 20,00"
    assert facts(page)["Остаток"] == "110,00"
    first = page.select_one("table tbody tr")
    assert first.a["href"] == browser.url("bills.invoice.show", key=march.key)
    assert "оплачен" in words(first)


def test_the_schedule_is_a_file_too(browser, march):
    page = browser.get("instalments.show")
    (link,) = (each for each in page.select("a[download]") if "CSV" in each.text)
    browser.get(link["href"])
    text = browser.response.get_data().decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert len(lines) == 12
    assert lines[0]["Счет"] == "2026-000001"
    browser.get("/instalments/file.pdf", status=404)


def test_early_repayment_is_asked_for_in_a_thread(browser, client_row, march):
    sell(client_row, contract_no="Р-2", goods="Шлюз", price=3_001, months=3)
    page = browser.get("instalments.show")
    links = page.main.find_all("a", string="Запросить досрочное погашение")
    texts = {}
    for link in links:
        form = browser.get(link["href"])
        assert form.select_one("select[name=subject] option[selected]")["value"] == "instalments"
        heading = link.find_previous("h2").text
        texts[heading] = form.select_one("textarea[name=text]").text.strip().replace("\xa0", " ")
    assert texts == {
        "Шлюз": "Просим досрочно погасить рассрочку по договору Р-2 (Шлюз). "
        "Сумма на 10.04.2026: 20,01 BYN.",
        "Телефон": "Просим досрочно погасить рассрочку по договору Р-1 (Телефон). "
        "Сумма на 10.04.2026: 110,00 BYN.",
    }


def test_of_a_plan_of_others_nothing_is_written(browser, client_row, march):
    plan = sell(make_client())
    browser.get("feedback.new", subject="instalments", plan=plan.id, status=404)
    browser.get("feedback.new", subject="instalments", plan="x", status=404)


def test_who_sees_chosen_numbers_learns_nothing_of_a_plan(app, client_row, march):
    colleague = make_user(client_row, role=Role.ACCOUNTANT)
    UserScope.create(user=colleague, client=client_row, set_at=TODAY, narrowed_at=TODAY)
    ScopeSubscriber.create(user=colleague, subscriber=make_subscriber(client_row))
    plan = InstalmentPlan.of(client_row).get()
    browser = Browser(app, colleague)
    assert browser.get("feedback.new", subject="instalments").h1
    browser.get("feedback.new", subject="instalments", plan=plan.id, status=404)


@pytest.mark.parametrize(
    ("how", "word", "left"),
    [
        (PlanEnd.REPAID, "Погашена досрочно 10.04.2026", "120,00"),
        (PlanEnd.CALLED_OFF, "Отменена 10.04.2026", "10,00"),
    ],
)
def test_a_plan_that_ended_says_so(browser, client_row, march, how, word, left):
    plan = InstalmentPlan.of(client_row).get()
    instalments.end(client_row, plan.id, how, TODAY.date(), by=By(now=TODAY))
    page = browser.get("instalments.show")
    told = facts(page)
    assert word in told["Договор"]
    assert told["Остаток"].startswith(left)
    assert "Ближайший взнос" not in told
    assert "Запросить досрочное погашение" not in page.main.text


def test_what_an_employee_pays_goes_by_the_schedule(browser, client_row, march):
    sell(client_row, contract_no="Р-2", payer="employee", starts_on=date(2026, 2, 10))
    page = browser.get("instalments.show")
    assert "остаток 120,00 BYN" in words(page.main)
    assert "сотрудники платят сами" in words(page.main)
    mine = next(sum_ for sum_ in page.select("dl.sum") if "Р-2" in sum_.text)
    text = words(mine)
    assert "3 / 12" in text
    assert "По графику" in text
    assert "Ближайший взнос 10,00, 10.05.2026" in text
    states = [words(row.select("td")[-1]) for row in mine.find_next("table").select("tbody tr")]
    assert states == ["по графику"] * 3 + ["предстоит"] * 9
