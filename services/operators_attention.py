"""What the operator's people should look at first, counted. For a client: `attention.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import fn

from domain.imports import ImportState
from domain.orders import OrderState
from models import ImportRun
from models_billing import BillingFailure, UsageDay
from services import clock, feedback_inbox, held_letters, told_payments, usage

DAYS_LOOKED_BACK = 92  # of calls without a price: older months are closed
STALE = timedelta(days=1)  # without a file for so long somebody should ask why


@dataclass(frozen=True)
class Attention:
    """All of it."""

    unconfirmed: int  # orders
    failed: int
    letters: int  # without an order, that did not go
    waiting: int  # threads of feedback
    told: int  # payments that clients told of some days ago, and that have not come in
    unrated_calls: int
    unrated_clients: int
    unbilled: list[tuple[date, int]]  # month, clients whose bill could not be formed
    last_import: ImportRun | None
    is_stale: bool

    @property
    def is_calm(self) -> bool:
        """Whether nothing needs anybody."""
        counts = (
            *(self.unconfirmed, self.failed, self.letters),
            *(self.waiting, self.told, self.unrated_calls),
        )
        return not (any(counts) or self.unbilled or self.is_bad or self.is_stale)

    @property
    def is_bad(self) -> bool:
        """Whether the last file was not read to its end."""
        return self.last_import is not None and self.last_import.state == ImportState.FAILED


def now_at(
    counts: Mapping[OrderState, int], imports: Sequence[ImportRun], *, now: datetime
) -> Attention:
    """What there is. `counts` are all orders by state, `imports` the newest files."""
    calls, clients = _unrated(clock.local(now).date())
    last = imports[0] if imports else None
    return Attention(
        counts.get(OrderState.UNCONFIRMED, 0),
        counts.get(OrderState.FAILED, 0),
        held_letters.count(),
        feedback_inbox.count_waiting(),
        told_payments.count_late(now=now),
        calls,
        clients,
        _unbilled(),
        last,
        last is not None and now - last.started_at > STALE,
    )


def _unrated(today: date) -> tuple[int, int]:
    """Answered calls without a price, and how many clients have such."""
    query = UsageDay.across_clients(
        fn.SUM(UsageDay.unrated), fn.COUNT(UsageDay.client.distinct())
    ).where(
        UsageDay.destination_group == usage.UNKNOWN,
        UsageDay.unrated > 0,
        UsageDay.day >= today.toordinal() - DAYS_LOOKED_BACK,
    )
    calls, clients = query.tuples().get()
    return int(calls or 0), clients


def _unbilled() -> list[tuple[date, int]]:
    query = BillingFailure.across_clients(BillingFailure.period, fn.COUNT(BillingFailure.id))
    grouped = query.group_by(BillingFailure.period).order_by(BillingFailure.period.desc())
    return list(grouped.tuples())
