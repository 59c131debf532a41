"""Orders of invoices whose process dies while it places them, that are sent from many tabs at once,
and that begin to wait for an invoice just when it is formed.
"""

import time

import pytest

from domain.orders import FileFormat, OrderKind
from domain.periods import month_start
from models import Client, Order, User
from services import awaited_invoices, billing, clock, import_turns, invoice_orders, invoices
from services.invoice_orders import BillRequest
from tests.chaos.kill_points import PLACED
from tests.chaos.lives import DONE, KILLED, STOPPED
from tests.factories import make_client, make_user

FORM_KEY = "f" * 24
MONTHS = 3


def place(user_id, documents, kind=OrderKind.INVOICE_EMAIL, form_key=FORM_KEY):
    """What the button of the page does."""
    user = User.across_clients().where(User.id == user_id).get()
    request = BillRequest(kind, documents, FileFormat.CSV, form_key, is_deferred=True)
    client = Client.get_by_id(user.client_id)
    return invoice_orders.place(request, client=client, user=user, now=clock.now())


@pytest.fixture
def user(lives):
    """Somebody of a client with invoices of three months: id, keys of the documents."""
    with lives.here():
        user = make_user(make_client())
        for back in range(MONTHS, 0, -1):
            month = month_start(clock.now().date(), back)
            billing.form_month(month, client=user.client, now=clock.now())
        return user.id, tuple(each.key for each in invoices.of_client(user.client))


def orders_of(lives, user_id):
    with lives.here():
        return Order.across_clients().where(Order.user == user_id).count()


@pytest.mark.parametrize("point", PLACED)
def test_a_death_while_placing_leaves_all_of_a_forms_orders_or_none(lives, user, point):
    user_id, documents = user
    assert lives.run(lambda: place(user_id, documents), crash_at=point) == KILLED
    assert orders_of(lives, user_id) == (0 if point == "order.placing" else MONTHS)
    assert lives.run(lambda: place(user_id, documents)) == DONE
    assert orders_of(lives, user_id) == MONTHS


@pytest.mark.parametrize("kind", [OrderKind.INVOICE_EMAIL, OrderKind.INVOICE_LINK])
def test_a_form_that_is_sent_many_times_at_once_is_one_request(lives, user, kind):
    user_id, documents = user
    documents = documents[: MONTHS - 1]  # a link reaches so far back
    children = [lives.begin(lambda: place(user_id, documents, kind)) for _ in range(8)]
    assert [child.wait() for child in children] == [DONE] * 8
    assert orders_of(lives, user_id) == len(documents)


def test_a_link_asked_for_in_many_tabs_at_once_is_made_once(lives, user):
    user_id, documents = user
    children = [
        lives.begin(lambda n=n: place(user_id, documents[:1], OrderKind.INVOICE_LINK, f"{n:024}"))
        for n in range(8)
    ]
    assert [child.wait() for child in children] == [DONE] * 8
    assert orders_of(lives, user_id) == 1


@pytest.mark.parametrize("first", ["the invoice", "the order"])
def test_nobody_waits_for_an_invoice_that_is_formed_at_that_moment(lives, first):
    """One of the two stands still in the midst of its transaction while the other one comes."""
    with lives.here():
        user = make_user(make_client())
        client_id, month = user.client_id, month_start(clock.now().date(), 1)

    def run():
        client = Client.get_by_id(client_id)
        with import_turns.one_at_a_time(lives.config.data_dir):
            billing.form_month(month, client=client, now=clock.now())

    def order():
        place(user.id, (f"{month:%Y-%m}",))

    works = {"invoice.stored": run, "order.placing": order}
    point = "invoice.stored" if first == "the invoice" else "order.placing"
    held = lives.begin(works.pop(point), crash_at=f"stop {point}")
    assert held.wait() == STOPPED
    (work,) = works.values()
    other = lives.begin(work)
    time.sleep(0.3)  # the other one comes as far as it can
    assert held.go_on() == DONE
    assert other.wait() == DONE
    with lives.here():
        (placed,) = Order.across_clients().where(Order.user == user.id)
        assert awaited_invoices.awaited_month(placed) is None


def test_orders_and_the_billing_run_at_once_leave_nobody_waiting(lives, length):
    """Many times: whoever comes first."""
    with lives.here():
        users = [make_user(make_client()).id for _ in range(length(short=12, long=150))]
        month = month_start(clock.now().date(), 1)

    def run():
        with import_turns.one_at_a_time(lives.config.data_dir):
            billing.form_month(month, now=clock.now())

    def order():
        for user_id in users:
            place(user_id, (f"{month:%Y-%m}",))

    children = [lives.begin(run), lives.begin(order)]
    assert [child.wait() for child in children] == [DONE] * 2
    with lives.here():
        placed = list(Order.across_clients().where(Order.user.in_(users)))
        assert len(placed) == len(users)
        assert [awaited_invoices.awaited_month(each) for each in placed] == [None] * len(users)
    assert lives.breaches() == []
