"""«Начисления за текущий период»: what each number has come to this month, its calls, and why each
call costs what it does.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, redirect, request, url_for

from blueprints.bills import charge_charts, charge_rows
from blueprints.bills.charge_choice import Asked
from blueprints.chosen import EVERYBODY, chosen, narrows
from blueprints.scoped import by_number
from blueprints.web import MenuItem, render_section
from domain.rating.states import CallRating
from domain.roles import ORDERING_ROLES, Role
from models import Subscriber
from services import access, charge_calls, charge_keeping, charges, clock, price_questions
from services.charge_sheet import Sheet, data_until
from services.charges import SORTS, WHICH, PricedCall
from services.selection import PAGE_SIZES
from texts import DESTINATION_GROUPS, N_, destination_group_text, gettext

FEW = 20  # up to here one page shows every number: nothing to search
CALLS_PER_PAGE = 50
bp = Blueprint("charges", __name__, url_prefix="/charges")
MENU = MenuItem(
    N_("Charges this period"),
    "bills.charges.show",
    about=N_(
        "You can order information about the charges of the current month by subscriber. It is "
        "sent to the client's e-mail address."
    ),
    beside=("bills.charge_order",),
)
WHICH_WORDS = {
    "all": N_("All calls"),
    "paid": N_("Paid ones"),
    "unrated": N_("Without a price"),
    "in": N_("Incoming ones"),
}


@dataclass(frozen=True)
class Wanted:
    """The list as the address asks for it."""

    text: str
    sort: str
    descending: bool
    number: int
    size: int
    chosen: Subscriber | None

    @classmethod
    def asked_for(cls) -> "Wanted":
        """Whatever is not understood is as if it were not there."""
        values = request.args
        sort, size = values.get("sort", ""), values.get("per_page", PAGE_SIZES[0], type=int)
        return cls(
            values.get("q", "")[:100],
            sort if sort in SORTS else "number",
            values.get("desc") == "1",
            values.get("page", 1, type=int),
            size if size in PAGE_SIZES else PAGE_SIZES[0],
            narrows(values.get("whose")),
        )

    def arguments(self) -> dict[str, object]:
        """The address of the list without its page: only what differs from the plain one."""
        values = {
            "q": self.text,
            "sort": self.sort if self.sort != "number" else "",
            "desc": "1" if self.descending else "",
            "per_page": self.size if self.size != PAGE_SIZES[0] else "",
            "whose": EVERYBODY if self.chosen != chosen() else "",
        }
        return {name: value for name, value in values.items() if value}

    def by(self, sort: str) -> dict[str, object]:
        """The address of the list by another column: sums the greatest first, words from A on;
        by the same column the other way round.
        """
        first = sort not in ("number", "name")
        turned = not self.descending if sort == self.sort else first
        rest = {k: v for k, v in self.arguments().items() if k not in ("sort", "desc")}
        return rest | {"sort": sort} | ({"desc": "1"} if turned else {})


@bp.get("/")
@by_number
def show() -> Response:
    """The client's sums, and the list of numbers with theirs."""
    sheet = charge_keeping.sheet_of(g.client, now=clock.now())
    wanted = Wanted.asked_for()
    page = charges.find_page(
        sheet,
        text=wanted.text,
        sort=wanted.sort,
        descending=wanted.descending,
        number=wanted.number,
        size=wanted.size,
        chosen=wanted.chosen,
    )
    return render_section(
        "bills/charges/show.html",
        sheet=sheet,
        today=clock.now().date(),
        lines=charges.lines_of(sheet),
        page=page,
        rows=list(charge_rows.lines_of(page.rows)),
        sums=_last_rows(sheet) if page.number == page.pages else [],
        wanted=wanted,
        heads=charge_rows.titles(),
        unrated=charge_rows.unrated_text(sheet.sum("unrated")),
        sizes=PAGE_SIZES,
        few=len(sheet.ids) <= FEW,
        may_order=Role(g.user.role) in ORDERING_ROLES,
    )


