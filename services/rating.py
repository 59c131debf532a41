"""Prices of the calls in the table: with the import, and again on demand.

Each call is priced by the version in force when it was answered. Where a tariff has packages, the
calls of a client's month are priced together and in their order, for each takes from what the ones
before have left.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from typing import NamedTuple

from domain.cdr.record import CallDirection
from domain.periods import DateRange, month_of, month_start
from domain.rating.calendar import Calendar
from domain.rating.calls import Price
from domain.rating.flat import FlatPricer
from domain.rating.states import CallRating
from domain.rating.tariff import Version
from domain.rating.usage import Rater, Usage
from models import Call, Client, Subscriber, db
from models_billing import Invoice, TariffPackage
from services import bulk, clock, tariffs, waived_calls
from services import usage as sums
from services.plans import Plans
from services.transactions import write_tx
from services.usage import Counted, group_of

BATCH = 2_000  # calls priced in one transaction: orders wait for it
KEY = (Call.subscriber_id, Call.started_at, Call.seq)
PRICE = (Call.rating, Call.price, Call.billed_s, Call.package_s, Call.rate_id)


class Rated(NamedTuple):
    """The price of a call as its row holds it, and its destination group."""

    rating: int
    price: int | None
    billed_s: int | None
    package_s: int | None
    rate_id: int | None
    group: str


class ToRate(NamedTuple):
    """Of a call, what its price depends on."""

    subscriber_id: int
    started_at: int
    direction: int
    on_net: int
    number: str
    peer: str
    answered_at: int | None
    billable_s: int

    @property
    def can_cost(self) -> bool:
        """Whether it is one that has a price: it went out, and somebody answered."""
        is_answered = self.answered_at is not None and self.billable_s > 0
        return self.direction != CallDirection.IN and is_answered


FREE_OUT = Rated(CallRating.FREE, 0, 0, 0, None, sums.UNKNOWN)
FREE_IN = Rated(CallRating.FREE, 0, 0, 0, None, sums.INCOMING)
NO_PLAN = Rated(CallRating.NO_PLAN, None, None, None, None, sums.UNKNOWN)
NO_RATE = Rated(CallRating.NO_RATE, None, None, None, None, sums.UNKNOWN)
WAIVED = Rated(CallRating.WAIVED, 0, 0, 0, None, sums.UNKNOWN)


class CallRater:
    """Prices calls by the plans as they are in the tables when it is made."""

    def __init__(self, client: Client | int | None = None) -> None:
        self.plans = Plans(client)
        self.groups = sums.groups_of_rates()
        self._calendar = Calendar(clock.zone())
        self._loaded: dict[int, tuple[FlatPricer, Rater]] = {}

    def rate(self, call: ToRate, usage: Usage | None = None) -> Rated:
        """The price of a call; with `usage`, after what is left of the packages."""
        if call.direction == CallDirection.IN:
            return FREE_IN
        if call.answered_at is None or call.billable_s <= 0:
            return FREE_OUT
        version_id = self.plans.version_at(call.subscriber_id, call.answered_at)
        if version_id is None:
            return NO_PLAN
        flat, rater = self._pricers(version_id)
        if not call.on_net and (found := flat.price(call.peer, call.billable_s)):
            rate, price, billed_s = found
            return Rated(CallRating.PRICED, price, billed_s, 0, rate.id, rate.group)
        priced = _price(rater, call, usage)
        if priced is None:
            return NO_RATE
        return Rated(
            CallRating.PRICED,
            priced.micros,
            int(priced.billed_s),
            int(priced.package_s),
            priced.rate.id,
            priced.rate.group,
        )

    def price(self, call: ToRate, usage: Usage) -> Price | None:
        """The same with its reasons. None for what costs nothing by nature, or has no price."""
        version_id = call.answered_at and self.plans.version_at(
            call.subscriber_id, call.answered_at
        )
        if call.direction == CallDirection.IN or call.billable_s <= 0 or not version_id:
            return None
        return _price(self._pricers(version_id)[1], call, usage)

    def version(self, version_id: int) -> Version:
        """A version that calls are priced by."""
        return self._pricers(version_id)[1].version

    def flat(self, version_id: int) -> FlatPricer:
        """The fast path of a version."""
        return self._pricers(version_id)[0]

    def has_packages(self, subscriber_id: int, moment: int) -> bool:
        """Whether the call's price depends on the ones before it in its month."""
        version_id = self.plans.version_at(subscriber_id, moment)
        return version_id is not None and bool(self._pricers(version_id)[1].version.packages)

    def clients_with_packages(self) -> list[int]:
        """Clients of whom some number may have a plan with packages, at whatever time."""
        versions = {
            row.version_id for row in TariffPackage.select(TariffPackage.version).distinct()
        }
        plans = self.plans
        return sorted({plans.client_of[s] for s in plans.with_versions(versions)})

    def _pricers(self, version_id: int) -> tuple[FlatPricer, Rater]:
        pair = self._loaded.get(version_id)
        if pair is None:
            version = tariffs.load(version_id)
            pair = self._loaded[version_id] = FlatPricer(version), Rater(version, self._calendar)
        return pair


def _price(rater: Rater, call: ToRate, usage: Usage | None) -> Price | None:
    return rater.price(
        call.peer,
        call.billable_s,
        started_at=call.answered_at or 0,
        origin=call.number,
        is_on_net=bool(call.on_net),
        subscriber_id=call.subscriber_id,
        usage=usage,
    )


