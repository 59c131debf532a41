"""The client's subscribers by the page: for «Выбор SIP-абонента», and for the operator."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from peewee import ModelSelect, fn

from domain.subscribers import CONNECTION_PLAN, SubscriberStatus
from models import Call, Client, Subscriber
from services.charges import Page, page_within
from services.selection import text_condition
from services.subscriber_choice import holds

SORTS = {
    "number": Subscriber.number,
    "name": Subscriber.name_folded,
    "plan": Subscriber.plan,
    "status": Subscriber.status,
    "reason": Subscriber.status_reason,
}


@dataclass(frozen=True)
class Filters:
    """What the list shows. `connection` is the id of a connection whose numbers are asked for."""

    text: str = ""
    status: str = ""
    connections_only: bool = False
    connection: int | None = None


class Row(NamedTuple):
    """A line of the list."""

    subscriber: Subscriber
    connection: Subscriber | None
    numbers: int  # that belong to this connection
    last_call_at: int | None  # UTC epoch seconds


def find_page(
    client: Client,
    filters: Filters,
    *,
    sort: str,
    descending: bool,
    number: int,
    size: int,
    now: datetime,
) -> Page[Row]:
    """The page `number` of what the filters let through; the last when there are not so many."""
    query = _narrow(Subscriber.of(client).where(holds(now)), filters)
    found = query.count()
    number, pages = page_within(number, found, size)
    column = SORTS[sort]
    first = column.desc() if descending else column.asc()
    rows = list(query.order_by(first, Subscriber.number, Subscriber.id).paginate(number, size))
    return Page(_lines(client, rows, now), number, pages, size, found)


def find_page_ever(client: Client, filters: Filters, *, number: int, size: int) -> Page[Row]:
    """The same by number, of all that the client has, had or is going to have."""
    query = _narrow(Subscriber.of(client), filters)
    found = query.count()
    number, pages = page_within(number, found, size)
    rows = list(query.order_by(Subscriber.number, Subscriber.id).paginate(number, size))
    return Page(_lines(client, rows, None), number, pages, size, found)


def count(client: Client, now: datetime) -> int:
    """How many subscribers the client has."""
    return Subscriber.of(client).where(holds(now)).count()


def find(client: Client, subscriber_id: int) -> Subscriber | None:
    """One of the client's own."""
    return Subscriber.of(client).where(Subscriber.id == subscriber_id).first()


def _narrow(query: ModelSelect, filters: Filters) -> ModelSelect:
    if text := filters.text.strip():
        query = query.where(text_condition(text))
    if filters.status in set(SubscriberStatus):
        query = query.where(Subscriber.status == filters.status)
    if filters.connections_only:
        query = query.where(Subscriber.plan == CONNECTION_PLAN)
    if filters.connection is not None:
        query = query.where(Subscriber.connection == filters.connection)
    return query


def _lines(client: Client, rows: list[Subscriber], now: datetime | None) -> list[Row]:
    """With numbers of connections as they are `now`, or (None) as they ever were."""
    owners = {row.connection_id for row in rows if row.connection_id is not None}
    known = {row.id: row for row in Subscriber.of(client).where(Subscriber.id.in_(owners))}
    ids = [row.id for row in rows]
    counted = Subscriber.of(client, Subscriber.connection, fn.COUNT(Subscriber.id)).where(
        Subscriber.connection.in_(ids)
    )
    if now is not None:
        counted = counted.where(holds(now))
    numbers = dict(counted.group_by(Subscriber.connection).tuples())
    last = last_calls(client, ids)
    return [
        Row(row, known.get(row.connection_id), numbers.get(row.id, 0), last.get(row.id))
        for row in rows
    ]


def last_calls(client: Client, ids: list[int]) -> dict[int, int | None]:
    """When each of the client's own numbers called or was called last: one look into an index
    each, however many calls there are.
    """
    newest = (
        Call.select(Call.started_at)
        .where(Call.subscriber_id.in_([Subscriber.id]))  # as `==` it would name the other side
        .order_by(Call.started_at.desc())
        .limit(1)
    )
    query = Subscriber.of(client, Subscriber.id, newest).where(Subscriber.id.in_(ids))
    return dict(query.tuples())
