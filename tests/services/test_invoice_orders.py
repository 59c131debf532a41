"""When invoices can be ordered, where they go, and orders that wait for one: by tables."""

import email
import os
import secrets
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from domain.billing.delivery import ChangeState, DeliveryMethod
from domain.errors import BillNotFormed, BillNotOffered, DomainError, OrdersClosed
from domain.orders import FileFormat, OrderKind, OrderState
from domain.periods import month_start
from jobs import orders as job
from models import AuditEvent, Client, Order
from models_billing import DeliverySetting, Invoice
from services import (
    bill_offers,
    billing,
    clock,
    corrections,
    invoice_orders,
    invoices,
    orders,
    verify,
)
from services.invoice_orders import BillRequest
from tests.factories import make_client, make_user
from tests.smtp_sink import SmtpSink

EMAIL, LINK = OrderKind.INVOICE_EMAIL, OrderKind.INVOICE_LINK
ZONES = ("UTC", "Europe/Minsk", "Asia/Vladivostok")  # of the server; the operator's is Minsk
MINSK = clock.zone()
SECOND = timedelta(seconds=1)


def set_config(app, monkeypatch, **values):
    config = {"ORDERS_PER_HOUR": 0, "OPEN_ORDERS": 0, **values}
    monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **config))


@pytest.fixture(autouse=True)
def no_limits(app, monkeypatch):
    set_config(app, monkeypatch)


@pytest.fixture
def set_clock(monkeypatch):
    """The real clock, told what time it is as a running cabinet is told."""
    monkeypatch.setenv("CABINET_TESTING", "1")

    def set_to(moment):
        monkeypatch.setenv("CABINET_CLOCK", moment.isoformat())
        return clock.now()

    return set_to


@contextmanager
def server_zone(name):
    """Let the machine's own clock run in another zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def form(client, month):
    """The invoice of a client's month, whatever the time."""
    later = datetime.combine(month_start(month, -1), datetime.min.time(), MINSK)
    billing.form_month(month, client=client, now=later + timedelta(hours=1))
    return bill_offers.invoice_of(client, month)


def ask(kind, *documents, is_deferred=False, file_format=FileFormat.PDF):
    """What a new form asks for."""
    return BillRequest(kind, documents, file_format, secrets.token_hex(12), is_deferred)


def place(user, request, now=None):
    return invoice_orders.place(request, client=user.client, user=user, now=now or clock.now())


def is_taken(user, request):
    """Whether an order is placed; the refusal, if it is not."""
    before = Order.select().count()
    try:
        (order,) = place(user, request).orders
    except DomainError as refusal:
        assert Order.select().count() == before
        return refusal
    return order


# --- Closed days ----------------------------------------------------------------------------------


def minsk(*values):
    return datetime(*values, tzinfo=MINSK)


