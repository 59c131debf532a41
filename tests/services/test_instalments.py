"""Instalment plans that end before their last part, and those that employees pay."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from domain.billing.instalments import PlanEnd
from domain.errors import AlreadyExists, InvalidValue, NotFound, NothingToEnd, PlanEnded
from models import AuditEvent
from models_billing import InstalmentPlan, InvoiceLine, Payment
from services import (
    billing,
    charge_keeping,
    import_turns,
    instalment_list,
    instalments,
    invoices,
    verify,
)
from services.audit import By
from services.import_turns import ImportsBusy
from services.instalments import Purchase
from tests.factories import make_client
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import APRIL, MARCH

NOW = datetime(2026, 4, 10, 9, tzinfo=UTC)
LATER = datetime(2026, 5, 2, 6, tzinfo=UTC)
BY = By(now=NOW)
TODAY = NOW.date()


def sell(client, **values):
    told = {"contract_no": "Р-1", "goods": "Телефон", "price": 13_000, "first_payment": 1_000}
    told |= {"months": 12, "starts_on": date(2026, 3, 15), **values}
    return instalments.add(client, Purchase(**told), by=By(now=cases.NOW))


@pytest.fixture
def sold(client_row):
    """Twelve parts of ten roubles; the first stands on the bill of March."""
    plan = sell(client_row)
    billing.form_month(MARCH, now=cases.NOW)
    return SimpleNamespace(client=client_row, plan=plan)


def told_of(client, today=TODAY):
    [told] = instalment_list.of_client(client, today)
    return told


def lines_of(client, which):
    invoice = invoices.of_client(client)[which]
    rows = InvoiceLine.select().where(InvoiceLine.invoice == invoice)
    return [(row.name, row.net) for row in rows.order_by(InvoiceLine.ordinal)]


def test_what_is_repaid_early_is_one_line_of_the_next_bill(sold):
    before = lines_of(sold.client, 0)
    [part] = instalments.end(sold.client, sold.plan.id, PlanEnd.REPAID, TODAY, by=BY)
    assert (part.ordinal, part.due_on, part.amount) == (2, TODAY, 11_000)
    told = told_of(sold.client)
    assert (told.remainder, told.early, told.next) == (12_000, 0, None)
    billing.form_month(APRIL, now=LATER)
    assert lines_of(sold.client, 1) == before, "what was billed stays"
    assert lines_of(sold.client, 0) == [
        ("Рассрочка, досрочное погашение: Телефон, договор Р-1", 9_167)
    ]
    invoice = invoices.of_client(sold.client)[0]
    assert (invoice.total, invoice.closing) == (11_000, 12_000)
    Payment.create(
        client=sold.client, paid_on=TODAY, amount=12_000, key="k", created_at=NOW, method="transfer"
    )
    told = told_of(sold.client)
    assert (told.remainder, told.paid, told.paid_parts, len(told.parts)) == (0, 13_000, 2, 2)
    billing.form_month(date(2026, 5, 1), now=datetime(2026, 6, 2, 6, tzinfo=UTC))
    assert lines_of(sold.client, 0) == []
    assert verify.run() == []


def test_what_is_repaid_before_last_months_bill_stands_on_that(sold):
    """The part of April is due already, and no bill of April is there yet."""
    may = datetime(2026, 5, 1, 9, tzinfo=UTC)
    [part] = instalments.end(sold.client, sold.plan.id, PlanEnd.REPAID, may.date(), by=By(now=may))
    assert (part.due_on, part.amount) == (date(2026, 4, 15), 11_000)
    billing.form_month(APRIL, now=LATER)
    assert invoices.of_client(sold.client)[0].total == 11_000


def test_a_contract_that_ended_is_not_sold_again_and_spaces_make_no_other(sold):
    instalments.end(sold.client, sold.plan.id, PlanEnd.CALLED_OFF, TODAY, by=BY)
    with pytest.raises(PlanEnded):
        sell(sold.client)
    sell(sold.client, contract_no=" Р\xa0 12 ")
    with pytest.raises(AlreadyExists):
        sell(sold.client, contract_no="Р 12")


def test_what_is_called_off_is_never_billed(sold):
    parts = instalments.end(sold.client, sold.plan.id, PlanEnd.CALLED_OFF, TODAY, by=BY)
    assert len(parts) == 11
    told = told_of(sold.client)
    assert (told.remainder, told.early, told.next) == (1_000, 0, None)
    assert [part.state for part in told.parts] == ["billed"] + ["off"] * 11
    billing.form_month(APRIL, now=LATER)
    assert lines_of(sold.client, 0) == []
    assert invoices.of_client(sold.client)[0].total == 0
    assert verify.run() == []


@pytest.mark.parametrize("how", PlanEnd)
def test_a_plan_ends_once_and_that_is_written_down(sold, how):
    made_of = charge_keeping._made_of(sold.client, TODAY)
    instalments.end(sold.client, sold.plan.id, how, TODAY, by=BY)
    assert charge_keeping._made_of(sold.client, TODAY) != made_of, "the sheet is made anew"
    for again in PlanEnd:
        with pytest.raises(PlanEnded):
            instalments.end(sold.client, sold.plan.id, again, TODAY, by=BY)
    [event] = AuditEvent.select().where(AuditEvent.event == "instalments_ended")
    told = {"how": how, "day": "2026-04-10", "parts": 11, "kopecks": 11_000}
    assert (event.subject, event.detail) == (f"instalment_plan:{sold.plan.id}", told)


def test_what_cannot_be_ended_is_refused(sold, app):
    def end(plan=sold.plan, on=TODAY, client=sold.client):
        instalments.end(client, plan.id, PlanEnd.REPAID, on, by=BY)

    for day in (date(2026, 4, 11), date(2026, 3, 14)):
        with pytest.raises(InvalidValue):
            end(on=day)
    with pytest.raises(NotFound):
        end(client=make_client())
    with import_turns.one_at_a_time(app.config["CABINET"].data_dir), pytest.raises(ImportsBusy):
        end()
    over = sell(sold.client, contract_no="Р-2", months=1)
    billing.form_month(APRIL, now=LATER)
    with pytest.raises(NothingToEnd):
        end(over)
    assert {plan.closed_on for plan in InstalmentPlan.of(sold.client)} == {None}


def test_what_an_employee_pays_counts_by_its_days_and_not_to_the_company(sold):
    plan = sell(sold.client, contract_no="Р-3", payer="employee", starts_on=date(2026, 2, 10))
    plans = instalment_list.of_client(sold.client, TODAY)
    [told] = [each for each in plans if each.plan == plan]
    assert (told.paid_parts, told.remainder, told.early) == (3, 9_000, 9_000)
    assert told.next.row.due_on == date(2026, 5, 10)
    company = instalment_list.company_of(plans)
    assert (company.remainder, company.early) == (12_000, 11_000)
    billing.form_month(APRIL, now=LATER)
    assert [name for name, _net in lines_of(sold.client, 0)] == [
        "Рассрочка, взнос 2 из 12: Телефон, договор Р-1"
    ]


@pytest.mark.parametrize(
    ("how", "parts", "paid"), [(PlanEnd.REPAID, 4, 13_000), (PlanEnd.CALLED_OFF, 12, 4_000)]
)
def test_what_an_employee_pays_ends_on_no_bill(client_row, how, parts, paid):
    plan = sell(client_row, payer="employee", starts_on=date(2026, 2, 10))
    instalments.end(client_row, plan.id, how, TODAY, by=BY)
    told = told_of(client_row, date(2026, 12, 31))
    assert (len(told.parts), told.paid, told.remainder, told.next) == (parts, paid, 0, None)
    billing.form_month(APRIL, now=LATER)
    assert lines_of(client_row, 0) == []
