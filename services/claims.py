"""Who works on an order: leases, progress and the end of an attempt.

A worker takes an order for `LEASE_S` seconds by one compare-and-set and renews the lease with its
progress. Every later write names the lease's token; no row changed means that the lease is lost
and somebody else may be at work: `LeaseLost` ends the attempt without touching anything.
"""

import errno
import logging
import random
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from peewee import JOIN, Case, ModelSelect, fn

from domain.errors import BillNotFormed, FilesTakeTooMuch, OutOfScope
from domain.formats import mask_emails
from domain.orders import OPEN_STATES, OrderState
from models import Order, db
from services import clock, faults, liveness
from services.log import trace_text
from services.smtp import DeliveryUnknown, MailRefused
from services.transactions import write_tx

log = logging.getLogger(__name__)

RENDER_ATTEMPTS = 3  # a file that cannot be made thrice will not be made the fourth time
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60, 3600
PROGRESS_EVERY_S = 1.0
NOBODYS = {"lease_token": "", "lease_owner": "", "lease_until": None}  # an order out of hand


class LeaseLost(Exception):
    """The order was cancelled or taken by another worker: stop, and write nothing."""


class OrderHeld(Exception):
    """The order was put aside for the operator to decide: nothing more to do."""


class WorkTookTooLong(Exception):
    """The job's time is over. Raised by the job, which knows RQ's own exception."""


@dataclass(frozen=True)
class Claim:
    """One attempt at one order; `token` opens its row for writing."""

    order_id: int
    token: str

    def order(self) -> Order:
        """The row as it is now."""
        return Order.get_by_id(self.order_id)


def lease() -> timedelta:
    """How long a claim holds without a sign of life."""
    return timedelta(seconds=current_app.config["CABINET"].LEASE_S)


def due(now: datetime):
    """Condition: open, its time has come, and nobody holds it."""
    free = Order.lease_until.is_null() | (Order.lease_until < now)
    return Order.state.in_(OPEN_STATES) & (Order.next_try_at <= now) & free


def claim_next(*, now: datetime) -> Claim | None:
    """Take the due order of the client with the fewest running ones, of those the one least served
    of late, the oldest first.

    None when nothing is due, or others were faster each time.
    """
    served = _served(now)
    candidates = (
        Order.across_clients(Order.id)
        .join(served, JOIN.LEFT_OUTER, on=served.c.client_id == Order.client)
        .where(due(now))
        .order_by(
            fn.COALESCE(served.c.running, 0),
            fn.COALESCE(served.c.lately, 0),  # alone, a worker never sees a running one
            Order.next_try_at,
            Order.id,
        )
        .limit(5)
    )
    for order in list(candidates):
        claim = _take(order.id, now=now)
        if claim and not _given_up(claim):
            return claim
    return None


def _served(now: datetime) -> ModelSelect:
    """Orders that each client has in hand, and has had within the time of a lease. Asked once and
    joined: put for every due order, the question took seconds with thousands of them waiting.
    """
    order = Order.alias()
    is_running = (order.lease_until >= now) & order.state.in_(OPEN_STATES)
    return (
        order.select(
            order.client.alias("client_id"),
            fn.SUM(Case(None, [(is_running, 1)], 0)).alias("running"),
            fn.COUNT(order.id).alias("lately"),
        )
        .where(order.heartbeat_at >= now - lease())
        .group_by(order.client)
        .alias("served")
    )


def _given_up(claim: Claim) -> bool:
    """Fail an order whose workers died at it again and again: it would take the next one too."""
    if claim.order().attempts <= current_app.config["CABINET"].MAX_ATTEMPTS:
        return False
    _fail(claim, "worker_lost", "every worker that took this order died at it")
    return True


def _take(order_id: int, *, now: datetime) -> Claim | None:
    token = secrets.token_hex(16)
    with write_tx():
        taken = (
            Order.update(
                lease_token=token,
                lease_owner=liveness.own_mark(),
                lease_until=now + lease(),
                heartbeat_at=now,
                attempts=Order.attempts + 1,
            )
            .where(Order.id == order_id, due(now))
            .execute()
        )
        faults.reach("order.claiming")
    faults.reach("order.claimed")
    return Claim(order_id, token) if taken else None


def move(claim: Claim, state: OrderState, **fields: object) -> None:
    """Bring the claimed order into `state`; `LeaseLost` when the claim no longer holds."""
    values = {"state": state, **fields}
    changed = Order.update(values).where(_held(claim)).execute()
    if not changed:
        raise LeaseLost(f"order {claim.order_id}")


def renew(claim: Claim, **fields: object) -> None:
    """A sign of life: the lease runs anew. `LeaseLost` when the claim no longer holds."""
    with write_tx():
        _renew(claim, **fields)
        faults.reach("order.renewing")


