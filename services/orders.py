"""Placing orders, and what people do with them: cancel, repeat, try again.

Carrying them out is in `claims.py`, `artefacts.py` and `ledger.py`.
"""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Protocol

from flask import current_app
from peewee import SQL, IntegrityError, ModelSelect, fn

from domain.errors import (
    DomainError,
    NothingSelected,
    PeriodOutOfRange,
    TooManyNumbersForPdf,
    TooManyOpenOrders,
    TooManyOrdersPerHour,
    TooManyRowsForPdf,
)
from domain.languages import current_language
from domain.orders import CANCELLABLE_STATES, Direction, FileFormat, OrderKind, OrderState
from domain.periods import DateRange, check_call_detail_period, month_of
from models import (
    Client,
    DraftSubscriber,
    Order,
    OrderDraft,
    OrderSubscriber,
    Subscriber,
    User,
)
from services import (
    audit,
    claims,
    clock,
    closed_items,
    delivery,
    drafts,
    faults,
    ledger,
    queue,
    reports,
    scopes,
    selection,
    space,
)
from services.audit import AuditEventKind
from services.selection import PageTicks
from services.transactions import lock_client, write_tx

RETRYABLE_STATES = frozenset({OrderState.FAILED, OrderState.UNCONFIRMED, OrderState.RETRY_WAIT})


# Of what is ordered by number: the name of the first step, and what of an order it asks for.
FIRST_STEPS = {
    OrderKind.CALL_DETAIL: ("period", ("start", "end", "direction")),
    OrderKind.CHARGES: ("form", ()),
}


class OrderRequest(Protocol):
    """What is asked for of chosen numbers."""

    kind: ClassVar[OrderKind]

    @property
    def period(self) -> DateRange:
        """Days whose numbers may be chosen."""

    @property
    def file_format(self) -> FileFormat:
        """Form of the file."""

    def params(self) -> dict[str, str]:
        """As kept in the order."""

    def check(self, today: date) -> None:
        """Raise `DomainError` when it may not be asked for (any more)."""

    def check_pdf(self, parts: Iterable[ModelSelect], most: int) -> None:
        """Raise `DomainError` when a PDF about these numbers would be too long."""

    def due_at(self, now: datetime) -> datetime:
        """When it is carried out if it is ordered now."""


@dataclass(frozen=True)
class CallDetailRequest:
    """«Детализация на E-mail» as asked for: days, direction and form of the file."""

    kind: ClassVar[OrderKind] = OrderKind.CALL_DETAIL
    period: DateRange
    direction: Direction
    file_format: FileFormat

    def params(self) -> dict[str, str]:
        """As kept in the order."""
        return {
            "start": self.period.start.isoformat(),
            "end": self.period.end.isoformat(),
            "direction": self.direction.value,
            "format": self.file_format.value,
        }

    def check(self, today: date) -> None:
        """The days must lie in the window."""
        config = current_app.config["CABINET"]
        check_call_detail_period(self.period, today, config.CALL_DETAIL_MONTHS_BACK)

    def check_pdf(self, parts: Iterable[ModelSelect], most: int) -> None:
        """A line for each call."""
        rows = sum(reports.count_calls(part, self.period, self.direction) for part in parts)
        if rows > most:
            raise TooManyRowsForPdf(limit=most, rows=rows)

    def due_at(self, now: datetime) -> datetime:
        """«по истечении суток»."""
        return due_at(now=now)


@dataclass(frozen=True)
class ChargesRequest:
    """«Начисления за текущий период» as asked for: `period` is the whole month."""

    kind: ClassVar[OrderKind] = OrderKind.CHARGES
    period: DateRange
    file_format: FileFormat

    def params(self) -> dict[str, str]:
        """As kept in the order."""
        return {"month": self.period.start.isoformat(), "format": self.file_format.value}

    def check(self, today: date) -> None:
        """Only the present month has charges."""
        if today not in self.period:
            raise PeriodOutOfRange(start=month_of(today).start, end=today)

    def check_pdf(self, parts: Iterable[ModelSelect], most: int) -> None:
        """A line for each number."""
        rows = sum(part.count() for part in parts)
        if rows > most:
            raise TooManyNumbersForPdf(limit=most, rows=rows)

    def due_at(self, now: datetime) -> datetime:
        """At once."""
        return now


def days_of(order: Order) -> DateRange:
    """The days whose numbers could be chosen for an order."""
    if order.kind == OrderKind.CHARGES:
        return month_of(date.fromisoformat(order.params["month"]))
    return reports.period_of(order)


