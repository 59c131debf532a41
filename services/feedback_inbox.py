"""«Обратная связь» from the operator's side: what waits longest comes first. The client's side is
`feedback.py`.
"""

from collections.abc import Sequence
from datetime import datetime

from peewee import IntegrityError, ModelSelect

from domain.errors import StateUnknown
from domain.feedback import OPERATOR_STATES, Side, ThreadState
from models import Client, User
from models_feedback import FeedbackMessage, FeedbackThread
from services import feedback, feedback_files, feedback_letters, queue
from services.audit import AuditEventKind
from services.feedback_files import Incoming
from services.feedback_reading import ThreadsPage
from services.transactions import for_update, write_tx

WAITING, ALL = "waiting", "all"  # beside states, what the list can be narrowed to
GROUPS = (WAITING, ALL, *(state.value for state in ThreadState))


# --- Reading --------------------------------------------------------------------------------------


def find(key: str) -> FeedbackThread | None:
    """Any client's thread: for the operator's people only."""
    return _threads().where(FeedbackThread.key == key).first()


def count_waiting() -> int:
    """How many threads wait for an answer."""
    return _waiting().count()


def find_page(group: str, client: Client | None, number: int, *, size: int) -> ThreadsPage:
    """Threads of a group of `GROUPS`: those that wait by how long they do, then the newest."""
    query = _waiting() if group == WAITING else _threads()
    if group not in (WAITING, ALL):
        query = query.where(FeedbackThread.state == group)
    if client is not None:
        query = query.where(FeedbackThread.client == client)
    found = query.count()
    pages = max(1, -(-found // size))
    number = min(max(1, number), pages)
    longest_first = FeedbackThread.waits_since.asc(nulls="LAST")
    ordered = query.order_by(longest_first, FeedbackThread.last_at.desc(), FeedbackThread.id)
    return ThreadsPage(list(ordered.paginate(number, size)), number, pages, found)


def _threads() -> ModelSelect:
    return (
        FeedbackThread.across_clients(FeedbackThread, Client, User)
        .join(Client, on=(FeedbackThread.client == Client.id))
        .switch(FeedbackThread)
        .join(User, on=(FeedbackThread.user == User.id))
    )


def _waiting() -> ModelSelect:
    return _threads().where(FeedbackThread.waits_since.is_null(False))  # noqa: FBT003 - peewee


# --- Writing --------------------------------------------------------------------------------------


def answer(  # noqa: PLR0913 - a message is made of so much
    thread: FeedbackThread,
    text: str,
    *,
    state: ThreadState,
    user: User,
    form_key: str,
    files: Sequence[Incoming] = (),
    ip: str = "",
    now: datetime,
) -> None:
    """Answer on the page, and tell the client by a letter. A form sent again changes nothing.

    Raises `DomainError` when a rule says no.
    """
    _check_state(state)
    text, form_key = feedback.check_text(text), _own(form_key, user)
    if _is_sent(form_key):
        return
    try:
        with feedback_files.keeping(files) as kept, write_tx():
            _lock(thread)
            feedback.add_message(thread, Side.OPERATOR, text, form_key, kept, user=user, now=now)
            _set(thread, state=state, last_at=now, waits_since=None)
            feedback_letters.tell_of_answer(thread, now=now)
            feedback.record(AuditEventKind.FEEDBACK_ANSWERED, thread, user, ip, now)
    except IntegrityError:
        if not _is_sent(form_key):
            raise
        return
    queue.hint_notices()


def note(
    thread: FeedbackThread, text: str, *, user: User, form_key: str, ip: str = "", now: datetime
) -> None:
    """Write something down that the client does not see, and that answers nothing."""
    text, form_key = feedback.check_text(text), _own(form_key, user)
    if _is_sent(form_key):
        return
    try:
        with write_tx():
            feedback.add_message(thread, Side.NOTE, text, form_key, (), user=user, now=now)
            feedback.record(AuditEventKind.FEEDBACK_NOTED, thread, user, ip, now)
    except IntegrityError:
        if not _is_sent(form_key):
            raise


def set_state(
    thread: FeedbackThread, state: ThreadState, *, user: User, ip: str = "", now: datetime
) -> bool:
    """Change the state without an answer; False when it is that already. What is in work goes on
    waiting for an answer, and what is not does not. Raises `StateUnknown`.
    """
    _check_state(state)
    with write_tx():
        was = ThreadState(_lock(thread).state)
        if was == state:
            return False
        waits = {} if state == ThreadState.IN_WORK else {"waits_since": None}
        _set(thread, state=state, **waits)
        feedback.record(
            AuditEventKind.FEEDBACK_STATE_SET, thread, user, ip, now, was=was, state=state
        )
    return True


def _check_state(state: ThreadState) -> None:
    if state not in OPERATOR_STATES:
        raise StateUnknown(state)


def _own(form_key: str, user: User) -> str:
    return f"operator:{user.id}:{form_key}"


def _is_sent(form_key: str) -> bool:
    sent = FeedbackMessage.select(1).where(
        FeedbackMessage.thread.in_(FeedbackThread.across_clients(FeedbackThread.id)),
        FeedbackMessage.form_key == form_key,
    )
    return sent.exists()


def _lock(thread: FeedbackThread) -> FeedbackThread:
    """The thread as it is now, kept from other writers."""
    row = FeedbackThread.of(thread.client_id).where(FeedbackThread.id == thread.id)
    return for_update(row).get()


def _set(thread: FeedbackThread, **values: object) -> None:
    FeedbackThread.update(values).where(FeedbackThread.id == thread.id).execute()
