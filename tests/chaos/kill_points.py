"""The kill points of `services/faults.py` by the road on which they are reached."""

CARRIED = (  # in the order in which a worker comes by them
    "order.claiming",
    "order.claimed",
    "order.beginning",
    "order.rendering",
    "order.writing_rows",
    "order.writing_rows:2",
    "order.file_written",
    "order.naming",
    "order.file_named",
    "order.recording",
    "order.rendered",
    "order.letter_written",
    "order.naming:2",
    "order.letter_named",
    "order.freezing",
    "order.frozen",
    "order.marking",
    "order.sending",
    "order.renewing",
    "order.before_data",
    "order.data_sent",
    "order.acknowledged",
    "order.closing",
    "order.sent",
)
# Between the last byte of a message and the commit that says so, nobody can know: the only window
# in which a second copy may go out.
UNKNOWABLE = ("order.data_sent", "order.acknowledged", "order.closing")
# From here on the ledger says that the message is about to go.
MARKED = ("order.sending", "order.renewing", "order.before_data", *UNKNOWABLE)

PLACED = ("order.placing", "order.placed", "order.hinted")
REFUSED = (
    "order.noting_refusal",
    "order.noted_refusal",
    "order.giving_back",
    "order.given_back",
)
UNANSWERED = ("order.noting_unknown", "order.noted_unknown")
HELD = (*UNANSWERED, "order.holding", "order.held")
OFFERED = ("order.offering", "order.available")  # what is not mailed
CANCELLED = ("order.cancelling", "order.cancelled")
RETRIED = ("order.retrying", "order.retried")
DELIVERED_ELSEWHERE = (  # a change of how invoices are delivered
    "delivery.asking",
    "delivery.asked",
    "delivery.confirming",
    "delivery.confirmed",
    "delivery.cancelling",
    "delivery.cancelled",
)
NOTED = (  # a letter that no order asked for, from its claim to its end
    "notice.claiming",
    "notice.claimed",
    "notice.marking",
    "notice.sending",
    "notice.acknowledged",
    "notice.closing",
    "notice.sent",
)
NOTED_MARKED = ("notice.sending", "notice.acknowledged", "notice.closing")
NOTED_BADLY = (
    "notice.noting_unknown",
    "notice.noted_unknown",
    "notice.giving_back",
    "notice.given_back",
)
RELEASED = ("notice.releasing", "notice.released")
ROUND = (
    *(f"reconcile.part_done:{n}" for n in range(1, 13)),
    "reconcile.releasing",
    "reconcile.released",
    "reconcile.file_removed",
    "reconcile.letter_removed",
)
IMPORTED = tuple(f"import.{step}:{n}" for n in (1, 2, 4) for step in ("storing", "stored"))
BILLING_ASKED = ("billing.asked",)
BILLED = ("invoice.stored", "invoice.committed")  # swept with the billing run

BACKED_UP = ("backup.rows_copied", "backup.written")
PUT_BACK = ("restore.unpacked", "restore.placing")

SWEPT = {
    point.partition(":")[0]
    for road in (
        CARRIED,
        PLACED,
        REFUSED,
        HELD,
        OFFERED,
        CANCELLED,
        RETRIED,
        ROUND,
        IMPORTED,
        BILLING_ASKED,
        BILLED,
        DELIVERED_ELSEWHERE,
        NOTED,
        NOTED_BADLY,
        RELEASED,
        BACKED_UP,
        PUT_BACK,
    )
    for point in road
}
