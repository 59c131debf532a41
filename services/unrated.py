"""Answered outgoing calls without a price, as the operator looks at them: grouped by what a person
can decide on at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from peewee import SQL, Case, Expression, ModelSelect, fn

from domain.periods import month_of
from domain.rating.destinations import ANY, HEAD, SHORT, group_of_head
from models import Call, Client, Subscriber
from models_billing import UsageMonth
from services import months, usage

NOT_LOOKED_AT = 0  # stands for a call's empty `rating`


@dataclass(frozen=True, kw_only=True)
class Group:
    """Calls of one client and month that lack a price for one reason, to one destination."""

    client: Client
    month: date
    rating: int  # domain.rating.states.CallRating, or NOT_LOOKED_AT
    destination: str  # domain.rating.destinations
    calls: int = 0
    seconds: int = 0


def groups(*, client: Client | None = None, month: date | None = None) -> list[Group]:
    """All there are, the latest month first, in it the largest first."""
    wanted = [month] if month else list(_months())
    found = [group for each in wanted for group in _of_month(each, client)]
    return sorted(
        found,
        key=lambda g: (-g.month.toordinal(), -g.calls, g.client.account_no, g.destination),
    )


def _months() -> Iterator[date]:
    """Months in which some number has talked without a price. (Or without paying, as waived.)"""
    query = UsageMonth.select(UsageMonth.month).where(_without_price()).distinct()
    for (number,) in query.tuples():
        yield date(number // 12, number % 12 + 1, 1)


def _without_price() -> Expression:
    every = UsageMonth.subscriber_id.in_(Subscriber.across_clients(Subscriber.id))
    return every & (UsageMonth.destination_group == usage.UNKNOWN) & (UsageMonth.seconds > 0)


def _numbers(month: date, own: ModelSelect) -> ModelSelect:
    """Of `own` numbers those that have such calls, by the sums of the month."""
    return UsageMonth.select(UsageMonth.subscriber_id).where(
        _without_price(),
        UsageMonth.month == usage.month_number(month),
        UsageMonth.subscriber_id.in_(own.select(Subscriber.id)),
    )


def _of_month(month: date, client: Client | None) -> Iterator[Group]:
    """Few numbers have such calls: they are looked up in the sums, and only their calls read."""
    numbers = _numbers(month, Subscriber.across_clients())
    is_long = fn.LENGTH(Call.peer) > SHORT
    head = Case(None, [(is_long, fn.SUBSTR(Call.peer, 1, HEAD))], Call.peer)
    long = Case(None, [(is_long, 1)], 0)
    columns = (Subscriber.client, Call.rating, head, long)
    query = (
        Call.select(*columns, fn.COUNT(Call.seq), fn.SUM(Call.billable_s))
        .join(Subscriber, on=(Call.subscriber_id == Subscriber.id))
        .where(Call.subscriber_id.in_(numbers), months.within(month_of(month)), months.unrated())
        .group_by(
            *(SQL(str(n + 1)) for n in range(len(columns)))
        )  # what they are made of has values
    )
    if client is not None:
        query = query.where(Subscriber.client == client)
    sums: dict[tuple, list[int]] = {}
    for client_id, rating, start, is_long_one, calls, seconds in query.tuples():
        destination = group_of_head(start) if is_long_one else start
        row = sums.setdefault((client_id, rating or NOT_LOOKED_AT, destination), [0, 0])
        row[0] += calls
        row[1] += int(seconds)
    clients = {row.id: row for row in Client.select().where(Client.id.in_({k[0] for k in sums}))}
    for (client_id, rating, destination), (calls, seconds) in sums.items():
        yield Group(
            client=clients[client_id],
            month=month,
            rating=rating,
            destination=destination,
            calls=calls,
            seconds=seconds,
        )


def calls_of(group: Group) -> Expression:
    """Condition: a call of the group, by whatever it is named."""
    peer, head = Call.peer, group.destination.removesuffix(ANY)
    is_long = group.destination.endswith(ANY)
    leads = peer.startswith(head) & (fn.LENGTH(peer) > SHORT) if is_long else peer == head
    why = Call.rating == group.rating if group.rating else Call.rating.is_null()
    condition = Call.subscriber_id.in_(_numbers(group.month, Subscriber.of(group.client)))
    for part in (months.within(month_of(group.month)), months.unrated(), leads, why):
        condition &= part
    return condition


def page_of(group: Group, page: int, size: int) -> tuple[list[Call], int]:
    """Some calls of the group, the latest first, and how many there are in all."""
    query = Call.select().where(calls_of(group))
    ordered = query.order_by(Call.started_at.desc(), Call.seq.desc())
    return list(ordered.paginate(page, size)), query.count()
