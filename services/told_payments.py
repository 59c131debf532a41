"""«Сообщить об оплате»: payments that clients have told of, and finding them among those that have
come in. A payment is told in a thread of «Обратная связь», which is settled when it is found.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import ModelSelect

from domain.billing import told
from domain.billing.told import Told
from domain.errors import AlreadyArrived, AlreadyTold
from domain.feedback import SETTLED_STATES, Side, Subject, ThreadState
from domain.formats import format_date, format_money
from domain.languages import language
from models import Client, User
from models_billing import Payment
from models_feedback import FeedbackMessage, FeedbackThread
from models_payments import ToldPayment
from services import accounts, audit, feedback, feedback_letters, language_choice
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx
from texts import gettext

SHOWN_FOR = timedelta(days=31)  # after it was found
LATE_AFTER = timedelta(days=5)  # on its way for longer than banks take
CHUNK = 500  # values in one IN (…)


@dataclass(frozen=True)
class Wish:
    """What the form says, and the words for the thread."""

    order: Told
    text: str
    form_key: str


def tell(wish: Wish, *, client: Client, user: User, ip: str = "", now: datetime) -> FeedbackThread:
    """Tell of a payment, once.

    Raises `AlreadyArrived` when it has come in, `AlreadyTold` when it was told of before, and what
    `feedback.open_thread` raises.
    """
    with write_tx():
        lock_client(client)  # no payment of it comes in meanwhile
        if row := _find_payment(client, wish.order):
            raise AlreadyArrived(day=row.paid_on)
        if same := _find_told(client, wish.order):
            raise AlreadyTold(number=same.thread.number)
        thread = feedback.open_thread(
            Subject.PAYMENTS,
            wish.text,
            client=client,
            user=user,
            form_key=_key_of(wish),
            ip=ip,
            now=now,
        )
        if ToldPayment.of(client).where(ToldPayment.thread == thread).exists():
            raise AlreadyTold(number=thread.number)  # the same form again, after it was settled
        ToldPayment.create(
            client=client,
            thread=thread,
            document_no=wish.order.number,
            document_on=wish.order.day,
            amount=wish.order.amount,
            told_at=now,
        )
    return thread


def _key_of(wish: Wish) -> str:
    """Of the form with what it tells: changed and sent again it is another payment."""
    order = wish.order
    told_of = f"{wish.form_key} {order.number} {order.day} {order.amount}"
    return hashlib.sha256(told_of.encode()).hexdigest()[:24]


def clients_waiting(ids: Iterable[int]) -> set[int]:
    """Those of some clients who have told of payments that are not found yet."""
    return set(_waiting(ids))


def note_arrivals(rows: Sequence[Payment], *, by: By) -> int:
    """Inside `write_tx`, with their clients locked: link payments that have just come in with what
    was told of them; return how many were. Call `queue.hint_notices` after the commit.
    """
    waiting = _waiting({row.client_id for row in rows})
    found = 0
    for row in sorted(rows, key=lambda each: (each.paid_on, each.id)):
        mine = waiting[row.client_id]
        place = told.find(row.document_no, row.paid_on, row.amount, [_order(one) for one in mine])
        if place is not None:
            _link(mine.pop(place), row, by)
            found += 1
    return found


def of_client(client: Client, *, now: datetime) -> list[ToldPayment]:
    """What a client has told of: all that is on its way, and what was found of late."""
    rows = _rows(ToldPayment.of(client, ToldPayment, FeedbackThread, Payment))
    is_recent = ToldPayment.arrived_at > now - SHOWN_FOR
    return list(rows.where(_is_open() | is_recent).order_by(ToldPayment.id))


def on_the_way(limit: int = 100) -> list[ToldPayment]:
    """Of all clients, those told longest ago first: for the operator's people."""
    query = _rows(ToldPayment.across_clients(ToldPayment, FeedbackThread, Payment, Client))
    query = query.switch(ToldPayment).join(Client)
    return list(query.where(_is_open()).order_by(ToldPayment.id).limit(limit))


def count_late(*, now: datetime) -> int:
    """How many have been on their way for too long."""
    query = ToldPayment.across_clients(ToldPayment.id).join(FeedbackThread)
    return query.where(_is_open(), ToldPayment.told_at < now - LATE_AFTER).count()


