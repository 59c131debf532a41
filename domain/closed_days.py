"""Days of each month on which something is not ordered: «с 1 по 3 число каждого месяца»."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

PART = re.compile(r"([1-9]|[12]\d|3[01])(?:-([1-9]|[12]\d|3[01]))?")
MONTH_DAYS = frozenset(range(1, 32))


@dataclass(frozen=True)
class ClosedDays:
    """Days of the month, as whoever sets them writes them: `1-3`, `1-3,28-31`, or nothing.

    >>> days = ClosedDays.parse("1-3")
    >>> date(2026, 12, 3) in days, date(2026, 12, 4) in days
    (True, False)
    >>> days.opens_on(date(2026, 12, 1))
    datetime.date(2026, 12, 4)
    """

    days: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "ClosedDays":
        """Raise `ValueError` for what is no list of days, or leaves none open."""
        days: set[int] = set()
        for part in text.split(",") if text.strip() else ():
            found = PART.fullmatch(part.strip())
            if found is None:
                raise ValueError(f"{part.strip()!r} is no day and no range of days")
            first, last = int(found[1]), int(found[2] or found[1])
            if last < first:
                raise ValueError(f"{part.strip()!r} ends before it begins")
            days.update(range(first, last + 1))
        if days == MONTH_DAYS:
            raise ValueError("no day is left open")
        return cls(frozenset(days))

    def __contains__(self, day: date) -> bool:
        return day.day in self.days

    def opens_on(self, day: date) -> date:
        """The first open day from `day` on."""
        while day in self:
            day += timedelta(days=1)
        return day

    def stretch(self, day: date) -> tuple[int, int]:
        """The first and the last of the closed days of the month in a row that `day` is one of."""
        first = last = day.day
        while first - 1 in self.days:
            first -= 1
        while last + 1 in self.days:
            last += 1
        return first, last
