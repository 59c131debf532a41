"""The normal form that every exchange's record is brought to, and the other fates of a line."""

import re
from collections.abc import Sequence
from enum import IntEnum
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple


class Disposition(IntEnum):
    """How an attempt to call ended. The numbers are stored."""

    ANSWERED = 0
    NO_ANSWER = 1
    BUSY = 2
    FAILED = 3
    CANCELLED = 4


class CallDirection(IntEnum):
    """Seen from our own number. The numbers are stored."""

    OUT = 0
    IN = 1


class Leg(NamedTuple):
    """One record of an exchange. Times are UTC epoch seconds, durations seconds."""

    started_at: int
    answered_at: int | None
    ended_at: int
    a_raw: str
    b_raw: str
    a_number: str  # normal form
    b_number: str
    duration_s: int  # ring included
    billable_s: int  # 0 unless answered
    disposition: int
    uid: str  # of the call: its legs share it
    leg: int  # of the leg: 63 bits, the same in every format of one exchange
    account: str = ""
    context: str = ""  # where the call came into the exchange
    a_endpoint: str = ""  # device names taken from the channels, "" when they are none
    b_endpoint: str = ""

    @property
    def trunk(self) -> str:
        """The endpoint a call left by, unless that is the called party itself."""
        return "" if self.b_endpoint == self.b_raw else self.b_endpoint


class Half(NamedTuple):
    """An answer or an end of a call whose other half has not been read yet. It waits for it.

    Its numbers are those of the answer, empty in an end. `uid` and `leg` are those of the leg
    that both halves make.
    """

    line: int  # from 1
    uid: str
    leg: int
    at: int  # UTC epoch seconds
    is_answer: bool
    a_raw: str = ""
    b_raw: str = ""
    account: str = ""


class Reject(NamedTuple):
    """A record that makes no sense: never repaired, always named."""

    line: int  # from 1
    reason: str
    row: Sequence[str] = ()


KEPT_FIELDS, KEPT_OF_FIELD = 50, 200  # of a rejected record, to show it


def reject(line: int, row: Sequence[str], reason: str) -> Reject:
    """The fate of a record that makes no sense."""
    return Reject(line, reason, [field[:KEPT_OF_FIELD] for field in row[:KEPT_FIELDS]])


class Skip(NamedTuple):
    """A line that is no record: header, comment, blank."""

    line: int


class Inner(NamedTuple):
    """A record of the exchange's inside: half of a call that another record tells whole. Read and
    accounted for, never a call of its own.
    """

    line: int


class Nonsense(ValueError):
    """What is wrong with a record, in a few words for the person who imports it."""


ROUNDING_S = 2  # exchanges round their stamps one by one: differences up to this are no error
LONGEST_S = 31 * 86400
LONGEST_ID = 200  # characters of ids and numbers together with room in their columns
_EIGHT_BYTES = Struct(">Q").unpack
_ENDPOINT = re.compile(r"(?:SIP|PJSIP|IAX2|SCCP)/(.+)-[0-9a-fA-F]+(?:;\d)?")


def endpoint_of(channel: str) -> str:
    """The device of an Asterisk channel name, or "".

    >>> endpoint_of("PJSIP/client1-00000002"), endpoint_of("Local/101@from-internal-0003;2")
    ('client1', '')
    """
    found = _ENDPOINT.fullmatch(channel)
    return found[1] if found else ""


def stable_hash(*values: object) -> int:
    """63 bits that depend on the values alone: the same in every process and release."""
    return hash_of_text("|".join(map(str, values)))


def hash_of_text(text: str) -> int:
    """`stable_hash` of values that are put together already, with `|` between them."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return _EIGHT_BYTES(digest)[0] >> 1


class Timing(NamedTuple):
    """Checked times of one record."""

    answered_at: int | None
    ended_at: int
    duration_s: int
    billable_s: int


def check_timing(
    started_at: int,
    answered_at: int | None,
    ended_at: int,
    duration_s: int,
    billable_s: int,
    disposition: int,
) -> Timing:
    """The times of a record made consistent within the rounding of exchanges.

    The exchange's own `billable_s` holds; an answer without a stamp is counted back from the end.
    Raises `Nonsense` for what no rounding explains.
    """
    if duration_s < 0 or billable_s < 0:
        raise Nonsense("negative duration")
    lasted_s = ended_at - started_at
    if lasted_s < 0:
        raise Nonsense("end before start")
    if lasted_s > LONGEST_S:
        raise Nonsense("longer than a month")
    if -ROUNDING_S <= duration_s - lasted_s <= ROUNDING_S:
        ended_at = started_at + duration_s
    else:
        duration_s = lasted_s  # the stamps say more than a counter that disagrees with them
    if disposition != Disposition.ANSWERED:
        return Timing(None, ended_at, duration_s, 0)
    if billable_s > lasted_s + ROUNDING_S:
        raise Nonsense("billed longer than the call lasted")
    if answered_at is None:
        answered_at = max(started_at, started_at + lasted_s - billable_s)
    elif not -ROUNDING_S <= answered_at - started_at <= lasted_s + ROUNDING_S:
        raise Nonsense("answer outside the call")
    elif billable_s > started_at + lasted_s - answered_at + ROUNDING_S:
        raise Nonsense("billed longer than the call lasted after the answer")
    return Timing(answered_at, ended_at, duration_s, billable_s)
