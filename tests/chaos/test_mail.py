"""Orders against mail servers that misbehave: every fault ends as the table says, nothing is lost
without a word, and waiting for a server has an end.
"""

from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from bs4 import BeautifulSoup

from domain.orders import MailState, OrderState
from models import Mail, Order
from services import orders, verify
from tests import smtp_sink
from tests.chaos.post import PATIENCE_S, Post
from tests.factories import make_client
from tests.smtp_sink import SELF_SIGNED, SmtpSink
from texts import failure_text


class Fate(NamedTuple):
    """What a fault leads to: the order and its letter after one attempt, and how many copies may
    have arrived once the server behaves again and the order has been tried a second time.
    """

    state: OrderState
    mail: MailState
    reason: str
    copies: int


SENT, WAITS, FAILS = OrderState.SENT, OrderState.RETRY_WAIT, OrderState.FAILED
READY, UNKNOWN, DONE, REFUSED = (
    MailState.READY,
    MailState.UNKNOWN,
    MailState.SENT,
    MailState.FAILED,
)
FATES = {
    smtp_sink.OK: Fate(SENT, DONE, "", 1),
    smtp_sink.DROP_ON_QUIT: Fate(SENT, DONE, "", 1),
    smtp_sink.HANG_ON_QUIT: Fate(SENT, DONE, "", 1),
    smtp_sink.DROP_AFTER_DATA: Fate(WAITS, UNKNOWN, "mail_unconfirmed", 2),
    smtp_sink.HANG_AFTER_DATA: Fate(WAITS, UNKNOWN, "mail_unconfirmed", 2),
    smtp_sink.NONSENSE_AFTER_DATA: Fate(WAITS, UNKNOWN, "mail_unconfirmed", 2),
    smtp_sink.DROP_IN_DATA: Fate(WAITS, READY, "mail_unreachable", 1),
    smtp_sink.HANG_IN_DATA: Fate(WAITS, READY, "mail_unreachable", 1),
    smtp_sink.HANG_BANNER: Fate(WAITS, READY, "mail_unreachable", 1),
    smtp_sink.BUSY_421: Fate(WAITS, READY, "mail_unreachable", 1),
    smtp_sink.LATER_451: Fate(WAITS, READY, "mail_refused", 1),
    smtp_sink.LATER_450_ADDRESS: Fate(WAITS, READY, "mail_refused", 1),
    smtp_sink.NO_ADDRESS_550: Fate(FAILS, REFUSED, "mail_address_refused", 1),
    smtp_sink.TOO_LARGE_552: Fate(FAILS, REFUSED, "mail_too_large", 1),
    smtp_sink.REFUSED_554: Fate(FAILS, REFUSED, "mail_refused", 1),
    smtp_sink.AUTH_FAIL: Fate(WAITS, READY, "mail_rejected_sign_in", 1),
    smtp_sink.NO_STARTTLS: Fate(WAITS, READY, "mail_insecure", 1),
    smtp_sink.STARTTLS_454: Fate(WAITS, READY, "mail_insecure", 1),
    smtp_sink.NO_ADDRESS_550_ONE: Fate(SENT, DONE, "", 1),  # the one is asked for below
    smtp_sink.LATER_450_ONE: Fate(SENT, DONE, "", 1),
}
SECURED = {"MAIL_TLS": "starttls", "MAIL_CA_FILE": str(SELF_SIGNED)}
SETTINGS = {
    smtp_sink.AUTH_FAIL: {"MAIL_USERNAME": "cabinet", "MAIL_PASSWORD": "wrong"},
    smtp_sink.NO_STARTTLS: SECURED,
    smtp_sink.STARTTLS_454: SECURED,
}
HANGS = {mode for mode in smtp_sink.MODES if mode.startswith("hang")}
BIG = {smtp_sink.DROP_IN_DATA, smtp_sink.HANG_IN_DATA}  # a cut is noticed beyond the sockets' room


@pytest.fixture
def post(app, base, monkeypatch):
    with SmtpSink(certificate=SELF_SIGNED) as sink:
        yield Post(app, sink, monkeypatch)


