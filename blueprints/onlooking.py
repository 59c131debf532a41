"""One of the operator's people looks at a client's cabinet, as a viewer of that client sees it, to
answer «what do I see here?» on the phone. It is opened with a reason (`operator/cabinet.py`), can
be read and not used, says so on every page, and each page is written down.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, g, request
from flask import session as visit
from werkzeug.exceptions import Forbidden

from domain.roles import Role
from models import Client
from services import access, clock
from services.log import masked
from texts import N_, gettext

View = TypeVar("View", bound=Callable[..., Any])
OPENED = "onlooking"  # in the session: the client's id, and why
SEEN_AS = Role.VIEWER
READ_ONLY = N_(
    "A client's cabinet is open to look at: nothing can be changed, ordered, chosen or fetched in "
    "it."
)


class LookingOnly(Forbidden):
    """Something would be changed in a cabinet that is looked at."""

    @property
    def text(self) -> str:
        """The sentence for the page."""
        return gettext(READ_ONLY)


def hands_out(view: View) -> View:
    """Mark a view that hands out a file: that is not looking."""
    view.hands_out = True  # type: ignore[attr-defined]
    return view


def open_cabinet(client: Client, reason: str) -> None:
    """From now on the pages of this client's viewers are open, until `close_cabinet`. Numbers and
    addresses in the reason are masked: the audit trail holds none.
    """
    visit[OPENED] = {"client": client.id, "reason": masked(reason)}


def close_cabinet() -> None:
    """Have the operator's pages only."""
    visit.pop(OPENED, None)


def enter(view: Callable[..., Any], roles: frozenset[Role]) -> bool:
    """Whether the page of a client is open to this one of the operator's people; if so, it is that
    client's from here on. Raises `LookingOnly`.
    """
    opened = visit.get(OPENED)
    if not Role(g.user.role).is_operator or opened is None or SEEN_AS not in roles:
        return False
    client = Client.get_or_none(Client.id == opened["client"])
    if client is None:
        return False
    g.client = g.onlooking = client
    if request.method not in {"GET", "HEAD"} or getattr(view, "hands_out", False):
        raise LookingOnly
    if not getattr(view, "does_not_prolong", False):  # the page asks again by itself
        access.note_client_viewed(
            g.user,
            client,
            "cabinet",
            ip=request.remote_addr or "",
            now=clock.now(),
            page=request.endpoint,
            reason=opened["reason"],
        )
    return True


def looked_at() -> Client | None:
    """Whose cabinet is looked at on this page."""
    return g.get("onlooking")


def init_app(app: Flask) -> None:
    """Tell the templates."""
    app.jinja_env.globals.update(looked_at=looked_at)
