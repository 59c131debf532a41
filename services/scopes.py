"""Users who see chosen numbers of their company: which those are, and what follows for every table
of a client's. Decision 0085.

A scope is in force while a page is answered (`blueprints/guards.py`): `of(client)` of each table
then gives what stands here, and nothing else. What is no number's is not to be asked for at all.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from peewee import SQL, Expression, Model, ModelSelect, fn

from domain.errors import AdministratorSeesAll, CompanyWide, NothingSelected, OutOfScope
from domain.orders import OrderKind
from domain.roles import Role
from models import (
    DraftSubscriber,
    Order,
    OrderDraft,
    OrderSubscriber,
    Subscriber,
    User,
    seen_through,
)
from models_billing import DeliverySetting, PlanAssignment
from models_feedback import FeedbackThread
from models_subscribers import (
    CentreHours,
    CentreNumber,
    ScopeSubscriber,
    SubscriberChoice,
    UserScope,
)
from services import audit, clock, selection
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx

DRAFT_KIND = "user_scope"  # of a draft whose ticks are to be opened to a user
BY_NUMBER = (OrderKind.CALL_DETAIL, OrderKind.CHARGES)  # orders about chosen numbers


@dataclass(frozen=True)
class Scope:
    """The numbers that a user may see, as `scope_subscriber` has them at the moment of asking."""

    user_id: int
    client_id: int
    set_at: datetime
    narrowed_at: datetime

    def numbers(self) -> ModelSelect:
        """Ids of the numbers."""
        return ScopeSubscriber.select(ScopeSubscriber.subscriber).where(
            ScopeSubscriber.user == self.user_id
        )

    def narrow(self, model: type[Model], query: ModelSelect) -> ModelSelect:
        """`query` over rows of `model` without what is not to be seen; raises `CompanyWide` for
        what is the company's as a whole.
        """
        if model in FACTS:
            return query
        if model not in RULES:
            raise CompanyWide(f"{model.__name__} is no number's")
        return query.where(RULES[model](self))


def _orders(scope: Scope) -> Expression:
    """Own orders about numbers that all are in the scope. Of those placed since a number was last
    taken away this is known; the numbers of others are looked through.
    """
    beyond = OrderSubscriber.select(SQL("1")).where(
        OrderSubscriber.order == Order.id, OrderSubscriber.subscriber.not_in(scope.numbers())
    )
    return (
        (Order.user == scope.user_id)
        & Order.kind.in_(BY_NUMBER)
        & ((Order.created_at >= scope.narrowed_at) | ~fn.EXISTS(beyond))
    )


def _threads(scope: Scope) -> Expression:
    """Own threads, unless they are about a number beyond the scope, or about a bill."""
    order, number = FeedbackThread.order, FeedbackThread.subscriber
    own = Order.across_clients(Order.id).where(_orders(scope))
    return (
        (FeedbackThread.user == scope.user_id)
        & FeedbackThread.invoice.is_null()
        & (number.is_null() | number.in_(scope.numbers()))
        & (order.is_null() | order.in_(own))
    )


RULES: dict[type[Model], Callable[[Scope], Expression]] = {
    Subscriber: lambda scope: Subscriber.id.in_(scope.numbers()),
    User: lambda scope: User.id == scope.user_id,
    UserScope: lambda scope: UserScope.user == scope.user_id,
    Order: _orders,
    OrderDraft: lambda scope: OrderDraft.user == scope.user_id,
    FeedbackThread: _threads,
    SubscriberChoice: lambda scope: SubscriberChoice.user == scope.user_id,
    CentreNumber: lambda scope: CentreNumber.subscriber.in_(scope.numbers()),
}
# What holds for the company and names no number: asked for by services, on no page of its own.
FACTS = frozenset({CentreHours, DeliverySetting, PlanAssignment})


# --- Whose scope ----------------------------------------------------------------------------------


def of_user(user: User) -> Scope | None:
    """What the user may see; None: the whole company."""
    if user.client_id is None or user.role == Role.CLIENT_ADMINISTRATOR:
        return None
    row = UserScope.across_clients().where(UserScope.user == user.id).first()
    return row and Scope(user.id, row.client_id, row.set_at, row.narrowed_at)


def counts(users: Iterable[User]) -> dict[int, int]:
    """How many numbers each of `users` who has a scope may see, by the user's id."""
    ids = [user.id for user in users]
    scoped = UserScope.across_clients(UserScope.user).where(UserScope.user.in_(ids))
    query = (
        ScopeSubscriber.select(ScopeSubscriber.user, fn.COUNT(ScopeSubscriber.subscriber))
        .where(ScopeSubscriber.user.in_(ids))
        .group_by(ScopeSubscriber.user)
    )
    found = dict(query.tuples())
    return {user_id: found.get(user_id, 0) for (user_id,) in scoped.tuples()}


def count(scope: Scope) -> int:
    """How many numbers there are in it."""
    return scope.numbers().count()


def whole_company() -> AbstractContextManager[None]:
    """While inside, all of the company is seen: for what is counted for everybody and kept, or out
    of which one's own is then picked.
    """
    return seen_through(None)


