"""A month that has not ended: what its calls will come to, and its lines set out by number.

Calls go on as they have until now, working days and days off by themselves; fees are known for the
whole month. The sums by number make those of the client to the kopeck.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from operator import add
from typing import NamedTuple

from domain.billing.forming import DiscountRule, VatOf, taken_off
from domain.billing.invoice import Line, LineKind, VatTotal
from domain.holidays import is_holiday
from domain.money import divide, split
from domain.periods import DateRange

Parts = Sequence[int] | Mapping[int, int]  # of a line: by number; all of them, or some
SATURDAY = 5
MONEY = ("fee", "out", "international", "one_off", "instalment", "net", "vat", "total")
COLUMN_OF = {
    LineKind.FEE: "fee",
    LineKind.CALLS: "out",
    LineKind.LATE_CALLS: "out",
    LineKind.ONE_OFF: "one_off",
    LineKind.INSTALMENT: "instalment",
}


def is_day_off(day: date) -> bool:
    """Weekends and holidays.

    >>> is_day_off(date(2026, 3, 7)), is_day_off(date(2026, 3, 9)), is_day_off(date(2026, 7, 3))
    (True, False, True)
    """
    return day.weekday() >= SATURDAY or is_holiday(day)


class Pace(NamedTuple):
    """Micros a day on days that are known wholly, and how many of them there were."""

    working: Fraction
    off: Fraction
    days: int


def pace_of(
    by_day: Mapping[date, int],
    known: Sequence[date],
    is_off: Callable[[date], bool] = is_day_off,
) -> Pace:
    """The mean of working days and that of days off among the days `known` wholly; where there was
    none of a kind, the mean of all.
    """
    kinds: dict[bool, list[int]] = {False: [], True: []}
    for day in known:
        kinds[is_off(day)].append(by_day.get(day, 0))
    every = kinds[False] + kinds[True]
    if not every:
        return Pace(Fraction(0), Fraction(0), 0)
    means = [
        Fraction(sum(some), len(some)) for some in (kinds[False] or every, kinds[True] or every)
    ]
    return Pace(means[0], means[1], len(every))


def projected(
    by_day: Mapping[date, int],
    period: DateRange,
    until: date,
    is_off: Callable[[date], bool] = is_day_off,
) -> int:
    """What the days of `period` come to when those from `until` on are like those before it. What
    the present day has already is counted when it is more. Without a whole day: what there is.
    """
    known = [day for day in period.days() if day < until]
    pace = pace_of(by_day, known, is_off)
    exact = Fraction(sum(by_day.get(day, 0) for day in known))
    for day in period.days():
        if day >= until:
            mean = pace.off if is_off(day) else pace.working
            exact += max(mean, by_day.get(day, 0))
    return divide(exact.numerator, exact.denominator)


def discount_lines(
    lines: Sequence[Line], rules: Iterable[DiscountRule], vat_of: VatOf
) -> Iterator[Line]:
    """Less of everything but instalments, for each service by itself, as an invoice has it."""
    sums: dict[str, int] = {}
    for line in lines:
        if line.kind is not LineKind.INSTALMENT:
            sums[line.service] = sums.get(line.service, 0) + line.net
    for rule, service, less in taken_off(sums, rules):
        yield Line(
            ordinal=0,
            kind=LineKind.DISCOUNT,
            name=rule.name,
            quantity=1,
            net=-less,
            vat_percent=vat_of(service),
            service=service,
        )


def tabulate(
    lines: Iterable[Line], vat: Iterable[VatTotal], parts: Mapping[int, Parts], count: int
) -> dict[str, array]:
    """Kopecks of the lines by number: columns of `count` numbers, with one entry more for what is
    the client's and no number's. `parts` tell by a line's ordinal whose it is. VAT is parted so
    that each column makes the client's sum.
    """
    columns = {name: zeros(count + 1) for name in MONEY}
    taxed: dict[int, array] = {}  # net by rate, of prices without their VAT
    held: Counter[int] = Counter()  # VAT by rate, of prices with it
    for line in lines:
        own = _spread(line.net, parts.get(line.ordinal, {}), count)
        for name in ("net", COLUMN_OF.get(line.kind), line.code):
            if name in columns:
                columns[name] = _plus(columns[name], own)
        if line.gross:
            at = next((n for n, net in enumerate(own) if net), count)
            columns["vat"][at] += line.gross - line.net
            held[line.vat_percent] += line.gross - line.net
        else:
            known = taxed.get(line.vat_percent)
            taxed[line.vat_percent] = _plus(known, own) if known else own
    for total in vat:
        if total.percent in taxed:
            due = total.vat - held[total.percent]
            shares = split(due, taxed[total.percent])
            shares[-1] += due - sum(shares)  # nothing is taxed, or less than nothing
            columns["vat"] = _plus(columns["vat"], shares)
    columns["total"] = _plus(columns["net"], columns["vat"])
    return columns


def zeros(count: int) -> array:
    """A column of nothing."""
    return array("q", bytes(8 * count))


def _spread(net: int, parts: Parts, count: int) -> array:
    """A line by number; what is no number's stands last."""
    if isinstance(parts, Mapping):
        column = zeros(count + 1)
        for n, part in parts.items():
            column[n] += part
        column[count] += net - sum(parts.values())
        return column
    return array("q", [*parts, net - sum(parts)])


def _plus(one: Iterable[int], other: Iterable[int]) -> array:
    return array("q", map(add, one, other))
