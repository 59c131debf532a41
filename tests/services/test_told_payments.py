"""«Сообщить об оплате»: which payment is the one told of, and what becomes of the thread."""

from datetime import date, timedelta

import pytest

from domain.billing import told
from domain.billing.told import Told
from domain.errors import AlreadyArrived, AlreadyTold
from domain.feedback import Side, ThreadState
from models import AuditEvent, Notice
from models_billing import Payment
from models_feedback import FeedbackMessage, FeedbackThread
from models_payments import ToldPayment
from services import feedback, payments, told_payments, verify
from services.audit import By
from services.told_payments import Wish
from tests import factories
from tests.factories import NOON

BY = By(now=NOON)
FIFTH = date(2026, 3, 5)


@pytest.fixture
def payer(client_row):
    return factories.make_user(client_row, email="glavbuh@example.by")


@pytest.fixture
def tell(client_row, payer, app):
    def tell(number="17", day=FIFTH, amount=1000, key="a"):
        wish = Wish(Told(number, day, amount), "Мы оплатили", key)
        return told_payments.tell(wish, client=client_row, user=payer, now=NOON)

    with app.app_context():
        yield tell


def state_of(thread):
    return FeedbackThread.get_by_id(thread.id).state


@pytest.mark.parametrize(
    ("number", "day", "amount", "place"),
    [
        ("17", FIFTH, 1000, 0),
        ("№ 0017", date(2026, 3, 6), 1000, 0),
        ("18", FIFTH, 1000, 1),
        ("19", FIFTH, 1000, None),  # another order
        ("17", FIFTH, 1001, None),  # another sum
        ("17", date(2026, 3, 1), 1000, None),  # before it was written
        ("18", date(2026, 5, 1), 1000, None),  # a number comes again next year
        ("", FIFTH, 1000, None),  # either of the two
        ("", FIFTH, 500, 2),
        ("20", FIFTH, 500, None),
        ("17", date(2026, 4, 2), 1000, 3),  # the same number anew: the nearer day
    ],
)
def test_a_payment_is_the_one_told_by_number_sum_and_day(number, day, amount, place):
    orders = [
        Told("17", FIFTH, 1000),
        Told("018", FIFTH, 1000),
        Told("20а", FIFTH, 500),
        Told("17", date(2026, 4, 2), 1000),
    ]
    assert told.find(number, day, amount, orders) == place


def test_a_statement_finds_what_was_told_and_settles_the_thread(client_row, payer, tell):
    thread, other = tell(), tell("18", key="b")
    content = f"date;amount;account;document\n06.03.2026;10,00;{client_row.account_no};00017\n"
    assert payments.import_statement(content.encode(), by=BY).awaited == 1
    [row] = [row for row in told_payments.of_client(client_row, now=NOON) if row.payment]
    assert (row.thread, row.payment.amount) == (thread, 1000)
    assert (state_of(thread), state_of(other)) == (ThreadState.SOLVED, ThreadState.NEW)
    [said] = FeedbackMessage.select().where(FeedbackMessage.side == Side.OPERATOR)
    assert said.text.replace("\xa0", " ") == "Платеж поступил: 10,00 BYN, 06.03.2026."
    assert [letter.recipient for letter in Notice.select()] == [payer.email]
    assert AuditEvent.select().where(AuditEvent.event == "told_payment_arrived").count() == 1
    assert payments.import_statement(content.encode(), by=BY).awaited == 0
    assert [row.thread_id for row in told_payments.on_the_way()] == [other.id]
    assert not verify.run()


def test_a_statement_booked_twice_at_once_is_one(client_row, tell, monkeypatch):
    content = f"date;amount;account;document\n06.03.2026;10,00;{client_row.account_no};17\n"
    lock = payments.lock_clients

    def lock_late(ids):
        monkeypatch.undo()
        assert len(payments.import_statement(content.encode(), by=BY).taken) == 1
        lock(ids)

    monkeypatch.setattr(payments, "lock_clients", lock_late)
    second = payments.import_statement(content.encode(), by=BY)
    assert (len(second.taken), len(second.repeated), second.awaited) == (0, 1, 0)
    assert Payment.of(client_row).count() == 1


def test_by_hand_too_and_each_is_found_once(client_row, tell):
    tell()
    payments.add(client_row, 1000, paid_on=FIFTH, by=BY)
    payments.add(client_row, 1000, paid_on=FIFTH, document_no="17", by=BY)
    first = Payment.select().order_by(Payment.id).get()
    assert [row.payment_id for row in ToldPayment.select()] == [first.id]
    assert FeedbackMessage.select().where(FeedbackMessage.side == Side.OPERATOR).count() == 1


def test_another_clients_payment_is_not_it(tell):
    tell()
    payments.add(factories.make_client(), 1000, paid_on=FIFTH, document_no="17", by=BY)
    assert not ToldPayment.get().payment


def test_what_has_come_in_or_was_told_is_not_told_again(client_row, tell):
    tell()
    with pytest.raises(AlreadyTold):
        tell("017", key="b")
    payments.add(client_row, 700, paid_on=FIFTH, document_no="21", by=BY)
    with pytest.raises(AlreadyArrived):
        tell("21", amount=700, key="c")
    assert FeedbackThread.select().count() == ToldPayment.select().count() == 1
    tell("17", date(2026, 2, 5), key="d")


def test_a_thread_in_which_more_was_asked_stays_open(client_row, payer, tell):
    thread = tell()
    ask = {"client": client_row, "user": payer, "form_key": "b", "now": NOON}
    feedback.answer(thread, "И где акт?", **ask)
    payments.add(client_row, 1000, paid_on=FIFTH, document_no="17", by=BY)
    row = FeedbackThread.get_by_id(thread.id)
    assert row.state == ThreadState.NEW
    assert row.waits_since
    assert ToldPayment.get().arrived_at


def test_late_ones_are_counted_until_they_come_or_are_settled(client_row, tell):
    thread = tell()
    later = NOON + told_payments.LATE_AFTER + timedelta(minutes=1)
    assert told_payments.count_late(now=NOON) == 0
    assert told_payments.count_late(now=later) == 1
    FeedbackThread.update(state=ThreadState.CLOSED).where(FeedbackThread.id == thread.id).execute()
    assert told_payments.count_late(now=later) == 0
    payments.add(client_row, 1000, paid_on=FIFTH, document_no="17", by=BY)
    assert ToldPayment.get().payment, "found all the same"


def test_verify_names_a_payment_of_another_sum(client_row, tell):
    tell()
    payments.add(client_row, 1000, paid_on=FIFTH, document_no="17", by=BY)
    ToldPayment.update(amount=1).execute()
    assert [breach.check for breach in verify.run()] == ["told_payments_are_those_that_came"]


def test_the_same_form_with_another_payment_is_another_and_with_the_same_is_told(tell):
    assert tell("17") != tell("18")
    FeedbackThread.update(state=ThreadState.SOLVED).execute()
    with pytest.raises(AlreadyTold):
        tell("17")
