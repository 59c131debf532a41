"""The calendar of the business: days and the windows in which things may be ordered. No clock, no
time zone data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from domain.errors import PeriodOutOfRange, PeriodReversed

QUARTER_S = 900  # of an hour: by a whole number of these every zone is ahead of UTC, or behind


@dataclass(frozen=True, order=True)
class DateRange:
    """Calendar days from `start` to `end`, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise PeriodReversed(f"{self.start} > {self.end}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def days(self) -> Iterator[date]:
        """Each day of the range, in order."""
        return (self.start + timedelta(n) for n in range((self.end - self.start).days + 1))

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The half-open range `[start, end)` of UTC moments that these days cover in `zone`."""
        first = datetime.combine(self.start, time(), zone)
        after = datetime.combine(self.end + timedelta(days=1), time(), zone)
        return first.astimezone(UTC), after.astimezone(UTC)


def month_start(day: date, months_back: int = 0) -> date:
    """First day of the month that lies `months_back` months before the month of `day`."""
    index = day.year * 12 + day.month - 1 - months_back
    return date(index // 12, index % 12 + 1, 1)


def month_of(day: date, months_back: int = 0) -> DateRange:
    """The whole calendar month that lies `months_back` months before the month of `day`."""
    first = month_start(day, months_back)
    return DateRange(first, month_start(first, -1) - timedelta(days=1))


def call_detail_window(today: date, months_back: int = 1) -> DateRange:
    """Days for which call detail can be ordered: from `months_back` months ago up to `today`.

    Source document: «за текущий и прошлый месяц».
    """
    return DateRange(month_start(today, months_back), today)


def check_call_detail_period(period: DateRange, today: date, months_back: int = 1) -> None:
    """Raise `PeriodOutOfRange` unless every day of `period` lies inside the open window."""
    window = call_detail_window(today, months_back)
    if not (window.start <= period.start and period.end <= window.end):
        raise PeriodOutOfRange(f"{period} not in {window}", start=window.start, end=window.end)


def bill_link_months(today: date, months: int = 2) -> tuple[date, ...]:
    """First days of the months whose invoice can be fetched by a link, the latest first.

    Source document: «за 2 предыдущих месяца».

    >>> bill_link_months(date(2026, 1, 31))
    (datetime.date(2025, 12, 1), datetime.date(2025, 11, 1))
    """
    return tuple(month_start(today, back) for back in range(1, months + 1))
