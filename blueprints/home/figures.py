"""The part of the home page with the month in figures. Of clients with many calls it is kept as it
was drawn: for a few seconds without asking, then as long as what it was made of stays the same.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import NamedTuple

from flask import g, render_template, request
from markupsafe import Markup

from blueprints.bills.charge_choice import link_to
from blueprints.chosen import chosen, narrows
from blueprints.home import drawings
from models import Subscriber
from models_billing import Invoice
from services import home_figures
from services.home_figures import Known
from texts import current_language

KEPT_FROM = 5_000  # calls of two months: what is made of fewer is drawn in no time
KEPT = 300  # parts, of some 20 KB each
TRUSTED = timedelta(seconds=5)
LONGEST = timedelta(minutes=1)  # names and connections change without a call


class _Part(NamedTuple):
    """One that was drawn."""

    known: Known
    asked_at: datetime
    drawn_at: datetime
    html: Markup


class _Kept:
    def __init__(self) -> None:
        self._parts: OrderedDict[tuple, _Part] = OrderedDict()
        self._lock = Lock()

    def get(
        self,
        key: tuple,
        now: datetime,
        ask: Callable[[], Known],
        draw: Callable[[Known], Markup],
    ) -> Markup:
        """What is kept under the key, or drawn anew."""
        found = self._parts.get(key)
        if found and abs(now - found.asked_at) < TRUSTED:
            return found.html
        known = ask()
        if found and found.known == known and abs(now - found.drawn_at) < LONGEST:
            self._keep(key, found._replace(asked_at=now))
            return found.html
        html = draw(known)
        if known.calls >= KEPT_FROM:
            self._keep(key, _Part(known, now, now, html))
        return html

    def _keep(self, key: tuple, part: _Part) -> None:
        with self._lock:
            self._parts[key] = part
            self._parts.move_to_end(key)
            while len(self._parts) > KEPT:
                self._parts.popitem(last=False)


_kept = _Kept()


def drawn(now: datetime, last_bill: Invoice | None) -> Markup:
    """The part for whoever has signed in: their client's, in their language."""
    whom = narrows(request.args.get("whose"))
    who = [each.id if each else None for each in (g.client, whom, chosen(), last_bill)]
    who += [g.scope.user_id, g.scope.set_at] if g.scope else []
    return _kept.get(
        (*who, current_language(), request.script_root),
        now,
        lambda: home_figures.ask(g.client, now=now),
        lambda known: _draw(known, whom, last_bill),
    )


def _draw(known: Known, whom: Subscriber | None, last_bill: Invoice | None) -> Markup:
    figures = home_figures.make(g.client, whom, known)
    html = render_template(
        "home/_figures.html",
        whom=whom,
        figures=figures,
        days=drawings.of_days(figures.days),
        months=drawings.of_comparison(figures.compared),
        destinations=drawings.of_destinations(figures.destinations),
        numbers=drawings.of_numbers(figures.numbers),
        last_bill=last_bill,
        calls_url=partial(link_to, whom=whom),
    )
    return Markup(html)  # noqa: S704 - a template's own text, escaped there
