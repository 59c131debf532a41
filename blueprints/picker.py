"""The list of subscribers to tick: one form, many buttons, and the ticks kept on the server.

Every POST first makes the ticks of the rows shown what the form says, and only then does what the
button asks; so paging, searching and going back lose nothing, with JavaScript or without.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import g, request
from werkzeug.datastructures import MultiDict

from blueprints.chosen import EVERYBODY, chosen, narrows
from blueprints.paths import row_id
from models import OrderDraft, Subscriber
from services import access, clock, drafts, selection
from services.selection import PAGE_SIZES, Eligible, Filters, Page, PageTicks

FEW = 20  # up to here one page shows everything: no search, no buttons for many
STEP = "view"
PAGE_BUTTON = re.compile(r"p([0-9]{1,6})")


@dataclass(frozen=True)
class Picker:
    """The list of one draft. `everything` is a query over the client's eligible subscribers,
    `short` makes the shorter way to the same, where there is one.
    """

    draft: OrderDraft
    everything: object
    filters: Filters
    number: int
    size: int
    short: Callable[[], Eligible] | None = None

    @classmethod
    def asked_for(
        cls,
        draft: OrderDraft,
        everything: object,
        values: MultiDict,
        short: Callable[[], Eligible] | None = None,
    ) -> "Picker":
        """As the address or the posted form says."""
        remembered = draft.answers.get(STEP, {}).get("size", PAGE_SIZES[0])
        size = values.get("per_page", remembered, type=int)
        filters = Filters(
            text=values.get("q", "")[:100],
            status=values.get("status", ""),
            connections_only=values.get("sip") == "1",
            selected_only=values.get("sel") == "1",
            chosen=narrows(values.get("whose")),
        )
        return cls(
            draft,
            everything,
            filters,
            number=values.get("page", 1, type=int),
            size=size if size in PAGE_SIZES else PAGE_SIZES[0],
            short=short,
        )

    def page(self) -> Page:
        """What is shown."""
        short = self.short() if self.short else None
        return selection.find_page(
            self.draft, self.everything, self.filters, self.number, self.size, short=short
        )

    def arguments(self) -> dict[str, object]:
        """The address of what is shown: only what differs from the plain list."""
        values = {
            "q": self.filters.text,
            "status": self.filters.status,
            "sip": "1" if self.filters.connections_only else "",
            "sel": "1" if self.filters.selected_only else "",
            "whose": EVERYBODY if self.filters.chosen != chosen() else "",
            "page": self.number if self.number > 1 else "",
        }
        return {name: value for name, value in values.items() if value}

    def posted(self) -> PageTicks:
        """The rows that were shown, and those of them that are ticked."""
        return PageTicks(
            frozenset(request.form.getlist("shown", type=row_id)),
            frozenset(request.form.getlist("tick", type=row_id)),
        )

    def save(self) -> None:
        """Keep the ticks of the rows shown, and the rows per page."""
        posted = self.posted()
        selection.save_page(self.draft, self.everything, posted)
        access.note_foreign_subscribers(
            g.user, posted.shown | posted.ticked, ip=request.remote_addr or "", now=clock.now()
        )
        if self.draft.answers.get(STEP, {}).get("size") != self.size:
            drafts.remember(self.draft, STEP, {"size": self.size})

    def obey(self, go: str) -> "Picker":
        """Do what a button of the list asks for, and return what is to be shown after."""
        if page := PAGE_BUTTON.fullmatch(go):
            return replace(self, number=int(page[1]))
        if go == "page_all":
            selection.tick(self.draft, self.everything, request.form.getlist("shown", type=row_id))
        elif go == "page_none":
            selection.untick(self.draft, request.form.getlist("shown", type=row_id))
        elif go == "match_all":
            found = selection.narrow(self.everything, self.draft, self.filters)
            selection.tick_found(self.draft, found)
        elif go == "clear":
            selection.clear(self.draft)
        elif go in ("selected", "everyone"):
            only = go == "selected"
            filters = Filters(selected_only=only, chosen=None if only else chosen())
            return replace(self, number=1, filters=filters)
        elif go == "reset":
            return replace(self, number=1, filters=Filters(chosen=chosen()))
        elif go in ("search", "size"):
            return replace(self, number=1)
        return self


def tick_chosen(draft: OrderDraft, everything: object) -> None:
    """Begin with the SIP subscriber whom the user looks at, if there is one."""
    if (subscriber := chosen()) is not None:
        selection.tick(draft, everything, [subscriber.id])


def ticked_chosen(draft: OrderDraft) -> Subscriber | None:
    """That one, as long as it is ticked."""
    subscriber = chosen()
    return subscriber if subscriber and selection.is_ticked(draft, subscriber) else None


def has_few(page: Page) -> bool:
    """Whether everything fits on one short page."""
    return page.in_all <= FEW
