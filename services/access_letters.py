"""Letters to a person about their own way in: what was changed, so that whoever did not do it
hears of it. They go to the person's own address; without one there is nobody to tell.
"""

from datetime import datetime
from enum import StrEnum

from domain.formats import format_moment
from models import User
from services import clock, notices

TOLD = "access_told"


class Told(StrEnum):
    """What a letter tells of; its words are in `templates/mail/access_told`."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password_reset"  # noqa: S105
    ADDRESS_CHANGED = "address_changed"
    FACTOR_ON = "factor_on"
    FACTOR_OFF = "factor_off"
    RECOVERY_USED = "recovery_used"


def tell(user: User, what: Told, *, ip: str = "", email: str = "", now: datetime) -> None:
    """Inside `write_tx`: tell a person at their own address, or at `email`, the one before."""
    if not (address := email or user.email):
        return
    words = {
        "what": what.value,
        "login": user.login,
        "at": format_moment(clock.local(now)),
        "ip": ip,
    }
    notices.post(TOLD, address, words, client=user.client, subject=f"user:{user.id}", now=now)
