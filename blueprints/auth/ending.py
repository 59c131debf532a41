"""When the session ends, told on the page before it does: the line that the layout carries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from flask import current_app, g, session

from services import clock, sessions

WARNED_S = 120  # before the end; of a short idle limit, its last quarter
LEAST_PAUSE_S = 20  # between two looks: who comes too late is told by the look's refusal


@dataclass(frozen=True)
class Ending:
    """The end of a session as one page shows it."""

    at: datetime
    is_near: bool
    can_stay: bool  # False: the session has lasted as long as any may
    look_s: int  # when the page looks again


def ending() -> Ending | None:
    """The end of this request's session; None for who has not signed in."""
    row = getattr(session, "row", None)
    if row is None or g.get("user") is None:
        return None
    now = clock.now()
    idle = timedelta(minutes=current_app.config["CABINET"].SESSION_IDLE_MINUTES)
    at = sessions.end_of(row, idle=idle)
    left_s = ceil((at - now).total_seconds())
    warned_s = min(WARNED_S, ceil(idle.total_seconds() / 4))
    is_near = left_s <= warned_s
    pause_s = left_s + 1 if is_near else left_s - warned_s
    return Ending(
        at=at,
        is_near=is_near,
        can_stay=row.expires_at > at,
        look_s=max(pause_s, LEAST_PAUSE_S),
    )
