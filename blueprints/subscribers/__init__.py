"""«Выбор SIP-абонента»: the client's connections and numbers, and whom the user looks at."""

from dataclasses import dataclass

from flask import Blueprint, Response, flash, g, redirect, request, url_for

from blueprints.forms import check_button
from blueprints.paths import row_id
from blueprints.scoped import by_number
from blueprints.web import MenuItem, render_section
from domain.errors import NotFound
from domain.roles import Role
from services import access, clock, subscriber_choice, subscriber_list
from services.selection import PAGE_SIZES
from services.subscriber_list import SORTS, Filters
from texts import N_, gettext

FEW = 20  # up to here one page shows everything: nothing to search
bp = Blueprint("subscribers", __name__, url_prefix="/subscribers")
MENU = MenuItem(N_("Choose SIP subscriber"), "subscribers.show")


@dataclass(frozen=True)
class Wanted:
    """The list as the address asks for it."""

    filters: Filters
    sort: str
    descending: bool
    number: int
    size: int

    @classmethod
    def asked_for(cls) -> "Wanted":
        """Whatever is not understood is as if it were not there."""
        values = request.values
        sort, size = values.get("sort", ""), values.get("per_page", PAGE_SIZES[0], type=int)
        filters = Filters(
            values.get("q", "")[:100],
            values.get("status", ""),
            values.get("sip") == "1",
            values.get("connection", type=row_id),
        )
        return cls(
            filters,
            sort if sort in SORTS else "number",
            values.get("desc") == "1",
            values.get("page", 1, type=int),
            size if size in PAGE_SIZES else PAGE_SIZES[0],
        )

    def arguments(self) -> dict[str, object]:
        """The address of the list without its page: only what differs from the plain one."""
        values = {
            "q": self.filters.text,
            "status": self.filters.status,
            "sip": "1" if self.filters.connections_only else "",
            "connection": self.filters.connection,
            "sort": self.sort if self.sort != "number" else "",
            "desc": "1" if self.descending else "",
            "per_page": self.size if self.size != PAGE_SIZES[0] else "",
        }
        return {name: value for name, value in values.items() if value}

    def by(self, sort: str) -> dict[str, object]:
        """The address of the list by another column; by the same one the other way round."""
        turned = sort == self.sort and not self.descending
        rest = {k: v for k, v in self.arguments().items() if k not in ("sort", "desc")}
        return rest | {"sort": sort} | ({"desc": "1"} if turned else {})


@bp.get("/")
@by_number
def show() -> Response:
    """The list, with a button to choose each."""
    wanted, now = Wanted.asked_for(), clock.now()
    page = subscriber_list.find_page(
        g.client,
        wanted.filters,
        sort=wanted.sort,
        descending=wanted.descending,
        number=wanted.number,
        size=wanted.size,
        now=now,
    )
    connection = wanted.filters.connection
    return render_section(
        "subscribers/show.html",
        page=page,
        wanted=wanted,
        heads=_heads(),
        of_connection=subscriber_list.find(g.client, connection) if connection else None,
        sizes=PAGE_SIZES,
        few=subscriber_list.count(g.client, now) <= FEW,
        is_administrator=g.user.role == Role.CLIENT_ADMINISTRATOR,
    )


@bp.post("/choice")
@by_number
def choose() -> Response:
    """Look at one subscriber from now on."""
    check_button()
    wanted, ip = Wanted.asked_for(), request.remote_addr or ""
    subscriber_id = request.form.get("subscriber", type=row_id)
    try:
        found = subscriber_choice.choose(
            g.client, g.user, subscriber_id or 0, ip=ip, now=clock.now()
        )
    except NotFound:
        access.note_foreign_subscribers(g.user, [subscriber_id or 0], ip=ip, now=clock.now())
        flash(gettext("There is no such subscriber among your company's numbers"), "warn")
    else:
        flash(gettext("The SIP subscriber %(number)s is chosen") % {"number": found.number}, "ok")
    page = {"page": wanted.number} if wanted.number > 1 else {}
    return redirect(url_for(".show", **wanted.arguments(), **page), code=303)


@bp.post("/everybody")
@by_number
def everybody() -> Response:
    """Look at the whole company again."""
    check_button()
    subscriber_choice.clear(g.client, g.user, ip=request.remote_addr or "", now=clock.now())
    flash(gettext("The whole company is shown"), "ok")
    return redirect(url_for(".show"), code=303)


def _heads() -> list[tuple[str, str]]:
    """Columns by which the list can be sorted, behind the number and the name."""
    return [
        (gettext("Tariff plan"), "plan"),
        (gettext("Status"), "status"),
        (gettext("Reason of the status"), "reason"),
    ]
