"""The normal form of a leg out of what a reader found in a record: the same for every format.

How a leg is told from others (the values of its hash) differs by format and is the reader's.
"""

from domain.cdr.record import LONGEST_ID, Disposition, Leg, Nonsense, Timing
from domain.msisdn import normalise


def check_room(uid: str, caller: str, called: str) -> None:
    """Raises `Nonsense` for ids and numbers that have no room in their columns."""
    if len(uid) + len(caller) + len(called) > LONGEST_ID:
        raise Nonsense("a number or id is too long")


def leg_of(  # noqa: PLR0913 - what a record tells, by name
    *,
    uid: str,
    leg: int,
    started_at: int,
    timing: Timing,
    disposition: Disposition,
    a_raw: str,
    b_raw: str,
    account: str = "",
    context: str = "",
    a_endpoint: str = "",
    b_endpoint: str = "",
) -> Leg:
    """The leg, its numbers in normal form. Raises `Nonsense` for ids without measure."""
    a_number, b_number = normalise(a_raw), normalise(b_raw)
    check_room(uid, a_number, b_number)
    return Leg(
        started_at,
        timing.answered_at,
        timing.ended_at,
        a_raw,
        b_raw,
        a_number,
        b_number,
        timing.duration_s,
        timing.billable_s,
        int(disposition),
        uid,
        leg,
        account,
        context,
        a_endpoint,
        b_endpoint,
    )
