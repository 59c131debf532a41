"""Dates as people's programs write them: 1/9/2017 may be in September or in January. What the ids
of the calls and days above twelve prove is taken; nothing is guessed.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from domain.cdr.times import LocalTimes
from domain.errors import InvalidValue

_DAY = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})", re.ASCII)
_STAMP = re.compile(
    r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})[ T,]\s*"
    r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([AaPp][Mm])?",
    re.ASCII,
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_NEAR = timedelta(hours=36)  # between a day's noon by the file's clock and the id's moment


class DateOrder(StrEnum):
    """What comes first in a date."""

    DMY = "dmy"
    MDY = "mdy"
    ISO = "iso"  # the year


_ORDERS = (DateOrder.DMY, DateOrder.MDY)


class UnclearDates(InvalidValue):
    """Nothing tells days from months in a file."""


def is_stamp(text: str) -> bool:
    """Whether this looks like a date with a time, in whatever order."""
    return _STAMP.fullmatch(text.strip()) is not None


def has_seconds(text: str) -> bool:
    """False for a time that a spreadsheet cut to the minute."""
    return text.count(":") > 1


def find_order(stamps: Iterable[tuple[str, int | None]]) -> DateOrder:
    """The order of a file's dates, given with the moments in the ids of the calls (or None).

    Raises `UnclearDates` when nothing proves an order, or both are proved.
    """
    proved: set[DateOrder] = set()
    unclear = same = False
    for text, made_at in stamps:
        found = _DAY.match(text)
        if not found or len(found[1]) > 2:
            continue
        days = {order: day for order in _ORDERS if (day := _possible_day(found, order))}
        if len(set(days.values())) < 2:
            same |= len(days) == 2  # 9/9: the same either way
            proved.update(days if len(days) == 1 else ())
            continue
        near = [order for order, day in days.items() if made_at and _is_near(day, made_at)]
        if len(near) == 1:
            proved.update(near)
        else:
            unclear = True
    if len(proved) > 1:
        raise _unclear("some dates can only be day/month, others only month/day")
    if unclear and not proved:
        raise _unclear("the dates may be day/month or month/day")
    if proved:
        return proved.pop()
    return DateOrder.DMY if same else DateOrder.ISO


def _unclear(why: str) -> UnclearDates:
    return UnclearDates(
        f"{why}, and no id of a call tells: say which with --dates dmy or --dates mdy",
        what="dates",
        value="",
    )


def _possible_day(found: re.Match[str], order: DateOrder) -> date | None:
    try:
        return _day(found, order)
    except ValueError:
        return None


def _is_near(day: date, made_at: int) -> bool:
    """Whether the moment in the id of a call can lie in that day."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return abs(noon - datetime.fromtimestamp(made_at, UTC)) <= _NEAR


def _day(found: re.Match[str], order: DateOrder) -> date:
    """The day; dates that begin with a year of four digits are the same in every order."""
    first, second, third = found[1], found[3], found[4]
    if len(first) == 4:
        year, month, day = first, second, third
    elif order == DateOrder.DMY:
        day, month, year = first, second, third
    elif order == DateOrder.MDY:
        month, day, year = first, second, third
    else:
        raise ValueError("unreadable time")
    if len(year) not in (2, 4) or len(day) > 2 or len(month) > 2:
        raise ValueError("unreadable time")
    return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))


class FileTimes:
    """Reads the local times of one file, in the order of its dates.

    Days are remembered: a file has few of them and many calls.
    """

    def __init__(self, zone: tzinfo, order: DateOrder) -> None:
        self._times = LocalTimes(zone)
        self._order = order
        self._days: dict[str, str] = {}

    def epoch(self, text: str, near: int | None = None) -> int:
        """UTC epoch seconds; `ValueError` for what is no time. `near`: see `LocalTimes`."""
        return self._times.epoch(self._iso(text), near)

    def start(self, text: str, uid: str) -> int:
        """As `epoch`; see `LocalTimes.start`."""
        return self._times.start(self._iso(text), uid)

    def _iso(self, text: str) -> str:
        if _ISO.fullmatch(text):
            return text
        found = _STAMP.fullmatch(text.strip())
        if not found:
            raise ValueError("unreadable time")
        day = self._days.get(found[1]) or self._read_day(found[1])
        hour = int(found[2])
        if found[5]:
            if not 1 <= hour <= 12:
                raise ValueError("unreadable time")
            hour = hour % 12 + (12 if found[5].upper() == "PM" else 0)
        return f"{day} {hour:02}:{found[3]}:{found[4] or '00'}"

    def _read_day(self, text: str) -> str:
        found = _DAY.fullmatch(text)
        day = _possible_day(found, self._order) if found else None
        if day is None:
            raise ValueError("no such date in the order of this file's dates")
        self._days[text] = day.isoformat()
        return self._days[text]