@contextmanager
def holding(claim: Claim) -> Iterator[None]:
    """A transaction in which nobody else can take the order: what is done inside is done by the
    holder of the lease. For a moment's work only. `LeaseLost` when the claim no longer holds.
    """
    with write_tx():
        _renew(claim)
        yield
        faults.reach("order.naming")


def _renew(claim: Claim, **fields: object) -> None:
    now = clock.now()
    values = {"lease_until": now + lease(), "heartbeat_at": now, **fields}
    if not Order.update(values).where(_held(claim)).execute():
        raise LeaseLost(f"order {claim.order_id}")


def _held(claim: Claim):
    return (
        (Order.id == claim.order_id)
        & (Order.lease_token == claim.token)
        & Order.state.in_(OPEN_STATES)
    )


class Progress:
    """Called with (rows done, rows in all) while a file is made; writes at most once a second.

    The rows are read inside one long read transaction, so the writing is done from a thread
    with a connection of its own: SQLite could not turn that transaction into a writing one.
    """

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._written_at = time.monotonic()
        self._side = ThreadPoolExecutor(max_workers=1)
        self._app = current_app._get_current_object()

    def __call__(self, done: int, total: int | None) -> None:
        faults.reach("order.writing_rows")
        if time.monotonic() - self._written_at < PROGRESS_EVERY_S:
            return
        self._written_at = time.monotonic()
        self._side.submit(self._write, done, total).result()

    def _write(self, done: int, total: int | None) -> None:
        with self._app.app_context(), db.connection_context():
            renew(self._claim, done=done, total=total)

    def close(self) -> None:
        """End the thread."""
        self._side.shutdown()


@contextmanager
def attempt(claim: Claim) -> Iterator[Order]:
    """Work on a claimed order. Whatever goes wrong ends in the row: a reason and a next try."""
    try:
        yield claim.order()
    except (LeaseLost, OrderHeld) as reason:
        log.warning("order %s: %s", claim.order_id, type(reason).__name__)
    except MailRefused as refusal:
        settle_refusal(claim, refusal)
    except DeliveryUnknown:
        _wait(claim, "mail_unconfirmed", "")
    except WorkTookTooLong as error:
        _fail(claim, "render_too_long", trace_text(error))
    except (BillNotFormed, FilesTakeTooMuch, OutOfScope) as refusal:
        _fail(claim, refusal.code, "")
    except OSError as error:
        code = "no_space" if error.errno == errno.ENOSPC else "render_failed"
        _wait(claim, code, trace_text(error))
    except Exception as error:
        log.exception("order %s", claim.order_id)
        _wait(claim, "render_failed", trace_text(error))


def settle_refusal(claim: Claim, refusal: MailRefused) -> None:
    """The mail server said no: for good, or try again later."""
    (_fail if refusal.permanent else _wait)(claim, refusal.code, mask_emails(refusal.reply))


def _fail(claim: Claim, reason: str, detail: str) -> None:
    _close(claim, OrderState.FAILED, reason=reason, detail=detail, closed_at=clock.now())


def _wait(claim: Claim, reason: str, detail: str) -> None:
    attempts = claim.order().attempts
    limit = current_app.config["CABINET"].MAX_ATTEMPTS
    if attempts >= (RENDER_ATTEMPTS if reason == "render_failed" else limit):
        return _fail(claim, reason, detail)
    next_try_at = clock.now() + pause_after(attempts)
    return _close(
        claim, OrderState.RETRY_WAIT, reason=reason, detail=detail, next_try_at=next_try_at
    )


def _close(claim: Claim, state: OrderState, **fields: object) -> None:
    """Give the order out of hand; silent when somebody else has it already."""
    try:
        with write_tx():
            move(claim, state, **NOBODYS, **fields)
            faults.reach("order.giving_back")
        faults.reach("order.given_back")
    except LeaseLost:
        log.warning("order %s: lost before it could be closed", claim.order_id)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after the n-th failure: from a minute to an hour, doubling, and up to a
    fifth more, so that orders do not come in step. Never less: the twelve attempts of the default
    must outlast a mail server that is away for six hours.
    """
    seconds = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempts - 1))
    return timedelta(seconds=seconds * random.uniform(1.0, 1.2))  # noqa: S311 - spreads retries


def release_dead(*, now: datetime) -> int:
    """Free the orders whose worker is known to be gone; return how many."""
    held = Order.across_clients(Order.id, Order.lease_token, Order.lease_owner).where(
        Order.state.in_(OPEN_STATES), Order.lease_until >= now
    )
    released = 0
    for order in [row for row in held if liveness.is_dead(row.lease_owner)]:
        with write_tx():
            released += (
                Order.update(lease_until=now - timedelta(seconds=1), lease_owner="")
                .where(Order.id == order.id, Order.lease_token == order.lease_token)
                .execute()
            )
            faults.reach("reconcile.releasing")
        faults.reach("reconcile.released")
    return released
