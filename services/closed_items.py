"""Days on which items of «Счета» take no orders: each item has a setting of its own."""

from datetime import date, datetime

from flask import current_app

from domain.errors import ItemClosed
from services import clock


def opens_on(item: str, *, now: datetime) -> date | None:
    """On a closed day of an item (named as its setting ends) the first open day; else None."""
    days = current_app.config["CABINET"].closed_days(item)
    today = clock.local(now).date()
    return days.opens_on(today) if today in days else None


def check_open(item: str, *, now: datetime) -> None:
    """Inside the transaction that stores what is ordered: raise `ItemClosed` on a closed day."""
    opens = opens_on(item, now=now)
    if opens is not None:
        raise ItemClosed(opens=opens)
