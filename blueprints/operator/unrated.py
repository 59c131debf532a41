"""«Звонки без цены»: what keeps invoices back, and doing without it."""

from urllib.parse import urlencode

from flask import Blueprint, Response, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField

from blueprints.forms import CabinetForm, EmptyForm, check_button
from blueprints.guards import allow
from blueprints.operator.months import read_month
from blueprints.paths import row_id
from blueprints.web import MenuItem, render_section
from domain.errors import DomainError, InvalidValue, NotFound
from domain.rating.states import CallRating
from domain.roles import OPERATOR_ROLES, Role
from services import access, accounts, clock, unrated, waivers
from services.import_turns import ImportsBusy
from services.unrated import NOT_LOOKED_AT, Group
from services.waivers import CallKey
from texts import BUSY, N_, error_text, gettext, lazy_gettext

WAIVING_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
CALLS_SHOWN = 50
REASONS = {
    CallRating.NO_PLAN: N_("The number had no tariff"),
    CallRating.NO_RATE: N_("The tariff has no price"),
    NOT_LOOKED_AT: N_("Not priced yet"),
}
bp = Blueprint("unrated", __name__, url_prefix="/unrated")
MENU = MenuItem(N_("Unrated calls"), "operator.unrated.index")


class WaiveForm(CabinetForm):
    """Why calls are not charged."""

    reason = StringField(lazy_gettext("Why they are not charged"))


@bp.get("/")
@allow(*OPERATOR_ROLES)
def index() -> Response:
    """All groups, or those of one client and month, and what was waived of late."""
    account = request.args.get("account", "")
    month = read_month(request.args.get("month", ""))
    try:
        client = accounts.find_client(account) if account else None
        groups = unrated.groups(client=client, month=month)
    except NotFound:
        groups = []
    return render_section(
        "operator/unrated/index.html",
        groups=groups,
        is_part=bool(account or month),
        waivers=waivers.last(),
        can_undo=waivers.can_undo,
        may_waive=_may_waive(),
        reason_of=reason_of,
        address_of=_address_of,
        form=EmptyForm(),
    )


@bp.get("/calls")
@allow(*OPERATOR_ROLES)
def calls() -> AnyResponse:
    """The calls of a group."""
    group = _group()
    return _none_left() if group is None else _calls(group, WaiveForm())


def _calls(group: Group, form: WaiveForm, status: int = 200) -> AnyResponse:
    page = max(1, min(request.args.get("page", 1, type=int), 1_000_000))
    rows, count = unrated.page_of(group, page, CALLS_SHOWN)
    if not count:
        return _none_left()
    ip = request.remote_addr or ""
    access.note_client_viewed(g.user, group.client, "unrated", ip=ip, now=clock.now())
    return render_section(
        "operator/unrated/calls.html",
        status,
        group=group,
        reason=reason_of(group),
        calls=rows,
        count=count,
        page=page,
        pages=-(-count // CALLS_SHOWN),
        arguments=_arguments(group),
        ticked=set(request.form.getlist("call")),
        may_waive=_may_waive(),
        form=form,
    )


@bp.post("/waive")
@allow(*WAIVING_ROLES)
def waive() -> AnyResponse:
    """Do without the price of the ticked calls, or of the whole group."""
    form = WaiveForm()
    group = _group()
    if group is None:
        check_button()
        return _none_left()
    only = None if request.form.get("which") == "all" else _ticked()
    if not form.validate_on_submit():
        return _calls(group, form, 422)
    try:
        waiver = waivers.waive(
            group,
            form.reason.data or "",
            only=only,
            user=g.user,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except (ImportsBusy, DomainError) as error:
        form.reason.errors = [_refusal(error)]
        return _calls(group, form, 422)
    flash(gettext("Calls not charged: {n}").format(n=waiver.calls), "ok")
    return redirect(url_for(".index"), code=303)


@bp.post("/undo")
@allow(*WAIVING_ROLES)
def undo() -> AnyResponse:
    """Take a waiver back."""
    check_button()
    waiver = waivers.find(_number(request.form.get("waiver", "")))
    try:
        if waiver is not None and waivers.undo(
            waiver, user=g.user, ip=request.remote_addr or "", now=clock.now()
        ):
            flash(gettext("The calls are to be priced again"), "ok")
        else:
            flash(gettext("There is nothing to take back"), "warn")
    except (ImportsBusy, DomainError) as error:
        flash(_refusal(error), "warn")
    return redirect(url_for(".index"), code=303)


def reason_of(group: Group) -> str:
    """Why the calls of a group have no price."""
    return gettext(REASONS.get(group.rating, REASONS[NOT_LOOKED_AT]))


def _refusal(error: Exception) -> str:
    if isinstance(error, ImportsBusy):
        return gettext(BUSY)
    if isinstance(error, InvalidValue):
        return gettext("Give the reason, in no more than 200 characters")
    if isinstance(error, DomainError) and error.code == "nothing_selected":
        return gettext("Tick the calls, or take all of them")
    return error_text(error)


def _group() -> Group | None:
    """The group that the address names, whether or not it has calls."""
    told = request.args
    month, rating = read_month(told.get("month", "")), told.get("reason", "")
    if month is None or rating not in {str(int(each)) for each in REASONS}:
        return None
    try:
        client = accounts.find_client(told.get("account", ""))
    except NotFound:
        return None
    return Group(client=client, month=month, rating=int(rating), destination=told.get("to", ""))


def _arguments(group: Group) -> dict[str, str]:
    return {
        "account": group.client.account_no,
        "month": f"{group.month:%Y-%m}",
        "reason": str(int(group.rating)),
        "to": group.destination,
    }


def _address_of(group: Group) -> str:
    return f"{url_for('.calls')}?{urlencode(_arguments(group))}"


def _none_left() -> AnyResponse:
    flash(gettext("There are no such calls any more"), "warn")
    return redirect(url_for(".index"), code=303)


def _ticked() -> list[CallKey]:
    keys = [key.split("-") for key in request.form.getlist("call")]
    return [tuple(map(_number, key)) for key in keys if len(key) == 3]  # type: ignore[misc]


def _number(text: str) -> int:
    try:
        return row_id(text)
    except ValueError:
        return 0


def _may_waive() -> bool:
    return Role(g.user.role) in WAIVING_ROLES
