"""The local time remembered is that of the clock on the wall, in every zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from domain.writers.local_times import MINUTES, STRETCH_S, hour_and_second, local_stretches

# Moments at which some zone changes its clock: the days of Europe's and America's rules, and zones
# that moved by half an hour, by a day, at odd times of the day.
TURNS = [
    *(datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    *(datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    *(datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    *(datetime(2015, 8, 14, 15, tzinfo=UTC), datetime(2018, 5, 4, 15, tzinfo=UTC)),
    *(datetime(2011, 3, 26, 23, tzinfo=UTC), datetime(1972, 1, 7, 12, tzinfo=UTC)),
]


@pytest.mark.parametrize("zone", sorted(available_timezones()))
def test_a_moment_is_that_of_the_clock_on_the_wall(zone):
    zone = ZoneInfo(zone)
    stretches = local_stretches(zone, lambda start: (start.date(), *hour_and_second(start)))
    for turn in TURNS:
        middle = int(turn.timestamp())
        for at in (*range(middle - 7200, middle + 7200, 899), middle - 1, middle, middle + 1):
            day, hour, second = stretches[at // STRETCH_S]
            shown = f"{day} {hour}{MINUTES[second + at % STRETCH_S]}"
            assert shown == f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S}"
