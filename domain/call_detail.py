"""A call detail report as data: what its head says, one row per call, and the sums. Files are made
of it in `domain/writers/`, rows are found in `services/reports.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple

from domain.orders import Direction
from domain.periods import DateRange


class CallRow(NamedTuple):
    """One call as the client's number saw it. A million of them may come as plain tuples, straight
    from the database: whoever reads many takes them apart by position.
    """

    started_at: int  # UTC epoch seconds
    direction: int  # domain.cdr.record.CallDirection
    number: str  # own number
    full_name: str
    peer: str  # the other side
    disposition: int  # domain.cdr.record.Disposition
    duration_s: int
    billable_s: int
    record_id: str


HIDDEN = "***"


def hidden_peer(peer: str) -> str:
    """A caller as reports show them when the policy is to hide who called: without the last three
    characters, and nothing at all of what is not longer.

    >>> hidden_peer("375291234567"), hidden_peer("101"), hidden_peer("")
    ('375291234***', '***', '***')
    """
    return peer[: -len(HIDDEN)] + HIDDEN


@dataclass(frozen=True)
class Sums:
    """Calls of one direction added up."""

    calls: int = 0
    answered: int = 0
    duration_s: int = 0
    billable_s: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.calls + other.calls,
            self.answered + other.answered,
            self.duration_s + other.duration_s,
            self.billable_s + other.billable_s,
        )


@dataclass(frozen=True)
class NumberTotals:
    """What one chosen number called and was called; a number without calls has zeros."""

    number: str
    full_name: str
    out: Sums = field(default_factory=Sums)
    incoming: Sums = field(default_factory=Sums)

    def of(self, direction: Direction) -> Sums:
        """The sums of one direction, or of both together."""
        if direction is Direction.BOTH:
            return self.out + self.incoming
        return self.out if direction is Direction.OUT else self.incoming


@dataclass(frozen=True)
class Totals:
    """Sums per chosen number, in the order of the report, and in all."""

    numbers: Sequence[NumberTotals]

    def of(self, direction: Direction) -> Sums:
        """The sums of all numbers for one direction, or for both together."""
        return sum((number.of(direction) for number in self.numbers), Sums())

    @property
    def rows(self) -> int:
        """How many calls the report lists."""
        return self.of(Direction.BOTH).calls

    @property
    def control_sum(self) -> int:
        """Billable seconds of all rows: a reader adds up the column and compares."""
        return self.of(Direction.BOTH).billable_s


@dataclass(frozen=True, kw_only=True)
class ReportHead:
    """What the report is about. Moments are in the report's zone."""

    operator_name: str
    order_number: int
    client_name: str
    account_no: str
    period: DateRange
    zone: tzinfo
    direction: Direction
    excluded: Sequence[str]  # numbers the client gave and agreed to leave out
    made_at: datetime
    data_until: datetime | None  # the last call known when it was made; None: no records at all
    hides_peers: bool = False  # whether the callers of incoming calls are shown in part only


def directions_of(direction: Direction) -> tuple[Direction, ...]:
    """The single directions that a choice covers, in the order they are shown."""
    return (Direction.OUT, Direction.IN) if direction is Direction.BOTH else (direction,)


BATCH = 500  # rows looked at together
_BILLABLE_S = itemgetter(CallRow._fields.index("billable_s"))


class ControlSumMismatch(Exception):
    """The rows written are not the rows that were added up."""


def checked(rows: Iterator[CallRow], totals: Totals) -> Iterator[CallRow]:
    """Pass `rows` on; after the last raise `ControlSumMismatch` unless they agree with `totals`."""
    return chain.from_iterable(_checked_batches(rows, totals.rows, totals.control_sum))


def _checked_batches(
    rows: Iterator[CallRow], expected: int, control_sum: int
) -> Iterator[list[CallRow]]:
    count = billable_s = 0
    while batch := list(islice(rows, BATCH)):
        count += len(batch)
        billable_s += sum(map(_BILLABLE_S, batch))
        if count > expected:
            break
        yield batch
    if (count, billable_s) != (expected, control_sum):
        raise ControlSumMismatch(
            f"{count} rows, {billable_s} s; expected {expected} rows, {control_sum} s"
        )


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The words of a report's file, in the reader's language. Writers put values between them."""

    title: str
    summary_sheet: str
    calls_sheet: str
    excluded_sheet: str
    labels: Mapping[str, str]  # HEAD_LABELS → words before each value of the head
    columns: Sequence[str]  # the ten columns of the calls, in order
    directions: Mapping[int, str]  # domain.cdr.record.CallDirection of one call → word
    choices: Mapping[Direction, str]  # «Тип детализации»: OUT, IN, BOTH
    results: Mapping[int, str]  # domain.cdr.record.Disposition → word
    sums: Mapping[Direction, Sequence[str]]  # OUT, IN → heads of calls, answered, the two durations
    sum_columns: Sequence[str]  # the same four under the name of their direction
    all_numbers: str  # the row of sums over all numbers
    no_calls: str  # the sentence of an empty report
    hidden_peers: str = ""  # what the head says where callers are shown in part only
    page: str  # where a page stands: {page} of {pages}
    language: str  # that all these words are in, by its code


HEAD_LABELS = (
    "client",
    "account",
    "order",
    "period",
    "zone",
    "direction",
    "hidden_peers",
    "selected",
    "excluded",
    "made_at",
    "data_until",
    "rows",
    "control_sum",
)
