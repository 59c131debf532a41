"""A client's present month by number, as figures: the sheet behind «Начисления за текущий период».
How it is made: `charge_making.py`; how long it is used: `charge_keeping.py`.
"""

from array import array
from collections.abc import Container, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from domain.billing.allowances import PackageUse
from domain.billing.invoice import Line, VatTotal
from domain.imports import ImportState
from domain.periods import DateRange
from models import Client, Exchange, ImportRun, Subscriber
from models_billing import UsageDay
from services import clock, usage

RUNS_ASKED = 50  # newest imports among which the last call is looked for


@dataclass
class Sheet:
    """A month of a client by number. Money is kopecks; `columns` are in the order of `ids`, with
    one entry more for what is no number's.
    """

    client_id: int
    period: DateRange
    data_until: datetime | None
    known_days: int  # whole days of which all calls are there
    ids: array  # of the numbers, in their order
    columns: dict[str, array]
    lines: tuple[Line, ...]
    vat: tuple[VatTotal, ...]
    forecast_lines: tuple[Line, ...]
    forecast_vat: tuple[VatTotal, ...]
    packages: tuple[PackageUse, ...]
    left: dict[int, int]  # seconds left of a number's own packages
    is_whole: bool = True  # False: of chosen numbers, without what is the client's
    orders: dict[tuple[str, bool], Sequence[int]] = field(default_factory=dict)  # once asked for
    sums: dict[str, int] = field(default_factory=dict)
    parts: "dict[Hashable, Sheet]" = field(default_factory=dict)  # of those who do not see all

    def sum(self, name: str) -> int:
        """A whole column, with what is no number's."""
        if name not in self.sums:
            self.sums[name] = sum(self.columns[name])
        return self.sums[name]

    def rest(self, name: str) -> int:
        """What of a column is the client's and no number's."""
        return self.columns[name][-1]

    def order(self, by: str, *, descending: bool = False) -> Sequence[int]:
        """Places of the numbers by a column; equal ones stand by number."""
        key = by, descending
        if key not in self.orders:
            places: Sequence[int] = range(len(self.ids))
            if by == "number":
                places = places[::-1] if descending else places
            else:
                values = self._names() if by == "name" else self.columns[by]
                places = array("l", sorted(places, key=values.__getitem__, reverse=descending))
            self.orders[key] = places
        return self.orders[key]

    def _names(self) -> Sequence[int]:
        names = Subscriber.of(self.client_id, Subscriber.id).order_by(Subscriber.name_folded)
        rank = {key: n for n, (key,) in enumerate(names.tuples())}
        return [rank.get(key, 0) for key in self.ids]


def of_numbers(sheet: Sheet, wanted: Container[int]) -> Sheet:
    """The sheet of these numbers alone: their figures are what they are on the whole one."""
    places = [n for n, key in enumerate(sheet.ids) if key in wanted]
    return Sheet(
        sheet.client_id,
        sheet.period,
        sheet.data_until,
        sheet.known_days,
        array(sheet.ids.typecode, [sheet.ids[n] for n in places]),
        {
            name: array(column.typecode, [*(column[n] for n in places), 0])
            for name, column in sheet.columns.items()
        },
        lines=(),
        vat=(),
        forecast_lines=(),
        forecast_vat=(),
        packages=(),
        left={key: left for key, left in sheet.left.items() if key in wanted},
        is_whole=False,
    )


def data_until(client: Client, now: datetime) -> datetime | None:
    """The last call in the newest files, exchanges of others left out."""
    runs = (
        ImportRun.select(ImportRun.last_at)
        .join(Exchange)
        .where(Exchange.client.is_null() | (Exchange.client == client))
        .where(ImportRun.state == ImportState.DONE, ImportRun.last_at.is_null(is_null=False))
        .order_by(ImportRun.id.desc())
        .limit(RUNS_ASKED)
    )
    last = max((last for (last,) in runs.tuples()), default=None)
    return None if last is None else min(clock.from_epoch(last), now)


class DayUse(NamedTuple):
    """Calls of a client on a day to one destination group."""

    day: date
    group: str
    calls: int
    seconds: int
    billed_s: int
    package_s: int
    micros: int
    unrated: int


def usage_by_day(client: Client | int, period: DateRange) -> Iterator[DayUse]:
    """What a client's days come to."""
    names = ("day", "destination_group", *usage.SUMS)
    query = UsageDay.of(client, *(getattr(UsageDay, name) for name in names))
    days = UsageDay.day.between(period.start.toordinal(), period.end.toordinal())
    for day, *rest in query.where(days).tuples():
        yield DayUse(date.fromordinal(day), *rest)
