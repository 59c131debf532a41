"""The job that carries an order, against a mail server of real sockets that misbehaves."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from domain.orders import MailState, OrderState
from jobs import orders as job
from models import Artefact, Mail, Order
from services import artefacts, clock, smtp
from tests import smtp_sink
from tests.factories import NOON, make_call, make_client, make_order, make_subscriber
from tests.smtp_sink import SmtpSink


@pytest.fixture
def sink():
    with SmtpSink() as server:
        yield server


@pytest.fixture
def settings(app, base, sink, monkeypatch):
    """Mail goes to the sink; returns a way to change more settings for one test."""

    def change(**values):
        config = replace(app.config["CABINET"], **values)
        monkeypatch.setitem(app.config, "CABINET", config)

    monkeypatch.setattr(clock, "now", lambda: NOON)
    change(MAIL_SERVER="localhost", MAIL_PORT=sink.port, MAIL_TIMEOUT_S=1)
    return change


@pytest.fixture
def order(settings):
    client = make_client()
    number = make_subscriber(client)
    for minute in range(3):
        make_call(number, NOON - timedelta(minutes=minute))
    return make_order(client, [number])


def reread(order):
    return Order.get_by_id(order.id)


def try_again(order):
    """What the reconciler sees when the time of the next try has come."""
    Order.update(next_try_at=NOON, lease_until=None).where(Order.id == order.id).execute()
    job.carry(order.id)
    return reread(order)


def test_an_order_ends_as_one_letter_with_its_file(order, sink):
    job.carry(order.id)
    after, mail, artefact = reread(order), Mail.get(), Artefact.get()
    assert (after.state, after.rows, after.lease_until) == (OrderState.SENT, 3, None)
    assert (mail.state, mail.attempts, mail.unknown_count) == (MailState.SENT, 1, 0)
    (taken,) = sink.accepted
    letter = message_from_bytes(taken.content, policy=policy.default)
    assert letter["Message-ID"] == mail.message_id
    (attachment,) = letter.iter_attachments()
    assert attachment.get_filename() == artefact.display_name
    assert attachment.get_content() == (artefacts.folder() / artefact.path).read_bytes()


def test_a_second_hint_sends_nothing(order, sink):
    job.carry(order.id)
    job.carry(order.id)
    assert len(sink.taken) == 1


def test_nothing_is_sent_before_its_time(settings, sink):
    early = make_order(next_try_at=NOON + timedelta(seconds=1))
    job.carry(early.id)
    assert reread(early).state == OrderState.ACCEPTED
    assert not sink.taken


@pytest.mark.parametrize(
    ("mode", "state", "mail_state"),
    [
        (smtp_sink.BUSY_421, OrderState.RETRY_WAIT, MailState.READY),
        (smtp_sink.LATER_451, OrderState.RETRY_WAIT, MailState.READY),
        (smtp_sink.HANG_BANNER, OrderState.RETRY_WAIT, MailState.READY),
        (smtp_sink.DROP_AFTER_DATA, OrderState.RETRY_WAIT, MailState.UNKNOWN),
        (smtp_sink.HANG_AFTER_DATA, OrderState.RETRY_WAIT, MailState.UNKNOWN),
        (smtp_sink.NO_ADDRESS_550, OrderState.FAILED, MailState.FAILED),
        (smtp_sink.TOO_LARGE_552, OrderState.FAILED, MailState.FAILED),
        (smtp_sink.DROP_ON_QUIT, OrderState.SENT, MailState.SENT),
    ],
)
def test_every_fault_of_the_server_ends_in_the_ledger(order, sink, mode, state, mail_state):
    sink.mode = mode
    job.carry(order.id)
    assert (reread(order).state, Mail.get().state) == (state, mail_state)
    assert bool(reread(order).reason) is (state != OrderState.SENT)


def test_an_impossible_address_fails_at_once(order):
    Order.update(email="nobody at nowhere").where(Order.id == order.id).execute()
    job.carry(order.id)
    assert (reread(order).state, reread(order).reason) == ("failed", "mail_address_refused")


@pytest.mark.parametrize("mode", [smtp_sink.LATER_451, smtp_sink.DROP_AFTER_DATA])
def test_a_letter_is_tried_again_with_the_same_bytes(order, sink, mode):
    sink.mode = mode
    job.carry(order.id)
    sink.mode = smtp_sink.OK
    after = try_again(order)
    assert after.state == OrderState.SENT
    first, second = sink.taken
    assert first.content == second.content
    assert Mail.get().unknown_count == (1 if mode == smtp_sink.DROP_AFTER_DATA else 0)
    assert Artefact.select().count() == 1


def test_an_uncertain_letter_is_held_where_the_operator_wants_that(order, sink, settings):
    settings(MAIL_UNKNOWN="hold")
    sink.mode = smtp_sink.DROP_AFTER_DATA
    job.carry(order.id)
    sink.mode = smtp_sink.OK
    after = reread(order)
    assert (after.state, after.reason) == (OrderState.UNCONFIRMED, "mail_unconfirmed")
    try_again(order)
    assert len(sink.taken) == 1


def test_a_worker_that_died_while_mailing_leaves_a_flag(order, sink, monkeypatch):
    class Killed(BaseException):
        """The process is gone: nothing of ours runs any more."""

    def die(*_args, **_values):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(smtp, "submit", die)
        with pytest.raises(Killed):
            job.carry(order.id)
    assert (reread(order).state, Mail.get().state) == (OrderState.SENDING, MailState.SENDING)
    after = try_again(order)
    assert after.state == OrderState.SENT
    assert (Mail.get().unknown_count, Mail.get().attempts) == (1, 2)
    assert len(sink.accepted) == 1


def test_the_lease_is_looked_at_once_more_before_the_letter_goes(order, sink, monkeypatch):
    submit = smtp.submit

    def lose_lease_first(path, *, recipient, before_data):
        Order.update(lease_token="somebody else's").where(Order.id == order.id).execute()
        return submit(path, recipient=recipient, before_data=before_data)

    monkeypatch.setattr(smtp, "submit", lose_lease_first)
    job.carry(order.id)
    assert not sink.taken
    assert reread(order).lease_token == "somebody else's"


def test_a_whole_file_of_an_earlier_attempt_is_not_made_again(order, sink):
    sink.mode = smtp_sink.LATER_451
    job.carry(order.id)
    made_at = Artefact.get().made_at
    path = artefacts.folder() / Artefact.get().path
    inode = path.stat().st_ino
    sink.mode = smtp_sink.OK
    try_again(order)
    assert (Artefact.get().made_at, path.stat().st_ino) == (made_at, inode)


@pytest.mark.parametrize("damage", [b"half", None])
def test_a_damaged_file_is_made_again_and_comes_out_alike(order, sink, damage):
    sink.mode = smtp_sink.BUSY_421
    job.carry(order.id)
    before = Artefact.get()
    path = artefacts.folder() / before.path
    path.write_bytes(damage) if damage else path.unlink()
    sink.mode = smtp_sink.OK
    assert try_again(order).state == OrderState.SENT
    assert Artefact.get().sha256 == before.sha256
    assert artefacts.is_whole(Artefact.get())


def test_a_lost_frozen_letter_keeps_its_message_id(order, sink):
    sink.mode = smtp_sink.LATER_451
    job.carry(order.id)
    mail = Mail.get()
    (artefacts.folder() / mail.path).unlink()
    sink.mode = smtp_sink.OK
    try_again(order)
    letter = message_from_bytes(sink.accepted[0].content, policy=policy.default)
    assert letter["Message-ID"] == mail.message_id == Mail.get().message_id


def test_an_order_cancelled_under_way_is_not_mailed(order, sink, monkeypatch):
    make = artefacts.make

    def cancelled_meanwhile(claim):
        artefact = make(claim)
        Order.update(state=OrderState.CANCELLED, lease_token="").execute()
        return artefact

    monkeypatch.setattr(artefacts, "make", cancelled_meanwhile)
    job.carry(order.id)
    assert reread(order).state == OrderState.CANCELLED
    assert not sink.taken


def test_no_calls_make_a_file_that_says_so(settings, sink):
    client = make_client()
    order = make_order(client, [make_subscriber(client)])
    job.carry(order.id)
    assert (reread(order).state, reread(order).rows) == (OrderState.SENT, 0)
    assert len(sink.accepted) == 1
