"""What the calls of a report cost: sums by month and destination as a month's invoice has them, and
what each number has of them.

The calls of a month to one group of destinations make one sum, rounded to kopecks; VAT is counted
once for each month, on the sum of its groups; both are parted over the numbers. So a report of all
numbers of a month says to the kopeck what the charges and the invoice say of its calls.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from domain.cdr.record import CallDirection
from domain.money import ROUBLE, share, split, to_kopecks
from domain.rating.states import CallRating

GROUPS = ("local", "onnet", "mobile", "international", "service")  # known ones, as lines stand
MINUTE_S = 60


class Destination(NamedTuple):
    """Where a call went, and what a minute costs there: micros, or None when that depends."""

    name: str = ""
    minute: int | None = None


def no_destination(_rate_id: int) -> Destination:
    """For reports without prices."""
    return Destination()


class GroupSum(NamedTuple):
    """Priced calls of one number in one month to one destination group."""

    subscriber_id: int
    month: date
    group: str
    calls: int
    billed_s: int
    package_s: int
    micros: int


class CostLine(NamedTuple):
    """The same of all numbers, as a line of an invoice: `net` is kopecks without VAT."""

    month: date
    group: str
    calls: int
    billed_s: int
    package_s: int
    net: int


@dataclass(frozen=True)
class Cost:
    """What calls of one number, or of all, come to. Money is kopecks."""

    calls: int = 0  # with a price
    billed_s: int = 0
    package_s: int = 0  # of them, paid by packages
    net: int = 0
    vat: int = 0

    @property
    def total(self) -> int:
        """With VAT."""
        return self.net + self.vat

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.calls + other.calls,
            self.billed_s + other.billed_s,
            self.package_s + other.package_s,
            self.net + other.net,
            self.vat + other.vat,
        )


@dataclass(frozen=True)
class Costs:
    """All sums of a report. Calls without a price are in none of them."""

    lines: Sequence[CostLine] = ()
    by_number: Mapping[int, Cost] = field(default_factory=dict)  # by subscriber
    percents: Sequence[int] = ()  # of VAT, in hundredths: one for each month, equal ones once
    micros: int = 0  # of all calls, exactly

    @property
    def whole(self) -> Cost:
        """Of all numbers."""
        return sum(self.by_number.values(), Cost())


def costs_of(
    sums: Iterable[GroupSum], vat_of: Callable[[date], int], months: Iterable[date]
) -> Costs:
    """Add up what the numbers have called. `vat_of`: VAT of a month in hundredths of a per cent;
    `months`: those the report is about.
    """
    found: defaultdict[tuple[date, str], list[GroupSum]] = defaultdict(list)
    for each in sums:
        found[each.month, each.group].append(each)
    by_number: defaultdict[int, Cost] = defaultdict(Cost)
    lines, nets = [], defaultdict(lambda: defaultdict(int))
    for month, group in sorted(found, key=_place):
        whose = found[month, group]
        line = _line(month, group, whose)
        lines.append(line)
        parts = split(line.net, [each.micros for each in whose])
        for each, net in zip(whose, parts, strict=True):
            cost = Cost(each.calls, each.billed_s, each.package_s, net)
            by_number[each.subscriber_id] += cost
            nets[month][each.subscriber_id] += net
    for month, by_id in nets.items():
        vat = share(sum(by_id.values()), Fraction(vat_of(month), 100))
        for subscriber_id, part in zip(by_id, split(vat, list(by_id.values())), strict=True):
            by_number[subscriber_id] += Cost(vat=part)
    micros = sum(each.micros for whose in found.values() for each in whose)
    return Costs(lines, dict(by_number), sorted({vat_of(month) for month in months}), micros)


def _place(key: tuple[date, str]) -> tuple[date, int, str]:
    month, group = key
    return month, GROUPS.index(group) if group in GROUPS else len(GROUPS), group


def _line(month: date, group: str, whose: Sequence[GroupSum]) -> CostLine:
    calls, billed_s, package_s, micros = (
        sum(column) for column in zip(*(each[3:] for each in whose), strict=True)
    )
    return CostLine(month, group, calls, billed_s, package_s, to_kopecks(micros))


def minute_price(
    steps: Sequence[Sequence[int | None]], *, has_windows: bool, has_overage: bool
) -> int | None:
    """Micros of a minute by a rate, when it has one price for all of them: no steps, no hours of
    their own, no other price behind a package.

    >>> minute_price([[0, 1000, 1, 1]], has_windows=False, has_overage=False)
    60000
    >>> minute_price([[0, 9, 60, 60], [60, 5, 60, 1]], has_windows=False, has_overage=False)
    """
    if len(steps) != 1 or has_windows or has_overage:
        return None
    _from_s, price, per_s, *_increment = steps[0]
    whole, rest = divmod(price * MINUTE_S, per_s)
    return None if rest else whole


def is_free(direction: int, billable_s: int) -> bool:
    """Whether a call costs nothing by nature, so that it is never without a price."""
    return direction == CallDirection.IN or billable_s <= 0


def unpriced_word(
    rating: int | None, direction: int, billable_s: int, words: Mapping[int | None, str]
) -> str | None:
    """Why a call has no price, in `words`; None when it is one that costs nothing by nature."""
    if rating is None and is_free(direction, billable_s):
        return None
    return words.get(rating, words[CallRating.NO_RATE])


def format_cost(micros: int) -> str:
    """Micros as roubles for tables that are read by programs: no spaces between thousands.

    >>> format_cost(125_000), format_cost(1_234_500_000), format_cost(0)
    ('0,125', '1234,50', '0,00')
    """
    roubles, rest = divmod(abs(micros), ROUBLE)
    places = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{'-' * (micros < 0)}{roubles},{places}"
