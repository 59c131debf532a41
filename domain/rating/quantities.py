"""The price of a quantity: numbers, channels, messages, minutes of a month, an amount of money.

Prices are exact `Fraction`s of micros; rounding is the caller's, once. Ranges are closed above:
`up_to=10` holds the tenth unit, and the next range begins right after it, wherever that is between
whole units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from domain.errors import InvalidValue

Quantity = int | Fraction


class Range(NamedTuple):
    """Units up to and with `up_to` (None: all the rest), at `per_unit` each and once `flat`.

    For percentages `per_unit` is per cent of an amount in micros.
    """

    up_to: Quantity | None
    per_unit: Quantity
    flat: int = 0


@dataclass(frozen=True, slots=True)
class PerUnit:
    """Each unit at one price."""

    price: int

    def price_of(self, units: Quantity) -> Fraction:
        """Micros."""
        return Fraction(units) * self.price


@dataclass(frozen=True, slots=True)
class PerPack:
    """Whole packs of `size` units: a started one is paid. The first `free` units cost nothing."""

    size: int
    price: int
    free: Quantity = 0

    def price_of(self, units: Quantity) -> Fraction:
        """Micros."""
        paid = max(Fraction(0), Fraction(units) - self.free)
        return Fraction(-(-paid // self.size) * self.price)


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each unit at the price of the range in which it lies. A range costs its flat amount when it
    is entered; the first one always is.
    """

    ranges: tuple[Range, ...]

    def price_of(self, units: Quantity) -> Fraction:
        """Micros."""
        return sum(
            (inside * part.per_unit + part.flat for part, inside in _entered(self.ranges, units)),
            Fraction(0),
        )


@dataclass(frozen=True, slots=True)
class Volume:
    """All units at the price of the range that their number reaches."""

    ranges: tuple[Range, ...]

    def price_of(self, units: Quantity) -> Fraction:
        """Micros."""
        *_, (reached, _inside) = _entered(self.ranges, units)
        return Fraction(units) * reached.per_unit + reached.flat


@dataclass(frozen=True, slots=True)
class Percentage:
    """So many per cent of amounts, and a fixed price of each event; by event not less than
    `least` and not more than `most`.
    """

    percent: Fraction
    fixed: int = 0
    least: int = 0
    most: int | None = None

    def price_of(self, amounts: Sequence[int]) -> Fraction:
        """Micros, for the amounts in micros of single events."""
        return sum((self._of_one(amount) for amount in amounts), Fraction(0))

    def _of_one(self, amount: int) -> Fraction:
        price = max(self.percent * amount / 100 + self.fixed, Fraction(self.least))
        return price if self.most is None else min(price, Fraction(self.most))


@dataclass(frozen=True, slots=True)
class GraduatedPercentage:
    """Each part of an amount at the per cent of the range in which it lies, and the flat amounts
    of the ranges entered. `up_to` is in micros.
    """

    ranges: tuple[Range, ...]

    def price_of(self, amount: int) -> Fraction:
        """Micros, of an amount in micros."""
        return sum(
            (
                inside * part.per_unit / 100 + part.flat
                for part, inside in _entered(self.ranges, amount)
            ),
            Fraction(0),
        )


def _entered(ranges: Sequence[Range], units: Quantity) -> Iterator[tuple[Range, Fraction]]:
    """The ranges that `units` reach, each with how many lie in it; the first one in any case."""
    below = Fraction(0)
    for part in ranges:
        top = Fraction(units) if part.up_to is None else min(Fraction(units), Fraction(part.up_to))
        yield part, max(Fraction(0), top - below)
        if part.up_to is None or units <= part.up_to:
            return
        below = Fraction(part.up_to)
    raise InvalidValue("no range for so many units", what="units", value=str(units))
