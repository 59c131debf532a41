"""«Обратная связь»: what a thread is about, where it stands, and who may change that."""

from enum import StrEnum

LONGEST_TEXT = 2000  # signs
RATINGS = (5, 4, 3, 2, 1)


class Subject(StrEnum):
    """«Тема»."""

    BILLS = "bills"
    CALL_DETAIL = "call_detail"
    PAYMENTS = "payments"
    INSTALMENTS = "instalments"
    SIP = "sip"
    ACCESS = "access"
    CALL_CENTRE = "call_centre"
    OTHER = "other"


class ThreadState(StrEnum):
    """Where a thread stands."""

    NEW = "new"
    IN_WORK = "in_work"
    AWAITS_CLIENT = "awaits_client"
    SOLVED = "solved"
    CLOSED = "closed"


class Side(StrEnum):
    """Who says something. A note is the operator's, for the operator's people only."""

    CLIENT = "client"
    OPERATOR = "operator"
    NOTE = "note"


SETTLED_STATES = frozenset({ThreadState.SOLVED, ThreadState.CLOSED})  # can be opened anew, rated
ANSWERABLE_STATES = frozenset(ThreadState) - {ThreadState.CLOSED}  # by the client
OPERATOR_STATES = tuple(state for state in ThreadState if state is not ThreadState.NEW)
VISIBLE_SIDES = (Side.CLIENT, Side.OPERATOR)  # to the client


def state_after_client(state: ThreadState) -> ThreadState:
    """Where a thread stands once the client has written in it.

    >>> state_after_client(ThreadState.NEW).value
    'new'
    >>> state_after_client(ThreadState.SOLVED).value
    'in_work'
    """
    return ThreadState.NEW if state is ThreadState.NEW else ThreadState.IN_WORK


def normal_text(text: str) -> str:
    r"""A text as it is kept and counted: one sign for the end of a line, none around.

    >>> normal_text("  Счет\r\nза март \r")
    'Счет\nза март'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
