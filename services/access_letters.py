"""Letters to a person about their own way in: links, and what was changed, so that whoever did not
do it hears of it. They go to the person's own address; without one there is nobody to tell.
"""

from datetime import datetime
from enum import StrEnum

from domain.formats import format_moment
from domain.languages import language
from models import User
from models_access import AccessLink
from services import access_links, clock, language_choice, notices

TOLD = "access_told"
INVITATION, RESET, ADDRESS = "invitation", "password_reset", "address_confirm"
PATHS = {
    INVITATION: "/password/new/",
    RESET: "/password/new/",
    ADDRESS: "/security/address/confirm/",
}


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
    with language(language_choice.of_user(user)):
        words = {
            "what": what.value,
            "login": user.login,
            "at": format_moment(clock.local(now)),
            "ip": ip,
        }
        notices.post(TOLD, address, words, client=user.client, subject=f"user:{user.id}", now=now)


def invite(link: AccessLink, *, invited_by: User | None, now: datetime) -> None:
    """Inside `write_tx`: to somebody who has no password yet."""
    _post_link(
        INVITATION,
        link,
        now=now,
        invited_by=(invited_by.full_name or invited_by.login) if invited_by else "",
    )


def send_reset(link: AccessLink, *, now: datetime) -> None:
    """Inside `write_tx`: to somebody who has forgotten the password."""
    _post_link(RESET, link, now=now)


def confirm_address(link: AccessLink, *, now: datetime) -> None:
    """Inside `write_tx`: to an address that is to be somebody's own."""
    _post_link(ADDRESS, link, now=now)


def _post_link(kind: str, link: AccessLink, *, now: datetime, **more: str) -> None:
    user: User = link.user
    with language(language_choice.of_user(user)):
        notices.post(
            kind,
            link.email,
            {
                "login": user.login,
                "company": user.client.name if user.client else "",
                "until": format_moment(clock.local(link.expires_at)),
                **more,
            },
            client=user.client,
            subject=f"access_link:{link.id}",
            link=notices.Link(PATHS[kind], access_links.seed_of(link)),
            expires_at=link.expires_at,
            now=now,
        )
