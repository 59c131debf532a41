"""The chosen SIP subscriber: looked up before every page, shown in its header, used by lists."""

from flask import Flask, flash, g, request

from models import Subscriber
from services import clock, subscriber_choice
from texts import gettext

EVERYBODY = "company"  # value of `whose` in an address: the list is not narrowed


def look_up() -> None:
    """Find whom the user looks at. One who is no longer the client's is given up, in a sentence."""
    g.chosen = None
    if g.get("client") is None:
        return
    found = subscriber_choice.find(g.client, g.user)
    if found is None or subscriber_choice.is_own(found, clock.now()):
        g.chosen = found
        return
    ip = request.remote_addr or ""
    subscriber_choice.clear(g.client, g.user, ip=ip, now=clock.now())
    text = gettext(
        "The chosen SIP subscriber %(number)s is no longer your company's: "
        "the whole company is shown."
    )
    flash(text % {"number": found.number}, "warn")


def chosen() -> Subscriber | None:
    """Whom the user looks at; None for the whole company."""
    return g.get("chosen")


def narrows(whose: str | None) -> Subscriber | None:
    """Whom a list is narrowed to, unless its address says that it shall not be."""
    return None if whose == EVERYBODY else chosen()


def init_app(app: Flask) -> None:
    """Look before every page, and tell the layouts. After the guards: they say who it is."""
    app.before_request(look_up)
    app.jinja_env.globals["chosen_subscriber"] = chosen
