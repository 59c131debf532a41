"""Money in whole numbers: micros of a rouble for prices and calls, kopecks for lines and invoices;
and the one place where anything is rounded.

The law of this house: a call is rounded once, by its tariff version, to micros; a line of an
invoice is the exact sum of its calls, rounded half up to kopecks; VAT is counted once for each
rate, on the sum of that rate's lines. Between those three nothing is rounded.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.errors import InvalidValue

PLACES = 6  # of a rouble, in a micro
ROUBLE = 10**PLACES  # micros
KOPECK = ROUBLE // 100  # micros
_PRICE = re.compile(r"[+-]?(?:[0-9]{1,12}(?:[.,][0-9]{0,24})?|[.,][0-9]{1,24})(?:[eE]-[0-9]{1,2})?")
_SPACES = re.compile("[ \u00a0\u2009\u202f]")
_AMOUNT = re.compile(r"([+\-−]?) ?([0-9]{1,3}(?: [0-9]{3}){1,3}|[0-9]{1,12})(?:[.,]([0-9]{1,2}))?")


class Rounding(StrEnum):
    """What becomes of the part that is cut off. Signs do not matter: -0,5 goes where 0,5 goes."""

    HALF_UP = "half_up"  # from one half on, away from zero: how accountants do it
    HALF_EVEN = "half_even"
    UP = "up"  # away from zero
    DOWN = "down"  # towards zero


def divide(numerator: int, denominator: int, mode: Rounding = Rounding.HALF_UP) -> int:
    """The whole number nearest to a ratio, by `mode`. Every rounding of money ends here.

    >>> [divide(n, 10) for n in (14, 15, -15, -14)], divide(11, 10, Rounding.UP)
    ([1, 2, -2, -1], 2)
    """
    whole, rest = divmod(abs(numerator), abs(denominator))
    twice = 2 * rest - abs(denominator)
    match mode:
        case Rounding.HALF_UP:
            whole += twice >= 0
        case Rounding.HALF_EVEN:
            whole += twice > 0 or (twice == 0 and whole % 2 == 1)
        case Rounding.UP:
            whole += rest > 0
    return whole if (numerator >= 0) == (denominator > 0) else -whole


def rounded(
    micros: Fraction | int, *, places: int = PLACES, mode: Rounding = Rounding.HALF_UP
) -> int:
    """An exact amount rounded to so many `places` of a rouble, in micros.

    >>> rounded(Fraction(2_000_000, 3), places=4, mode=Rounding.UP)
    666700
    """
    grain = 10 ** (PLACES - places)
    exact = Fraction(micros)
    return divide(exact.numerator, exact.denominator * grain, mode) * grain


def to_kopecks(micros: Fraction | int) -> int:
    """An exact amount as a line of an invoice has it: kopecks, half up.

    >>> to_kopecks(145_000), to_kopecks(144_999)
    (15, 14)
    """
    return rounded(micros, places=2) // KOPECK


def read_micros(text: str) -> int:
    """A price as people and rate decks write it, in micros.

    Raises `InvalidValue` for what is no amount, or has more places than a micro.

    >>> read_micros("0,1627"), read_micros(" 12 ")
    (162700, 12000000)
    """
    found = _PRICE.fullmatch(text.strip())
    if found is None:
        raise InvalidValue(f"{text!r} is no amount", what="amount", value=text)
    micros = Decimal(found[0].replace(",", ".")) * ROUBLE
    if micros != micros.to_integral_value():
        raise InvalidValue(f"{text!r} has more than six places", what="amount", value=text)
    return int(micros)


def read_kopecks(text: str) -> int:
    """An amount as people and banks write it, in kopecks: thousands may be parted by spaces.

    Raises `InvalidValue` for what is no amount, or has parts of a kopeck.

    >>> read_kopecks("1 234,56"), read_kopecks("-0.5"), read_kopecks("1234")
    (123456, -50, 123400)
    """
    found = _AMOUNT.fullmatch(_SPACES.sub(" ", text.strip()))
    if found is None:
        raise InvalidValue(f"{text!r} is no amount", what="amount", value=text)
    sign, roubles, places = found.groups()
    kopecks = int(roubles.replace(" ", "")) * 100 + int((places or "").ljust(2, "0"))
    return -kopecks if sign in {"-", "−"} else kopecks


def as_decimal(micros: int) -> Decimal:
    """Micros as roubles, without zeros at the end.

    >>> as_decimal(162_700), as_decimal(12_000_000)
    (Decimal('0.1627'), Decimal('12'))
    """
    plain = Decimal(micros).scaleb(-PLACES).normalize()
    return plain if plain.as_tuple().exponent <= 0 else plain.quantize(Decimal(1))


def split(total: int, weights: Sequence[int]) -> list[int]:
    """`total` parted by `weights` so that the parts make `total` exactly: what rounding leaves
    over goes to the largest remainders, the first of equal ones.

    >>> split(1000, [10000, 5000, 3000, 2000]), split(100, [1, 1, 1]), split(-100, [1, 1, 1])
    ([500, 250, 150, 100], [34, 33, 33], [-34, -33, -33])

    Weights that are less than nothing together part as their opposites do:

    >>> split(-89, [-350, -5])
    [-88, -1]
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    if whole < 0:
        whole, weights = -whole, [-weight for weight in weights]
    sign = -1 if total < 0 else 1
    parts = [divmod(abs(total) * weight, whole) for weight in weights]
    left = abs(total) - sum(part for part, _rest in parts)
    by_rest = sorted(range(len(weights)), key=lambda n: -parts[n][1])
    for n in by_rest[:left]:
        parts[n] = (parts[n][0] + 1, 0)
    return [sign * part for part, _rest in parts]


def share(amount: int, percent: Fraction | Decimal | int) -> int:
    """So many per cent of whole kopecks, half up: VAT, a discount.

    >>> share(893, 20), share(2571, Decimal("23.33"))
    (179, 600)
    """
    exact = Fraction(percent) * amount / 100
    return divide(exact.numerator, exact.denominator)


def prorated(amount: int, used: int, of: int) -> int:
    """What `used` days of a month of `of` days cost, of whole kopecks, half up.

    >>> prorated(5000, 24, 31)
    3871
    """
    return divide(amount * used, of)
