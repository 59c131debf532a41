"""A call detail report as data: what its head says, one row per call, and the sums. Files are made
of it in `domain/writers/`, rows are found in `services/reports.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple

from domain.call_costs import Cost, Costs, Destination, no_destination
from domain.orders import Direction
from domain.periods import DateRange
from domain.rating.states import CallRating


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
    rating: int | None = CallRating.FREE
    price: int | None = 0  # micros without VAT; None: there is no price
    billed_s: int | None = 0  # seconds paid, by the tariff's increments
    package_s: int | None = 0  # of them, paid by packages
    rate_id: int | None = None


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
    cost: Cost = field(default_factory=Cost)
    unrated: int = 0  # answered calls without a price

    def of(self, direction: Direction) -> Sums:
        """The sums of one direction, or of both together."""
        if direction is Direction.BOTH:
            return self.out + self.incoming
        return self.out if direction is Direction.OUT else self.incoming


@dataclass(frozen=True)
class Totals:
    """Sums per chosen number, in the order of the report, and in all."""

    numbers: Sequence[NumberTotals]
    costs: Costs | None = None  # None: only incoming calls, which cost nothing

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

    @property
    def unrated(self) -> int:
        """Answered calls without a price: they are in no sum of money."""
        return sum(number.unrated for number in self.numbers)


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
    destination_of: Callable[[int], Destination] = no_destination  # by a call's rate


def directions_of(direction: Direction) -> tuple[Direction, ...]:
    """The single directions that a choice covers, in the order they are shown."""
    return (Direction.OUT, Direction.IN) if direction is Direction.BOTH else (direction,)


BATCH = 500  # rows looked at together
_BILLABLE_S = itemgetter(CallRow._fields.index("billable_s"))
_PRICE = itemgetter(CallRow._fields.index("price"))


class ControlSumMismatch(Exception):
    """The rows written are not the rows that were added up."""


def checked(rows: Iterator[CallRow], totals: Totals) -> Iterator[CallRow]:
    """Pass `rows` on; after the last raise `ControlSumMismatch` unless they agree with `totals`."""
    return chain.from_iterable(_checked_batches(rows, totals))


def _checked_batches(rows: Iterator[CallRow], totals: Totals) -> Iterator[list[CallRow]]:
    expected, control_sum = totals.rows, totals.control_sum
    money = 0 if totals.costs is None else totals.costs.micros
    count = billable_s = micros = 0
    while batch := list(islice(rows, BATCH)):
        count += len(batch)
        billable_s += sum(map(_BILLABLE_S, batch))
        micros += sum(filter(None, map(_PRICE, batch)))
        if count > expected:
            break
        yield batch
    if (count, billable_s, micros) != (expected, control_sum, money):
        raise ControlSumMismatch(
            f"{count} rows, {billable_s} s, {micros} micros; "
            f"expected {expected} rows, {control_sum} s, {money} micros"
        )


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The words of a report's file, in the reader's language. Writers put values between them."""

    title: str
    summary_sheet: str
    calls_sheet: str
    excluded_sheet: str
    labels: Mapping[str, str]  # HEAD_LABELS → words before each value of the head
    columns: Sequence[str]  # the columns of the calls, in order
    costs_sheet: str
    by_destination: str  # titles of its two tables
    by_number: str
    cost_rule: str  # how sums of money are made
    unpriced: Mapping[int | None, str]  # domain.rating.states.CallRating → why there is no price
    cost_columns: Mapping[str, str]  # COST_COLUMNS → head
    group_name: Callable[[str], str]  # a destination group → its name
    month_name: Callable[[date], str]
    directions: Mapping[int, str]  # domain.cdr.record.CallDirection of one call → word
    choices: Mapping[Direction, str]  # «Тип детализации»: OUT, IN, BOTH
    results: Mapping[int, str]  # domain.cdr.record.Disposition → word
    sums: Mapping[Direction, Sequence[str]]  # OUT, IN → heads of calls, answered, the two durations
    sum_columns: Sequence[str]  # the same four under the name of their direction
    all_numbers: str  # the row of sums over all numbers
    no_calls: str  # the sentence of an empty report
    hidden_peers: str = ""  # what the head says where callers are shown in part only
    paper_columns: Mapping[int, str] = field(default_factory=dict)  # shorter heads, for paper
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
    "cost",
    "vat",
    "cost_with_vat",
    "unrated",
)
COST_COLUMNS = ("group", "month", "calls", "billed", "package", "net", "vat", "total", "unrated")
