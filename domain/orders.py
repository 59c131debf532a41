"""States of an order and of its mail, and which of them are open. The moves themselves are in
`services/orders.py`.
"""

from enum import StrEnum


class OrderKind(StrEnum):
    """What is ordered. Each kind has its renderers, known to `services/reports.py`."""

    CALL_DETAIL = "call_detail"
    INVOICE_EMAIL = "invoice_email"  # sent again, to the address that stands in the cabinet now
    INVOICE_LINK = "invoice_link"  # fetched in the cabinet: no letter goes out
    INVOICE_REGULAR = "invoice_regular"  # the month's own, ordered by the billing run
    CHARGES = "charges"
    STATEMENT = "statement"  # act of reconciliation


INVOICE_KINDS = frozenset(
    {OrderKind.INVOICE_EMAIL, OrderKind.INVOICE_LINK, OrderKind.INVOICE_REGULAR}
)
UNMAILED_KINDS = frozenset({OrderKind.INVOICE_LINK})  # these end as available
# Made for the cabinet: fetched whatever the client's policy, by whoever sees their section.
PAPER_KINDS = frozenset({OrderKind.STATEMENT})


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
    """accepted → rendering → rendered → sending → sent; what is not mailed ends as available; the
    others leave that line.
    """

    ACCEPTED = "accepted"
    RENDERING = "rendering"
    RENDERED = "rendered"
    SENDING = "sending"
    SENT = "sent"
    AVAILABLE = "available"  # to be fetched in the cabinet
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
DONE_STATES = frozenset({OrderState.SENT, OrderState.AVAILABLE})
FINAL_STATES = DONE_STATES | {OrderState.FAILED, OrderState.CANCELLED}


class MailState(StrEnum):
    """Where one message stands. `unknown`: the process died between DATA and the ledger."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