def place(  # noqa: PLR0913 - an order is made of so much
    draft: OrderDraft,
    request: OrderRequest,
    *,
    client: Client,
    user: User,
    listed: Collection[int] = (),
    page: PageTicks | None = None,
    ip: str = "",
    now: datetime,
) -> Order:
    """Turn a finished draft into an order; a repeat, however fast, returns the same order.

    `listed`: subscribers of the typed list, ordered beside the ticked ones. `page`: the ticks this
    form was sent with; they hold against those of another tab that is sent at the same time.
    Raises `DomainError` when a rule says no.
    """
    refusal = _too_long_for_pdf(draft, request, client, listed)  # nobody waits while we count
    try:
        with write_tx():
            lock_client(client)
            if placed := drafts.find_order(draft, client):
                return placed
            closed_items.check_open(request.kind, now=now)
            request.check(now.date())
            check_limits(user, now=now)
            space.check_disk()
            space.check_quota(client)
            if refusal is not None:
                raise refusal
            if page is not None:
                everything = selection.eligible(client, *request.period.bounds(clock.zone()))
                selection.save_page(draft, everything, page)
            order = _create(draft, request, client, user, now)
            _copy_selection(draft, order, request.period, listed)
            scopes.check_order(order)  # numbers may have been taken from the user meanwhile
            audit.record(
                AuditEventKind.ORDER_PLACED,
                now=now,
                user=user,
                client=client,
                subject=f"order:{order.id}",
                ip=ip,
            )
            faults.reach("order.placing")
    except IntegrityError:  # another click was between our look and our insert
        if placed := drafts.find_order(draft, client):
            return placed
        raise
    faults.reach("order.placed")
    if order.next_try_at <= now:
        queue.hint(order.id)  # after the commit; if it is lost, the reconciler finds the row
    faults.reach("order.hinted")
    return order


def is_about(order: Order, page: PageTicks, listed: Collection[int]) -> bool:
    """Whether a form sent with these ticks and this typed list asks for the numbers of `order`."""
    chosen = {
        row.subscriber_id for row in OrderSubscriber.select().where(OrderSubscriber.order == order)
    }
    asked = page.ticked | set(listed)
    return chosen.issuperset(listed) and chosen & page.shown == asked & page.shown


def due_at(*, now: datetime) -> datetime:
    """When an order placed now will be carried out: «по истечении суток» by default."""
    return now + timedelta(hours=current_app.config["CABINET"].call_detail_delay_hours)


def _too_long_for_pdf(
    draft: OrderDraft, request: OrderRequest, client: Client, listed: Collection[int]
) -> DomainError | None:
    """Why a PDF of that is not made; other forms are of any length."""
    if request.file_format is not FileFormat.PDF:
        return None
    everything = selection.eligible(client, *request.period.bounds(clock.zone()))
    parts = selection.union(draft, everything, listed)
    try:
        request.check_pdf(parts, current_app.config["CABINET"].PDF_ROWS)
    except DomainError as error:
        return error
    return None


def _create(
    draft: OrderDraft, request: OrderRequest, client: Client, user: User, now: datetime
) -> Order:
    promised = request.due_at(now)
    return Order.create(
        client=client,
        user=user,
        number=next_number(client),
        key=secrets.token_urlsafe(12),
        draft_key=draft.key,
        kind=request.kind,
        params=request.params(),
        email=delivery.detail_email(client, now=now),
        language=current_language(),
        created_at=now,
        due_at=promised,
        next_try_at=promised,
    )


def next_number(client: Client) -> int:
    """The number of the client's next order. Call it while `lock_client` holds."""
    return (Order.of_company(client, fn.MAX(Order.number)).scalar() or 0) + 1


def _copy_selection(
    draft: OrderDraft, order: Order, period: DateRange, listed: Iterable[int]
) -> None:
    """Ticks ∪ list, as far as the numbers still are the client's; name those that are not."""
    everything = selection.eligible(order.client_id, *period.bounds(clock.zone()))
    selection.tick(draft, everything, listed)
    ticked = DraftSubscriber.select(DraftSubscriber.subscriber).where(
        DraftSubscriber.draft == draft
    )
    chosen = everything.where(Subscriber.id.in_(ticked))
    OrderSubscriber.insert_from(
        chosen.select(SQL(str(int(order.id))), Subscriber.id),
        [OrderSubscriber.order, OrderSubscriber.subscriber],
    ).execute()
    copied = OrderSubscriber.select(OrderSubscriber.subscriber).where(
        OrderSubscriber.order == order
    )
    if not copied.exists():
        raise NothingSelected
    lost = Subscriber.of(order.client_id, Subscriber.number).where(
        Subscriber.id.in_(ticked), Subscriber.id.not_in(copied)
    )
    if excluded := sorted(row.number for row in lost):
        order.params = {**order.params, "excluded": excluded}
        Order.update(params=order.params).where(Order.id == order.id).execute()


