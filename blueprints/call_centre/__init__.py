"""«Мобильный колл-центр»: the numbers in the service, what their calls come to, who was missed and
not called back, and when the centre works.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.call_centre import centre_figures
from blueprints.call_centre.forms import ChangeForm
from blueprints.chosen import EVERYBODY, chosen, narrows
from blueprints.guards import allow
from blueprints.scoped import by_number, has_scope
from blueprints.web import MenuItem, render_section
from domain.call_centre import Hours, MemberKind
from domain.call_detail import hidden_peer
from domain.errors import DomainError, TooManyMessages
from domain.feedback import Subject
from domain.roles import ORDERING_ROLES
from models import Client, Subscriber
from services import call_centre, charge_sheet, clock, feedback
from services.call_centre import Member, Period, Report
from services.charges import page_within
from services.scopes import whole_company
from texts import N_, gettext

bp = Blueprint("call_centre", __name__, url_prefix="/call-centre")
MENU = MenuItem(N_("Mobile call centre"), "call_centre.show")
SHOWN = 10  # of the callers left alone, on the first page
PER_PAGE = 50
PERIOD_WORDS = {
    Period.TODAY: N_("Today"),
    Period.WEEK: N_("This week"),
    Period.MONTH: N_("This month"),
    Period.PREVIOUS: N_("Last month"),
}


@dataclass(frozen=True)
class Wanted:
    """The period and whose calls, as the address asks for them."""

    period: Period
    chosen: Subscriber | None

    @classmethod
    def asked_for(cls) -> "Wanted":
        """Whatever is not understood is as if it were not there."""
        asked = request.args.get("period", "")
        period = Period(asked) if asked in set(Period) else Period.MONTH
        return cls(period, narrows(request.args.get("whose")))

    def arguments(self, period: Period | None = None) -> dict[str, str]:
        """The address: only what differs from the plain one."""
        period = period or self.period
        values = {
            "period": period if period != Period.MONTH else "",
            "whose": EVERYBODY if self.chosen != chosen() else "",
        }
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class Centre:
    """The client's call centre in the period asked for."""

    wanted: Wanted
    members: list[Member]
    hours: Hours
    report: Report

    @classmethod
    def of(cls, client: Client) -> "Centre":
        """Numbers, hours and sums."""
        wanted, today = Wanted.asked_for(), clock.now().date()
        members, hours = call_centre.members_of(client), call_centre.hours_of(client)
        with whole_company():  # who was called back, and by whom
            everyone = call_centre.members_of(client) if has_scope() else members
        report = call_centre.report(
            client,
            everyone,
            hours,
            call_centre.days_of(wanted.period, today),
            today=today,
            only=_only(members, wanted.chosen),
        )
        return cls(wanted, members, hours, report)


def _only(members: list[Member], subscriber: Subscriber | None) -> frozenset[int] | None:
    """The numbers that the list is narrowed to: the chosen one, with those of the connection; all
    that may be seen by who does not see the whole company.
    """
    own = [m.subscriber for m in members]
    if subscriber is None:
        return frozenset(row.id for row in own) if has_scope() else None
    return frozenset(row.id for row in own if subscriber.id in (row.id, row.connection_id))


@bp.get("/")
@by_number
def show() -> Response:
    """The statistics, the numbers and the working hours."""
    centre = Centre.of(g.client)
    return render_section(
        "call_centre/show.html",
        **_shared(centre),
        callers=centre.report.left_alone[:SHOWN],
        figures=centre_figures.figures_of(centre.report, centre.members, centre.hours),
        kinds=MemberKind,
        mean=centre_figures.mean,
        share=centre_figures.share,
        week=centre_figures.week_of(centre.hours),
        holidays=call_centre.holidays_ahead(clock.now().date()),
    )


@bp.get("/missed/")
@by_number
def missed() -> Response:
    """Everybody who was missed and left alone."""
    centre = Centre.of(g.client)
    everybody = centre.report.left_alone
    number, pages = page_within(request.args.get("page", 1, type=int), len(everybody), PER_PAGE)
    return render_section(
        "call_centre/missed.html",
        **_shared(centre),
        callers=everybody[(number - 1) * PER_PAGE : number * PER_PAGE],
        number=number,
        pages=pages,
    )


@bp.route("/change", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
@by_number
def change() -> AnyResponse:
    """Ask the operator for a change: it becomes a thread of «Обратная связь»."""
    today = clock.now().date()
    form = ChangeForm(client=g.client, today=today)
    if not form.validate_on_submit():
        return _draw_change(form, 422 if form.errors else 200)
    try:
        thread = feedback.open_thread(
            Subject.CALL_CENTRE,
            form.message,
            client=g.client,
            user=g.user,
            form_key=form.form_key.data or "",
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except DomainError as error:
        response = _draw_change(form, form.refuse(error))
        if isinstance(error, TooManyMessages):
            response.headers["Retry-After"] = str(error.values.get("retry_after_s", 60))
        return response
    flash(gettext("Request No. {number} is accepted").format(number=thread.number), "ok")
    return redirect(url_for("feedback.thread", key=thread.key), code=303)


def _draw_change(form: ChangeForm, status: int) -> Response:
    return render_section("call_centre/change.html", status, form=form, today=clock.now().date())


def _shared(centre: Centre) -> dict[str, object]:
    return {
        "centre": centre,
        "report": centre.report,
        "wanted": centre.wanted,
        "periods": PERIOD_WORDS,
        "names": {member.subscriber.id: member.subscriber for member in centre.members},
        "peer": _shown_peer,
        "data_until": charge_sheet.data_until(g.client, clock.now()),
    }


def _shown_peer(peer: str) -> str:
    """A caller as the client's rule lets them be shown."""
    return hidden_peer(peer) if g.client.hide_incoming_peers else peer