def excluded_of(order: Order) -> list[str]:
    """The numbers that were left out of an order when it was placed. None, when whoever placed it
    has been narrowed since: they may not see all of them.
    """
    row = UserScope.across_clients().where(UserScope.user == order.user_id).first()
    if row is not None and order.created_at < row.narrowed_at:
        return []
    return order.params.get("excluded", [])


def check_order(order: Order) -> None:
    """Raise `OutOfScope` when who placed an order may not see all that it is about (any more)."""
    scope = of_user(order.user)
    if scope is None:
        return
    chosen = OrderSubscriber.select(SQL("1")).where(OrderSubscriber.order == order)
    beyond = chosen.where(OrderSubscriber.subscriber.not_in(scope.numbers()))
    if order.kind not in BY_NUMBER or beyond.exists():
        raise OutOfScope


# --- Giving and taking ----------------------------------------------------------------------------


def give(user: User, draft: OrderDraft, listed: Iterable[int] = (), *, by: By) -> list[int]:
    """Let the user see the numbers ticked in `draft` and those `listed`, and no others; return how
    many were added and taken away. Counts from the next click, and for orders not carried out yet.

    Raises `NothingSelected`, `AdministratorSeesAll`.
    """
    with write_tx():
        lock_client(user.client)
        by = replace(by, now=clock.now())  # what others ordered while this waited is older
        if User.across_clients().where(User.id == user.id).get().role == Role.CLIENT_ADMINISTRATOR:
            raise AdministratorSeesAll
        selection.tick(draft, Subscriber.of_company(user.client_id), listed)
        ticks = DraftSubscriber.select(DraftSubscriber.subscriber).where(
            DraftSubscriber.draft == draft
        )
        own = Subscriber.of_company(user.client_id, Subscriber.id).where(Subscriber.id.in_(ticks))
        if not own.exists():
            raise NothingSelected
        old = of_user(user)
        added, taken = _write(user, own)
        if old is not None and not added and not taken:
            return [0, 0]
        narrowed_at = by.now if old is None or taken else old.narrowed_at
        _write_row(user, narrowed_at, by.now)
        if old is None or taken:
            _forget_others(user)
        _note(user, by, numbers=own.count(), added=added, taken=taken)
    return [added, taken]


def close(user: User, *, by: By) -> None:
    """Inside `write_tx`: let a new user see no number until some are given."""
    _write_row(user, by.now, by.now)
    _note(user, by, numbers=0)


def lift(user: User, *, by: By) -> bool:
    """Let the user see the whole company again; False when it is so already."""
    with write_tx():
        lock_client(user.client)
        lifted = UserScope.delete().where(UserScope.user == user.id).execute()
        ScopeSubscriber.delete().where(ScopeSubscriber.user == user.id).execute()
        if lifted:
            _note(user, by, numbers="all")
    return bool(lifted)


def tick_present(draft: OrderDraft, user: User) -> None:
    """Begin a draft with the numbers that the user may see now."""
    rows = ScopeSubscriber.select(SQL(str(int(draft.id))), ScopeSubscriber.subscriber)
    with write_tx():
        DraftSubscriber.insert_from(
            rows.where(ScopeSubscriber.user == user.id),
            [DraftSubscriber.draft, DraftSubscriber.subscriber],
        ).on_conflict_ignore().execute()


def _write(user: User, own: ModelSelect) -> tuple[int, int]:
    """Make the rows those of `own`; how many came and went."""
    held = ScopeSubscriber.user == user.id
    taken = ScopeSubscriber.delete().where(held, ScopeSubscriber.subscriber.not_in(own)).execute()
    before = ScopeSubscriber.select().where(held).count()
    ScopeSubscriber.insert_from(
        own.select(SQL(str(int(user.id))), Subscriber.id),
        [ScopeSubscriber.user, ScopeSubscriber.subscriber],
    ).on_conflict_ignore().execute()
    return ScopeSubscriber.select().where(held).count() - before, taken


def _write_row(user: User, narrowed_at: datetime, now: datetime) -> None:
    values = {UserScope.set_at: now, UserScope.narrowed_at: narrowed_at}
    UserScope.insert(
        {UserScope.user: user.id, UserScope.client: user.client_id, **values}
    ).on_conflict(conflict_target=[UserScope.user], update=values).execute()


def _forget_others(user: User) -> None:
    """Ticks and a choice of before that are beyond the scope."""
    seen = ScopeSubscriber.select(ScopeSubscriber.subscriber).where(ScopeSubscriber.user == user.id)
    drafts = OrderDraft.across_clients(OrderDraft.id).where(OrderDraft.user == user.id)
    DraftSubscriber.delete().where(
        DraftSubscriber.draft.in_(drafts), DraftSubscriber.subscriber.not_in(seen)
    ).execute()
    SubscriberChoice.delete().where(
        SubscriberChoice.user == user.id, SubscriberChoice.subscriber.not_in(seen)
    ).execute()


def _note(user: User, by: By, **detail: object) -> None:
    audit.record_by(
        AuditEventKind.SCOPE_SET, by, client=user.client_id, subject=f"user:{user.id}", **detail
    )
