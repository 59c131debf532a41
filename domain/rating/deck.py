"""Finding the rate of a call: the longest prefix of the called number that holds at the moment,
then the longest prefix of the caller's.
"""

from collections import defaultdict
from collections.abc import Iterable

from domain.rating.tariff import Rate

REMEMBERED = 200_000  # numbers, before everything is forgotten


class Deck:
    """The rates of one version, ready to be searched."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        by_prefix: defaultdict[str, list[Rate]] = defaultdict(list)
        for rate in rates:
            by_prefix[rate.prefix].append(rate)
        for same in by_prefix.values():
            same.sort(key=lambda rate: -len(rate.origin))
        self._by_prefix = dict(by_prefix)
        self._lengths = sorted({len(prefix) for prefix in by_prefix}, reverse=True)
        self._remembered: dict[str, tuple[Rate, ...]] = {}

    def find(self, number: str, *, at: int = 0, origin: str = "") -> Rate | None:
        """The rate of a call to `number` (normal form, digits) at the moment `at`; None: there is
        none, and the call stays without a price.
        """
        for rate in self.candidates(number):
            if rate.is_valid(at) and origin.startswith(rate.origin):
                return rate
        return None

    def candidates(self, number: str) -> tuple[Rate, ...]:
        """Every rate whose prefix the number has, the first that holds decides."""
        found = self._remembered.get(number)
        if found is None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            found = self._remembered[number] = self._search(number)
        return found

    def _search(self, number: str) -> tuple[Rate, ...]:
        fitting = (length for length in self._lengths if length <= len(number))
        return tuple(
            rate for length in fitting for rate in self._by_prefix.get(number[:length], ())
        )
