"""Whose calls are ordered: the list of a client's numbers, the ticks of a draft, the typed list.

Ticks are rows (draft, subscriber); the typed list is text in the draft. The order is their union.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from peewee import SQL, Expression, ModelSelect, fn

from domain import msisdn
from domain.msisdn import Entry, Verdict
from domain.subscribers import CONNECTION_PLAN, SubscriberStatus, fold
from models import Client, DraftSubscriber, OrderDraft, Subscriber, db
from services.questions import made_once
from services.subscriber_choice import within
from services.transactions import lock_client, write_tx

PAGE_SIZES = (20, 50, 100, 200)
BY_NUMBER = (Subscriber.number, Subscriber.id)
CHUNK = 900  # values in one IN (…): SQLite of older systems takes 999


@dataclass(frozen=True)
class Filters:
    """What the list shows. `text` searches numbers by digits and names by words."""

    text: str = ""
    status: str = ""  # a SubscriberStatus, or all
    connections_only: bool = False
    selected_only: bool = False
    chosen: Subscriber | None = None  # the one the user looks at, with the numbers of it


@dataclass(frozen=True)
class Page:
    """One page of the list. `found` counts what the filters let through, `in_all` everything."""

    subscribers: list[Subscriber]
    ticked: frozenset[int]
    number: int
    pages: int
    size: int
    found: int
    in_all: int
    selected: int

    @property
    def first_row(self) -> int:
        """1 for the first page; 0 when there is nothing."""
        return (self.number - 1) * self.size + 1 if self.found else 0

    @property
    def last_row(self) -> int:
        """Ordinal of the last row shown."""
        return min(self.number * self.size, self.found)


@dataclass(frozen=True)
class PageTicks:
    """A posted page of the list: subscribers shown, and those of them that are ticked."""

    shown: frozenset[int] = frozenset()
    ticked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ListReport:
    """What became of a typed list: each entry with its verdict, and the subscribers meant."""

    entries: list[Entry]
    subscriber_ids: list[int]

    def count(self, verdict: Verdict) -> int:
        """How many entries got `verdict`."""
        return sum(entry.verdict == verdict for entry in self.entries)

    @property
    def bad(self) -> list[Entry]:
        """Entries that cannot be ordered, as typed; a repeat is not among them."""
        return [e for e in self.entries if e.verdict in (Verdict.MALFORMED, Verdict.FOREIGN)]


def eligible(client: Client, start: datetime, end: datetime, *fields: object) -> ModelSelect:
    """Numbers that were the client's at some moment of `[start, end)`."""
    began = Subscriber.valid_from.is_null() | (Subscriber.valid_from < end)
    lasts = Subscriber.valid_to.is_null() | (Subscriber.valid_to > start)
    return Subscriber.of(client, *fields).where(began, lasts)


class Eligible:
    """`eligible` without filters, asked for in a shorter way. Who is left out is mostly nobody, and
    found at once: to count all and take those away is half the work of looking at the days of each,
    and where nobody is, no days need be looked at on the way to a page either.
    """

    def __init__(self, client: Client, start: datetime, end: datetime) -> None:
        self._asked = client, start, end
        every, *left_out = _counts.first(client.id, start, end)
        self._left_out = sum(left_out)
        self.count = every - self._left_out

    def rows(self, number: int, size: int) -> list[Subscriber]:
        """A page of them by number."""
        if self._left_out:
            return list(eligible(*self._asked).order_by(*BY_NUMBER).paginate(number, size))
        return _rows_of_client(self._asked[0], size, (number - 1) * size)


@made_once
def _rows_of_client(client: Client, size: int, start: int) -> ModelSelect:
    return Subscriber.of(client).order_by(*BY_NUMBER).limit(size).offset(start)


@made_once
def _counts(client_id: int, start: datetime, end: datetime) -> ModelSelect:
    """All numbers of a client; those gone before, to come for good, and to come and go."""
    every = Subscriber.of(client_id, fn.COUNT(SQL("*")))  # of a column takes half as long again
    is_to_come = Subscriber.valid_from >= end
    gone = every.where(Subscriber.valid_to <= start)
    for_good = every.where(Subscriber.valid_to.is_null(), is_to_come)
    for_a_time = every.where(Subscriber.valid_to > start, is_to_come)
    counts = Client.select(every, gone, for_good, for_a_time)
    return counts.where(Client.id == client_id).tuples()