def _last_rows(sheet: Sheet) -> list[tuple[str, list[charge_rows.Cell]]]:
    """Under the last number: what is the company's and no number's, and all together."""
    name = (
        gettext("Total of the company")
        if sheet.is_whole
        else gettext("Total of the numbers open to you")
    )
    total = (name, charge_rows.sums_of(sheet, only_rest=False))
    if not (sheet.rest("total") or sheet.rest("forecast")):
        return [total]
    rest = charge_rows.sums_of(sheet, only_rest=True)
    return [(gettext("Of the company, not of a number"), rest), total]


@bp.get("/charts/")
@by_number
def charts() -> Response:
    """The month as drawings, with the table behind each."""
    sheet = charge_keeping.sheet_of(g.client, now=clock.now())
    return render_section(
        "bills/charges/charts.html", sheet=sheet, figures=charge_charts.figures_of(sheet)
    )


@bp.get("/calls/")
@by_number
def calls() -> Response:
    """Calls of a day or a month across the numbers: what the figures by day and destination are
    made of.
    """
    now = clock.now()
    asked = Asked.of_address(clock.local(now).date())
    choice = asked.choice
    groups = charge_calls.groups_of(g.client, choice, asked.open_days)
    if choice.group and choice.group not in groups | DESTINATION_GROUPS.keys():
        abort(404)
    page = None
    if not asked.misread:
        page = charge_calls.find_page(g.client, choice, before=asked.before, size=CALLS_PER_PAGE)
    return render_section(
        "bills/charges/calls.html",
        200 if page else 422,
        asked=asked,
        choice=choice,
        page=page,
        groups=sorted(groups | ({choice.group} - {""}), key=destination_group_text),
        known={"data_until": data_until(g.client, now)},
        ratings=CallRating,
    )


@bp.get("/<int:subscriber>/")
@by_number
def number(subscriber: int) -> Response:
    """One number: its sums, and its calls of the month with their prices."""
    own = own_number_or_404(subscriber)
    sheet = charge_keeping.sheet_of(g.client, now=clock.now())
    which = request.args.get("which", "")
    which = which if which in WHICH else WHICH[0]
    page = charges.calls_of(
        g.client,
        own,
        sheet.period,
        which=which,
        number=request.args.get("page", 1, type=int),
        size=CALLS_PER_PAGE,
    )
    return render_section(
        "bills/charges/number.html",
        subscriber=own,
        row=charges.row_of(sheet, own),
        sheet=sheet,
        page=page,
        which=which,
        words=WHICH_WORDS,
        ratings=CallRating,
    )


@bp.get("/<int:subscriber>/<int:started>-<int:seq>")
@by_number
def call(subscriber: int, started: int, seq: int) -> Response:
    """Why one call costs what it does, as a page."""
    told = own_call_or_404(own_number_or_404(subscriber), started, seq)
    return render_section("bills/charges/call.html", **_reasons(told))


@bp.get("/<int:subscriber>/<int:started>-<int:seq>/why")
@by_number
def why(subscriber: int, started: int, seq: int) -> Response:
    """The same as a part of the list; opened as a page it is the page."""
    told = own_call_or_404(own_number_or_404(subscriber), started, seq)
    if "HX-Request" not in request.headers:
        address = url_for(".call", subscriber=subscriber, started=started, seq=seq)
        return redirect(address, code=303)
    return render_section("bills/charges/_why.html", **_reasons(told))


def own_number_or_404(subscriber_id: int) -> Subscriber:
    """The client's own number. Somebody else's is written down, and one that does not exist."""
    found = charges.find_number(g.client, subscriber_id)
    if found is None:
        ip = request.remote_addr or ""
        access.note_foreign_subscribers(g.user, [subscriber_id], ip=ip, now=clock.now())
        abort(404)
    return found


def own_call_or_404(subscriber: Subscriber, started: int, seq: int) -> PricedCall:
    """A call of the number."""
    return charges.find_call(g.client, subscriber, started, seq) or abort(404)


def _reasons(told: PricedCall) -> dict[str, object]:
    return {
        "told": told,
        "call": told.call,
        "why": price_questions.why(g.client, told.call),
        "ratings": CallRating,
    }
