"""«Детализация на E-mail»: period, then subscribers, then the order."""

from typing import Any

from flask import Blueprint, Response, current_app, request

from blueprints.bills.forms import PeriodForm
from blueprints.bills.numbers_wizard import NumbersWizard
from blueprints.guards import allow
from blueprints.scoped import by_number
from blueprints.web import MenuItem, render_section
from domain.orders import OrderKind
from domain.periods import month_of, month_start
from domain.roles import ORDERING_ROLES
from services import call_detail_words, clock, orders, reports
from services.orders import CallDetailRequest
from texts import N_

KIND = OrderKind.CALL_DETAIL
bp = Blueprint("call_detail", __name__, url_prefix="/call-detail")
MENU = MenuItem(
    N_("Call details by e-mail"),
    "bills.call_detail.start",
    about=N_(
        "You can order call details for the current and the last month. "
        "They can be sent to the client's e-mail address."
    ),
)


@bp.route("/", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
@by_number
def start() -> Response:
    """Step 1 of a new order."""
    return WIZARD.start()


@bp.route("/<key>/period", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
@by_number
def period(key: str) -> Response:
    """Step 1 again, filled with what was answered."""
    return WIZARD.again(key, is_refilled="month" in request.args)


@bp.route("/<key>/subscribers", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
@by_number
def subscribers(key: str) -> Response:
    """Step 2: ticks and a typed list, and with them the order."""
    return WIZARD.subscribers(key)


@bp.post("/<key>/subscribers/ticks")
@allow(*ORDERING_ROLES)
@by_number
def ticks(key: str) -> Response:
    """Ticks as they are made, where there is JavaScript."""
    return WIZARD.ticks(key)


def _period_form(*args: object, **values: object) -> PeriodForm:
    """The form of step 1, by default for the current month (`?month=previous`: the one before)."""
    today = clock.now().date()
    first, last = month_start(today), today
    if request.args.get("month") == "previous":
        previous = month_of(today, months_back=1)
        first, last = previous.start, previous.end
    return PeriodForm(
        *args,
        today=today,
        months_back=current_app.config["CABINET"].CALL_DETAIL_MONTHS_BACK,
        formats=reports.formats_of(KIND),
        data={"start": first, "end": last},
        **values,
    )


def _show_period(form: PeriodForm) -> Response:
    status = 422 if form.errors else 200
    return render_section("bills/call_detail/period.html", status, form=form)


def _about(asked: CallDetailRequest) -> dict[str, Any]:
    return {
        "direction": call_detail_words.direction_text(asked.direction),
        "due_at": orders.due_at(now=clock.now()),
    }


WIZARD = NumbersWizard(KIND, "bills.call_detail", "period", _period_form, _show_period, _about)
