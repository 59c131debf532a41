"""Whose number it was when the call was made."""

from collections import defaultdict
from typing import NamedTuple

from domain.cdr.joining import Part
from domain.cdr.record import CallDirection, Leg
from domain.msisdn import is_full
from models import Client, Subscriber


class Owner(NamedTuple):
    """A subscriber's time with a number: `[start, end)` in UTC epoch seconds, None is open."""

    subscriber_id: int
    start: int | None
    end: int | None


class Seen(NamedTuple):
    """A leg as one subscriber saw it."""

    subscriber_id: int
    direction: int
    number: str
    part: Part


class Matcher:
    """Finds the subscribers of a leg.

    Full numbers are looked for among all clients', or among those of `only` when given; short
    ones among those of `extensions_of`: an extension means nothing outside its own exchange.
    """

    def __init__(self, *, only: Client | int | None, extensions_of: Client | int | None) -> None:
        self._owners: defaultdict[str, list[Owner]] = defaultdict(list)
        rows = Subscriber.across_clients(
            Subscriber.id,
            Subscriber.client,
            Subscriber.number,
            Subscriber.valid_from,
            Subscriber.valid_to,
        )
        if only is not None:
            rows = rows.where(Subscriber.client == only)
        extensions_client = getattr(extensions_of, "id", extensions_of)
        for subscriber_id, client_id, number, valid_from, valid_to in rows.tuples().iterator():
            if client_id == extensions_client or is_full(number):
                start = valid_from and int(valid_from.timestamp())
                end = valid_to and int(valid_to.timestamp())
                self._owners[number].append(Owner(subscriber_id, start, end))

    def add(self, number: str, subscriber_id: int) -> None:
        """Take `number` for a subscriber's, from always on."""
        self._owners[number].append(Owner(subscriber_id, None, None))

    def owner(self, number: str, at: int) -> int | None:
        """The subscriber who had `number` at the moment `at`."""
        for subscriber_id, start, end in self._owners.get(number, ()):
            if (start is None or start <= at) and (end is None or at < end):
                return subscriber_id
        return None

    def see(self, leg: Leg) -> list[Seen]:
        """The leg as its caller and its callee saw it, so far as they are ours."""
        caller = self.owner(leg.a_number, leg.started_at)
        callee = self.owner(leg.b_number, leg.started_at)
        on_net = int(caller is not None and callee is not None)
        seen = []
        if caller is not None:
            part = _part(leg, leg.b_number, on_net)
            seen.append(Seen(caller, CallDirection.OUT, leg.a_number, part))
        if callee is not None:
            part = _part(leg, leg.a_number, on_net)
            seen.append(Seen(callee, CallDirection.IN, leg.b_number, part))
        return seen


def _part(leg: Leg, peer: str, on_net: int) -> Part:
    return Part(
        leg.started_at,
        leg.ended_at,
        leg.leg,
        leg.answered_at,
        leg.billable_s,
        leg.disposition,
        peer,
        on_net,
    )