# --- Again on demand ------------------------------------------------------------------------------


@dataclass
class Rerun:
    """What pricing again has changed."""

    calls: int = 0
    changed: int = 0
    unrated: int = 0


def rerun(first: date, last: date, *, client: Client | None = None) -> Rerun:
    """Price the calls of whole months again, from that of `first` to that of `last`. Call it
    inside `import_turns.one_at_a_time`; repeated, it changes nothing. Calls that stand on an
    invoice keep their price.
    """
    done = Rerun()
    rater = CallRater(client)
    clients = [client.id] if client else sorted(set(rater.plans.client_of.values()))
    for client_id in clients:
        rerun_client(rater, client_id, first, last, done)
    return done


def rerun_client(
    rater: CallRater, client_id: int, first: date, last: date, done: Rerun | None = None
) -> None:
    """The same for one client, with a rater at hand."""
    month = month_start(first)
    while month <= last:
        _rerun_month(rater, client_id, month, done or Rerun())
        month = month_start(month, -1)


def _rerun_month(rater: CallRater, client_id: int, month: date, done: Rerun) -> None:
    """A client's month: its calls in the order in which they began. One that stands on an invoice
    uses the packages, and keeps its price.
    """
    usage, days = Usage(), sums.Days()
    is_frozen, waived = frozen(client_id, month), waived_calls.of_client(client_id)
    for batch in _batches(_in_order(client_id, month)):
        change = sums.Change(rater.plans.client_of, days)
        rows = []
        for key, call, before, run_id in batch:
            is_waived = waived and (key[0], key[2]) in waived and call.can_cost
            after = WAIVED if is_waived else rater.rate(call, usage)
            done.calls += 1
            done.unrated += before[1] is None if is_frozen(run_id) else after.price is None
            if after[:5] != before and not is_frozen(run_id):
                known = Rated(*before, group_of(call.direction, rater.groups.get(before[4])))
                change.add(counted(call, known), -1)
                change.add(counted(call, after))
                rows.append((*after[:5], *key))
        done.changed += len(rows)
        if rows:
            with write_tx():
                write_prices(rows)
                change.save()


def frozen(client_id: int, month: date) -> Callable[[int], bool]:
    """Whether calls of that month, stored by an import, stand on an invoice: on the month's own, or
    as late ones on a later.
    """
    months = Invoice.of(client_id).where(Invoice.ordinal == 0).order_by(Invoice.period)
    first, last = months.first(), months.order_by(Invoice.period.desc()).first()
    if first is None or not first.period <= month <= last.period:
        return lambda _run_id: False
    open_runs = frozenset(last.open_runs)
    return lambda run_id: run_id <= last.until_run and run_id not in open_runs


def taking_part(client: Client, call: Call, rater: CallRater) -> Iterator[tuple[tuple, ToRate]]:
    """Key and call of what the price of `call` depends on, itself the last of them: with packages
    the calls of its month before it that have used any, in their order.
    """
    own = (call.subscriber_id, call.started_at, call.seq)
    if rater.has_packages(call.subscriber_id, call.answered_at or call.started_at):
        month = month_of(clock.local(clock.from_epoch(call.started_at)).date())
        start, _end = month.bounds(clock.zone())
        query = Call.select(*KEY, *map(partial(getattr, Call), ToRate._fields)).where(
            Call.subscriber_id.in_(Subscriber.of(client, Subscriber.id)),
            Call.started_at >= clock.epoch(start),
            Call.started_at <= call.started_at,
            Call.package_s > 0,
        )
        for row in db.execute(query.order_by(Call.started_at, Call.seq)).fetchall():
            if (row[1], row[2]) < own[1:]:
                yield row[:3], ToRate(*row[3:])
    yield own, ToRate(*(getattr(call, name) for name in ToRate._fields))


def _batches(calls: Iterator[tuple]) -> Iterator[list[tuple]]:
    while batch := list(islice(calls, BATCH)):
        yield batch


def _in_order(client_id: int, month: date) -> Iterator[tuple[tuple, ToRate, tuple, int]]:
    """Key, call, present price and import of each call of a client's month, in the order of their
    starts. Read day by day: nothing is open while prices are written.
    """
    own = Subscriber.of(client_id, Subscriber.id)
    for day in month_of(month).days():
        start, end = (clock.epoch(m) for m in DateRange(day, day).bounds(clock.zone()))
        query = (
            Call.select(*KEY, *map(partial(getattr, Call), ToRate._fields), *PRICE, Call.import_run)
            .where(Call.subscriber_id.in_(own), Call.started_at >= start, Call.started_at < end)
            .order_by(Call.started_at, Call.seq)
        )
        for row in db.execute(query).fetchall():
            yield row[:3], ToRate(*row[3:-6]), row[-6:-1], row[-1]


def write_prices(rows: list[tuple]) -> None:
    bulk.run_many(
        db.obj,
        f"UPDATE {bulk.table_of(Call)} SET rating = ?, price = ?, billed_s = ?, package_s = ?,"  # noqa: S608 - names of our own
        " rate_id = ? WHERE subscriber_id = ? AND started_at = ? AND seq = ?",
        rows,
    )


def counted(call: ToRate, rated: Rated) -> Counted:
    """A call as the sums of months and days see it."""
    return Counted(
        call.subscriber_id,
        call.started_at,
        call.direction,
        call.billable_s,
        rated.rating,
        rated.price,
        rated.billed_s,
        rated.package_s,
        rated.group,
    )
