"""Users who see chosen numbers of their company: which pages are theirs, and what they are told.
Which rows are: `services/scopes.py`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, g
from werkzeug.exceptions import Forbidden

from domain.errors import CompanyWide
from domain.roles import CLIENT_ROLES
from models import seen_through
from services import scopes
from texts import error_text, ngettext

View = TypeVar("View", bound=Callable[..., Any])


class PageOfCompany(Forbidden):
    """The page is about the company as a whole."""

    @property
    def text(self) -> str:
        """The sentence for the page."""
        return error_text(CompanyWide())

    @property
    def more(self) -> str:
        """What is open instead."""
        return own_numbers_text()


def by_number(view: View) -> View:
    """Open a view to those who see chosen numbers: it tells of numbers, and of nothing that is the
    company's as a whole. A view without this mark is closed to them.
    """
    view.is_by_number = True  # type: ignore[attr-defined]
    return view


def enter(view: Callable[..., Any], roles: frozenset) -> None:
    """Look up what the user may see, and let it hold until the page is answered; raises
    `PageOfCompany`.
    """
    g.scope = scopes.of_user(g.user)
    if g.scope is None:
        return
    g.request_scope.enter_context(seen_through(g.scope))
    if roles <= CLIENT_ROLES and not getattr(view, "is_by_number", False):
        raise PageOfCompany


def has_scope() -> bool:
    """Whether who has signed in sees chosen numbers only."""
    return g.get("scope") is not None


def own_numbers_text() -> str:
    """«Ваш доступ: N абонентов»."""
    if "numbers_open" not in g:
        g.numbers_open = scopes.count(g.scope)
    text = ngettext(
        "Open to you: %(num)d subscriber", "Open to you: %(num)d subscribers", g.numbers_open
    )
    return text % {"num": g.numbers_open}


def init_app(app: Flask) -> None:
    """Tell the templates."""
    app.jinja_env.globals.update(has_scope=has_scope, own_numbers_text=own_numbers_text)
