"""The only reader of the clock. Tests replace `now`, or stop it by CABINET_CLOCK."""

import os
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

_zone: tzinfo = ZoneInfo("Europe/Minsk")


def set_zone(zone: tzinfo) -> None:
    """Set the operator's zone; called once, at start."""
    global _zone  # noqa: PLW0603 - one process, one operator
    _zone = zone


def zone() -> tzinfo:
    """The operator's zone: business days are days in it."""
    return _zone


def now() -> datetime:
    """The present moment, aware, in the operator's zone: `.date()` is the business day."""
    stopped = os.environ.get("CABINET_CLOCK")
    if stopped and os.environ.get("CABINET_TESTING") == "1":
        return datetime.fromisoformat(stopped).astimezone(_zone)
    return datetime.now(_zone)


def local(moment: datetime) -> datetime:
    """`moment` (aware) as people in the operator's zone read it."""
    return moment.astimezone(_zone)


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware moment: how call records store times."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime")
    return int(moment.timestamp())


def from_epoch(seconds: int) -> datetime:
    """The aware UTC moment of a stored number of seconds."""
    return datetime.fromtimestamp(seconds, UTC)
