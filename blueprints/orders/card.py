"""What the card of an order shows: a word, how far it is, when to look again, what can be done."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.orders import CANCELLABLE_STATES, PAPER_KINDS, OrderState
from models import Artefact, Client, Order
from services import artefacts, awaited_invoices, orders
from texts import failure_text, gettext, ngettext

# (seconds since the order became due, seconds between two looks at it)
CADENCE = ((10, 1), (60, 2), (600, 5), (1800, 30))
STUCK_AFTER = timedelta(seconds=60)  # no sign of life from the worker
ETA_FROM_S, ETA_FROM_PERCENT = 5, 5
ANNOUNCED = (25, 50, 75)  # percents told to screen readers; the ticking ones are not


@dataclass(frozen=True)
class Card:
    """One order as its card shows it, at one moment."""

    order: Order
    poll_s: int  # 0: nothing to wait for
    percent: int | None  # None: not known
    ahead: int  # orders before this one
    remaining: str  # «примерно 2 минуты», or nothing
    is_stuck: bool
    reason: str
    awaits: date | None  # the month whose invoice is waited for
    artefact: Artefact | None  # the file, when it may be fetched now
    expired_at: datetime | None  # when the file's time ended, if it has
    can_cancel: bool
    can_retry: bool
    announcement: str


def draw(order: Order, client: Client, *, may_order: bool, now: datetime) -> Card:
    """The card of `order` for a user of its client."""
    state = OrderState(order.state)
    percent = _percent(order)
    waits = state == OrderState.ACCEPTED and order.next_try_at <= now
    may_fetch = may_order or order.kind in PAPER_KINDS
    open_file = artefacts.find_open(order, client, now=now) if may_fetch else None
    return Card(
        order=order,
        poll_s=_poll_s(order, now),
        percent=percent,
        ahead=orders.ahead_of(order, now=now) if waits else 0,
        remaining=_remaining(order, percent, now),
        is_stuck=_is_stuck(order, now),
        reason=failure_text(order.reason) if order.reason else "",
        awaits=awaited_invoices.awaited_month(order) if order.is_open else None,
        artefact=open_file.artefact if open_file else None,
        expired_at=artefacts.ended_at(order, client, now=now),
        can_cancel=may_order and state in CANCELLABLE_STATES,
        can_retry=may_order and state == OrderState.FAILED,
        announcement=_announcement(order, percent),
    )


def _percent(order: Order) -> int | None:
    if order.state == OrderState.RENDERING and order.total:
        return min(99, 100 * order.done // order.total)
    return None


def _poll_s(order: Order, now: datetime) -> int:
    if not order.is_open or order.next_try_at > now + timedelta(seconds=60):
        return 0
    waited = (now - max(order.due_at, order.created_at)).total_seconds()
    return next((pause for until, pause in CADENCE if waited < until), 0)


def _is_stuck(order: Order, now: datetime) -> bool:
    at_work = order.state in (OrderState.RENDERING, OrderState.RENDERED, OrderState.SENDING)
    return at_work and order.heartbeat_at is not None and order.heartbeat_at < now - STUCK_AFTER


def _remaining(order: Order, percent: int | None, now: datetime) -> str:
    """Only when enough has been done to tell, and only for a first attempt."""
    if percent is None or percent < ETA_FROM_PERCENT or order.attempts > 1 or not order.made_at:
        return ""
    passed = (now - order.made_at).total_seconds()
    if passed < ETA_FROM_S:
        return ""
    left = passed * (order.total - order.done) / order.done
    if left < 60:
        return gettext("less than a minute")
    minutes = round(left / 60)
    if minutes >= 50:
        return gettext("about an hour or more")
    return ngettext("about %(num)d minute", "about %(num)d minutes", minutes) % {"num": minutes}


def _announcement(order: Order, percent: int | None) -> str:
    if percent is not None:
        passed = [step for step in ANNOUNCED if percent >= step]
        return gettext("%(percent)s %% done") % {"percent": passed[-1]} if passed else ""
    if order.state == OrderState.SENT:
        return gettext("The order has been sent")
    if order.state == OrderState.AVAILABLE:
        return gettext("The bill is ready to be downloaded")
    if order.state == OrderState.FAILED:
        return gettext("The order was not carried out")
    return ""