def find(client: Client, told_id: int) -> ToldPayment | None:
    """The client's own, with that number."""
    return ToldPayment.of(client).where(ToldPayment.id == told_id).first()


# --- Finding --------------------------------------------------------------------------------------


def _rows(query: ModelSelect) -> ModelSelect:
    return query.join(FeedbackThread).switch(ToldPayment).left_outer_join(Payment)


def _is_open() -> object:
    """On its way: not found, and nobody has settled the thread otherwise."""
    unsettled = FeedbackThread.state.not_in(sorted(SETTLED_STATES))
    return ToldPayment.payment.is_null() & unsettled


def _waiting(clients: Iterable[int]) -> defaultdict[int, list[ToldPayment]]:
    """Told and not found, by client: in a thread that was settled otherwise too."""
    found: defaultdict[int, list[ToldPayment]] = defaultdict(list)
    ids = sorted(clients)
    for n in range(0, len(ids), CHUNK):
        query = ToldPayment.across_clients().where(
            ToldPayment.client.in_(ids[n : n + CHUNK]), ToldPayment.payment.is_null()
        )
        for row in query.order_by(ToldPayment.id):
            found[row.client_id].append(row)
    return found


def _order(row: ToldPayment) -> Told:
    return Told(row.document_no, row.document_on, row.amount)


def _find_payment(client: Client, order: Told) -> Payment | None:
    """The payment that has come in already; only its number can tell."""
    linked = ToldPayment.of(client, ToldPayment.payment).where(
        ToldPayment.payment.is_null(False)  # noqa: FBT003 - peewee
    )
    rows = Payment.of(client).where(
        Payment.amount == order.amount, Payment.document_no != "", Payment.id.not_in(linked)
    )
    return next((row for row in rows if _is_it(row.document_no, row.paid_on, order)), None)


def _find_told(client: Client, order: Told) -> ToldPayment | None:
    """The same order, told before and still on its way or found."""
    rows = ToldPayment.of(client, ToldPayment, FeedbackThread).join(FeedbackThread)
    settled = FeedbackThread.state.in_(sorted(SETTLED_STATES)) & ToldPayment.payment.is_null()
    same = rows.where(
        ToldPayment.amount == order.amount, ToldPayment.document_on == order.day, ~settled
    )
    number = told.plain_number(order.number)
    return next((row for row in same if told.plain_number(row.document_no) == number), None)


def _is_it(number: str, day: date, order: Told) -> bool:
    return told.find(number, day, order.amount, [order]) is not None


def _link(row: ToldPayment, payment: Payment, by: By) -> None:
    ToldPayment.update(payment=payment, arrived_at=by.now).where(ToldPayment.id == row.id).execute()
    thread = _thread(row)
    with language(language_choice.of_user(thread.user)):
        text = gettext("The payment has come in: {sum} BYN, {day}.").format(
            sum=format_money(payment.amount), day=format_date(payment.paid_on)
        )
    user = by.user or accounts.system_user(now=by.now)
    key = f"told:{row.id}"
    feedback.add_message(thread, Side.OPERATOR, text, key, (), user=user, now=by.now)
    values: dict[str, object] = {"last_at": by.now}
    if not _asks_more(thread):
        values.update(state=ThreadState.SOLVED, waits_since=None)
    FeedbackThread.update(values).where(FeedbackThread.id == thread.id).execute()
    feedback_letters.tell_of_answer(thread, now=by.now)
    subject = f"told_payment:{row.id}"
    kind = AuditEventKind.TOLD_PAYMENT_ARRIVED
    audit.record_by(kind, by, client=row.client_id, subject=subject, payment=payment.id)


def _thread(row: ToldPayment) -> FeedbackThread:
    """With whoever opened it, to whom the letter goes."""
    query = FeedbackThread.of(row.client_id, FeedbackThread, Client, User).join(Client)
    query = query.switch(FeedbackThread).join(User, on=(FeedbackThread.user == User.id))
    return query.where(FeedbackThread.id == row.thread_id).get()


def _asks_more(thread: FeedbackThread) -> bool:
    """Whether the client has written more than of the payment: then somebody has to answer."""
    said = FeedbackMessage.select().where(
        FeedbackMessage.thread == thread, FeedbackMessage.side == Side.CLIENT
    )
    return said.count() > 1 and thread.waits_since is not None
