"""Forming invoices: what stands on them, numbers, late calls, credit notes, who has none."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from peewee import DatabaseError

from domain.billing.invoice import LineKind
from domain.errors import InvalidValue
from domain.orders import OrderKind
from models import Client, ImportRun, Order
from models_billing import (
    BillingFailure,
    DeliverySetting,
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    InvoiceSubscriber,
    OneOffCharge,
    Payment,
    TariffFee,
    TariffPlan,
    TariffRate,
    TariffVersion,
)
from services import billing, instalments, invoices, rating, verify
from services.audit import By
from services.corrections import Correction, correct
from services.instalments import Purchase
from tests.factories import (
    NOON,
    make_call,
    make_client,
    make_import_run,
    make_subscriber,
    numbers_of,
)

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)
LATER = datetime(2026, 5, 2, 6, tzinfo=UTC)


@pytest.fixture
def client(base):
    """A client with a tariff: 3,50 a number, 0,06 a minute at home, 0,50 abroad."""
    plan = TariffPlan.create(name="Офис", created_at=NOW)
    version = TariffVersion.create(
        plan=plan, valid_from=date(2026, 1, 1), state="published", created_at=NOW
    )
    TariffFee.create(version=version, code="number", name="Абонентская плата", amount=350)
    for prefix, group, price in (("375", "local", 60_000), ("7", "international", 500_000)):
        TariffRate.create(
            version=version,
            prefix=prefix,
            destination_group=group,
            steps=[[0, price, 60, 60]],
        )
    client = make_client(name="ООО «Ромашка»")
    make_subscriber(client, number="375171000001", plan="Офис")
    make_subscriber(client, number="375171000002", plan="Офис")
    return client


def talk(client, started=NOON, seconds=61, peer="375291112233", which=0, **values):
    subscriber = numbers_of(client)[which]
    return make_call(
        subscriber,
        started,
        billable_s=seconds,
        answered_at=int(started.timestamp()),
        peer=peer,
        **values,
    )


def form(period=MARCH, now=NOW, **values):
    rating.rerun(MARCH, MAY)
    return billing.form_month(period, now=now, **values)


def lines(invoice):
    return [
        (line.kind, line.code, line.quantity, line.seconds, line.net)
        for line in invoices.content_of(invoice).lines
    ]


def test_an_invoice_has_fees_calls_vat_and_balances(client):
    talk(client)
    talk(client, NOON + timedelta(minutes=1), peer="74951112233", which=1)
    Payment.create(
        client=client,
        paid_on=date(2026, 3, 12),
        amount=500,
        document_no="17",
        key="a",
        created_at=NOW,
    )
    OneOffCharge.create(client=client, day=NOON.date(), name="Выезд", amount=1000, created_at=NOW)
    run = form()
    assert (run.formed, run.known, run.failed, run.state) == (1, 0, 0, "done")
    [invoice] = invoices.of_client(client)
    assert lines(invoice) == [
        (LineKind.FEE, "number", 2, 0, 700),
        (LineKind.CALLS, "local", 1, 120, 12),
        (LineKind.CALLS, "international", 1, 120, 100),
        (LineKind.ONE_OFF, "", 1, 0, 1000),
    ]
    content = invoices.content_of(invoice)
    assert (content.net, content.vat_sum, content.total) == (1812, 453, 2265)
    assert (content.opening, content.paid, content.closing) == (0, 500, 1765)
    assert (invoice.number, content.number) == (1, "2026-000001")
    assert (content.due_on, content.issued_on) == (date(2026, 4, 25), date(2026, 4, 2))
    assert [(row.number, row.net) for row in invoices.annex_of(invoice)] == [
        ("375171000001", 362),
        ("375171000002", 450),
    ]


def test_forming_again_changes_nothing(client):
    talk(client)
    form()
    before = list(Invoice.across_clients().tuples())
    again = form()
    assert (again.formed, again.known) == (0, 1)
    assert list(Invoice.across_clients().tuples()) == before
    assert InvoiceSeries.get().last_number == 1


def test_a_dry_run_stores_nothing(client):
    talk(client)
    told = []
    run = form(dry_run=True, on_client=told.append)
    assert (run.formed, Invoice.select().count(), InvoiceSeries.select().count()) == (1, 0, 0)
    assert told[0].content.total == 890


def test_calls_without_a_price_block_their_client_alone(client):
    talk(client, peer="48221112233")
    other = make_client()
    run = form()
    assert (run.formed, run.failed) == (1, 1)
    failure = BillingFailure.across_clients().get()
    assert (failure.client, failure.reason, failure.count) == (client, "unrated_calls", 1)
    assert [row.client for row in Invoice.across_clients()] == [other]
    TariffRate.create(
        version=TariffVersion.get(), prefix="48", destination_group="x", steps=[[0, 1, 60, 60]]
    )
    assert form(client=client).formed == 1
    assert not BillingFailure.across_clients().exists()


def test_calls_that_come_late_stand_on_the_next_invoice(client):
    talk(client)
    form()
    [first] = invoices.of_client(client)
    late = make_import_run()
    talk(client, NOON + timedelta(days=1), import_run=late)
    talk(client, datetime(2026, 4, 5, 9, tzinfo=UTC), import_run=late)
    run = form(APRIL, LATER)
    assert run.formed == 1
    second, again = invoices.of_client(client)
    assert again.__data__ == first.__data__, "its hash too"
    assert not list(invoices.contradictions(again))
    assert lines(second) == [
        (LineKind.FEE, "number", 2, 0, 700),
        (LineKind.CALLS, "local", 1, 120, 12),
        (LineKind.LATE_CALLS, "local", 1, 120, 12),
    ]
    assert second.opening == first.closing


def test_calls_of_an_import_that_was_not_at_its_end_are_late_too(client):
    talk(client)
    waiting = make_import_run(state="to_load")
    form()
    ImportRun.update(state="done").where(ImportRun.id == waiting.id).execute()
    talk(client, NOON + timedelta(days=1), import_run=waiting)
    form(APRIL, LATER)
    second = invoices.of_client(client)[0]
    assert [kind for kind, *_ in lines(second)] == [LineKind.FEE, LineKind.LATE_CALLS]
    form(MAY, datetime(2026, 6, 2, tzinfo=UTC))
    assert [kind for kind, *_ in lines(invoices.of_client(client)[0])] == [LineKind.FEE]


def test_payments_and_charges_are_counted_once(client):
    Payment.create(client=client, paid_on=date(2026, 3, 12), amount=500, key="a", created_at=NOW)
    form()
    Payment.create(client=client, paid_on=date(2026, 3, 13), amount=70, key="b", created_at=NOW)
    form(APRIL, LATER)
    assert [row.paid for row in invoices.of_client(client)] == [70, 500]


def test_months_are_formed_in_their_order(client):
    form()
    run = form(MAY, datetime(2026, 6, 2, tzinfo=UTC))
    assert (run.formed, run.failed) == (0, 1)
    assert BillingFailure.across_clients().get().reason == "month_before_missing"


def test_a_month_that_has_not_ended_is_refused(client):
    with pytest.raises(InvalidValue):
        billing.form_month(APRIL, now=NOW)


@pytest.mark.parametrize("model", [Invoice, InvoiceLine, InvoiceSubscriber])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_nothing_given_out_can_be_changed(client, base, model, verb):
    talk(client)
    form()
    query = model.update(net=1) if verb == "update" else model.delete()
    with pytest.raises(DatabaseError, match="never changes"), base.atomic():
        query.execute()
    table = model._meta.table_name
    statement = f"UPDATE {table} SET net = 1" if verb == "update" else f"DELETE FROM {table}"  # noqa: S608
    with pytest.raises(DatabaseError, match="never changes"), base.atomic():
        base.execute_sql(statement)


def test_a_credit_note_gives_back_and_leaves_the_invoice_as_it_is(client):
    talk(client)
    form()
    [invoice] = invoices.of_client(client)
    note = correct(invoice, [Correction(1, Fraction(1, 2))], reason="Ошибка", now=LATER)
    content = invoices.content_of(note)
    assert [(line.name, line.net) for line in content.lines] == [
        ("Ошибка: Абонентская плата", -350)
    ]
    assert (content.vat_sum, content.total, content.corrects) == (-88, -438, "2026-000001")
    assert (note.number, note.opening, note.closing) == (2, invoice.closing, invoice.closing - 438)
    with pytest.raises(InvalidValue):
        correct(invoice, [Correction(1, Fraction(2, 3))], reason="x", now=LATER)
    with pytest.raises(InvalidValue):
        correct(invoice, [Correction(9, Fraction(1))], reason="x", now=LATER)
    form(APRIL, LATER)
    assert invoices.of_client(client)[0].opening == note.closing


def test_a_credit_note_given_out_meanwhile_is_in_the_opening_balance(client, monkeypatch):
    form()
    [invoice] = invoices.of_client(client)
    form_lines = billing.form

    def form_late(*args, **values):
        half = [Correction(1, Fraction(1, 2))]
        correct(invoice, half, reason="x", now=LATER)
        return form_lines(*args, **values)

    monkeypatch.setattr(billing, "form", form_late)
    form(APRIL, LATER)
    april, note, _march = invoices.of_client(client)
    assert (april.opening, note.corrects) == (note.closing, invoice)


def test_a_credit_note_gives_no_line_back_twice(client):
    form()
    [invoice] = invoices.of_client(client)
    with pytest.raises(InvalidValue):
        correct(invoice, [Correction(1, Fraction(1))] * 2, reason="x", now=LATER)
    half = Correction(1, Fraction(1, 2))
    assert correct(invoice, [half, half], reason="x", now=LATER).net == -invoice.net


def test_of_a_price_with_vat_no_kopeck_more_is_given_back(client):
    told = Purchase(contract_no="1", goods="x", price=115, months=1, starts_on=MARCH)
    instalments.add(client, told, by=By(now=NOW))
    form()
    [invoice] = invoices.of_client(client)
    line = invoices.content_of(invoice).lines[-1]
    assert (line.net, line.gross) == (96, 115)
    half = [Correction(line.ordinal, Fraction(1, 2))]
    correct(invoice, half, reason="x", now=LATER)
    with pytest.raises(InvalidValue):  # 58 and 58
        correct(invoice, half, reason="x", now=LATER)


def test_each_invoice_carries_on_the_hash_of_the_one_before(client):
    make_client()
    form()
    first, second = Invoice.across_clients().order_by(Invoice.id)
    assert (first.previous_hash, second.previous_hash) == ("", first.content_hash)
    assert InvoiceSeries.get().last_hash == second.content_hash


def test_the_months_own_letter_is_ordered_with_the_invoice_and_once(client):
    form(mail=True)
    form(mail=True)
    [invoice] = invoices.of_client(client)
    [order] = Order.of(client)
    assert (order.kind, order.params) == (
        OrderKind.INVOICE_REGULAR,
        {"invoice": invoice.id, "format": "pdf"},
    )
    assert (order.email, order.user.login) == (client.invoice_email, "system")
    assert not order.user.is_active
    assert verify.run() == []


def test_a_letter_goes_where_the_invoice_says_whatever_the_address_is_by_then(client):
    form(mail=True)
    before = client.invoice_email
    Client.update(invoice_email="new@example.by", detail_email="new@example.by").execute()
    assert Order.of(client).get().email == before


def test_who_fetches_invoices_by_hand_gets_no_letter(client):
    DeliverySetting.create(
        client=client, method="pickup", state="confirmed", asked_at=NOON, effective_at=NOON
    )
    form(mail=True)
    assert invoices.of_client(client)[0].delivery_method == "pickup"
    assert not Order.of(client).exists()
