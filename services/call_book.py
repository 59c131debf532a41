"""What storing calls brings along: their prices, and the sums of months and days. Whoever writes
calls does it through `call_store`, and that through a book, so that the three never part.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from domain.cdr.record import CallDirection
from domain.rating.flat import FlatPricer
from domain.rating.states import UNRATED, CallRating
from services import rating, usage
from services.rating import WAIVED, CallRater, ToRate
from services.usage import Counted, group_of
from services.waived_calls import Waived

PRICE_COLUMNS = ("rating", "price", "billed_s", "package_s", "rate_id")
LATER = (None,) * 5  # by `catch_up`
IN, PRICED = int(CallDirection.IN), int(CallRating.PRICED)
FREE = (int(CallRating.FREE), 0, 0, 0, None)


class Stored(NamedTuple):
    """A call as it stands in the table: its key, and what counts of it."""

    subscriber_id: int
    started_at: int
    seq: int
    direction: int
    billable_s: int
    rating: int | None
    price: int | None
    billed_s: int | None
    package_s: int | None
    rate_id: int | None

    @property
    def primary_key(self) -> tuple[int, int, int]:
        """The key of its row."""
        return self[:3]


class _Held(NamedTuple):
    """What prices a subscriber's calls in `[start, end)`."""

    start: int
    end: int
    flat: FlatPricer | None
    has_packages: bool


class CallBook:
    """Prices and sums for one run of changes, by the tariffs as they are when it is opened. Use it
    inside `import_turns.one_at_a_time`.
    """

    def __init__(self) -> None:
        self._rater = CallRater()
        self._days = usage.Days()
        self._change = usage.Change(self._rater.plans.client_of, self._days)
        self._held: dict[int, _Held] = {}
        self._waived = Waived()
        self._with_waivers = self._waived.subscribers
        self._to_catch_up: set[tuple[int, int]] = set()  # client, month

    def come(self, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Rows of `call_store.COLUMNS` with PRICE_COLUMNS after them; they are counted."""
        priced, note = [], self._change.note
        for row in rows:
            subscriber_id, started_at, _seq, direction = row[:4]
            billable_s = row[9]
            if direction == IN:
                tail, group, sums = FREE, usage.INCOMING, (1, billable_s, 0, 0, 0, 0)
            elif not billable_s or row[7] is None:
                tail, group, sums = FREE, usage.UNKNOWN, (1, billable_s, 0, 0, 0, 0)
            else:
                tail, group = self._talk(row)
                rating_, price, billed_s, package_s, _rate = tail
                is_unrated = int(rating_ in UNRATED)
                sums = (1, billable_s, billed_s or 0, package_s or 0, price or 0, is_unrated)
            note(subscriber_id, started_at, group, sums)
            priced.append(row + tail)
        return priced

    def _talk(self, row: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Price and group of an answered outgoing call. What hangs on the calls before it is
        priced when all are there.
        """
        subscriber_id, started_at, seq, direction, on_net, number, peer, answered_at = row[:8]
        if subscriber_id in self._with_waivers and self._waived.holds(subscriber_id, seq):
            return WAIVED[:5], usage.UNKNOWN
        held = self._held.get(subscriber_id)
        if held is None or not held.start <= answered_at < held.end:
            held = self._hold(subscriber_id, answered_at)
        if held.has_packages:
            client = self._rater.plans.client_of[subscriber_id]
            self._to_catch_up.add((client, self._days.of(started_at)[1]))
            return LATER, usage.UNKNOWN
        if held.flat is not None and not on_net and (found := held.flat.price(peer, row[9])):
            rate, price, billed_s = found
            return (PRICED, price, billed_s, 0, rate.id), rate.group
        rated = self._rater.rate(
            ToRate(subscriber_id, started_at, direction, on_net, number, peer, answered_at, row[9])
        )
        return rated[:5], rated.group

    def _hold(self, subscriber_id: int, moment: int) -> _Held:
        """What prices the subscriber's calls around that moment."""
        start, end, version = self._rater.plans.span_at(subscriber_id, moment)
        flat = None if version is None else self._rater.flat(version)
        has_packages = self._rater.has_packages(subscriber_id, moment)
        held = self._held[subscriber_id] = _Held(start, end, flat, has_packages)
        return held

    def go(self, calls: Iterable[Stored]) -> None:
        """These calls, read in this transaction, are about to be taken out: they are counted no
        more.
        """
        for stored in calls:
            subscriber_id, started_at, _seq, direction, *counts, rate_id = stored
            group = group_of(direction, self._rater.groups.get(rate_id))
            call = Counted(subscriber_id, started_at, direction, *counts, group)
            self._change.add(call, -1)
            if call.package_s is None or call.package_s or call.rating is None:
                self._note(call)

    def _note(self, call: Counted) -> None:
        """What a call leaves of a package is there for those after it."""
        client = self._rater.plans.client_of.get(call.subscriber_id)
        if client is not None and self._rater.has_packages(call.subscriber_id, call.started_at):
            self._to_catch_up.add((client, self._days.of(call.started_at)[1]))

    def save(self) -> None:
        """Bring the sums up to date, in the transaction that changes the calls."""
        self._change.save()

    def catch_up(self, first: date | None = None, last: date | None = None) -> None:
        """Price what hangs on packages, outside of a transaction: in the months that have changed,
        and from `first` to `last` where an earlier attempt may have stopped before it came to that.
        """
        for client_id, month in sorted(self._to_catch_up):
            day = date(month // 12, month % 12 + 1, 1)
            rating.rerun_client(self._rater, client_id, day, day)
        self._to_catch_up.clear()
        if first and last:
            for client_id in self._rater.clients_with_packages():
                rating.rerun_client(self._rater, client_id, first, last)
