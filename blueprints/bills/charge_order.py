"""«Начисления за текущий период» by e-mail: form of the file, then subscribers, then the order."""

from typing import Any

from flask import Blueprint, Response

from blueprints.bills.forms import ChargesForm
from blueprints.bills.numbers_wizard import NumbersWizard
from blueprints.guards import allow
from blueprints.scoped import by_number
from blueprints.web import render_section
from domain.orders import OrderKind
from domain.roles import ORDERING_ROLES
from services import clock, reports
from services.orders import ChargesRequest

KIND = OrderKind.CHARGES
bp = Blueprint("charge_order", __name__, url_prefix="/charges/order")


@bp.route("/", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
@by_number
def start() -> Response:
    """Step 1 of a new order."""
    return WIZARD.start()


@bp.route("/<key>/form", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
@by_number
def form(key: str) -> Response:
    """Step 1 again, filled with what was answered."""
    return WIZARD.again(key)


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


def _form(*args: object, **values: object) -> ChargesForm:
    today = clock.now().date()
    return ChargesForm(*args, today=today, formats=reports.formats_of(KIND), **values)


def _show_form(form: ChargesForm) -> Response:
    status = 422 if form.errors else 200
    return render_section("bills/charge_order/form.html", status, form=form)


def _about(asked: ChargesRequest) -> dict[str, Any]:
    return {"month": asked.period.start}


WIZARD = NumbersWizard(KIND, "bills.charge_order", "form", _form, _show_form, _about)
