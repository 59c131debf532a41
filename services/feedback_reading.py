"""Threads of feedback as a client's people read them: lists, what was said, what is new. Writing
is `feedback.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from peewee import ModelSelect, fn

from domain.feedback import SETTLED_STATES, VISIBLE_SIDES, Side, Subject, ThreadState
from models import Client, User
from models_feedback import FeedbackFile, FeedbackMessage, FeedbackSeen, FeedbackThread
from services.questions import made_once
from services.transactions import write_tx


@dataclass(frozen=True)
class Said:
    """A message of a thread, with its files."""

    message: FeedbackMessage
    files: list[FeedbackFile]


@dataclass(frozen=True)
class ThreadsPage:
    """One page of a list of threads; `unread` are ids of those with something new."""

    threads: list[FeedbackThread]
    number: int
    pages: int
    found: int
    unread: frozenset[int] = frozenset()


def find(key: str, client: Client) -> FeedbackThread | None:
    """The client's own thread with that key, or None."""
    return FeedbackThread.of(client).where(FeedbackThread.key == key).first()


def find_page(
    client: Client, user: User, state: ThreadState | None, number: int, *, size: int
) -> ThreadsPage:
    """The client's threads in a state or all, what was last written in first."""
    query = FeedbackThread.of(client)
    if state:
        query = query.where(FeedbackThread.state == state)
    found = query.count()
    pages = max(1, -(-found // size))
    number = min(max(1, number), pages)
    order = (FeedbackThread.last_at.desc(), FeedbackThread.id.desc())
    threads = list(query.order_by(*order).paginate(number, size))
    unread = unread_of(client, user).where(FeedbackThread.id.in_([row.id for row in threads]))
    ids = frozenset(row.id for row in unread)
    return ThreadsPage(threads, number, pages, found, ids)


def messages_of(thread: FeedbackThread, *, with_notes: bool = False) -> list[Said]:
    """What was said in a thread, the oldest first; notes are for the operator's people."""
    sides = tuple(Side) if with_notes else VISIBLE_SIDES
    rows = FeedbackMessage.select(FeedbackMessage, User).join(
        User, on=(FeedbackMessage.user == User.id)
    )
    messages = rows.where(FeedbackMessage.thread == thread, FeedbackMessage.side.in_(sides))
    files: dict[int, list[FeedbackFile]] = {}
    for file in (
        FeedbackFile.select().where(FeedbackFile.thread == thread).order_by(FeedbackFile.id)
    ):
        files.setdefault(file.message_id, []).append(file)
    ordered = messages.order_by(FeedbackMessage.id)
    return [Said(message, files.get(message.id, [])) for message in ordered]


def unread_of(client: Client, user: User) -> ModelSelect:
    """The client's threads in which the operator has answered and `user` has not read it. What
    was answered before the user was added is theirs to read, but not new.
    """
    return _unread_since(client, user, user.created_at)


def list_unread(client: Client, user: User) -> list[FeedbackThread]:
    """Those of `unread_of`, what was last written in first."""
    return _unread(client, user, user.created_at)


def count_unread(client: Client, user: User) -> int:
    """How many those are."""
    return _unread_count.first(client, user, user.created_at)[0]


@made_once
def _unread(client: Client, user: User, since: datetime) -> ModelSelect:
    order = (FeedbackThread.last_at.desc(), FeedbackThread.id)
    return _unread_since(client, user, since).order_by(*order)


@made_once
def _unread_count(client: Client, user: User, since: datetime) -> ModelSelect:
    return _unread_since(client, user, since).select(fn.COUNT(FeedbackThread.id)).tuples()


def _unread_since(client: Client, user: User, since: datetime) -> ModelSelect:
    seen = FeedbackSeen.select(FeedbackSeen.message_id).where(
        FeedbackSeen.thread == FeedbackThread.id, FeedbackSeen.user == user
    )
    new = FeedbackMessage.select(1).where(
        FeedbackMessage.thread == FeedbackThread.id,
        FeedbackMessage.side == Side.OPERATOR,
        FeedbackMessage.created_at >= since,
        FeedbackMessage.id > fn.COALESCE(seen, 0),
    )
    return FeedbackThread.of(client).where(FeedbackThread.last_at >= since, fn.EXISTS(new))


def mark_seen(thread: FeedbackThread, said: Sequence[Said], user: User) -> None:
    """Remember that the user was shown these messages."""
    last = max((each.message.id for each in said), default=0)
    own = FeedbackSeen.select(FeedbackSeen.message_id).where(
        FeedbackSeen.thread == thread, FeedbackSeen.user == user
    )
    if last <= (own.scalar() or 0):
        return
    with write_tx():
        FeedbackSeen.insert(thread=thread, user=user, message_id=last).on_conflict(
            conflict_target=[FeedbackSeen.thread, FeedbackSeen.user],
            update={FeedbackSeen.message_id: last},
        ).execute()


def open_about(client: Client, subject: Subject) -> list[FeedbackThread]:
    """The client's threads of a subject that are not settled, the oldest first."""
    query = FeedbackThread.of(client).where(
        FeedbackThread.subject == subject, FeedbackThread.state.not_in(sorted(SETTLED_STATES))
    )
    return list(query.order_by(FeedbackThread.id))
