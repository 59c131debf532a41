"""Packages in the course of a month: whose seconds are left, call by call in their order."""

from dataclasses import dataclass, field
from functools import partial

from domain.rating.calendar import Calendar
from domain.rating.calls import Price, Seconds, Use, price_beyond, price_call
from domain.rating.deck import Deck
from domain.rating.tariff import ON_NET, Package, Version

Key = tuple[str, int | None]  # package, subscriber: None when the client's numbers share it


@dataclass
class Usage:
    """Seconds used of each package, by a month of one client."""

    used: dict[Key, Seconds] = field(default_factory=dict)

    def left(self, package: Package, subscriber_id: int) -> Seconds:
        """What the package still pays for calls of that subscriber."""
        return package.quota_s - self.used.get(_key(package, subscriber_id), 0)

    def take(self, package: Package, subscriber_id: int, seconds: Seconds) -> None:
        """Note that a call has used so much."""
        key = _key(package, subscriber_id)
        self.used[key] = self.used.get(key, 0) + seconds


def _key(package: Package, subscriber_id: int) -> Key:
    return package.code, None if package.is_shared else subscriber_id


class Rater:
    """Prices calls by one version of a tariff."""

    def __init__(self, version: Version, calendar: Calendar | None = None) -> None:
        self.version = version
        self._deck, self._calendar = Deck(version.rates), calendar

    def price(
        self,
        number: str,
        duration_s: Seconds,
        *,
        started_at: int = 0,
        origin: str = "",
        is_on_net: bool = False,
        subscriber_id: int = 0,
        usage: Usage | None = None,
    ) -> Price | None:
        """The price of a call to `number`; with `usage`, after what is left of the packages, which
        then are used. None: there is no rate for it, and it stays without a price.
        """
        find = partial(self._deck.find, at=started_at, origin=origin)
        rate = find(ON_NET) if is_on_net else None
        if rate is None or rate.prefix != ON_NET:
            rate = find(number)
        if rate is None:
            return None
        price = price_call(
            rate,
            duration_s,
            started_at=started_at,
            calendar=self._calendar,
            rounding=self.version.rounding,
        )
        if usage is None or not price.billed_s:
            return price
        return self._by_packages(price, started_at, subscriber_id, usage)

    def _by_packages(
        self, price: Price, started_at: int, subscriber_id: int, usage: Usage
    ) -> Price:
        """Packages pay in the tariff's order; the last one that was asked tells the overage."""
        covering = [p for p in self.version.packages if p.covers(price.rate)]
        uses, unpaid = [], price.billed_s
        for package in covering:
            seconds = min(unpaid, usage.left(package, subscriber_id))
            if seconds > 0:
                uses.append(Use(package, seconds))
                usage.take(package, subscriber_id, seconds)
                unpaid -= seconds
        overage = next((p.overage for p in reversed(covering) if p.overage), ())
        if not uses and not overage:
            return price
        return price_beyond(
            price,
            uses,
            overage,
            started_at=started_at,
            calendar=self._calendar,
            rounding=self.version.rounding,
        )
