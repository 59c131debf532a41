"""The audit trail: who did what, when and from where. Written in the transaction of the deed
itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models import AuditEvent, Client, User


class AuditEventKind(StrEnum):
    """What is written down."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    PASSWORD_SET = "password_set"  # noqa: S105 - the name of an event
    ACCESS_REFUSED = "authz_fail"  # a page of other roles, or a row of another client
    ORDER_PLACED = "order_placed"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_RETRIED = "order_retried"
    FILE_DOWNLOADED = "file_downloaded"
    RECORDS_IMPORTED = "records_imported"
    RECORDS_UPLOADED = "records_uploaded"
    IMPORT_CONFIRMED = "import_confirmed"
    IMPORT_ROLLBACK_ASKED = "import_rollback_asked"
    IMPORT_ROLLED_BACK = "import_rolled_back"
    CLIENT_VIEWED = "client_viewed"  # the operator looked into a client's data
    STEP_UP_REFUSED = "step_up_refused"  # a wrong password where it is asked for once more
    DELIVERY_CHANGE_ASKED = "delivery_change_asked"
    DELIVERY_CHANGE_CONFIRMED = "delivery_change_confirmed"
    DELIVERY_CHANGE_CANCELLED = "delivery_change_cancelled"
    DELIVERY_CHANGE_EXPIRED = "delivery_change_expired"
    DELIVERY_SET = "delivery_set"  # by the operator
    CLIENT_ADDED = "client_added"
    CLIENT_CHANGED = "client_changed"
    SUBSCRIBER_ADDED = "subscriber_added"
    CENTRE_NUMBER_ADDED = "centre_number_added"
    CENTRE_NUMBER_REMOVED = "centre_number_removed"
    CENTRE_HOURS_SET = "centre_hours_set"
    SUBSCRIBER_CHOSEN = "subscriber_chosen"
    LANGUAGE_CHOSEN = "language_chosen"
    SUBSCRIBER_CHANGED = "subscriber_changed"
    SUBSCRIBER_REOPENED = "subscriber_reopened"
    SUBSCRIBER_ENDED = "subscriber_ended"
    USER_ADDED = "user_added"
    USER_CHANGED = "user_changed"
    SCOPE_SET = "scope_set"  # which numbers a user may see
    CALLS_WAIVED = "calls_waived"  # answered calls without a price, that the operator does without
    WAIVER_UNDONE = "waiver_undone"
    BILLING_ASKED = "billing_asked"
    PAYMENT_ADDED = "payment_added"
    PAYMENTS_IMPORTED = "payments_imported"
    BILL_CORRECTED = "bill_corrected"
    TOLD_PAYMENT_ARRIVED = "told_payment_arrived"
    CHARGE_ADDED = "charge_added"
    CHARGE_CANCELLED = "charge_cancelled"
    DISCOUNT_ADDED = "discount_added"
    DISCOUNT_ENDED = "discount_ended"
    INSTALMENTS_ADDED = "instalments_added"
    INSTALMENTS_ENDED = "instalments_ended"
    VAT_RATE_SET = "vat_rate_set"
    SESSIONS_ENDED = "sessions_ended"
    USER_INVITED = "user_invited"
    PASSWORD_RESET_ASKED = "password_reset_asked"  # noqa: S105
    ADDRESS_ASKED = "address_asked"  # a person's own, for letters about access
    ADDRESS_SET = "address_set"
    FACTOR_ON = "factor_on"
    FACTOR_OFF = "factor_off"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    CODE_REFUSED = "code_refused"
    FEEDBACK_OPENED = "feedback_opened"
    FEEDBACK_ANSWERED = "feedback_answered"  # by either side
    FEEDBACK_NOTED = "feedback_noted"  # by the operator's people, for themselves
    FEEDBACK_STATE_SET = "feedback_state_set"
    FEEDBACK_REOPENED = "feedback_reopened"
    FEEDBACK_RATED = "feedback_rated"
    NOTICE_RETRIED = "notice_retried"  # a letter that no order asked for, sent on its way again
    BACKUP_MADE = "backup_made"
    BACKUP_RESTORED = "backup_restored"


@dataclass(frozen=True, kw_only=True)
class By:
    """Who does something, when and from where; by a command nobody that is known."""

    now: datetime
    user: User | None = None
    ip: str = ""


def record_by(
    event: AuditEventKind, by: By, *, client: Client | int | None, subject: str, **detail: object
) -> None:
    """Add one row of what `by` has done: `record`."""
    who = {"now": by.now, "user": by.user, "ip": by.ip}
    record(event, client=client, subject=subject, **who, **detail)


def record(
    event: AuditEventKind,
    *,
    now: datetime,
    user: User | None = None,
    client: Client | int | None = None,
    subject: str = "",
    ip: str = "",
    **detail: object,
) -> None:
    """Add one row. `subject` is "<table>:<id>"; `detail` holds ids and counts, never numbers or
    addresses.
    """
    AuditEvent.create(
        at=now, event=event, user=user, client=client, subject=subject, ip=ip, detail=detail
    )
