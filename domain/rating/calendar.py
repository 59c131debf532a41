"""When a tariff's hours begin and end: weekdays, holidays and clocks of the operator's zone."""

from bisect import bisect
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from domain.holidays import is_holiday
from domain.rating.tariff import DAY_S, HOLIDAY, Window


class Calendar:
    """The operator's days."""

    def __init__(self, zone: tzinfo, is_holiday: Callable[[date], bool] = is_holiday) -> None:
        self._zone, self._is_holiday = zone, is_holiday

    def window_at(self, windows: Iterable[Window], moment: int) -> tuple[Window | None, int]:
        """The window that holds at `moment` (epoch seconds; fractions are of no matter), and the
        next moment at which another might.

        On a holiday the windows that name holidays hold, if there are any, else those of the
        weekday. Of two that hold, the first.
        """
        windows = tuple(windows)
        local = datetime.fromtimestamp(moment, UTC).astimezone(self._zone)
        second = local.hour * 3600 + local.minute * 60 + local.second
        todays = self._of_day(windows, local.date())
        found = next((w for w in todays if w.from_s <= second < w.to_s), None)
        borders = {DAY_S} | {edge for w in todays for edge in (w.from_s, w.to_s)}
        border = min(edge for edge in borders if edge > second)
        until = self._moment(local.date(), border, after=moment)
        changed = self._change_of_clock(moment, until)
        if changed == until:
            return found, until
        other, later = self.window_at(windows, changed)
        return found, later if other is found else changed

    def _of_day(self, windows: tuple[Window, ...], day: date) -> list[Window]:
        if self._is_holiday(day) and any(HOLIDAY in window.days for window in windows):
            return [window for window in windows if HOLIDAY in window.days]
        return [window for window in windows if day.weekday() in window.days]

    def _moment(self, day: date, second: int, *, after: int) -> int:
        """When the clock shows that second of the day, after a moment of the same day."""
        shown = datetime.combine(day + timedelta(days=second // DAY_S), time(), self._zone)
        rest = second % DAY_S
        shown = shown.replace(hour=rest // 3600, minute=rest // 60 % 60, second=rest % 60)
        first = int(shown.timestamp())
        return first if first > after else int(shown.replace(fold=1).timestamp())

    def _change_of_clock(self, start: int, end: int) -> int:
        """When it is put forward or back between two moments; the second if it is not."""
        seconds, before = range(start + 1, end), self._offset(start)
        if self._offset(end - 1) == before:
            return end
        return seconds[bisect(seconds, 0, key=lambda each: self._offset(each) != before)]

    def _offset(self, moment: int) -> timedelta | None:
        return datetime.fromtimestamp(moment, UTC).astimezone(self._zone).utcoffset()
