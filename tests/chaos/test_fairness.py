"""One client's flood of orders, and one order that can never be made: neither is in the way of
anybody else's.
"""

import signal
import time
from datetime import timedelta

import pytest

from domain.orders import OrderKind, OrderState
from models import Mail, Order
from services import artefacts, claims
from tests.chaos.post import Post
from tests.factories import NOON, make_client, make_order, make_user
from tests.run.conftest import wait_for
from tests.smtp_sink import SmtpSink

STOP, GO_ON = signal.SIGSTOP, signal.SIGCONT


@pytest.fixture
def post(app, base, monkeypatch):
    with SmtpSink() as sink:
        yield Post(app, sink, monkeypatch)


def flood(client, number):
    """So many due orders of a client, placed in the last ten minutes."""
    user = make_user(client)
    rows = [
        {
            "client": client,
            "user": user,
            "number": n,
            "key": f"flood{client.id}-{n}",
            "draft_key": f"flood{client.id}-{n}",
            "kind": OrderKind.CALL_DETAIL,
            "params": {},
            "email": client.detail_email,
            "created_at": NOON,
            "due_at": NOON,
            "next_try_at": NOON - timedelta(seconds=600) + timedelta(seconds=600 * n / number),
        }
        for n in range(number)
    ]
    for start in range(0, number, 500):
        Order.insert_many(rows[start : start + 500]).execute()


def close(claim):
    """What the end of an attempt leaves."""
    Order.update(state=OrderState.SENT, closed_at=NOON, **claims.NOBODYS).where(
        Order.id == claim.order_id
    ).execute()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_flood_of_one_client_does_not_keep_another_waiting(base, length, figure, workers):
    busy = make_client()
    flood(busy, length(short=500, long=10_000))
    at_work = [claims.claim_next(now=NOON) for _ in range(workers)]
    other = make_order(next_try_at=NOON)
    close(at_work.pop())  # the worker that is free first
    began = time.perf_counter()
    assert claims.claim_next(now=NOON).order_id == other.id
    figure(f"{workers} workers, a claim, ms", round(1000 * (time.perf_counter() - began), 1))


def test_two_floods_are_served_in_turn(base, length):
    clients = [make_client(), make_client()]
    for client in clients:
        flood(client, length(short=200, long=5000))
    served = []
    for _ in range(20):
        claim = claims.claim_next(now=NOON)
        served.append(claim.order().client_id)
        close(claim)
    assert served.count(clients[0].id) == served.count(clients[1].id) == 10


def poison(key, folder):
    """Make it impossible to write the file of an order: its name is taken by a folder."""
    (folder / key / "1.csv").mkdir(parents=True)


def test_an_order_that_cannot_be_made_is_given_up_and_holds_nobody_up(post, length):
    params = {"format": "csv"}
    placed = [post.place(params=params) for _ in range(length(short=10, long=50))]
    bad = placed[3]
    poison(bad.key, artefacts.folder())
    post.rounds(NOON + timedelta(hours=2))
    good = [order.id for order in placed if order != bad]
    assert Order.across_clients().where(Order.state == OrderState.SENT).count() == len(good)
    assert {mail.sent_at for mail in Mail.select().where(Mail.order.in_(good))} == {NOON}
    after = Order.get_by_id(bad.id)
    assert (after.state, after.reason) == (OrderState.FAILED, "render_failed")
    assert after.attempts == claims.RENDER_ATTEMPTS
    post.check_nothing_is_lost()


# --- With real processes --------------------------------------------------------------------------


def go_on_and_time(site, number):
    """Wake the workers; seconds until so many orders have been sent."""
    before = site.states()["sent"]
    began = time.monotonic()
    site.kill(*site.part("flask worker"), number=GO_ON)
    wait_for(lambda: site.states()["sent"] == before + number, f"{number} orders to be sent")
    return time.monotonic() - began


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_among_fifty_a_poisoned_order_costs_the_others_little(site, mail, figure):
    took_s = []
    for bad in ([], [25]):
        site.kill(*site.part("flask worker"), number=STOP)
        keys = site.place_many(50, formats=("csv",))
        for n in bad:
            poison(keys[n], site.data_dir / "art")
        took_s.append(go_on_and_time(site, 50 - len(bad)))
    figure("fifty sent, s; 49 of fifty, s", [round(seconds, 1) for seconds in took_s])
    for ahead_s in (150, 600):  # the times of its second and third try
        site.move_clock(ahead_s)
        time.sleep(5)
    assert site.ask(
        "SELECT state, reason, attempts FROM customer_order WHERE key = ?", keys[25]
    ) == [("failed", "render_failed", claims.RENDER_ATTEMPTS)]
    site.verify()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_hundred_orders_of_one_client_and_then_one_of_another(site, mail, figure):
    site.kill(*site.part("flask worker"), number=STOP)
    site.place_many(500, formats=("csv",))
    key = site.place(site.person("demo-large"))
    began = time.monotonic()
    site.kill(*site.part("flask worker"), number=GO_ON)

    def state():
        return site.ask("SELECT state FROM customer_order WHERE key = ?", key)[0][0]

    wait_for(lambda: state() != "accepted", "the other's order to begin")
    figure("the other's begins after, s", round(time.monotonic() - began, 1))
    wait_for(lambda: state() == "sent", "the other's order to be sent")
    figure("and is sent after, s", round(time.monotonic() - began, 1))
    figure("orders of the first still waiting", site.states()["accepted"])
    assert site.states()["accepted"] > 100
    site.wait_until_over(501, within_s=900)
    site.verify()
