"""The reconciler: a loop over plain SQL that makes every order and import go on, whatever was
lost.

It owns delays and retries. RQ's own scheduler, retries and failed-job registry are not used.
"""

import logging
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from flask import current_app

from models import Order
from services import (
    access_links,
    artefacts,
    attempts,
    billing_requests,
    call_centre_days,
    call_months,
    claims,
    delivery_changes,
    drafts,
    faults,
    feedback_files,
    ledger,
    leftovers,
    notice_sending,
    queue,
    retention,
    second_step,
    sessions,
    statements,
    upload_work,
    uploads,
)

log = logging.getLogger(__name__)

MOST_HINTS = 100  # a hint wakes a worker for whatever is most urgent: no need for one per order


@dataclass(frozen=True)
class Round:
    """What one round did."""

    released: int  # orders and letters freed from dead workers
    hinted: int
    removed: int  # files whose time was over
    purged: int  # drafts, sessions and frozen messages past their time, changes nobody confirmed
    days: int  # of call centres, counted before somebody asks for them
    months: int  # of calls, made before they begin
    failed: int  # parts that could not do their work; the log says why

    def any(self) -> bool:
        """Whether there was anything to do."""
        return any(astuple(self))


def tick(*, now: datetime) -> Round:
    """One round. A part that fails does not keep the others from running."""
    parts: dict[str, tuple[Callable[[], int], ...]] = {
        "released": (
            lambda: claims.release_dead(now=now),
            lambda: notice_sending.release_dead(now=now),
        ),
        "hinted": (
            lambda: hint_due(now=now),
            upload_work.hint_due,
            billing_requests.hint_due,
            lambda: notice_sending.hint_due(now=now),
        ),
        "removed": (
            lambda: artefacts.remove_expired(now=now),
            lambda: leftovers.remove(now=now),
            lambda: uploads.remove_expired(now=now),
            lambda: feedback_files.remove_orphans(now=now),
        ),
        "purged": (
            lambda: drafts.purge(now=now),
            lambda: sessions.sweep(now=now, idle=_idle()),
            lambda: ledger.remove_sent(now=now),
            lambda: access_links.sweep(now=now),
            lambda: attempts.sweep(now=now),
            lambda: second_step.sweep(now=now),
            lambda: delivery_changes.expire(now=now),
            lambda: statements.purge(now=now),
            lambda: retention.remove_notices(now=now),
            lambda: retention.remove_audit(now=now),
        ),
        "days": (lambda: call_centre_days.keep_up(now=now),),
        "months": (lambda: call_months.make_ahead(now=now),),
    }
    done = {name: [_guarded(part) for part in group] for name, group in parts.items()}
    return Round(
        **{name: sum(filter(None, counts)) for name, counts in done.items()},
        failed=sum(counts.count(None) for counts in done.values()),
    )


def hint_due(*, now: datetime) -> int:
    """Push as many hints as due orders lack; none while Redis is silent."""
    due = [
        order.id
        for order in Order.across_clients(Order.id)
        .where(claims.due(now))
        .order_by(Order.next_try_at)
        .limit(MOST_HINTS)
    ]
    waiting = queue.waiting() if due else 0
    if waiting is None:
        return 0
    return sum(queue.hint(order_id) for order_id in due[waiting:])


def _idle() -> timedelta:
    return timedelta(minutes=current_app.config["CABINET"].SESSION_IDLE_MINUTES)


def _guarded(part: Callable[[], int]) -> int | None:
    """What a part has done, None when it failed."""
    try:
        done = part()
    except Exception:
        log.exception("a part of the round failed")
        return None
    faults.reach("reconcile.part_done")
    return done
