"""«Что изменилось»: the difference between two invoices, parted into what it comes from. The parts
make the difference to the kopeck. Kopecks throughout.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from domain.billing.invoice import InvoiceContent, Line, LineKind
from domain.money import divide


class PartKind(StrEnum):
    """What a part of the difference comes from, in the order in which parts stand."""

    NUMBERS_ADDED = "added"
    NUMBERS_REMOVED = "removed"
    PLAN_CHANGED = "plan"
    FEE_CHANGED = "fee"  # the same plan: days of the month, a fee paid once, a new price
    COMPANY_FEES = "company"
    CALLS_VOLUME = "volume"  # more or less was talked, at the price of the month before
    CALLS_PRICE = "price"  # what was talked cost more or less
    LATE_CALLS = "late"
    ONE_OFF = "one_off"
    INSTALMENT = "instalment"
    DISCOUNT = "discount"
    VAT = "vat"


OF_NUMBERS = (
    PartKind.NUMBERS_ADDED,
    PartKind.NUMBERS_REMOVED,
    PartKind.PLAN_CHANGED,
    PartKind.FEE_CHANGED,
)
BY_LINES = {
    PartKind.LATE_CALLS: LineKind.LATE_CALLS,
    PartKind.ONE_OFF: LineKind.ONE_OFF,
    PartKind.INSTALMENT: LineKind.INSTALMENT,
    PartKind.DISCOUNT: LineKind.DISCOUNT,
}


class Side(NamedTuple):
    """One of the months in a part."""

    net: int = 0
    quantity: int = 0
    seconds: int = 0
    lines: tuple[int, ...] = ()  # ordinals


NONE = Side()


class Part(NamedTuple):
    """So much of the difference comes from this. `count`: numbers, where it is about numbers."""

    kind: PartKind
    amount: int
    before: Side = NONE
    after: Side = NONE
    code: str = ""  # destination group of calls
    count: int = 0


@dataclass(frozen=True)
class Bridge:
    """The way from the total of one month to that of the next."""

    before: int
    after: int
    parts: tuple[Part, ...]

    @property
    def difference(self) -> int:
        """What the parts make together."""
        return self.after - self.before


# --- Numbers and their fees -----------------------------------------------------------------------


class NumberFees(NamedTuple):
    """A number on an invoice: its plan, and its fees in kopecks."""

    subscriber_id: int
    plan: str
    fee: int


@dataclass
class NumberChanges:
    """By kind: which numbers, and what they make together."""

    ids: dict[PartKind, array] = field(
        default_factory=lambda: {kind: array("q") for kind in OF_NUMBERS}
    )
    amounts: dict[PartKind, int] = field(default_factory=lambda: dict.fromkeys(OF_NUMBERS, 0))

    def note(self, kind: PartKind, subscriber_id: int, amount: int) -> None:
        """One more number."""
        self.ids[kind].append(subscriber_id)
        self.amounts[kind] += amount


def compare_numbers(before: Iterable[NumberFees], after: Iterable[NumberFees]) -> NumberChanges:
    """What became of each number. Both in the order of their ids; neither is kept in memory."""
    changes = NumberChanges()
    for old, new in _pairs(iter(before), iter(after)):
        if old is None:
            changes.note(PartKind.NUMBERS_ADDED, new.subscriber_id, new.fee)
        elif new is None:
            changes.note(PartKind.NUMBERS_REMOVED, old.subscriber_id, -old.fee)
        elif old.plan != new.plan:
            changes.note(PartKind.PLAN_CHANGED, new.subscriber_id, new.fee - old.fee)
        elif old.fee != new.fee:
            changes.note(PartKind.FEE_CHANGED, new.subscriber_id, new.fee - old.fee)
    return changes


def _pairs(
    before: Iterator[NumberFees], after: Iterator[NumberFees]
) -> Iterator[tuple[NumberFees | None, NumberFees | None]]:
    old, new = next(before, None), next(after, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old.subscriber_id < new.subscriber_id):
            yield old, None
            old = next(before, None)
        elif old is None or new.subscriber_id < old.subscriber_id:
            yield None, new
            new = next(after, None)
        else:
            yield old, new
            old, new = next(before, None), next(after, None)


# --- All of it ------------------------------------------------------------------------------------


def bridge(before: InvoiceContent, after: InvoiceContent, numbers: NumberChanges) -> Bridge:
    """The parts of the difference, but for those that are nothing."""
    parts = [
        *_fees(before, after, numbers),
        *_calls(before, after),
        *(_by_lines(kind, before, after) for kind in BY_LINES),
        Part(
            PartKind.VAT,
            after.vat_sum - before.vat_sum,
            Side(before.vat_sum),
            Side(after.vat_sum),
        ),
    ]
    order = {kind: place for place, kind in enumerate(PartKind)}
    kept = (part for part in parts if part.amount or part.count)
    return Bridge(before.total, after.total, tuple(sorted(kept, key=lambda part: order[part.kind])))


def _fees(before: InvoiceContent, after: InvoiceContent, numbers: NumberChanges) -> Iterator[Part]:
    """What numbers have of the fees; the rest are fees of the company itself."""
    old, new = _side(before, LineKind.FEE), _side(after, LineKind.FEE)
    for kind in OF_NUMBERS:
        yield Part(kind, numbers.amounts[kind], old, new, count=len(numbers.ids[kind]))
    rest = new.net - old.net - sum(numbers.amounts.values())
    yield Part(PartKind.COMPANY_FEES, rest, old, new)


def _calls(before: InvoiceContent, after: InvoiceContent) -> Iterator[Part]:
    """Each destination group: how much was talked, and what a minute cost."""
    codes = dict.fromkeys(
        line.code for line in (*before.lines, *after.lines) if line.kind is LineKind.CALLS
    )
    for code in codes:
        old, new = _side(before, LineKind.CALLS, code), _side(after, LineKind.CALLS, code)
        volume = _volume(old, new)
        yield Part(PartKind.CALLS_VOLUME, volume, old, new, code)
        yield Part(PartKind.CALLS_PRICE, new.net - old.net - volume, old, new, code)


def _volume(old: Side, new: Side) -> int:
    """The difference if a second (or, where none is paid, a call) had cost what it did before.
    Where nothing was before, all of it is volume.

    >>> _volume(Side(100, 2, 600), Side(180, 3, 900)), _volume(NONE, Side(70, 1, 60))
    (50, 70)
    """
    for was, now in ((old.seconds, new.seconds), (old.quantity, new.quantity)):
        if was:
            return divide(old.net * (now - was), was)
    return new.net - old.net


def _by_lines(kind: PartKind, before: InvoiceContent, after: InvoiceContent) -> Part:
    old, new = _side(before, BY_LINES[kind]), _side(after, BY_LINES[kind])
    return Part(kind, new.net - old.net, old, new)


def _side(content: InvoiceContent, kind: LineKind, code: str | None = None) -> Side:
    lines: list[Line] = [
        line for line in content.lines if line.kind is kind and (code is None or line.code == code)
    ]
    return Side(
        sum(line.net for line in lines),
        sum(line.quantity for line in lines),
        sum(line.seconds for line in lines),
        tuple(line.ordinal for line in lines),
    )
