"""Many processes that write at once, through the services: nobody is told that the database is
locked, and nobody's write is lost under another's.
"""

import json
import sys
import time
from functools import partial

import pytest

from domain.orders import Direction, FileFormat, OrderKind, OrderState
from domain.periods import DateRange
from models import DraftSubscriber, Order, OrderDraft, OrderSubscriber, Subscriber, User
from services import claims, clock, drafts, orders, selection
from tests.chaos import lives as life

TRANSACTIONS_IN_A_TURN = 6


class Writer:
    """What one process does, and how long each piece took."""

    def __init__(self, name, shared_key):
        self.name = name
        self.user = User.across_clients().where(User.login == "demo").get()
        self.client = self.user.client
        self.shared = OrderDraft.of(self.client).where(OrderDraft.key == shared_key).get()
        self.everything = Subscriber.of(self.client)
        self.numbers = [row.id for row in self.everything]
        self.took_s, self.placed, self.claimed = [], [], []

    def timed(self, work):
        began = time.perf_counter()
        result = work()
        self.took_s.append(time.perf_counter() - began)
        return result

    def turn(self, n):
        """An order, a tick and an answer in a wizard that others have open, too, and a claim."""
        now = clock.now()
        start = partial(drafts.start, self.client, self.user, OrderKind.CALL_DETAIL, "period", {})
        draft = self.timed(partial(start, now=now))
        number = self.numbers[n % len(self.numbers)]
        self.timed(partial(selection.tick, draft, self.everything, [number]))
        self.placed.append(self.timed(partial(self.place, draft, now)).key)
        step = f"{self.name}-{n}"
        self.timed(partial(drafts.remember, self.shared, step, {"n": n}))
        claim = self.timed(partial(claims.claim_next, now=now))
        if claim is not None:
            self.claimed.append(claim.order_id)
            self.timed(partial(claims.renew, claim, done=n))

    def place(self, draft, now):
        period = DateRange(now.date().replace(day=1), now.date())
        asked = orders.CallDetailRequest(period, Direction.BOTH, FileFormat.CSV)
        return orders.place(draft, asked, client=self.client, user=self.user, now=now)


def write(folder, name, shared_key, turns):
    """The work of a child. What it did is left in a file; an error ends it with a failure."""
    writer = Writer(name, shared_key)
    for n in range(turns):
        writer.turn(n)
    told = {"took_s": writer.took_s, "placed": writer.placed, "claimed": writer.claimed}
    (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.timeout(1800)
def test_writers_wait_for_each_other_and_lose_nothing(lives, tmp_path, length):
    processes = length(short=4, long=8)
    turns = length(short=50, long=1250) // TRANSACTIONS_IN_A_TURN + 1
    shared_key = lives.make_draft(numbers=0)
    names = [f"p{n}" for n in range(processes)]
    children = [
        lives.begin(partial(write, tmp_path, name, shared_key, turns), LEASE_S=7200)
        for name in names
    ]
    assert {child.wait(within_s=1500) for child in children} == {life.DONE}
    told = [json.loads((tmp_path / f"{name}.json").read_text()) for name in names]
    with lives.here():
        shared = OrderDraft.across_clients().where(OrderDraft.key == shared_key).get()
        steps = {f"{name}-{n}" for name in names for n in range(turns)}
        assert steps <= set(shared.answers), "an answer was lost"
        check_orders(told)
    assert lives.breaches() == []
    say_times(told)


def check_orders(told):
    placed = [key for each in told for key in each["placed"]]
    found = {order.key: order for order in Order.across_clients()}
    assert set(found) == set(placed)
    assert len(placed) == len(set(placed))
    assert OrderSubscriber.select().count() == DraftSubscriber.select().count() == len(placed)
    claimed = [order_id for each in told for order_id in each["claimed"]]
    assert len(claimed) == len(set(claimed)), "two processes had one order"
    taken = {order.id for order in found.values() if order.attempts}
    assert taken == set(claimed)
    assert all(order.attempts <= 1 for order in found.values())
    assert all(order.state == OrderState.ACCEPTED for order in found.values())


def say_times(told):
    took_s = sorted(second for each in told for second in each["took_s"])
    p99, longest = took_s[int(len(took_s) * 0.99)], took_s[-1]
    sys.stdout.write(
        f"{len(told)} processes, {len(took_s)} transactions: median"
        f" {took_s[len(took_s) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.0f} ms,"
        f" longest {longest * 1000:.0f} ms\n"
    )
