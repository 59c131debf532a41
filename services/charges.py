"""«Начисления за текущий период»: pages of a client's sheet, its figures by day and destination,
and the calls of one number. What the sheet is: `charge_sheet.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, NamedTuple, TypeVar

from peewee import Expression, fn

from domain.billing.invoice import Line
from domain.call_detail import hidden_peer
from domain.cdr.record import CallDirection
from domain.periods import DateRange
from domain.rating.states import UNRATED
from models import Call, Client, Subscriber
from models_billing import TariffRate, UsageMonth
from services import clock, selection, usage
from services.charge_sheet import Sheet, usage_by_day
from services.subscriber_choice import within

SORTS = (
    *("number", "name", "fee", "out", "international", "in_s", "package_s", "one_off"),
    *("instalment", "net", "vat", "total", "forecast", "unrated"),
)
Item = TypeVar("Item")
WHICH = ("all", "paid", "unrated", "in")  # calls of a number that can be asked for


class Day(NamedTuple):
    """Calls of a day; `micros` is None for one of which nothing is known yet."""

    day: date
    calls: int
    micros: int | None


class Destination(NamedTuple):
    """Outgoing calls to one destination group."""

    group: str
    calls: int
    seconds: int
    micros: int


class LineSoFar(NamedTuple):
    """A line as it is to stand on the invoice, and what it has come to until now."""

    line: Line
    so_far: Line | None  # None: it begins later in the month


class Row(NamedTuple):
    """One number on a page."""

    subscriber: Subscriber
    sums: Mapping[str, int]  # by column of the sheet
    left_s: int | None  # of its own packages; None: it has none


class PricedCall(NamedTuple):
    """A call of a number with the name of the destination at whose price it went."""

    call: Call
    peer: str  # as it may be shown
    destination: str


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list."""

    rows: list[Item]
    number: int
    pages: int
    size: int
    found: int

    @property
    def first_row(self) -> int:
        """1 for the first page; 0 when there is nothing."""
        return (self.number - 1) * self.size + 1 if self.found else 0

    @property
    def last_row(self) -> int:
        """Ordinal of the last row shown."""
        return min(self.number * self.size, self.found)


def find_page(
    sheet: Sheet,
    *,
    text: str,
    sort: str,
    descending: bool,
    number: int,
    size: int,
    chosen: Subscriber | None = None,
) -> Page[Row]:
    """The page `number` of the numbers that `text` finds; the last when there are not so many.
    With somebody `chosen` only that one and its numbers.
    """
    order = sheet.order(sort, descending=descending)
    conditions = [selection.text_condition(text.strip())] if text.strip() else []
    conditions += [within(chosen)] if chosen else []
    if conditions:
        found = Subscriber.of(sheet.client_id, Subscriber.id).where(*conditions)
        wanted = {key for (key,) in found.tuples()}
        order = [n for n in order if sheet.ids[n] in wanted]
    number, pages = page_within(number, len(order), size)
    shown = order[(number - 1) * size : number * size]
    return Page(_rows(sheet, shown), number, pages, size, len(order))


def top_numbers(sheet: Sheet, count: int) -> list[Row]:
    """The numbers whose calls cost most; those whose calls cost nothing are left out."""
    best = sheet.order("out", descending=True)[:count]
    return _rows(sheet, [n for n in best if sheet.columns["out"][n] > 0])


def row_of(sheet: Sheet, subscriber: Subscriber) -> Row | None:
    """The row of one number; None when it is not one of this month."""
    if subscriber.id not in sheet.ids:
        return None
    return _rows(sheet, [sheet.ids.index(subscriber.id)])[0]