def check_limits(user: User, *, now: datetime) -> None:
    """Raise when the user has too many open orders, or ordered too often in the last hour."""
    config = current_app.config["CABINET"]
    own = Order.across_clients().where(Order.user == user)
    if config.OPEN_ORDERS and open_orders(user).count() >= config.OPEN_ORDERS:
        raise TooManyOpenOrders(limit=config.OPEN_ORDERS)
    recent = own.where(Order.created_at > now - timedelta(hours=1)).order_by(Order.created_at)
    if config.ORDERS_PER_HOUR and recent.count() >= config.ORDERS_PER_HOUR:
        wait = recent.first().created_at + timedelta(hours=1) - now
        seconds = max(1, int(wait.total_seconds()))
        raise TooManyOrdersPerHour(
            limit=config.ORDERS_PER_HOUR, retry_after_s=seconds, minutes=-(-seconds // 60)
        )


def open_orders(user: User):
    """The user's unfinished orders, newest first."""
    return (
        Order.across_clients()
        .where(Order.user == user, Order.is_open_condition())
        .order_by(Order.created_at.desc())
    )


def find(key: str, client: Client) -> Order | None:
    """The client's own order with that key, or None."""
    return Order.of(client).where(Order.key == key).first()


def ahead_of(order: Order, *, now: datetime) -> int:
    """How many orders, of whatever client, are due and before this one."""
    return (
        Order.across_clients()
        .where(
            Order.is_open_condition(),
            Order.next_try_at <= now,
            (Order.next_try_at < order.next_try_at)
            | ((Order.next_try_at == order.next_try_at) & (Order.id < order.id)),
        )
        .count()
    )


def cancel(order: Order, *, user: User, ip: str = "", now: datetime) -> bool:
    """Cancel an order that is not being mailed yet; False when it is too late."""
    with write_tx():
        changed = (
            Order.update(
                state=OrderState.CANCELLED,
                **claims.NOBODYS,
                closed_at=now,
            )
            .where(Order.id == order.id, Order.state.in_(CANCELLABLE_STATES))
            .execute()
        )
        if changed:
            _audit(AuditEventKind.ORDER_CANCELLED, order, user, ip, now)
        faults.reach("order.cancelling")
    faults.reach("order.cancelled")
    return bool(changed)


def retry(
    order: Order,
    *,
    user: User,
    ip: str = "",
    now: datetime,
    states: Collection[OrderState] = RETRYABLE_STATES,
) -> bool:
    """Give an order in one of `states` a new life at once; False when it has no need of it.

    What is held for the operator is theirs to release: a client tries again what has failed.
    """
    with write_tx():
        changed = (
            Order.update(
                state=OrderState.ACCEPTED,
                attempts=0,
                reason="",
                detail="",
                next_try_at=now,
                **claims.NOBODYS,
                closed_at=None,
            )
            .where(Order.id == order.id, Order.state.in_(states))
            .execute()
        )
        if changed:
            ledger.release_for_retry(order)
            _audit(AuditEventKind.ORDER_RETRIED, order, user, ip, now)
        faults.reach("order.retrying")
    faults.reach("order.retried")
    if changed:
        queue.hint(order.id)
    return bool(changed)


def _audit(event: AuditEventKind, order: Order, user: User, ip: str, now: datetime) -> None:
    audit.record(
        event, now=now, user=user, client=order.client_id, subject=f"order:{order.id}", ip=ip
    )


def draft_like(order: Order, client: Client, user: User, *, now: datetime) -> OrderDraft:
    """«Заказать такую же»: a draft with the answers and the numbers of `order`."""
    step, names = FIRST_STEPS[OrderKind(order.kind)]
    answers = {name: [order.params[name]] for name in names}
    answers["file_format"] = [order.params["format"]]
    with write_tx():
        draft = drafts.start(client, user, OrderKind(order.kind), step, answers, now=now)
        chosen = OrderSubscriber.select(SQL(str(int(draft.id))), OrderSubscriber.subscriber)
        DraftSubscriber.insert_from(
            chosen.where(OrderSubscriber.order == order),
            [DraftSubscriber.draft, DraftSubscriber.subscriber],
        ).execute()
    return draft


def selected_numbers(order: Order, client: Client, limit: int) -> list[str]:
    """The first `limit` numbers the order is about."""
    chosen = OrderSubscriber.select(OrderSubscriber.subscriber).where(
        OrderSubscriber.order == order
    )
    rows = Subscriber.of(client, Subscriber.number).where(Subscriber.id.in_(chosen))
    return [row.number for row in rows.order_by(Subscriber.number).limit(limit)]


def count_selected(order: Order) -> int:
    """How many numbers the order is about."""
    return OrderSubscriber.select().where(OrderSubscriber.order == order).count()
