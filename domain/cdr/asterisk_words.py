"""What Asterisk's records say: the words for how calls ended, and where the fields stand."""

from collections.abc import Mapping
from typing import NamedTuple

from domain.cdr.record import Disposition

DISPOSITIONS: Mapping[str, Disposition] = {
    "ANSWERED": Disposition.ANSWERED,
    "ANSWER": Disposition.ANSWERED,
    "NO ANSWER": Disposition.NO_ANSWER,
    "NOANSWER": Disposition.NO_ANSWER,
    "NO_ANSWER": Disposition.NO_ANSWER,
    "BUSY": Disposition.BUSY,
    "FAILED": Disposition.FAILED,
    "CONGESTION": Disposition.FAILED,
    "CHANUNAVAIL": Disposition.FAILED,
    "UNKNOWN": Disposition.FAILED,
    "CANCEL": Disposition.CANCELLED,
    "CANCELLED": Disposition.CANCELLED,
    "CANCELED": Disposition.CANCELLED,
}
DIALS = frozenset({"", "dial"})  # applications that put a call through to a far end
NO_TIME = frozenset({"", "0000-00-00 00:00:00", "1970-01-01 00:00:00"})
EMPTY = frozenset({"NULL", "null", "\\N"})


class Layout(NamedTuple):
    """Where the fields stand in a row, counted from 0; None: not there."""

    account: int
    src: int
    dst: int
    context: int
    channel: int
    start: int  # answer and end follow, then duration, billsec, disposition
    uniqueid: int | None
    linkedid: int | None = None
