"""Sums of an invoice: discounts parted over lines, VAT once for each rate. Kopecks throughout."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from domain.money import divide, prorated, share, split


class Net(NamedTuple):
    """A line without VAT, and the rate of VAT on it in per cent."""

    amount: int
    vat_percent: Decimal


class VatSum(NamedTuple):
    """The lines of one rate together."""

    percent: Decimal
    net: int
    vat: int


class Totals(NamedTuple):
    """What stands at the end of an invoice."""

    by_rate: tuple[VatSum, ...]  # the highest rate first

    @property
    def net(self) -> int:
        """All lines without VAT."""
        return sum(part.net for part in self.by_rate)

    @property
    def vat(self) -> int:
        """VAT of all rates."""
        return sum(part.vat for part in self.by_rate)

    @property
    def total(self) -> int:
        """To pay."""
        return self.net + self.vat


def total_of(lines: Iterable[Net]) -> Totals:
    """Sum up lines: VAT is counted once for each rate, on the sum, half up.

    >>> total_of([Net(800, Decimal(20)), Net(93, Decimal(20))]).total
    1072
    """
    nets: dict[Decimal, int] = {}
    for line in lines:
        nets[line.vat_percent] = nets.get(line.vat_percent, 0) + line.amount
    return Totals(
        tuple(
            VatSum(percent, net, share(net, percent))
            for percent, net in sorted(nets.items(), reverse=True)
        )
    )


def vat_by_line(lines: Sequence[Net], told: Mapping[Decimal, int] | None = None) -> list[int]:
    """The VAT of each line, so that the lines of a rate make its VAT to the kopeck: what is `told`
    of the rate, or that of the lines' sum.
    """
    vats = [0] * len(lines)
    for part in total_of(lines).by_rate:
        at = [n for n, line in enumerate(lines) if line.vat_percent == part.percent]
        vat_of_rate = part.vat if told is None else told[part.percent]
        parts = split(vat_of_rate, [lines[n].amount for n in at])
        for n, vat in zip(at, parts, strict=True):
            vats[n] = vat
    return vats


def discounted(lines: Sequence[Net], discount: int) -> list[Net]:
    """The lines less a discount on their sum, parted by their amounts."""
    parts = split(discount, [line.amount for line in lines])
    return [
        line._replace(amount=line.amount - part) for line, part in zip(lines, parts, strict=True)
    ]


def missing_to_minimum(minimum: int, used: int, of: int, usage: int) -> int:
    """What is added so that `used` days of a month of `of` days reach their part of a minimum.

    >>> missing_to_minimum(1000, 25, 28, 800), missing_to_minimum(1000, 28, 28, 1800)
    (93, 0)
    """
    return max(0, prorated(minimum, used, of) - usage)


def refunded(net: int, part: Fraction) -> int:
    """So much of a line's net, half up: the net of a credit note's line."""
    exact = net * part
    return divide(exact.numerator, exact.denominator)
