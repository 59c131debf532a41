"""Placing an order once, and what people do with it afterwards."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.errors import NothingSelected, PeriodOutOfRange, TooManyRowsForPdf
from domain.orders import Direction, FileFormat, OrderKind, OrderState
from domain.periods import DateRange
from models import AuditEvent, DraftSubscriber, Order, OrderSubscriber, User
from services import drafts, orders, selection
from services.orders import CallDetailRequest
from tests.factories import (
    NOON,
    make_call,
    make_client,
    make_order,
    make_subscriber,
    make_user,
)

REQUEST = CallDetailRequest(
    DateRange(date(2026, 3, 1), date(2026, 3, 9)), Direction.BOTH, FileFormat.XLSX
)


@pytest.fixture
def user(client_row):
    return make_user(client_row)


@pytest.fixture
def number(client_row):
    return make_subscriber(client_row)


@pytest.fixture
def draft(client_row, user):
    return drafts.start(client_row, user, OrderKind.CALL_DETAIL, "period", {}, now=NOON)


def place(draft, user, listed=(), request=REQUEST):
    return orders.place(draft, request, client=user.client, user=user, listed=listed, now=NOON)


def test_the_address_is_kept_as_it_was_when_ordered(draft, user, number, client_row):
    order = place(draft, user, [number.id])
    client_row.detail_email = "other@example.by"
    client_row.save()
    assert Order.get_by_id(order.id).email != "other@example.by"


def test_a_repeat_returns_the_same_order(draft, user, number):
    assert place(draft, user, [number.id]) == place(draft, user, [number.id])
    assert Order.select().count() == 1
    assert AuditEvent.select().where(AuditEvent.event == "order_placed").count() == 1


def test_numbers_run_per_client(user, number, client_row):
    stranger = make_user()
    for wanted, who, whose in ((1, user, number), (2, user, number)):
        another = drafts.start(who.client, who, OrderKind.CALL_DETAIL, "period", {}, now=NOON)
        assert place(another, who, [whose.id]).number == wanted
    theirs = drafts.start(stranger.client, stranger, OrderKind.CALL_DETAIL, "period", {}, now=NOON)
    assert place(theirs, stranger, [make_subscriber(stranger.client).id]).number == 1


def test_an_order_of_nothing_leaves_nothing(draft, user):
    with pytest.raises(NothingSelected):
        place(draft, user)
    assert Order.select().count() == 0
    assert OrderSubscriber.select().count() == 0


def test_a_strangers_number_is_not_taken(draft, user):
    with pytest.raises(NothingSelected):
        place(draft, user, [make_subscriber().id])


def test_the_period_is_checked_again(draft, user, number):
    early = CallDetailRequest(
        DateRange(date(2026, 1, 31), date(2026, 3, 9)), Direction.OUT, FileFormat.XLSX
    )
    with pytest.raises(PeriodOutOfRange):
        place(draft, user, [number.id], early)


def test_the_same_again_is_a_draft_with_the_same_answers(draft, user, number, client_row):
    order = place(draft, user, [number.id])
    again = orders.draft_like(order, client_row, user, now=NOON)
    assert again.answers["period"]["start"] == ["2026-03-01"]
    assert [
        row.subscriber_id for row in DraftSubscriber.select().where(DraftSubscriber.draft == again)
    ] == [number.id]


@pytest.mark.parametrize(
    ("state", "possible"),
    [
        (OrderState.ACCEPTED, True),
        (OrderState.RENDERING, True),
        (OrderState.RETRY_WAIT, True),
        (OrderState.SENDING, False),
        (OrderState.SENT, False),
        (OrderState.FAILED, False),
    ],
)
def test_an_order_can_be_cancelled_until_it_is_being_mailed(base, state, possible):
    order = make_order(state=state)
    user = User.get_by_id(order.user_id)
    assert orders.cancel(order, user=user, now=NOON) is possible
    after = Order.get_by_id(order.id).state
    assert after == (OrderState.CANCELLED if possible else state)


@pytest.mark.parametrize(
    ("state", "possible"),
    [
        (OrderState.FAILED, True),
        (OrderState.UNCONFIRMED, True),
        (OrderState.RETRY_WAIT, True),
        (OrderState.SENT, False),
        (OrderState.CANCELLED, False),
        (OrderState.ACCEPTED, False),
    ],
)
def test_a_retry_gives_a_failed_order_a_new_life(base, state, possible):
    order = make_order(state=state, attempts=7, reason="mail_refused")
    user = User.get_by_id(order.user_id)
    assert orders.retry(order, user=user, now=NOON) is possible
    after = Order.get_by_id(order.id)
    if possible:
        assert (after.state, after.attempts, after.reason) == (OrderState.ACCEPTED, 0, "")
    else:
        assert after.state == state


PDF = replace(REQUEST, file_format=FileFormat.PDF)


@pytest.fixture
def three_calls(client_row, number, draft, app, config, monkeypatch):
    """Two chosen numbers, one ticked and listed and one listed, with three outgoing calls in the
    days asked for; and a limit of two calls in a PDF.
    """
    monkeypatch.setitem(app.config, "CABINET", replace(config, PDF_ROWS=2))
    monkeypatch.setattr(selection, "CHUNK", 1)
    other = make_subscriber(client_row)
    DraftSubscriber.create(draft=draft, subscriber=number)
    for whose, started in (
        (number, NOON - timedelta(days=2)),
        (number, NOON - timedelta(days=1)),
        (other, NOON - timedelta(days=1)),
        (other, NOON),  # a day later than asked for
        (make_subscriber(client_row), NOON - timedelta(days=1)),  # not chosen
    ):
        make_call(whose, started)
    return [number.id, other.id]


def test_a_pdf_of_too_many_calls_is_refused_and_nothing_is_left(draft, user, three_calls):
    with pytest.raises(TooManyRowsForPdf) as refused:
        place(draft, user, three_calls, PDF)
    assert refused.value.values == {"limit": 2, "rows": 3}
    assert Order.select().count() == AuditEvent.select().count() == 0


def test_as_many_calls_as_a_pdf_may_hold_are_ordered(draft, user, three_calls):
    assert place(draft, user, three_calls[:1], PDF).params["format"] == "pdf"


def test_calls_of_the_other_direction_are_not_counted(draft, user, three_calls):
    assert place(draft, user, three_calls, replace(PDF, direction=Direction.IN))


@pytest.mark.parametrize("file_format", [FileFormat.XLSX, FileFormat.CSV])
def test_other_forms_take_any_number_of_calls(draft, user, three_calls, file_format):
    assert place(draft, user, three_calls, replace(PDF, file_format=file_format))


def test_a_pdf_ordered_already_stays_ordered_when_more_calls_come(draft, user, three_calls, number):
    order = place(draft, user, three_calls[:1], PDF)
    make_call(number, NOON - timedelta(days=1, hours=1))
    assert place(draft, user, three_calls[:1], PDF) == order


def test_the_place_in_the_queue_counts_only_due_orders(base):
    first = make_order(next_try_at=NOON - timedelta(minutes=2))
    make_order(next_try_at=NOON + timedelta(hours=1))
    make_order(next_try_at=NOON - timedelta(minutes=5), state=OrderState.SENT)
    mine = make_order(next_try_at=NOON - timedelta(minutes=1))
    assert orders.ahead_of(first, now=NOON) == 0
    assert orders.ahead_of(mine, now=NOON) == 1


def test_a_client_sees_its_own_orders_only(base):
    order, stranger = make_order(), make_client()
    assert orders.find(order.key, stranger) is None
