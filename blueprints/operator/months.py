"""Months in addresses of the operator's pages: `2026-03`."""

from datetime import date, datetime

from domain.periods import month_start
from services import clock

FIRST_YEAR, LAST_YEAR = 1970, 9998  # moments before and after are none that a call can have


def read_month(text: str) -> date | None:
    """The first day of a month; None for what is none, or is of no year that calls are of."""
    try:
        month = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a day, nothing more
    except ValueError:
        return None
    return month if FIRST_YEAR <= month.year <= LAST_YEAR else None


def closed_month(text: str) -> date | None:
    """The same of a month that has ended."""
    month = read_month(text)
    return month if month and month < month_start(clock.now().date()) else None
