"""«Формирование счетов»: a look first, then the deed; who has no invoice is tried again alone."""

from datetime import UTC, date, datetime

import pytest

from domain.rating.states import CallRating
from domain.roles import Role
from jobs import billing as job
from models import Call
from models_billing import BillingRequest, Invoice, VatRate
from services import clock, queue
from tests import factories
from tests.factories import NOON
from tests.page import Browser

PAGE = "operator.billing"
MONTHS = ("2026-02", "2026-03")


@pytest.fixture(autouse=True)
def april(app, base, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON.replace(month=4))
    monkeypatch.setattr(queue, "hint_billing", lambda _id: True)


@pytest.fixture
def clients(client_row):
    """One that can be billed, and one whose call has no price."""
    bad = factories.make_client(name="ООО «Без цены»")
    number = factories.make_subscriber(bad)
    factories.make_call(
        number, answered_at=int(NOON.timestamp()), rating=CallRating.NO_RATE, peer="48221112233"
    )
    return client_row, bad


def work():
    for request in BillingRequest.select():
        job.form(request.id)


def asked():
    """The number of the first request."""
    return BillingRequest.select().order_by(BillingRequest.id).first().id


def facts(page):
    names = [term.text for term in page.select("#card dt")]
    return dict(zip(names, (fact.text for fact in page.select("#card dd")), strict=True))


def test_a_month_is_checked_and_then_formed(operator_browser, clients):
    page = operator_browser.get(f"{PAGE}.index")
    assert [each.text for each in page.select("tbody a")] == ["март 2026 г."]
    operator_browser.post(f"{PAGE}.look", month="2026-03")
    page = operator_browser.follow()
    assert page.select_one("#card h2").text == "Ждет своей очереди"
    assert page.select_one("#card")["hx-get"].endswith("/status")
    assert not page.select("#card form"), "nothing can be formed before it was looked at"
    work()
    page = operator_browser.get(operator_browser.url(f"{PAGE}.show", asked=asked()))
    assert facts(page)["Будет сформировано"] == "1"
    assert facts(page)["Не может быть сформировано"] == "1"
    assert "Звонков без цены: 1" in page.select_one("#card table").text
    assert not Invoice.across_clients().exists()
    assert page.select_one("#card form button").text == "Сформировать счета"
    operator_browser.post(f"{PAGE}.form", asked=asked())
    work()
    page = operator_browser.follow()
    assert page.select_one("#card h2").text == "Готово"
    assert (facts(page)["Сформировано"], facts(page)["Не сформировано"]) == ("1", "1")
    page = operator_browser.get(f"{PAGE}.month", month="2026-03")
    assert page.select_one("dl.sum dd").text == "1 из 2"
    assert "Звонков без цены: 1" in page.text


def test_one_client_is_tried_again_alone(operator_browser, clients):
    _good, bad = clients
    operator_browser.post(f"{PAGE}.retry", {"account": bad.account_no}, month="2026-03")
    work()
    page = operator_browser.get(f"{PAGE}.month", month="2026-03")
    assert page.select_one("td form button").text == "Повторить"
    assert not Invoice.across_clients().exists()
    Call.update(rating=CallRating.WAIVED, price=0, billed_s=0, package_s=0).execute()
    operator_browser.post(f"{PAGE}.retry", {"account": bad.account_no}, month="2026-03")
    work()
    assert [row.client for row in Invoice.across_clients()] == [bad]
    assert bad.name in operator_browser.follow().select_one("#card dl").text
    page = operator_browser.get(f"{PAGE}.month", month="2026-03")
    assert "Счета не сформированы" not in page.text
    operator_browser.post(f"{PAGE}.retry", {"account": "нет"}, month="2026-03")
    assert "Клиента с таким лицевым" in operator_browser.follow().text


def test_what_was_not_looked_at_is_not_formed(operator_browser, clients):
    operator_browser.post(f"{PAGE}.look", month="2026-03")
    operator_browser.post(f"{PAGE}.form", asked=asked())
    assert "Сначала проверьте" in operator_browser.follow().text
    assert BillingRequest.select().count() == 1


def test_a_second_click_leads_to_the_same_request(operator_browser, clients):
    operator_browser.post(f"{PAGE}.look", month="2026-03")
    first = operator_browser.response.location
    operator_browser.post(f"{PAGE}.look", month="2026-03")
    assert operator_browser.response.location == first


def test_a_month_tells_the_rates_of_vat_on_its_last_day(operator_browser):
    for service, day, percent in (("goods", 31, 1800), ("Аренда", 1, 0)):
        VatRate.create(service=service, valid_from=date(2026, 3, day), percent=percent)
    told = {month: operator_browser.get(f"{PAGE}.month", month=month) for month in MONTHS}
    assert [page.select("dl.sum dd")[-1].text.replace("\xa0", " ") for page in told.values()] == [
        "Услуги электросвязи, НДС 25 %; Товары, НДС 20 %",
        "Услуги электросвязи, НДС 25 %; Товары, НДС 18 %; Аренда, НДС 0 %",
    ]


@pytest.mark.parametrize("month", ["2026-04", "2027-01", "2026-13", "март", "0001-01"])
def test_only_months_that_have_ended_have_a_page(operator_browser, month):
    operator_browser.get(f"{PAGE}.month", month=month, status=404)
    operator_browser.post(f"{PAGE}.look", month=month, status=404)


def test_the_card_alone_is_for_those_who_wait(operator_browser, clients):
    operator_browser.post(f"{PAGE}.look", month="2026-03")
    card = operator_browser.get(f"{PAGE}.status", asked=asked(), htmx=True)
    assert card.select_one("section#card")
    operator_browser.get(f"{PAGE}.status", asked=asked(), status=303)
    operator_browser.get(f"{PAGE}.show", asked=10**9, status=404)


def test_months_are_listed_from_the_first_call_and_the_first_bill_on(operator_browser, clients):
    january = int(datetime(2025, 12, 31, 22, tzinfo=UTC).timestamp())  # the new year in Minsk
    factories.make_import_run(first_at=january)
    page = operator_browser.get(f"{PAGE}.index")
    names = [each.text.split()[0] for each in page.select("tbody a")]
    assert names == ["март", "февраль", "январь"]


def test_a_clerk_only_looks(app, clients, operator_browser):
    operator_browser.post(f"{PAGE}.look", month="2026-03")
    work()
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    assert not clerk.get(f"{PAGE}.show", asked=asked()).select("main form")
    assert not clerk.get(f"{PAGE}.month", month="2026-03").select("main form")
    clerk.post(f"{PAGE}.look", status=403, month="2026-03")
    clerk.post(f"{PAGE}.form", status=403, asked=asked())
