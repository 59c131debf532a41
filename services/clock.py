"""The only reader of the clock. Tests replace `now`, or set it by CABINET_CLOCK."""

import os
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
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
    told = os.environ.get("CABINET_CLOCK")
    if told and os.environ.get("CABINET_TESTING") == "1":
        return _told(told)
    return datetime.now(_zone)


def _told(text: str) -> datetime:
    """A moment to stand still at, `+3600` seconds to be ahead by, or `@file` that holds either, so
    that a test moves the clock of processes that run.
    """
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="ascii").strip()
    if text[:1] in {"+", "-"}:
        return datetime.now(_zone) + timedelta(seconds=float(text))
    return datetime.fromisoformat(text).astimezone(_zone)


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
