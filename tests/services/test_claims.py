"""Leases: who may work on an order, and how an attempt ends."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from domain.orders import OrderState
from models import Order
from services import claims, clock, liveness
from services.smtp import DeliveryUnknown, MailRefused
from tests.factories import NOON, make_client, make_order


@pytest.fixture(autouse=True)
def stopped_clock(base, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


def reread(order):
    return Order.get_by_id(order.id)


def test_only_one_worker_gets_an_order():
    order = make_order()
    assert claims.claim_next(now=NOON).order_id == order.id
    assert claims.claim_next(now=NOON) is None


@pytest.mark.parametrize(
    "values",
    [
        {"next_try_at": NOON + timedelta(seconds=1)},
        {"state": OrderState.SENT},
        {"state": OrderState.CANCELLED},
        {"state": OrderState.UNCONFIRMED},
        {"lease_until": NOON + timedelta(seconds=1)},
    ],
)
def test_an_order_is_not_taken(values):
    make_order(**values)
    assert claims.claim_next(now=NOON) is None


def test_an_order_whose_lease_ran_out_is_taken_again():
    make_order(state=OrderState.RENDERING, lease_until=NOON - timedelta(seconds=1), attempts=1)
    claim = claims.claim_next(now=NOON)
    assert claim.order().attempts == 2


def test_a_client_with_many_orders_does_not_keep_others_waiting():
    busy = make_client()
    for minute in range(5):
        make_order(busy, next_try_at=NOON - timedelta(minutes=10 - minute))
    other = make_order(next_try_at=NOON)
    claims.claim_next(now=NOON)
    assert claims.claim_next(now=NOON).order_id == other.id


def test_a_worker_alone_serves_clients_in_turn():
    """It never sees a running order: what it has done of late tells whose turn it is."""
    busy, other = make_client(), make_client()
    for n in range(4):
        make_order(busy, next_try_at=NOON - timedelta(minutes=10 - n))
        make_order(other, next_try_at=NOON - timedelta(seconds=10 - n))
    served = []
    for _ in range(8):
        claim = claims.claim_next(now=NOON)
        served.append(claim.order().client_id)
        Order.update(state=OrderState.SENT, lease_until=None, closed_at=NOON).where(
            Order.id == claim.order_id
        ).execute()
    assert served == [busy.id, other.id] * 4


def test_the_loser_of_a_lease_changes_nothing():
    order = make_order()
    loser = claims.claim_next(now=NOON)
    Order.update(lease_until=NOON - timedelta(seconds=1)).where(Order.id == order.id).execute()
    winner = claims.claim_next(now=NOON)
    with pytest.raises(claims.LeaseLost):
        claims.renew(loser)
    with pytest.raises(claims.LeaseLost):
        claims.move(loser, OrderState.SENT)
    claims.renew(winner, done=5)
    assert (reread(order).state, reread(order).done) == (OrderState.ACCEPTED, 5)


def test_a_cancelled_order_is_lost_to_its_worker():
    order = make_order()
    claim = claims.claim_next(now=NOON)
    Order.update(state=OrderState.CANCELLED, lease_token="").execute()
    with claims.attempt(claim):
        claims.renew(claim)
    assert reread(order).state == OrderState.CANCELLED


@pytest.mark.parametrize(
    ("error", "attempts", "state", "reason"),
    [
        (MailRefused("mail_unreachable", "", permanent=False), 1, "retry_wait", "mail_unreachable"),
        (MailRefused("mail_unreachable", "", permanent=False), 12, "failed", "mail_unreachable"),
        (
            MailRefused("mail_address_refused", "550", permanent=True),
            1,
            "failed",
            "mail_address_refused",
        ),
        (DeliveryUnknown("lost"), 1, "retry_wait", "mail_unconfirmed"),
        (ValueError("a bug"), 1, "retry_wait", "render_failed"),
        (ValueError("a bug"), 3, "failed", "render_failed"),
        (OSError(28, "No space left on device"), 3, "retry_wait", "no_space"),
        (claims.WorkTookTooLong(), 1, "failed", "render_too_long"),
    ],
)
def test_a_failure_ends_in_the_row(error, attempts, state, reason):
    order = make_order(attempts=attempts - 1)
    claim = claims.claim_next(now=NOON)
    with claims.attempt(claim):
        raise error
    after = reread(order)
    assert (after.state, after.reason) == (state, reason)
    assert after.lease_until is None
    if state == "retry_wait":
        assert after.next_try_at > NOON


@pytest.mark.parametrize(
    ("attempts", "shortest", "longest"),
    [(1, 48, 72), (2, 96, 144), (7, 2880, 4320), (12, 2880, 4320)],
)
def test_pauses_grow_from_a_minute_to_an_hour(attempts, shortest, longest):
    for _ in range(50):
        assert shortest <= claims.pause_after(attempts).total_seconds() <= longest


def test_an_order_that_kills_its_workers_is_given_up(app):
    limit = app.config["CABINET"].MAX_ATTEMPTS
    order = make_order(attempts=limit, state=OrderState.RENDERING)
    assert claims.claim_next(now=NOON) is None
    assert (reread(order).state, reread(order).reason) == (OrderState.FAILED, "worker_lost")


def test_the_order_of_a_dead_worker_is_freed_at_once():
    script = "from services import liveness; print(liveness.own_mark())"
    mark = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()
    lives = {"state": OrderState.RENDERING, "lease_until": NOON + timedelta(minutes=1)}
    dead = make_order(**lives, lease_owner=mark, lease_token="a")
    alive = make_order(**lives, lease_owner=liveness.own_mark(), lease_token="b")
    unknown = make_order(**lives, lease_owner="elsewhere:1:2:3", lease_token="c")
    assert claims.release_dead(now=NOON) == 1
    assert reread(dead).lease_until < NOON
    assert reread(alive).lease_until > NOON
    assert reread(unknown).lease_until > NOON


def test_a_reused_process_number_is_not_taken_for_the_old_process():
    machine, pid, started = liveness.own_mark().rsplit(":", 2)
    assert pid == str(os.getpid())
    assert liveness.is_dead(f"{machine}:{pid}:{int(started) - 1}")
    assert not liveness.is_dead(liveness.own_mark())
    assert not liveness.is_dead("")
