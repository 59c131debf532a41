"""Whose calls are priced by what: the plan that a subscriber had at a moment, and its version."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, time

from domain.rating.states import VersionState
from models import Client, Subscriber
from models_billing import PlanAssignment, TariffPlan, TariffVersion
from services import clock

EVER = 1 << 62  # a moment after all others
Since = tuple[int, int]  # from that moment on (epoch seconds), this id


class Plans:
    """The plans of all subscribers, of one client's, or of some of its `numbers`, as they are in
    the tables now.

    A subscriber's own choice goes before its client's, and that before the plan it names.
    """

    def __init__(
        self, client: Client | int | None = None, numbers: Collection[int] | None = None
    ) -> None:
        names = {plan.name: plan.id for plan in TariffPlan.select()}
        subscribers = Subscriber.across_clients(Subscriber.id, Subscriber.client, Subscriber.plan)
        chosen = PlanAssignment.across_clients()
        if client is not None:
            subscribers = subscribers.where(Subscriber.client == client)
            chosen = chosen.where(PlanAssignment.client == client)
        if numbers is not None:
            subscribers = subscribers.where(Subscriber.id.in_(list(numbers)))
        own, common = _by_owner(chosen)
        self.client_of: dict[int, int] = {}
        self._plans: dict[int, list[Since]] = {}
        for subscriber_id, client_id, plan_name in subscribers.tuples().iterator():
            self.client_of[subscriber_id] = client_id
            named = [(0, names[plan_name])] if plan_name in names else []
            self._plans[subscriber_id] = _layered(
                named, common.get(client_id, []), own.get(subscriber_id, [])
            )
        self._versions = _versions()

    def version_at(self, subscriber_id: int, moment: int) -> int | None:
        """The version that prices the subscriber's calls at `moment`; None: there is no plan, or
        none is published for then.
        """
        plan = _last(self._plans.get(subscriber_id, ()), moment)
        return None if plan is None else _last(self._versions.get(plan, ()), moment)

    def within(self, subscriber_id: int, start: int, end: int) -> list[tuple[int, int | None]]:
        """(from that moment, version) of a subscriber in `[start, end)`, the first from `start`."""
        layers = self._plans.get(subscriber_id, [])
        moments = {start, *(moment for moment, _plan in layers)}
        for _moment, plan in layers:
            moments |= {moment for moment, _version in self._versions.get(plan, ())}
        found: list[tuple[int, int | None]] = []
        for moment in sorted(moment for moment in moments if start <= moment < end):
            version = self.version_at(subscriber_id, moment)
            if not found or found[-1][1] != version:
                found.append((moment, version))
        return found

    def span_at(self, subscriber_id: int, moment: int) -> tuple[int, int, int | None]:
        """From when, until when (moments) and which version holds around `moment`."""
        layers = self._plans.get(subscriber_id, [])
        edges = {start for start, _plan in layers}
        edges |= {start for _s, plan in layers for start, _v in self._versions.get(plan, ())}
        begin = max((edge for edge in edges if edge <= moment), default=-EVER)
        end = min((edge for edge in edges if edge > moment), default=EVER)
        return begin, end, self.version_at(subscriber_id, moment)

    def with_versions(self, versions: Collection[int]) -> Iterator[int]:
        """Subscribers who have, or had, or will have a plan of which one of these is a version."""
        plans = {
            plan for plan, since in self._versions.items() if {v for _m, v in since} & set(versions)
        }
        for subscriber_id, layers in self._plans.items():
            if any(plan in plans for _moment, plan in layers):
                yield subscriber_id

    def plan_at(self, subscriber_id: int, moment: int) -> int | None:
        """The plan at `moment`, whether a version of it holds or not."""
        return _last(self._plans.get(subscriber_id, ()), moment)


def _last(since: Iterable[Since], moment: int) -> int | None:
    """What holds at `moment`."""
    found = None
    for start, what in since:
        if start > moment:
            break
        found = what
    return found


def _layered(named: list[Since], common: list[Since], own: list[Since]) -> list[Since]:
    """What holds when: own choices; before the first the client's; before those the name."""
    layers = named
    for layer in (common, own):
        if layer:
            end = bisect_right(layers, (layer[0][0], -1))
            layers = layers[:end] + layer
    return layers


def _by_owner(
    chosen: Iterable[PlanAssignment],
) -> tuple[dict[int, list[Since]], dict[int, list[Since]]]:
    own: defaultdict[int, list[Since]] = defaultdict(list)
    common: defaultdict[int, list[Since]] = defaultdict(list)
    for row in chosen.order_by(PlanAssignment.valid_from):
        since = (_begin(row.valid_from), row.plan_id)
        if row.subscriber_id is None:
            common[row.client_id].append(since)
        else:
            own[row.subscriber_id].append(since)
    return own, common


def _versions() -> dict[int, list[Since]]:
    found: defaultdict[int, list[Since]] = defaultdict(list)
    published = TariffVersion.select().where(TariffVersion.state == VersionState.PUBLISHED)
    for row in published.order_by(TariffVersion.valid_from):
        found[row.plan_id].append((_begin(row.valid_from), row.id))
    return found


def _begin(day: date) -> int:
    return clock.epoch(datetime.combine(day, time(), clock.zone()))
