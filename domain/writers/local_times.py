"""The local time of a call, for reports of a million of them: worked out once for five minutes."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from domain.remembered import Remembered

STRETCH_S = 300
# чч: of a moment stands beside one of these, by the second of its hour.
MINUTES = tuple(f"{second // 60:02}:{second % 60:02}" for second in range(3600))


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
