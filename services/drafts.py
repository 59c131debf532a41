"""Wizard state: one row per wizard under way, found by a key in the URL, gone after a day."""

import secrets
from datetime import datetime, timedelta

from flask import current_app
from peewee import ModelSelect

from models import Client, DraftSubscriber, Order, OrderDraft, User
from services.questions import made_once
from services.transactions import for_update, write_tx

KEPT_FOR = timedelta(days=30)  # an old address still says «Черновик удален» and not «нет такой»


def start(
    client: Client, user: User, kind: str, step: str, answers: dict, *, now: datetime
) -> OrderDraft:
    """A new draft with the answers of its first step; `kind` is an `OrderKind` or another word."""
    with write_tx():
        return OrderDraft.create(
            key=secrets.token_urlsafe(12),
            client=client,
            user=user,
            kind=kind,
            answers={step: answers},
            created_at=now,
        )


def find(key: str, client: Client, kind: str) -> OrderDraft | None:
    """The client's own draft of that kind, or None."""
    return _find.first(key, client, kind)


@made_once
def _find(key: str, client: Client, kind: str) -> ModelSelect:
    return OrderDraft.of(client).where(OrderDraft.key == key, OrderDraft.kind == kind)


def find_order(draft: OrderDraft, client: Client) -> Order | None:
    """The order that this draft has become, if it has."""
    return _find_order.first(client, draft.key)


@made_once
def _find_order(client: Client, draft_key: str) -> ModelSelect:
    return Order.of_company(client).where(Order.draft_key == draft_key)


def is_over(draft: OrderDraft, *, now: datetime) -> bool:
    """Whether the draft has lived its time."""
    return draft.created_at + _lifetime() <= now


def remember(draft: OrderDraft, step: str, answers: dict) -> None:
    """Keep what was answered at a step, as it was typed: it is checked anew whenever it is used."""
    with write_tx():
        row = OrderDraft.across_clients(OrderDraft.answers).where(OrderDraft.id == draft.id)
        kept = for_update(row).get()  # another tab may have answered meanwhile, or be about to
        draft.answers = {**kept.answers, step: answers}
        OrderDraft.update(answers=draft.answers).where(OrderDraft.id == draft.id).execute()


def purge(*, now: datetime) -> int:
    """Drop the ticks of drafts past their time, and very old drafts; return rows dropped."""
    with write_tx():
        over = OrderDraft.across_clients(OrderDraft.id).where(
            OrderDraft.created_at <= now - _lifetime()
        )
        ticks = DraftSubscriber.delete().where(DraftSubscriber.draft.in_(over)).execute()
        old = OrderDraft.delete().where(OrderDraft.created_at <= now - KEPT_FOR).execute()
    return ticks + old


def _lifetime() -> timedelta:
    return timedelta(hours=current_app.config["CABINET"].DRAFT_HOURS)
