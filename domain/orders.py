"""States of an order and of its mail, and which of them are open. The moves themselves are in
`services/orders.py`.
"""

from enum import StrEnum


class OrderKind(StrEnum):
    """What is ordered. Each kind has a renderer in `services/reports.py`."""

    CALL_DETAIL = "call_detail"


class Direction(StrEnum):
    """«Тип детализации»: seen from the client's own number."""

    OUT = "out"
    IN = "in"
    BOTH = "both"


class FileFormat(StrEnum):
    """The form of the file. The value is also its extension."""

    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"


class OrderState(StrEnum):
    """accepted → rendering → rendered → sending → sent; the others leave that line."""

    ACCEPTED = "accepted"
    RENDERING = "rendering"
    RENDERED = "rendered"
    SENDING = "sending"
    SENT = "sent"
    RETRY_WAIT = "retry_wait"  # failed for now, tried again at `next_try_at`
    UNCONFIRMED = "unconfirmed"  # perhaps sent, held back for the operator to decide
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = frozenset(
    {
        OrderState.ACCEPTED,
        OrderState.RENDERING,
        OrderState.RENDERED,
        OrderState.SENDING,
        OrderState.RETRY_WAIT,
    }
)
CANCELLABLE_STATES = frozenset(
    {OrderState.ACCEPTED, OrderState.RENDERING, OrderState.RENDERED, OrderState.RETRY_WAIT}
)
FINAL_STATES = frozenset({OrderState.SENT, OrderState.FAILED, OrderState.CANCELLED})


class MailState(StrEnum):
    """Where one message stands. `unknown`: the process died between DATA and the ledger."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
