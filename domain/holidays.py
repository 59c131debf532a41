"""State holidays of Belarus and holidays that are days off there."""

from datetime import date, timedelta

FIXED = frozenset({(1, 1), (1, 2), (1, 7), (3, 8), (5, 1), (5, 9), (7, 3), (11, 7), (12, 25)})
RADUNITSA = timedelta(days=9)  # after Easter


def is_holiday(day: date) -> bool:
    """Whether `day` is one.

    >>> is_holiday(date(2026, 4, 21)), is_holiday(date(2026, 4, 22))
    (True, False)
    """
    return (day.month, day.day) in FIXED or day == orthodox_easter(day.year) + RADUNITSA


def orthodox_easter(year: int) -> date:
    """Easter Sunday of the Julian calendar, as a Gregorian date of 1900 to 2099 (Meeus).

    >>> orthodox_easter(2026)
    datetime.date(2026, 4, 12)
    """
    d = (19 * (year % 19) + 15) % 30
    e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
    month, day = divmod(d + e + 114, 31)
    return date(year, month, day + 1) + timedelta(days=13)
