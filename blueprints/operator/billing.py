"""«Формирование счетов»: closed months, what became of each client, and having invoices formed by a
job: first a look at what would be, then the deed.
"""

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow, does_not_prolong
from blueprints.operator.money_forms import service_text
from blueprints.operator.months import closed_month
from blueprints.web import MenuItem, render_section
from domain.billing.delivery import DeliveryMethod
from domain.billing.requests import OPEN_STATES, RequestState
from domain.errors import NotFound
from domain.periods import month_of
from domain.roles import OPERATOR_ROLES, Role
from models import Client
from models_billing import BillingRequest
from services import accounts, billing_months, billing_requests, clock, vat_rates
from texts import N_, billing_failure_text, gettext

BILLING_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
POLL_S = 2
STATE_WORDS = {
    RequestState.ASKED: N_("Waits for its turn"),
    RequestState.RUNNING: N_("Under way"),
    RequestState.DONE: N_("Done"),
    RequestState.FAILED: N_("Failed"),
}
TONES = {RequestState.DONE: "ok", RequestState.FAILED: "bad"}
bp = Blueprint("billing", __name__, url_prefix="/billing")
MENU = MenuItem(N_("Forming of bills"), "operator.billing.index")


@dataclass(frozen=True)
class BillingCard:
    """A request at one moment."""

    request: BillingRequest
    state: str
    tone: str
    poll_s: int  # 0: nothing to wait for
    done: int  # clients looked at
    percent: int | None
    failures: list[tuple[Client, str]]
    can_form: bool


@bp.get("/")
@allow(*OPERATOR_ROLES)
def index() -> Response:
    """Closed months, the newest first."""
    months = billing_months.months(clock.now().date())
    return render_section("operator/billing/index.html", months=months)


@bp.get("/<month>")
@allow(*OPERATOR_ROLES)
def month(month: str) -> Response:
    """A month: how many invoices, who has none and why, what was done about it."""
    first = _month_or_404(month)
    rates = vat_rates.in_force(month_of(first).end)
    return render_section(
        "operator/billing/month.html",
        told=billing_months.one(first),
        vat=[service_text(service, percent) for service, percent in rates.items()],
        failures=billing_requests.failures_of_month(first),
        attempts=billing_months.attempts(first),
        handouts=sum(billing_months.handout_counts(first).values()),
        state_text=state_text,
        failure_text=billing_failure_text,
        may_form=may_form(),
        form=EmptyForm(),
    )


@bp.get("/<month>/handout/")
@allow(*OPERATOR_ROLES)
def handout(month: str) -> Response:
    """«Выдать на руки»: documents of the month that no letter brings to their clients."""
    first = _month_or_404(month)
    wanted = request.args.get("method", "")
    if wanted and wanted not in set(DeliveryMethod) - {DeliveryMethod.EMAIL}:
        abort(404)
    method = DeliveryMethod(wanted) if wanted else None
    listed = billing_months.handouts_page(first, method, request.args.get("page", 1, type=int))
    return render_section("operator/billing/handout.html", month=first, listed=listed)


@bp.post("/<month>/look")
@allow(*BILLING_ROLES)
def look(month: str) -> AnyResponse:
    """Have it told what would be formed."""
    check_button()
    return _ask(_month_or_404(month), is_dry=True)


@bp.post("/<month>/retry")
@allow(*BILLING_ROLES)
def retry(month: str) -> AnyResponse:
    """«Повторить» for one client alone."""
    check_button()
    first = _month_or_404(month)
    try:
        client = accounts.find_client(request.form.get("account", ""))
    except NotFound:
        flash(gettext("There is no client with this account number"), "warn")
        return redirect(url_for(".month", month=month), code=303)
    return _ask(first, is_dry=False, client=client)


@bp.get("/requests/<int:asked>")
@allow(*OPERATOR_ROLES)
def show(asked: int) -> Response:
    """How far a request is, and what came of it."""
    row = _request_or_404(asked)
    return render_section("operator/billing/show.html", card=draw(row), form=EmptyForm())


@bp.get("/requests/<int:asked>/status")
@allow(*OPERATOR_ROLES)
@does_not_prolong
def status(asked: int) -> AnyResponse:
    """The card alone, for those who wait for it; opened as a page it is the request."""
    row = _request_or_404(asked)
    if "HX-Request" not in request.headers:
        return redirect(url_for(".show", asked=asked), code=303)
    return render_section(
        "operator/billing/_card.html", card=draw(row), form=EmptyForm(), is_part=True
    )


@bp.post("/requests/<int:asked>/form")
@allow(*BILLING_ROLES)
def form(asked: int) -> AnyResponse:
    """«Сформировать счета», after a look at what will be."""
    check_button()
    row = _request_or_404(asked)
    if not draw(row).can_form:
        flash(gettext("First have it checked what would be formed"), "warn")
        return redirect(url_for(".show", asked=asked), code=303)
    return _ask(row.period, is_dry=False, client=row.client)


def _ask(first: date, *, is_dry: bool, client: Client | None = None) -> AnyResponse:
    asked = billing_requests.ask(
        first,
        client=client,
        is_dry=is_dry,
        user=g.user,
        ip=request.remote_addr or "",
        now=clock.now(),
    )
    return redirect(url_for(".show", asked=asked.id), code=303)


def draw(row: BillingRequest) -> BillingCard:
    """The card of a request."""
    done = row.formed + row.known + row.failed
    is_open = row.state in OPEN_STATES
    ids = [client_id for client_id, _reason, _count in row.failures]
    clients = {client.id: client for client in Client.select().where(Client.id.in_(ids))}
    return BillingCard(
        request=row,
        state=state_text(row),
        tone=TONES.get(RequestState(row.state), ""),
        poll_s=POLL_S if is_open else 0,
        done=done,
        percent=min(99, 100 * done // row.clients) if is_open and row.clients else None,
        failures=[
            (clients[client_id], billing_failure_text(reason, count))
            for client_id, reason, count in row.failures
            if client_id in clients
        ],
        can_form=row.is_dry and row.state == RequestState.DONE and bool(row.formed) and may_form(),
    )


def state_text(row: BillingRequest) -> str:
    """The state in a word."""
    return gettext(STATE_WORDS[RequestState(row.state)])


def may_form() -> bool:
    """Whether the signed-in user may do more than look."""
    return Role(g.user.role) in BILLING_ROLES


def _month_or_404(text: str) -> date:
    return closed_month(text) or abort(404)


def _request_or_404(number: int) -> BillingRequest:
    return billing_requests.find(number) or abort(404)
