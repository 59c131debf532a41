"""«Обратная связь» from the client's side: opening threads and writing in them.

Any section can open one for what a client asks for there: `open_thread`. Reading is
`feedback_reading.py`, the operator's side `feedback_inbox.py`, files are `feedback_files.py`, what
a thread is about `feedback_about.py`.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import current_app
from peewee import IntegrityError, ModelSelect, fn

from domain.errors import TextMissing, TextTooLong, ThreadClosed, TooManyMessages
from domain.feedback import (
    ANSWERABLE_STATES,
    LONGEST_TEXT,
    RATINGS,
    SETTLED_STATES,
    Side,
    Subject,
    ThreadState,
    normal_text,
    state_after_client,
)
from models import Client, User
from models_feedback import FeedbackFile, FeedbackMessage, FeedbackThread
from services import audit, feedback_files
from services.audit import AuditEventKind
from services.feedback_about import NOTHING, About
from services.feedback_files import Incoming, Kept
from services.transactions import for_update, lock_client, write_tx


def open_thread(  # noqa: PLR0913 - a thread is made of so much
    subject: Subject,
    text: str,
    *,
    client: Client,
    user: User,
    form_key: str,
    about: About = NOTHING,
    files: Sequence[Incoming] = (),
    ip: str = "",
    now: datetime,
) -> FeedbackThread:
    """A new thread with its first message. `form_key` is the form's own, any text that no other
    form of the client has: sent again, it gives the same thread.

    Raises `DomainError` when a rule says no.
    """
    text, form_key = check_text(text), f"{client.id}:{form_key}"
    if sent := _thread_of_form(form_key, client):
        return sent
    check_limit(client, user, now=now)
    try:
        with feedback_files.keeping(files) as kept, write_tx():
            lock_client(client)
            check_limit(client, user, now=now)
            feedback_files.check_quota(client, kept)
            thread = _create(Subject(subject), about, client, user, now)
            add_message(thread, Side.CLIENT, text, form_key, kept, user=user, now=now)
            record(AuditEventKind.FEEDBACK_OPENED, thread, user, ip, now)
    except IntegrityError:  # another click was between our look and our insert
        if sent := _thread_of_form(form_key, client):
            return sent
        raise
    return thread


def answer(  # noqa: PLR0913 - a message is made of so much
    thread: FeedbackThread,
    text: str,
    *,
    client: Client,
    user: User,
    form_key: str,
    files: Sequence[Incoming] = (),
    ip: str = "",
    now: datetime,
) -> None:
    """Write in one's own thread; a settled one is opened anew by that. A form that is sent again
    changes nothing. Raises `DomainError` when a rule says no.
    """
    text, form_key = check_text(text), f"{client.id}:{form_key}"
    if _thread_of_form(form_key, client):
        return
    check_limit(client, user, now=now)
    try:
        with feedback_files.keeping(files) as kept, write_tx():
            lock_client(client)
            check_limit(client, user, now=now)
            feedback_files.check_quota(client, kept)
            row = for_update(_row(thread)).get()
            state = ThreadState(row.state)
            if state not in ANSWERABLE_STATES:
                raise ThreadClosed
            add_message(thread, Side.CLIENT, text, form_key, kept, user=user, now=now)
            _update(
                thread,
                state=state_after_client(state),
                last_at=now,
                waits_since=row.waits_since or now,
            )
            record(AuditEventKind.FEEDBACK_ANSWERED, thread, user, ip, now)
    except IntegrityError:
        if not _thread_of_form(form_key, client):
            raise


def reopen(thread: FeedbackThread, *, user: User, ip: str = "", now: datetime) -> bool:
    """«Переоткрыть» what was settled; False when it is not."""
    with write_tx():
        changed = _update(
            thread,
            FeedbackThread.state.in_(SETTLED_STATES),
            state=ThreadState.IN_WORK,
            rating=None,
            waits_since=now,
        )
        if changed:
            record(AuditEventKind.FEEDBACK_REOPENED, thread, user, ip, now)
    return changed


def rate(thread: FeedbackThread, rating: int, *, user: User, ip: str = "", now: datetime) -> bool:
    """Say how well a settled thread was answered; False when it is not settled."""
    if rating not in RATINGS:
        return False
    with write_tx():
        changed = _update(thread, FeedbackThread.state.in_(SETTLED_STATES), rating=rating)
        if changed:
            record(AuditEventKind.FEEDBACK_RATED, thread, user, ip, now, rating=rating)
    return changed


def check_text(text: str) -> str:
    """The text as it is kept. Raises `TextMissing`, `TextTooLong`."""
    plain = normal_text(text)
    if not plain:
        raise TextMissing
    if len(plain) > LONGEST_TEXT:
        raise TextTooLong(limit=LONGEST_TEXT, over=len(plain) - LONGEST_TEXT)
    return plain


def check_limit(client: Client, user: User, *, now: datetime) -> None:
    """Raise `TooManyMessages` when the user has written too often in the last hour."""
    limit = current_app.config["CABINET"].FEEDBACK_PER_HOUR
    if not limit:
        return
    recent = FeedbackMessage.select(FeedbackMessage.created_at).where(
        FeedbackMessage.thread.in_(FeedbackThread.of_company(client, FeedbackThread.id)),
        FeedbackMessage.user == user,
        FeedbackMessage.created_at > now - timedelta(hours=1),
    )
    in_the_way = recent.order_by(FeedbackMessage.created_at.desc()).offset(limit - 1).first()
    if in_the_way:
        seconds = max(1, int((in_the_way.created_at + timedelta(hours=1) - now).total_seconds()))
        raise TooManyMessages(limit=limit, retry_after_s=seconds, minutes=-(-seconds // 60))


def add_message(
    thread: FeedbackThread,
    side: Side,
    text: str,
    form_key: str,
    kept: Sequence[Kept],
    *,
    user: User,
    now: datetime,
) -> FeedbackMessage:
    """Inside `write_tx`: a message with the files that came with it."""
    message = FeedbackMessage.create(
        thread=thread, user=user, side=side, text=text, form_key=form_key, created_at=now
    )
    for file in kept:
        FeedbackFile.create(
            thread=thread,
            message=message,
            name=file.name,
            display_name=file.display_name,
            kind=file.kind,
            size=file.size,
            sha256=file.sha256,
        )
    return message


def _create(
    subject: Subject, about: About, client: Client, user: User, now: datetime
) -> FeedbackThread:
    last = FeedbackThread.of_company(client, fn.MAX(FeedbackThread.number)).scalar()
    started, seq = about.call or (None, None)
    return FeedbackThread.create(
        client=client,
        user=user,
        number=(last or 0) + 1,
        key=secrets.token_urlsafe(12),
        subject=subject,
        order=about.order,
        invoice=about.invoice,
        subscriber=about.subscriber,
        call_started_at=started,
        call_seq=seq,
        created_at=now,
        last_at=now,
        waits_since=now,
    )


def _row(thread: FeedbackThread) -> ModelSelect:
    return FeedbackThread.of(thread.client_id).where(FeedbackThread.id == thread.id)


def _update(thread: FeedbackThread, *conditions: object, **values: object) -> bool:
    same = FeedbackThread.id == thread.id
    return bool(FeedbackThread.update(values).where(same, *conditions).execute())


def record(
    kind: AuditEventKind,
    thread: FeedbackThread,
    user: User,
    ip: str,
    now: datetime,
    **detail: object,
) -> None:
    """Inside `write_tx`: write down who did what to a thread."""
    subject = f"feedback_thread:{thread.id}"
    audit.record(
        kind, now=now, user=user, client=thread.client_id, subject=subject, ip=ip, **detail
    )


def _thread_of_form(form_key: str, client: Client) -> FeedbackThread | None:
    sent = FeedbackMessage.select(FeedbackMessage.thread).where(
        FeedbackMessage.thread.in_(FeedbackThread.of(client, FeedbackThread.id)),
        FeedbackMessage.form_key == form_key,
    )
    return FeedbackThread.of(client).where(FeedbackThread.id.in_(sent)).first()
