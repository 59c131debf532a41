"""The menu: sections in the source document's order, and their registration.

`SECTIONS` is what a client sees; `OTHERS` are pages that stand outside the menu. Each is a package
(or module) with a blueprint `bp`; one with `init_app(app, config)` is given the application too.
"""

from collections.abc import Iterable
from itertools import chain

from flask import Flask, g, url_for

from blueprints import (
    account,
    auth,
    bills,
    call_centre,
    chosen,
    embedding,
    errors,
    feedback,
    filters,
    guards,
    health,
    home,
    instalments,
    languages,
    letters,
    mailbox,
    onlooking,
    operator,
    orders,
    payments,
    scoped,
    security,
    sessions,
    spoken,
    subscribers,
    verify,
    web,
)
from blueprints.web import MenuItem, MenuLine
from config import Config

SECTIONS = (account, payments, bills, instalments, subscribers, feedback, call_centre, orders)
OTHERS = (home, auth, operator, mailbox, verify, letters, languages, health)


def menu_items() -> Iterable[MenuItem]:
    """The lines for the signed-in user: a client's sections, or the operator's own."""
    if g.client is not None:
        return [section.MENU for section in SECTIONS]
    return [part.OPERATOR_MENU for part in OTHERS if hasattr(part, "OPERATOR_MENU")]


def menu() -> Iterable[MenuLine]:
    """The menu as it stands on the page that is being drawn."""
    return web.menu_lines(menu_items())


def start_url() -> str:
    """Where the signed-in user's work begins: the client's home, or the operator's first page."""
    items = () if g.get("user") is None or g.client is not None else menu_items()
    return url_for(next((item.endpoint for item in items), "home.show"))


def init_app(app: Flask, config: Config) -> None:
    """Register every section and what all pages share."""
    security.init_app(app, config)
    sessions.init_app(app, config)
    guards.init_app(app)  # the first to see a request
    app.before_request(security.refuse_nul)
    embedding.init_app(app)
    chosen.init_app(app)
    scoped.init_app(app)
    onlooking.init_app(app)
    errors.init_app(app)
    web.init_app(app)
    filters.init_app(app)
    spoken.init_app(app)
    app.jinja_env.globals.update(menu=menu, start_url=start_url)
    for part in chain(SECTIONS, OTHERS):
        if hasattr(part, "init_app"):
            part.init_app(app, config)
        app.register_blueprint(part.bp)
