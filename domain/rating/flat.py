"""The fast path for plain tariffs: two increments a rate, half up, nothing by the hour. Millions of
calls are priced here; what it does not know is left to `calls.py`, and both say the same.
"""

from typing import NamedTuple

from domain.money import PLACES, Rounding
from domain.rating.deck import REMEMBERED
from domain.rating.tariff import Rate, Version


class Flat(NamedTuple):
    """A plain rate, ready to be counted with."""

    rate: Rate
    fee: int  # the connect fee and the first increment, in micros times `per_s`
    price: int  # of a second after it, likewise
    per_s: int
    first_s: int
    next_s: int


class FlatPricer:
    """Prices calls by the rates of a version, where they are plain."""

    def __init__(self, version: Version) -> None:
        self._grain = 10 ** (PLACES - version.rounding.places)
        is_plain = not version.packages and version.rounding.mode is Rounding.HALF_UP
        by_prefix: dict[str, Flat | None] = {}
        for rate in version.rates:
            is_only = rate.prefix not in by_prefix
            by_prefix[rate.prefix] = flatten(rate) if is_plain and is_only else None
        self._by_prefix = by_prefix
        self._lengths = sorted(set(map(len, by_prefix)), reverse=True)
        self._remembered: dict[str, Flat | None] = {}

    def price(self, number: str, duration_s: int) -> tuple[Rate, int, int] | None:
        """Rate, micros and seconds paid. None: no rate, or nothing for this path."""
        flat = self._remembered.get(number, self)
        if flat is self:
            flat = self._find(number)
        if flat is None or duration_s <= 0:
            return None
        rate, fee, price, per_s, first_s, next_s = flat
        beyond = duration_s - first_s
        if beyond > 0:
            beyond = -(-beyond // next_s) * next_s
            fee += beyond * price
            first_s += beyond
        unit = per_s * self._grain
        return rate, (2 * fee + unit) // (2 * unit) * self._grain, first_s

    def _find(self, number: str) -> Flat | None:
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        found = None
        for length in self._lengths:
            prefix = number[:length]
            if prefix in self._by_prefix:
                found = self._by_prefix[prefix]
                break
        self._remembered[number] = found
        return found


def flatten(rate: Rate) -> Flat | None:
    """`rate` for the fast path; None when it has more to it."""
    has_more = (
        rate.windows
        or rate.origin
        or rate.free_s
        or rate.grace_s
        or rate.cap is not None
        or rate.valid_from is not None
        or rate.valid_to is not None
    )
    first, *rest = rate.steps
    after = rest[0] if rest else first
    one_increment_first = not rest or (len(rest) == 1 and after.from_s == first.increment_s)
    if has_more or not one_increment_first or first.per_s != after.per_s:
        return None
    if rate.minimum_s > first.increment_s:
        return None  # the shortest call is more than one increment
    fee = rate.connect_fee * first.per_s + first.increment_s * first.price
    return Flat(rate, fee, after.price, first.per_s, first.increment_s, after.increment_s)