def long_text(_kind, name, _words):
    return "x" * 4_500_000 if name == "body.txt" else "x"


def breaches():
    return [breach.detail for breach in verify.run()]


def test_the_table_knows_every_fault_of_the_server():
    assert set(FATES) == set(smtp_sink.MODES)


@pytest.mark.parametrize("mode", FATES)
def test_every_fault_ends_as_the_table_says(post, length, mode, monkeypatch):
    fate = FATES[mode]
    post.change(**SETTINGS.get(mode, {}))
    if mode in BIG:
        monkeypatch.setattr("services.mailer._template", long_text)
    for _ in range(length(short=1, long=20)):
        post.sink.mode = mode
        post.change(MAIL_TIMEOUT_S=1 if mode in HANGS else PATIENCE_S)
        order = post.place(email="somebody@romashka.by")
        after, mail = post.carry(order), Mail.get(Mail.order == order)
        assert (after.state, mail.state, after.reason) == (fate.state, fate.mail, fate.reason)
        assert (after.attempts, mail.unknown_count) == (1, int(mail.state == UNKNOWN))
        assert breaches() == []
        post.sink.mode = smtp_sink.OK
        post.change(MAIL_TIMEOUT_S=PATIENCE_S)
        if after.state == FAILS:
            assert orders.retry(after, user=order.user, now=post.now)
        post.wait(order)
        assert post.carry(order).state == SENT
        assert post.copies(order) == fate.copies
    post.check_nothing_is_lost()
    assert breaches() == []


# --- One of two recipients ------------------------------------------------------------------------
# An order has one recipient, so that «one of two was refused» is told of two orders of a client.


def two_orders(post):
    client = make_client()
    return [
        post.place(client=client, number=n, email=f"{name}@romashka.by")
        for n, name in enumerate(("nobody", "somebody"), start=1)
    ]


def test_the_one_who_is_refused_does_not_keep_the_other_from_getting_theirs(post):
    post.sink.mode = smtp_sink.NO_ADDRESS_550_ONE
    refused, sent = two_orders(post)
    post.rounds(post.now + timedelta(hours=1))
    states = [Order.get_by_id(order.id).state for order in (refused, sent)]
    assert states == [FAILS, SENT]
    replies = [Mail.get(Mail.order == order).smtp_reply for order in (refused, sent)]
    assert replies == ["550 5.1.1 no such user", "250 2.0.0 queued as 1"]
    post.check_nothing_is_lost()


def test_the_one_who_is_put_off_is_tried_again_alone(post):
    post.sink.mode = smtp_sink.LATER_450_ONE
    put_off, sent = two_orders(post)
    post.rounds(post.now + timedelta(minutes=10))
    assert Order.get_by_id(put_off.id).state == WAITS
    post.sink.mode = smtp_sink.OK
    post.rounds(post.now + timedelta(hours=1))
    assert [Order.get_by_id(order.id).state for order in (put_off, sent)] == [SENT, SENT]
    assert [taken.recipients for taken in post.sink.accepted] == [
        ("somebody@romashka.by",),
        ("nobody@romashka.by",),
    ]


# --- Waiting has a measure and an end -------------------------------------------------------------


def test_six_hours_without_the_server_cost_a_delay_and_nothing_else(post, length):
    post.sink.mode = smtp_sink.LATER_451
    placed = [post.place() for _ in range(length(short=4, long=100))]
    outage_ends = post.now + timedelta(hours=6)
    tries = {order.id: [post.now] for order in placed}
    while post.now < outage_ends:
        coming = Order.across_clients(Order.next_try_at).where(Order.is_open_condition())
        post.rounds(min(outage_ends, *(row.next_try_at for row in coming)))
        for order in Order.across_clients():
            if order.next_try_at != tries[order.id][-1]:
                tries[order.id].append(order.next_try_at)
    post.sink.mode = smtp_sink.OK
    post.rounds(outage_ends + timedelta(hours=2))
    for order in Order.across_clients():
        assert (order.state, order.reason) == (SENT, "")
        assert order.attempts <= 12
        assert post.copies(order) == 1
    check_pauses(tries.values())
    assert len(post.sink.accepted) == len(placed)
    assert breaches() == []


