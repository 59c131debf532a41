"""«Информация по рассрочке»: plans, their parts and the bills on which they stand."""

import csv
import io
from datetime import UTC, date, datetime

import pytest

from models_billing import Payment
from services import billing, clock, instalments, invoices
from services.audit import By
from services.instalments import Purchase
from tests.factories import make_client
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


def test_early_repayment_is_asked_for_in_a_thread(browser, march):
    page = browser.get("instalments.show")
    link = page.main.find("a", string="Запросить досрочное погашение")
    form = browser.get(link["href"])
    assert form.select_one("select[name=subject] option[selected]")["value"] == "instalments"
