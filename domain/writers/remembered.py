"""What rows repeat is worked out once: a report of a million calls has one text for each name and
each duration. All give what the plain function gives, only sooner.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

MOST = 20_000  # values kept of one kind: memory must not grow with a report
STRETCH_S = 300
# чч: of a moment stands beside one of these, by the second of its hour.
MINUTES = tuple(f"{second // 60:02}:{second % 60:02}" for second in range(3600))


class Remembered(dict[Any, Any]):
    """`made[value]` is `make(value)`. When there are too many, all are forgotten."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        if len(self) >= MOST:
            self.clear()
        made = self[value] = self._make(value)
        return made


def local_stretches(zone: tzinfo, show: Callable[[datetime], Any]) -> Remembered:
    """`stretches[at // STRETCH_S]` is what `show` makes of the local time at which those five
    minutes begin; `at` is UTC epoch seconds, and lies `at % STRETCH_S` seconds behind that.

    In every zone local time differs from UTC by whole five minutes, and begins to differ by others
    at such a moment: since 1972.
    """
    return Remembered(lambda number: show(datetime.fromtimestamp(number * STRETCH_S, zone)))


def hour_and_second(start: datetime) -> tuple[str, int]:
    """«чч:» and the second of the hour: with `MINUTES`, the time of day."""
    return f"{start.hour:02}:", start.minute * 60 + start.second
