"""What a client's people should look at first: money to pay, orders, answers, changes of where
documents go.
Words are the templates'; what all the bills come to is `invoice_list.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import ModelSelect, fn

from domain.billing.delivery import DeliveryPurpose
from domain.billing.settlement import Document, Settlement, payment_state, settle
from domain.orders import OPEN_STATES, OrderState
from domain.periods import month_start
from models import Artefact, AuditEvent, Client, Order, User
from models_billing import DeliverySetting, Invoice, Payment
from models_feedback import FeedbackThread
from services import artefacts, delivery, feedback_reading, invoice_list
from services.audit import AuditEventKind
from services.delivery import Change
from services.invoice_list import Arrival, Entry, Letter
from services.questions import made_once

RECENT = timedelta(days=7)  # what was closed earlier is no news
LOOKED_BACK = 200  # newest orders among which news are looked for
UNDER_WAY = OPEN_STATES | {OrderState.UNCONFIRMED}
NEWS = UNDER_WAY | {OrderState.FAILED, OrderState.AVAILABLE}
ENTRIES_SHOWN, ORDERS_SHOWN = 3, 5
LISTED = (
    *("id", "client", "period", "ordinal", "series", "year", "number", "key", "corrects"),
    *("total", "due_on"),
)


@dataclass(frozen=True)
class Debt:
    """Bills that are to be paid by one day, or that should have been."""

    amount: int  # kopecks
    due_on: date  # of overdue ones the earliest
    is_overdue: bool
    bills: Sequence[Invoice]

    @property
    def numbers(self) -> list[str]:
        """The bills as people call them."""
        return [invoice_list.number_of(bill) for bill in self.bills]


@dataclass(frozen=True)
class ReadyFile:
    """A file made for the cabinet that nobody has fetched yet."""

    order: Order
    until: datetime


@dataclass(frozen=True)
class Attention:
    """All of it. `missing` is a month whose bill is still being formed."""

    debts: list[Debt]
    failed: list[Order]
    ready: list[ReadyFile]
    answers: list[FeedbackThread]
    delivery: Change | None  # of bills
    detail: Change | None  # of the address for call details and charges
    under_way: list[Order]
    missing: date | None

    @property
    def is_calm(self) -> bool:
        """Whether there is nothing to be done: what goes on by itself needs nobody."""
        changes = self.delivery or self.detail
        return not (self.debts or self.failed or self.ready or self.answers or changes)


@dataclass(frozen=True)
class Bills:
    """The newest bills, and how far all of them are paid."""

    settlement: Settlement
    entries: list[Entry]
    owing: list[Invoice]  # of which something is left to pay

    def find(self, month: date) -> Invoice | None:
        """The bill of a month, when it is among the newest."""
        return next((e.invoice for e in self.entries if e.invoice.period == month), None)


def bills_of(client: Client, *, now: datetime) -> Bills:
    """The last bills without their letters and files."""
    rows = _invoices(client)
    payments = _paid.first(client)[0] or 0
    documents = [Document(row.id, row.total, row.corrects_id) for row in rows]
    settlement = settle(documents, [int(payments)])
    newest = [row for row in reversed(rows) if not row.ordinal][:ENTRIES_SHOWN]
    entries = [
        Entry(
            row,
            settled := settlement.invoices[row.id],
            payment_state(settled, row.due_on, now.date()),
            Letter(Arrival.NONE),
        )
        for row in newest
    ]
    owing = [row for row in rows if row.id in settlement.invoices]
    return Bills(settlement, entries, [r for r in owing if settlement.invoices[r.id].remainder])


def of_client(
    client: Client,
    user: User,
    bills: Bills | None,
    orders: Sequence[Order],
    *,
    now: datetime,
    fetches: bool,
) -> Attention:
    """What there is at `now` (of the operator's zone). `orders` are the newest, newest first;
    `fetches`: the user may fetch files. Without `bills` nothing is told that is the company's.
    """
    news = _news(client, orders, now)
    changes = _changes(client, now) if bills else {}
    return Attention(
        debts=_debts(bills, now.date()) if bills else [],
        failed=_not_ordered_again(client, news),
        ready=_unfetched(client, news, now) if fetches else [],
        answers=feedback_reading.list_unread(client, user),
        delivery=changes.get(DeliveryPurpose.BILLS),
        detail=changes.get(DeliveryPurpose.DETAIL),
        under_way=[order for order in news if order.state in UNDER_WAY],
        missing=_missing(bills, now.date()) if bills else None,
    )


def _changes(client: Client, now: datetime) -> dict[DeliveryPurpose, Change]:
    """Changes that wait to be confirmed, or for their time: one of a purpose at most."""
    rows = DeliverySetting.of(client).where(delivery.is_pending(now)).order_by(DeliverySetting.id)
    stage_of = delivery.stage_of
    return {DeliveryPurpose(row.purpose): Change(row, stage_of(row, now=now)) for row in rows}


# --- Bills ----------------------------------------------------------------------------------------


@made_once
def _invoices(client: Client) -> ModelSelect:
    return Invoice.of(client, *(getattr(Invoice, name) for name in LISTED)).order_by(Invoice.id)


@made_once
def _paid(client: Client) -> ModelSelect:
    return Payment.of(client, fn.SUM(Payment.amount)).tuples()


def _debts(bills: Bills, today: date) -> list[Debt]:
    """Overdue ones together, the others by their day."""
    by_day: dict[tuple[bool, date | None], list[Invoice]] = {}
    for row in sorted(bills.owing, key=lambda row: (row.due_on, row.id)):
        is_overdue = row.due_on < today
        by_day.setdefault((is_overdue, None if is_overdue else row.due_on), []).append(row)
    left = bills.settlement.invoices
    return [
        Debt(sum(left[row.id].remainder for row in rows), rows[0].due_on, is_overdue, rows)
        for (is_overdue, _day), rows in by_day.items()
    ]


def _missing(bills: Bills, today: date) -> date | None:
    """The month that has ended last, when its bill is still to come; see `missing_month`."""
    last = max((entry.invoice.period for entry in bills.entries), default=None)
    ended = month_start(today, 1)
    return ended if last is not None and last < ended else None


# --- Orders ---------------------------------------------------------------------------------------


def last_orders(client: Client) -> list[Order]:
    """The newest orders, newest first."""
    return _last(client)


@made_once
def _last(client: Client) -> ModelSelect:
    return Order.of(client).order_by(Order.number.desc()).limit(ORDERS_SHOWN)


def _news(client: Client, orders: Sequence[Order], now: datetime) -> list[Order]:
    """Orders under way, and those that ended of late in a way one should know of."""
    if not orders:
        return []
    return _newer(client, orders[0].number - LOOKED_BACK, now - RECENT)


@made_once
def _newer(client: Client, number: int, closed_after: datetime) -> ModelSelect:
    is_new = Order.state.in_(sorted(UNDER_WAY)) | (Order.closed_at > closed_after)
    return (
        Order.of(client)
        .where(Order.number > number, Order.state.in_(sorted(NEWS)), is_new)
        .order_by(Order.number.desc())
    )


def _not_ordered_again(client: Client, news: list[Order]) -> list[Order]:
    """Failed ones, without those after which the same was ordered and not refused."""
    failed = [order for order in news if order.state == OrderState.FAILED]
    if not failed:
        return []
    better = Order.of(client, Order.number, Order.kind).where(
        Order.number > min(order.number for order in failed),
        Order.state.not_in([OrderState.FAILED, OrderState.CANCELLED]),
    )
    newest: dict[str, int] = {}
    for number, kind in better.tuples():
        newest[kind] = max(number, newest.get(kind, 0))
    return [order for order in failed if newest.get(order.kind, 0) < order.number]


def _unfetched(client: Client, news: list[Order], now: datetime) -> list[ReadyFile]:
    """Files that wait to be fetched. Once somebody of the company has one, it needs nobody."""
    made = [order for order in news if order.state == OrderState.AVAILABLE]
    found = [(order, artefacts.find_open(order, client, now=now)) for order in made]
    files: dict[str, tuple[Order, Artefact]] = {
        f"artefact:{file.artefact.id}": (order, file.artefact) for order, file in found if file
    }
    if not files:
        return []
    fetched = AuditEvent.select(AuditEvent.subject).where(
        AuditEvent.client == client,
        AuditEvent.at > now - RECENT,
        AuditEvent.event == AuditEventKind.FILE_DOWNLOADED,
        AuditEvent.subject.in_(sorted(files)),
    )
    for (subject,) in fetched.tuples():
        files.pop(subject, None)
    return [ReadyFile(order, artefact.expires_at) for order, artefact in files.values()]
