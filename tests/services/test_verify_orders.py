"""`flask verify` finds each way in which orders, files and letters can be wrong."""

from datetime import timedelta

import pytest

from domain.orders import MailState, OrderKind, OrderState
from models import Artefact, Mail, Order, OrderSubscriber
from services import verify
from tests.factories import (
    NOON,
    make_client,
    make_invoice_order,
    make_order,
    make_subscriber,
)
from tests.services.invoice_cases import document_of


@pytest.fixture
def order(base):
    client = make_client()
    return make_order(
        client, [make_subscriber(client)], number=1, state=OrderState.SENT, closed_at=NOON
    )


@pytest.fixture
def mail(order):
    return Mail.create(
        order=order,
        message_id=f"<o{order.key}.1@localhost>",
        recipient=order.email,
        path="",
        size=1,
        sha256="",
        state=MailState.SENT,
        created_at=NOON,
    )


def breaches():
    return {breach.check for breach in verify.run()}


def test_a_sound_order_has_no_breach(mail):
    assert breaches() == set()


def test_an_act_of_reconciliation_is_about_no_number(base):
    make_order(kind=OrderKind.STATEMENT, number=1)
    assert breaches() == set()


def unsend(order, mail):
    Mail.update(state=MailState.READY).execute()


def send_twice(order, mail):
    Mail.create(**{**mail.__data__, "id": None, "ordinal": 2, "message_id": f"{order.key}.2"})


def rename_letter(order, mail):
    Mail.update(message_id="<other@localhost>").execute()


def lose_numbers(order, mail):
    OrderSubscriber.delete().execute()


def take_a_strangers_number(order, mail):
    OrderSubscriber.create(order=order, subscriber=make_subscriber())


def leave_a_gap(order, mail):
    Order.update(number=2).execute()


def keep_a_lease(order, mail):
    Order.update(lease_until=NOON).execute()


def hurry(order, mail):
    Order.update(
        state=OrderState.ACCEPTED, closed_at=None, next_try_at=NOON - timedelta(hours=1)
    ).execute()
    Mail.delete().execute()


def lose_the_file(order, mail):
    Artefact.create(
        order=order,
        path="nowhere/1.xlsx",
        display_name="",
        media_type="",
        size=1,
        sha256="",
        made_at=NOON,
        expires_at=NOON,
    )


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (unsend, "a_sent_order_has_one_sent_letter"),
        (send_twice, "a_sent_order_has_one_sent_letter"),
        (rename_letter, "a_letter_is_frozen_under_its_own_id"),
        (lose_numbers, "an_order_is_about_numbers_of_its_client"),
        (take_a_strangers_number, "an_order_is_about_numbers_of_its_client"),
        (leave_a_gap, "orders_of_a_client_are_numbered_without_gaps"),
        (keep_a_lease, "a_finished_order_is_held_by_nobody"),
        (hurry, "an_open_order_is_not_closed"),
        (lose_the_file, "a_made_file_is_whole"),
    ],
)
def test_each_breach_is_found(order, mail, harm, check):
    harm(order, mail)
    assert check in breaches()


@pytest.fixture
def link_order(base):
    order = make_invoice_order(
        document_of("nothing_at_all"),
        OrderKind.INVOICE_LINK,
        number=1,
        state=OrderState.AVAILABLE,
        closed_at=NOON,
    )
    lose_the_file(order, None)
    Artefact.update(removed_at=NOON).execute()
    return order


def test_an_invoice_that_waits_to_be_fetched_has_no_letter_and_no_numbers(link_order):
    assert breaches() == set()


@pytest.mark.parametrize(
    ("values", "check"),
    [
        ({"params": {"invoice": 0, "format": "pdf"}}, "an_order_of_an_invoice_is_about_one"),
        ({"kind": OrderKind.INVOICE_EMAIL}, "what_is_not_mailed_ends_as_a_file"),
        ({"state": OrderState.SENT}, "what_is_not_mailed_ends_as_a_file"),
    ],
)
def test_each_breach_of_an_invoice_order_is_found(link_order, values, check):
    Order.update(values).execute()
    assert any(each.startswith(check) for each in breaches())


def test_an_order_of_a_strangers_invoice_is_found(link_order):
    client = make_client()
    Order.update(client=client).execute()
    assert "an_order_of_an_invoice_is_about_one_of_its_client" in breaches()
