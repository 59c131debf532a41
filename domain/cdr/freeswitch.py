"""What FreeSWITCH's records have in common, in whichever form they are written."""

from collections.abc import Mapping

from domain.cdr.legs import leg_of
from domain.cdr.record import Disposition, Leg, Timing, stable_hash
from domain.msisdn import normalise

# Causes that say that nobody took the call, whatever an announcement or a menu did before.
_UNANSWERED: Mapping[str, Disposition] = {
    "USER_BUSY": Disposition.BUSY,
    "CALL_REJECTED": Disposition.BUSY,
    "NO_ANSWER": Disposition.NO_ANSWER,
    "NO_USER_RESPONSE": Disposition.NO_ANSWER,
    "PROGRESS_TIMEOUT": Disposition.NO_ANSWER,
    "SUBSCRIBER_ABSENT": Disposition.NO_ANSWER,
    "USER_NOT_REGISTERED": Disposition.NO_ANSWER,
    "ORIGINATOR_CANCEL": Disposition.CANCELLED,
    "LOSE_RACE": Disposition.CANCELLED,
    "PICKED_OFF": Disposition.CANCELLED,
    "UNALLOCATED_NUMBER": Disposition.FAILED,
    "NO_ROUTE_DESTINATION": Disposition.FAILED,
    "NO_ROUTE_TRANSIT_NET": Disposition.FAILED,
    "INVALID_NUMBER_FORMAT": Disposition.FAILED,
    "INVALID_GATEWAY": Disposition.FAILED,
    "GATEWAY_DOWN": Disposition.FAILED,
    "INCOMPATIBLE_DESTINATION": Disposition.FAILED,
    "NORMAL_CIRCUIT_CONGESTION": Disposition.FAILED,
    "SWITCH_CONGESTION": Disposition.FAILED,
    "CHAN_NOT_IMPLEMENTED": Disposition.FAILED,
    "OUTGOING_CALL_BARRED": Disposition.FAILED,
    "INCOMING_CALL_BARRED": Disposition.FAILED,
}


def disposition_of(cause: str, *, talked: bool) -> Disposition:
    """How a call ended, by its cause and by whether there was an answer or a billed second."""
    cause = cause.upper()
    if cause in _UNANSWERED:
        return _UNANSWERED[cause]
    if talked:
        return Disposition.ANSWERED
    return Disposition.CANCELLED if cause == "NORMAL_CLEARING" else Disposition.FAILED


def make_leg(  # noqa: PLR0913 - what a record tells, by name
    *,
    a_raw: str,
    b_raw: str,
    account: str,
    context: str,
    uid: str,
    started_at: int,
    timing: Timing,
    disposition: Disposition,
) -> Leg:
    """The leg: the same by CSV and by JSON. Raises `Nonsense` for ids without measure."""
    return leg_of(
        uid=uid,
        leg=stable_hash(started_at, normalise(b_raw), int(disposition), timing.billable_s),
        started_at=started_at,
        timing=timing,
        disposition=disposition,
        a_raw=a_raw,
        b_raw=b_raw,
        account=account,
        context=context,
        # A user of the exchange calls with an account code; a number of outside has none.
        a_endpoint=a_raw if account and normalise(account) == normalise(a_raw) else "",
    )