def find_page(
    draft: OrderDraft,
    everything: ModelSelect,
    filters: Filters,
    number: int,
    size: int,
    *,
    short: Eligible | None = None,
) -> Page:
    """The page `number` of what `filters` let through; the last one when there are not so many.
    `short` is `everything` in a shorter way.
    """
    filtered = narrow(everything, draft, filters)
    in_all = short.count if short else everything.count()
    found = in_all if filters == Filters() else filtered.count()
    pages = max(1, -(-found // size))
    number = min(max(1, number), pages)
    if short and filters == Filters():
        rows = short.rows(number, size)
    else:
        rows = list(filtered.order_by(*BY_NUMBER).paginate(number, size))
    selected = count(draft)
    return Page(
        subscribers=rows,
        ticked=frozenset(_ticked(draft, [row.id for row in rows]) if selected else ()),
        number=number,
        pages=pages,
        size=size,
        found=found,
        in_all=in_all,
        selected=selected,
    )


def narrow(everything: ModelSelect, draft: OrderDraft, filters: Filters) -> ModelSelect:
    """`everything` through the filters."""
    query = everything
    if text := filters.text.strip():
        query = query.where(text_condition(text))
    if filters.status in set(SubscriberStatus):
        query = query.where(Subscriber.status == filters.status)
    if filters.connections_only:
        query = query.where(Subscriber.plan == CONNECTION_PLAN)
    if filters.chosen is not None:
        query = query.where(within(filters.chosen))
    if filters.selected_only:
        query = query.where(Subscriber.id.in_(_ticks(draft)))
    return query


def text_condition(text: str) -> Expression:
    """Condition on `Subscriber`: its number has these digits, or its name these words."""
    by_name = Subscriber.name_folded.contains(fold(text))
    digits = "".join(c for c in text if c.isdigit())
    if not digits or any(c.isalpha() for c in text):
        return by_name | (Subscriber.number == text)
    variants = {digits, msisdn.normalise(text)}
    condition = by_name
    for variant in variants:
        condition |= Subscriber.number.contains(variant)
    return condition


def _ticks(draft: OrderDraft) -> ModelSelect:
    return DraftSubscriber.select(DraftSubscriber.subscriber).where(DraftSubscriber.draft == draft)


def _ticked(draft: OrderDraft, ids: Collection[int]) -> Iterator[int]:
    rows = DraftSubscriber.select().where(
        DraftSubscriber.draft == draft, DraftSubscriber.subscriber.in_(ids)
    )
    return (row.subscriber_id for row in rows)


def is_ticked(draft: OrderDraft, subscriber: Subscriber) -> bool:
    """Whether this one is ticked."""
    return subscriber.id in set(_ticked(draft, [subscriber.id]))


def count(draft: OrderDraft) -> int:
    """How many subscribers are ticked."""
    return _count_of.first(draft)[0]


@made_once
def _count_of(draft: OrderDraft) -> ModelSelect:
    count = fn.COUNT(DraftSubscriber.subscriber)
    return DraftSubscriber.select(count).where(DraftSubscriber.draft == draft).tuples()


def count_union(draft: OrderDraft, ids: Collection[int]) -> int:
    """How many subscribers are ticked or among `ids`."""
    return count(draft) + len(set(ids)) - sum(len(set(_ticked(draft, c))) for c in _chunks(ids))


def union(
    draft: OrderDraft, everything: ModelSelect, ids: Collection[int]
) -> Iterator[ModelSelect]:
    """The ticked ones and those of `ids`, each once: one query, and one per part of a long list."""
    ticks = _ticks(draft)
    yield everything.where(Subscriber.id.in_(ticks))
    for chunk in _chunks(set(ids)):
        yield everything.where(Subscriber.id.in_(chunk), Subscriber.id.not_in(ticks))


def tick(draft: OrderDraft, everything: ModelSelect, ids: Iterable[int]) -> None:
    """Tick those of `ids` that are among `everything`; the rest are silently nobody's."""
    for chunk in _chunks(ids):
        tick_found(draft, everything.where(Subscriber.id.in_(chunk)))


def tick_found(draft: OrderDraft, found: ModelSelect) -> None:
    """Tick all rows of a query: one INSERT … SELECT."""
    rows = found.select(SQL(str(int(draft.id))), Subscriber.id)
    with write_tx():
        DraftSubscriber.insert_from(
            rows, [DraftSubscriber.draft, DraftSubscriber.subscriber]
        ).on_conflict_ignore().execute()


def untick(draft: OrderDraft, ids: Iterable[int]) -> None:
    """Take the ticks of `ids` away."""
    with write_tx():
        for chunk in _chunks(ids):
            DraftSubscriber.delete().where(
                DraftSubscriber.draft == draft, DraftSubscriber.subscriber.in_(chunk)
            ).execute()


def clear(draft: OrderDraft) -> None:
    """Take all ticks away."""
    with write_tx():
        DraftSubscriber.delete().where(DraftSubscriber.draft == draft).execute()


def save_page(draft: OrderDraft, everything: ModelSelect, page: PageTicks) -> None:
    """Make the ticks of the rows shown what the form says; others keep theirs."""
    with write_tx():
        lock_client(draft.client)  # an order being placed copies the ticks of one tab
        untick(draft, page.shown - page.ticked)
        tick(draft, everything, page.shown & page.ticked)


def check_list(everything: ModelSelect, text: str) -> ListReport:
    """Read a typed list and find its numbers among `everything`.

    What is the client's own may be ordered, however odd its number looks. A number of another
    client and one of nobody get the same verdict.
    """
    entries = msisdn.read_list(text)
    wanted = {entry.number for entry in entries}
    own: dict[str, int] = {}
    for chunk in _chunks(wanted):
        rows = everything.select(Subscriber.id, Subscriber.number)
        own.update(
            (number, key) for key, number in db.execute(rows.where(Subscriber.number.in_(chunk)))
        )
    seen: set[str] = set()
    checked = [_judge(entry, own, seen) for entry in entries]
    return ListReport(checked, list(own.values()))


def _judge(entry: Entry, own: Collection[str], seen: set[str]) -> Entry:
    """The entry with its last verdict; `seen` are the own numbers before it."""
    if entry.number not in own:
        is_foreign = entry.verdict == Verdict.OK
        return entry._replace(verdict=Verdict.FOREIGN) if is_foreign else entry
    verdict = Verdict.REPEATED if entry.number in seen else Verdict.OK
    seen.add(entry.number)
    return entry._replace(verdict=verdict, hint=None)


def _chunks(values: Iterable) -> Iterator[list]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