EDGES = [  # 00:00 in the operator's zone, and whether orders are open from it on
    (minsk(2026, 3, 1), False),  # behind 28 February
    (minsk(2026, 3, 4), True),
    (minsk(2028, 3, 1), False),  # behind 29 February
    (minsk(2028, 3, 4), True),
    (minsk(2027, 1, 1), False),  # behind 31 December
    (minsk(2027, 1, 4), True),
]
INSTANTS = [
    (edge + step, is_open if step > timedelta() else not is_open)
    for edge, is_open in EDGES
    for step in (-SECOND, SECOND)
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", [EMAIL, LINK])
def test_invoices_are_ordered_on_open_days_of_the_operators_zone_only(base, set_clock, zone, kind):
    assert len(INSTANTS) == 12
    with server_zone(zone):
        for n, (moment, is_open) in enumerate(INSTANTS):
            user = make_user()
            invoice = form(user.client, month_start(moment.date(), 1))
            now = set_clock(moment)
            told = is_taken(user, ask(kind, invoice.key))
            assert isinstance(told, Order if is_open else OrdersClosed), (n, moment, told)
            if is_open:
                assert told.due_at == told.next_try_at == now
                continue
            opens = moment.date().replace(day=4)
            assert told.values == {"opens": opens}
            waits = is_taken(user, ask(kind, invoice.key, is_deferred=True))
            assert waits.due_at == datetime.combine(opens, datetime.min.time(), MINSK)


@pytest.mark.parametrize("days", ["", "15", "28-31"])
def test_the_days_are_a_setting(app, base, monkeypatch, set_clock, days):
    set_config(app, monkeypatch, CLOSED_DAYS=days)
    user = make_user()
    invoice = form(user.client, date(2026, 11, 1))
    set_clock(minsk(2026, 12, 2, 9))
    assert isinstance(is_taken(user, ask(EMAIL, invoice.key)), Order)


def test_each_of_the_two_items_has_its_own(app, base, monkeypatch, set_clock):
    set_config(app, monkeypatch, CLOSED_DAYS_DOWNLOAD_BILL="")
    user = make_user()
    invoice = form(user.client, date(2026, 11, 1))
    set_clock(minsk(2026, 12, 2, 9))
    assert isinstance(is_taken(user, ask(EMAIL, invoice.key)), OrdersClosed)
    assert isinstance(is_taken(user, ask(LINK, invoice.key)), Order)


def test_the_day_is_looked_at_inside_the_transaction_that_stores_the_order(
    base, monkeypatch, set_clock
):
    user = make_user()
    invoice = form(user.client, date(2026, 11, 1))
    set_clock(minsk(2026, 12, 9))
    steps = []
    begin, look = invoice_orders.write_tx, bill_offers.opens_on

    @contextmanager
    def write_tx():
        with begin():
            steps.append("begun")
            yield
            steps.append("committed")

    def opens_on(*args, **values):
        steps.append("looked")
        return look(*args, **values)

    monkeypatch.setattr(invoice_orders, "write_tx", write_tx)
    monkeypatch.setattr(bill_offers, "opens_on", opens_on)
    monkeypatch.setattr(invoice_orders.faults, "reach", steps.append)
    place(user, ask(EMAIL, invoice.key))
    assert steps == [
        "begun",
        "looked",
        "order.placing",
        "committed",
        "order.placed",
        "order.hinted",
    ]


# --- Months ---------------------------------------------------------------------------------------

FIRSTS = [date(2026, 3, 1), date(2028, 3, 1), date(2027, 1, 1), date(2026, 5, 1), date(2026, 12, 1)]
PAIRS = [
    (minsk(first.year, first.month, 1) - before, back)
    for first in FIRSTS
    for before in (SECOND, timedelta())
    for back in range(4)
]


@pytest.mark.parametrize("zone", ZONES)
def test_a_link_is_made_for_the_two_months_before_this_one(app, base, monkeypatch, set_clock, zone):
    assert len(PAIRS) == 40
    set_config(app, monkeypatch, CLOSED_DAYS="")
    users = {}
    for first in FIRSTS:
        users[first] = make_user()
        for back in range(4, 0, -1):
            form(users[first].client, month_start(first, back))
    with server_zone(zone):
        for moment, back in PAIRS:
            user = users[month_start((moment + SECOND).date())]
            month = month_start(moment.date(), back)
            invoice = bill_offers.invoice_of(user.client, month)
            set_clock(moment)
            key = invoice.key if invoice else f"{month:%Y-%m}"
            told = is_taken(user, ask(LINK, key, is_deferred=True))
            wanted = Order if back in (1, 2) else BillNotOffered
            assert isinstance(told, wanted), (moment, back, told)
            offered = bill_offers.link_offers(user.client, now=clock.now())
            assert (month in {offer.period for offer in offered}) is (back in (1, 2))


@pytest.mark.parametrize("months", [0, 1, 3])
def test_how_many_months_is_a_setting(app, base, monkeypatch, set_clock, months):
    set_config(app, monkeypatch, INVOICE_LINK_MONTHS=months)
    user = make_user()
    made = [form(user.client, date(2026, month, 1)) for month in (7, 8, 9, 10)]
    set_clock(minsk(2026, 11, 20))
    taken = [isinstance(is_taken(user, ask(LINK, each.key)), Order) for each in reversed(made)]
    assert taken == [n < months for n in range(4)]


def test_any_month_goes_by_e_mail(base, set_clock):
    user = make_user()
    made = [form(user.client, date(2026, month, 1)) for month in range(1, 11)]
    set_clock(minsk(2026, 11, 20))
    placed = place(user, ask(EMAIL, *(each.key for each in made)))
    assert [order.params["invoice"] for order in placed.orders] == [each.id for each in made]
    assert [order.number for order in placed.orders] == list(range(1, 11))
    assert AuditEvent.select().where(AuditEvent.event == "order_placed").count() == 10


def test_one_document_that_cannot_be_ordered_leaves_none(base, set_clock):
    user, other = make_user(), make_client()
    own, strange = (form(client, date(2026, 10, 1)) for client in (user.client, other))
    set_clock(minsk(2026, 11, 20))
    told = is_taken(user, ask(EMAIL, own.key, strange.key))
    assert isinstance(told, BillNotOffered)


def test_a_limit_counts_each_document_and_leaves_none(app, base, monkeypatch, set_clock):
    set_config(app, monkeypatch, OPEN_ORDERS=2)
    user = make_user()
    made = [form(user.client, date(2026, month, 1)) for month in (8, 9, 10)]
    set_clock(minsk(2026, 11, 20))
    told = is_taken(user, ask(EMAIL, *(each.key for each in made)))
    assert told.code == "too_many_open_orders"


# --- Addresses ------------------------------------------------------------------------------------


@pytest.fixture
def sink(app, base, monkeypatch):
    with SmtpSink() as server:
        set_config(
            app, monkeypatch, MAIL_SERVER="localhost", MAIL_PORT=server.port, MAIL_TIMEOUT_S=1
        )
        yield server


def move(client, address, n):
    """The client's address is another one from now on: by a change in the cabinet, or by the
    operator.
    """
    if n % 2:
        now = clock.now()
        values = {"asked_at": now, "confirmed_at": now, "effective_at": now}
        state = ChangeState.CONFIRMED
        DeliverySetting.create(
            client=client, method=DeliveryMethod.EMAIL, email=address, state=state, **values
        )
    else:
        DeliverySetting.delete().where(DeliverySetting.client == client).execute()
        Client.update(invoice_email=address).where(Client.id == client.id).execute()
    return Client.get_by_id(client.id)


def carry_all():
    while (
        Order.select().where(Order.is_open_condition(), Order.next_try_at <= clock.now()).exists()
    ):
        job.carry(0)


def test_a_bill_goes_to_the_address_of_the_moment_it_was_ordered(sink, set_clock, length):
    user = make_user()
    client = user.client
    month = date(2026, 10, 1)
    invoice = form(client, month)
    wanted = {}
    for n in range(length(short=12, long=100)):
        is_closed = n % 4 == 3
        set_clock(minsk(2026, 11, 2 if is_closed else 20))
        client = user.client = move(client, f"at{n}@example.by", n)
        request = ask(EMAIL, invoice.key, is_deferred=is_closed, file_format=FileFormat.CSV)
        (order,) = place(user, request).orders
        wanted[order.key] = f"at{n}@example.by"
        move(client, f"after{n}@example.by", n)
    set_clock(minsk(2026, 11, 21))
    carry_all()
    went = {}
    for taken in sink.accepted:
        message = email.message_from_bytes(taken.content)
        went[message["Message-ID"].split(".")[0].removeprefix("<o")] = ", ".join(taken.recipients)
        assert message["To"] in taken.recipients
    assert went == wanted
    assert {order.state for order in Order.select()} == {OrderState.SENT}


def test_the_months_own_bill_goes_to_the_address_of_the_moment_it_was_formed(
    sink, set_clock, length
):
    month, wanted = date(2026, 10, 1), []
    for n in range(length(short=4, long=10)):
        set_clock(minsk(2026, 11, 2))
        client = move(make_client(), f"before{n}@example.by", n)
        client = move(client, f"at{n}@example.by", n)
        billing.form_month(month, client=client, mail=True, now=set_clock(minsk(2026, 11, 2, 5)))
        set_clock(minsk(2026, 11, 2, 6))
        move(client, f"after{n}@example.by", n)
        move(client, f"later{n}@example.by", n + 1)
        wanted.append(f"at{n}@example.by")
    carry_all()
    assert sorted(address for each in sink.accepted for address in each.recipients) == wanted


# --- Waiting for an invoice -----------------------------------------------------------------------

OCTOBER = date(2026, 10, 1)
OPENS = minsk(2026, 11, 4)


@pytest.fixture
def user(base, set_clock):
    set_clock(minsk(2026, 11, 2, 9))
    return make_user()


@pytest.fixture
def waiting(user, sink):
    (order,) = place(user, ask(EMAIL, "2026-10", is_deferred=True)).orders
    return order


def now_is(set_clock, *moment):
    set_clock(minsk(*moment))
    carry_all()


def state_of(order):
    row = Order.get_by_id(order.id)
    return row.state, row.reason


def test_it_waits_for_the_invoice_and_for_the_day(waiting, user, sink, set_clock):
    assert (waiting.due_at, waiting.params) == (OPENS, {"month": "2026-10-01", "format": "pdf"})
    invoice = form(user.client, OCTOBER)
    row = Order.get_by_id(waiting.id)
    assert (row.params["invoice"], row.next_try_at) == (invoice.id, OPENS)
    now_is(set_clock, 2026, 11, 3, 23, 59, 59)
    assert state_of(waiting) == (OrderState.ACCEPTED, "")
    now_is(set_clock, 2026, 11, 4)
    assert state_of(waiting) == (OrderState.SENT, "")
    assert len(sink.accepted) == 1
    assert verify.run() == []


def test_an_invoice_that_comes_after_the_days_is_sent_at_once(waiting, user, set_clock):
    now_is(set_clock, 2026, 11, 9)
    assert state_of(waiting) == (OrderState.ACCEPTED, "")
    billing.form_month(OCTOBER, client=user.client, now=clock.now())
    carry_all()
    assert state_of(waiting) == (OrderState.SENT, "")


def test_one_that_waits_in_vain_says_so_and_can_be_tried_again(waiting, user, sink, set_clock):
    now_is(set_clock, 2026, 12, 3, 23, 59, 59)
    assert state_of(waiting) == (OrderState.ACCEPTED, "")
    now_is(set_clock, 2026, 12, 4)
    failed = (OrderState.FAILED, "bill_not_formed")
    assert state_of(waiting) == failed
    assert orders.retry(waiting, user=user, now=clock.now())
    carry_all()
    assert state_of(waiting) == failed
    form(user.client, OCTOBER)
    assert state_of(waiting) == failed
    assert not sink.accepted
    assert orders.retry(waiting, user=user, now=clock.now())
    carry_all()
    assert state_of(waiting) == (OrderState.SENT, "")
    assert verify.run() == []


def test_it_gets_the_invoice_of_its_month_and_of_its_client_only(waiting, user, set_clock):
    for client, month in ((make_client(), OCTOBER), (user.client, date(2026, 9, 1))):
        form(client, month)
        assert "invoice" not in Order.get_by_id(waiting.id).params
    september = bill_offers.invoice_of(user.client, date(2026, 9, 1))
    lines = invoices.content_of(september).lines
    if lines:
        corrections.correct(
            september, [corrections.Correction(1, Fraction(1))], reason="x", now=clock.now()
        )
    invoice = form(user.client, OCTOBER)
    assert Order.get_by_id(waiting.id).params["invoice"] == invoice.id


def test_an_invoice_that_is_not_given_out_is_given_to_nobody(waiting, user, monkeypatch):
    def fail(*_args, **_values):
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("services.faults.reach", fail)
    billing.form_month(OCTOBER, client=user.client, now=minsk(2026, 11, 2, 10))
    assert not Invoice.of(user.client).exists()
    assert "invoice" not in Order.get_by_id(waiting.id).params


def test_a_cancelled_one_stays_cancelled(waiting, user, sink, set_clock):
    assert orders.cancel(waiting, user=user, now=clock.now())
    form(user.client, OCTOBER)
    now_is(set_clock, 2026, 11, 5)
    assert state_of(waiting)[0] == OrderState.CANCELLED
    assert not sink.accepted


def test_only_the_month_that_is_being_formed_can_be_waited_for(user):
    for key in ("2026-11", "2026-09", "2026-12"):
        assert isinstance(is_taken(user, ask(EMAIL, key, is_deferred=True)), BillNotOffered)


def test_nobody_waits_without_having_asked_for_it(user, set_clock):
    set_clock(OPENS)
    assert isinstance(is_taken(user, ask(EMAIL, "2026-10")), BillNotFormed)


def test_a_form_drawn_on_a_closed_day_and_sent_on_an_open_one_is_taken(user, set_clock):
    set_clock(OPENS)
    (order,) = place(user, ask(LINK, "2026-10", is_deferred=True)).orders
    assert order.due_at == OPENS
    invoice = form(user.client, OCTOBER)
    assert Order.get_by_id(order.id).params["invoice"] == invoice.id


def test_a_month_that_has_got_its_invoice_meanwhile_is_that_invoice(user):
    invoice = form(user.client, OCTOBER)
    request = ask(EMAIL, "2026-10", invoice.key, is_deferred=True)
    (order,) = place(user, request).orders
    assert order.params == {"invoice": invoice.id, "format": "pdf"}


def test_the_month_is_offered_while_it_is_formed_and_not_after(user, set_clock):
    def offered():
        return [each.key for each in bill_offers.email_offers(user.client, now=clock.now())]

    assert offered() == ["2026-10"]
    invoice = form(user.client, OCTOBER)
    assert offered() == [invoice.key]
    set_clock(OPENS)
    assert offered() == [invoice.key]


@pytest.mark.parametrize(
    ("values", "check"),
    [
        ({"state": OrderState.RENDERING}, "an_order_of_an_invoice_is_about_one"),
        ({"params": {"month": "2026-09-01", "format": "pdf"}}, "nobody_waits_for_an_invoice"),
        ({"params": {"month": "2026-10-01", "invoice": 1}}, "an_order_of_an_invoice_is_about_one"),
    ],
)
def test_each_breach_of_waiting_is_found(waiting, user, values, check):
    invoice = form(user.client, date(2026, 9, 1))
    if "invoice" in values.get("params", {}):
        values["params"]["invoice"] = invoice.id
    assert verify.run() == []
    Order.update(values).where(Order.id == waiting.id).execute()
    assert any(each.check.startswith(check) for each in verify.run())


def test_moments_are_stored_in_utc(waiting):
    assert waiting.due_at.astimezone(UTC) == datetime(2026, 11, 3, 21, tzinfo=UTC)