def check_pauses(tries):
    """From a minute to an hour, doubling, and no two orders in step."""
    paused = [[(b - a).total_seconds() for a, b in pairwise(moments)] for moments in tries]
    for pauses in paused:
        for n, pause in enumerate(pauses):
            nominal = min(3600, 60 * 2**n)
            assert nominal <= pause <= nominal * 1.2
    assert len({tuple(pauses) for pauses in paused}) == len(paused)


@pytest.mark.parametrize("mode", [smtp_sink.LATER_451, smtp_sink.BUSY_421])
def test_a_server_that_never_comes_back_ends_in_a_failure_that_says_why(post, mode):
    post.sink.mode = mode
    order = post.place()
    post.rounds(post.now + timedelta(days=2))
    order = Order.get_by_id(order.id)
    assert (order.state, order.attempts) == (FAILS, 12)
    assert order.reason == FATES[mode].reason
    assert order.detail.startswith(mode)
    post.sink.mode = smtp_sink.OK
    assert orders.retry(order, user=order.user, now=post.now)
    assert post.carry(order).state == SENT


def test_letters_of_unknown_fate_do_not_pile_up_at_the_client(post):
    """A server that takes each message and hangs up would otherwise get twelve of them."""
    post.sink.mode = smtp_sink.DROP_AFTER_DATA
    order = post.place()
    post.rounds(post.now + timedelta(days=2))
    order = Order.get_by_id(order.id)
    assert (order.state, order.reason) == (OrderState.UNCONFIRMED, "mail_unconfirmed")
    assert post.copies(order) == 3
    post.check_nothing_is_lost()
    assert breaches() == []


def test_a_permanent_refusal_is_final_and_shown_to_both_sides(
    post, browser, operator_browser, client_row
):
    post.sink.mode = smtp_sink.NO_ADDRESS_550
    order = post.place(client=client_row, email="somebody@romashka.by")
    assert post.carry(order).attempts == 1
    sentence = failure_text("mail_address_refused")
    assert sentence in browser.get("orders.show", key=order.key).text
    page = operator_browser.get("operator.order", key=order.key).text
    assert sentence in page
    assert "550 5.1.1 no such user" in page
    post.rounds(post.now + timedelta(days=2))
    assert post.sink.commands.count("RCPT") == 1


# --- Nothing leaves unprotected -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        (smtp_sink.OK, {"MAIL_TLS": "starttls"}),  # a certificate nobody vouches for
        (smtp_sink.OK, {**SECURED, "MAIL_SERVER": "127.0.0.1"}),  # it names "localhost"
        (smtp_sink.NO_STARTTLS, SECURED),
        (smtp_sink.STARTTLS_454, SECURED),
    ],
    ids=["self-signed", "another host", "stripped", "refused"],
)
def test_a_server_that_is_not_the_one_gets_nothing_and_the_operator_is_told(
    post, operator_browser, caplog, mode, settings
):
    post.sink.mode = mode
    post.change(MAIL_USERNAME="cabinet", MAIL_PASSWORD="secret", **settings)
    order = post.place()
    for _ in range(3):
        post.carry(order)
        post.wait(order)  # minutes: who has signed in still is
    assert not post.sink.taken
    assert set(post.sink.commands) <= {"EHLO", "STARTTLS", "QUIT"}  # neither address nor password
    assert "the connection to the mail server is not safe" in caplog.text
    page = operator_browser.get("operator.show")
    assert failure_text("mail_insecure") in told_of(page, order)
    post.change(MAIL_SERVER="localhost", **SECURED)
    post.sink.mode = smtp_sink.OK
    assert post.carry(order).state == SENT
    assert post.sink.accepted[0].tls


def told_of(page: BeautifulSoup, order: Order) -> str:
    """The row of an order in the operator's list."""
    return page.select_one(f"#order-{order.key}").find_parent("tr").text