def page_within(number: int, found: int, size: int) -> tuple[int, int]:
    """A page that there is, and how many there are."""
    pages = max(1, -(-found // size))
    return min(max(1, number), pages), pages


def _rows(sheet: Sheet, places: Iterable[int]) -> list[Row]:
    at = {sheet.ids[n]: n for n in places}
    query = Subscriber.of(sheet.client_id).where(Subscriber.id.in_(list(at)))
    known = {row.id: row for row in query}
    return [
        Row(
            known[key],
            {name: column[n] for name, column in sheet.columns.items()},
            sheet.left.get(key),
        )
        for key, n in at.items()
        if key in known
    ]


def lines_of(sheet: Sheet) -> list[LineSoFar]:
    """The lines of the client, each with what there is of it now."""
    known: defaultdict[tuple, list[Line]] = defaultdict(list)
    for line in sheet.lines:
        known[line.kind, line.code, line.name].append(line)
    found = []
    for line in sheet.forecast_lines:
        same = known[line.kind, line.code, line.name]
        found.append(LineSoFar(line, same.pop(0) if same else None))
    return found


# --- By day and destination -----------------------------------------------------------------------


def days_of(sheet: Sheet) -> list[Day]:
    """The month by day. A day after the last call that is known has no sum."""
    calls: dict[date, int] = {}
    micros: dict[date, int] = {}
    for row in usage_by_day(sheet.client_id, sheet.period):
        calls[row.day] = calls.get(row.day, 0) + row.calls
        micros[row.day] = micros.get(row.day, 0) + row.micros
    last = clock.local(sheet.data_until).date() if sheet.data_until else sheet.period.start
    return [
        Day(day, calls.get(day, 0), micros.get(day, 0) if day in calls or day < last else None)
        for day in sheet.period.days()
    ]


def destinations_of(sheet: Sheet) -> list[Destination]:
    """Outgoing calls by destination group, the dearest first."""
    found: dict[str, list[int]] = {}
    whole = sheet.is_whole
    uses = usage_by_day(sheet.client_id, sheet.period) if whole else usage_by_number(sheet)
    for row in uses:
        if row.group != usage.INCOMING:
            sums = found.setdefault(row.group, [0, 0, 0])
            for n, value in enumerate((row.calls, row.seconds, row.micros)):
                sums[n] += value
    rows = [Destination(group, *sums) for group, sums in found.items() if any(sums)]
    return sorted(rows, key=lambda row: (-row.micros, -row.calls, row.group))


class NumbersUse(NamedTuple):
    """Calls of a month to one destination group, of the numbers of a sheet."""

    group: str
    calls: int
    seconds: int
    micros: int


def usage_by_number(sheet: Sheet) -> Iterator[NumbersUse]:
    """What the numbers that may be seen have come to: slower than the sums of the company."""
    sums = (fn.SUM(getattr(UsageMonth, name)) for name in ("calls", "seconds", "micros"))
    query = (
        UsageMonth.select(UsageMonth.destination_group, *sums)
        .where(
            UsageMonth.subscriber_id.in_(Subscriber.of(sheet.client_id, Subscriber.id)),
            UsageMonth.month == usage.month_number(sheet.period.start),
        )
        .group_by(UsageMonth.destination_group)
    )
    for group, *values in query.tuples():
        yield NumbersUse(group, *map(int, values))


# --- Calls of a number ----------------------------------------------------------------------------


def find_number(client: Client, subscriber_id: int) -> Subscriber | None:
    """The client's own number, or None."""
    return Subscriber.of(client).where(Subscriber.id == subscriber_id).first()


def calls_of(
    client: Client,
    subscriber: Subscriber,
    period: DateRange,
    *,
    which: str,
    number: int,
    size: int,
) -> Page[PricedCall]:
    """A page of the number's calls of these days, the latest first."""
    start, end = (clock.epoch(moment) for moment in period.bounds(clock.zone()))
    query = Call.select().where(
        Call.subscriber_id == subscriber.id,
        Call.started_at >= start,
        Call.started_at < end,
        *_such(which),
    )
    found = query.count()
    number, pages = page_within(number, found, size)
    rows = list(query.order_by(Call.started_at.desc(), Call.seq.desc()).paginate(number, size))
    return Page(tell(client, rows), number, pages, size, found)


def _such(which: str) -> list[Expression]:
    if which == "paid":
        return [Call.price > 0]
    if which == "unrated":
        answered = (Call.direction == CallDirection.OUT) & (Call.billable_s > 0)
        return [Call.rating.in_(UNRATED) | (Call.rating.is_null() & answered)]
    return [Call.direction == CallDirection.IN] if which == "in" else []


def find_call(client: Client, subscriber: Subscriber, started: int, seq: int) -> PricedCall | None:
    """A call of the client's own number, by its key, or None."""
    call = Call.get_or_none(
        Call.subscriber_id == subscriber.id, Call.started_at == started, Call.seq == seq
    )
    return None if call is None else tell(client, [call])[0]


def tell(client: Client, calls: list[Call]) -> list[PricedCall]:
    """Calls with the names of their destinations. Callers are shown in part where that is the
    client's policy.
    """
    ids = {call.rate_id for call in calls if call.rate_id is not None}
    query = TariffRate.select(TariffRate.id, TariffRate.name).where(TariffRate.id.in_(ids))
    names = dict(query.tuples())
    hides = client.hide_incoming_peers
    return [
        PricedCall(
            call,
            hidden_peer(call.peer) if hides and call.direction == CallDirection.IN else call.peer,
            names.get(call.rate_id, ""),
        )
        for call in calls
    ]
