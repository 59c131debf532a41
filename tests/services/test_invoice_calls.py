"""The calls behind an invoice: which ones, whether they make its lines, and what `verify` says."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from domain.billing.reconciliation import Reason
from domain.cdr.joining import Part, dump
from domain.money import to_kopecks
from models import Call, ImportRun
from models_billing import UsageMonth
from services import invoice_annex, invoice_calls, invoices, rating, usage, verify
from services.transactions import write_tx
from tests.factories import NOON, make_import_run, numbers_of
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import APRIL, LATER, MARCH


@pytest.fixture
def client(base):
    cases.make_plan()
    made = cases.make_customer(3)
    cases.talk_a_bit(made)
    return made


def bill(client, period=MARCH, now=cases.NOW):
    cases.form(period, now)
    return invoices.of_client(client)[0]


def found():
    return [breach.detail for breach in verify.run() if breach.check.startswith("lines_of_calls")]


def reasons(invoice):
    return dict(invoice_calls.comparison_of(invoice).total.reasons)


def test_a_bill_agrees_with_its_calls(client):
    invoice = bill(client)
    comparison = invoice_calls.comparison_of(invoice)
    assert comparison.is_whole
    lines = {line.code: line.net for line in invoices.content_of(invoice).lines if line.seconds}
    assert {row.group: row.detail for row in comparison.rows} == lines
    assert found() == []


def test_calls_of_all_numbers_and_lines_are_the_calls_of_the_bill(client):
    first = bill(client)
    run = make_import_run()
    cases.talk(numbers_of(client)[0], "mobile", 95, NOON + timedelta(days=5), import_run=run)
    second = bill(client, APRIL, LATER)
    for invoice in (first, second):
        content = invoices.content_of(invoice)
        for line in content.lines:
            if line.kind not in invoice_calls.CALL_LINES:
                continue
            calls = [
                invoice_calls.calls_of(invoice, number.id, line, number=1, size=50)
                for number in numbers_of(client)
            ]
            assert sum(each.page.found for each in calls) == line.quantity
            assert sum(each.seconds for each in calls) == line.seconds
            assert to_kopecks(sum(each.micros for each in calls)) == line.net


@pytest.mark.parametrize("seed", range(3))
def test_late_calls_are_on_exactly_one_bill(client, seed):
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    bills = [bill(client)]
    months = [(APRIL, LATER), (cases.MAY, datetime(2026, 6, 2, 6, tzinfo=UTC))]
    for period, now in months:
        run = make_import_run()
        for n in range(6):
            moment = NOON + timedelta(days=chance.choice((3, 9, 30, 60)), minutes=n)
            who, to = chance.choice(numbers_of(client)), chance.choice(("local", "mobile"))
            cases.talk(who, to, chance.randint(1, 400), moment, import_run=run)
        bills.append(bill(client, period, now))
    for call in Call.select().where(Call.rating == 2):
        assert sum(invoice_calls.is_on(invoice, call) for invoice in bills) in (0, 1)
    total = sum(
        invoice_calls.calls_of(invoice, number.id, None, number=1, size=50).page.found
        for invoice in bills
        for number in numbers_of(client)
    )
    lines = [line for each in bills for line in invoices.content_of(each).lines]
    assert total == sum(line.quantity for line in lines if line.kind in invoice_calls.CALL_LINES)
    assert found() == []


def test_calls_that_came_after_the_bill_are_the_difference(client):
    invoice = bill(client)
    cases.talk(numbers_of(client)[0], "mobile", 60, NOON, import_run=make_import_run())
    cases.talk(numbers_of(client)[0], "poland", 60, NOON, import_run=make_import_run())
    rating.rerun(MARCH, APRIL)
    assert reasons(invoice) == {Reason.LATER: 15 + 120}
    assert found() == []
    april = bill(client, APRIL, LATER)
    cases.talk(numbers_of(client)[0], "mobile", 60, NOON, import_run=make_import_run())
    rating.rerun(MARCH, APRIL)
    comparison = invoice_calls.comparison_of(invoice)
    assert (comparison.carriers, comparison.waits) == ([april], True)
    may = bill(client, cases.MAY, datetime(2026, 6, 2, 6, tzinfo=UTC))
    comparison = invoice_calls.comparison_of(invoice)
    assert (comparison.carriers, comparison.waits) == ([april, may], False)


def test_a_call_taken_out_with_its_import_is_no_breach_and_one_that_vanished_is(client):
    invoice = bill(client)
    call = Call.select().where(Call.price > 10_000).order_by(Call.started_at).get()
    with write_tx():
        call.delete_instance()
        usage.make_anew()
    assert reasons(invoice)[Reason.CHANGED] < 0
    [told] = found()
    assert told.startswith(f"invoice {invoice.id}: calls to ")
    ImportRun.update(rolled_back_at=LATER).where(ImportRun.id == call.import_run_id).execute()
    assert found() == []


def test_a_call_that_a_later_file_has_changed_is_no_breach(client):
    invoice = bill(client)
    call = Call.select().where(Call.price > 10_000).order_by(Call.started_at).get()
    Call.update(price=call.price + 50_000).where(
        Call.subscriber_id == call.subscriber_id,
        Call.started_at == call.started_at,
        Call.seq == call.seq,
    ).execute()
    with write_tx():
        usage.make_anew()
    assert len(found()) == 1
    runs = (call.import_run_id, invoice.until_run + 7)
    parts = [Part(1, 2, leg, None, 0, 1, "375", 0, run) for leg, run in enumerate(runs)]
    Call.update(legs=dump(parts)).where(Call.seq == call.seq).execute()
    assert found() == []


def test_sums_kept_beside_the_calls_that_are_wrong_are_named(client):
    invoice = bill(client)
    row = UsageMonth.select().where(UsageMonth.micros > 10_000).get()
    UsageMonth.update(micros=row.micros + 20_000).where(
        UsageMonth.subscriber_id == row.subscriber_id,
        UsageMonth.month == row.month,
        UsageMonth.destination_group == row.destination_group,
    ).execute()
    assert reasons(invoice) == {Reason.ROLL_UP: 2}


def test_numbers_that_come_go_and_change_are_found_by_kind(client):
    first = bill(client)
    gone, changed, _same = numbers_of(client)
    type(gone).update(valid_to=datetime(2026, 3, 30, tzinfo=UTC)).where(
        type(gone).id == gone.id
    ).execute()
    new = cases.add_number(client, 5, valid_from=datetime(2026, 4, 10, tzinfo=UTC))
    type(changed).update(plan=cases.make_plan("Другой", 990).plan.name).where(
        type(changed).id == changed.id
    ).execute()
    second = bill(client, APRIL, LATER)
    changes = invoice_annex.changes_of(second, first)
    ids = {kind.value: list(ids) for kind, ids in changes.numbers.ids.items()}
    assert ids == {"added": [new.id], "removed": [gone.id], "plan": [changed.id], "fee": []}
    assert sum(part.amount for part in changes.bridge.parts) == second.total - first.total
