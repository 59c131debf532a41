"""One of a client's instalment plans on the operator's side: ending it before its last part."""

from flask import Blueprint, Response, abort, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from blueprints.bills.forms import DATE_FORMATS, DayField
from blueprints.forms import CabinetForm
from blueprints.guards import allow
from blueprints.operator.money_forms import REQUIRED
from blueprints.operator.one_client import client_or_404
from blueprints.step_up import by
from blueprints.web import render_section
from domain.billing.instalments import PlanEnd
from domain.errors import DomainError, InvalidValue
from domain.formats import format_money
from domain.roles import Role
from models import Client
from services import clock, instalment_list, instalments
from services.import_turns import ImportsBusy
from services.instalment_list import Told
from texts import BUSY, N_, error_text, gettext, lazy_gettext

MONEY_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
REFUSALS = {
    "date": N_("The day is still to come"),
    "last day": N_("The day is before the instalments were put down"),
}
HOW = (
    SelectChoice(PlanEnd.REPAID, lazy_gettext("Repaid early")),
    SelectChoice(PlanEnd.CALLED_OFF, lazy_gettext("Called off: goods returned, or a mistake")),
)
bp = Blueprint("instalments", __name__, url_prefix="/clients/<int:client>/instalments/<int:plan>")


class EndForm(CabinetForm):
    """How a plan ends, and when."""

    how = RadioField(
        lazy_gettext("How it ends"),
        choices=HOW,
        validators=[InputRequired(lazy_gettext("Choose how it ends"))],
    )
    day = DayField(lazy_gettext("Day"), format=DATE_FORMATS, validators=[REQUIRED])


@bp.route("/end", methods=["GET", "POST"])
@allow(*MONEY_ROLES)
def end(client: int, plan: int) -> AnyResponse:
    """What ending would do, and ending."""
    row = client_or_404(client)
    today = clock.now().date()
    told = instalment_list.find(row, plan, today) or abort(404)
    form = EndForm(day=today)
    if not form.validate_on_submit():
        return _draw(row, told, form, 422 if form.errors or form.form_errors else 200)
    try:
        parts = instalments.end(row, plan, PlanEnd(form.how.data), form.day.data, by=by())
    except ImportsBusy:
        form.form_errors.append(gettext(BUSY))
        return _draw(row, told, form, 422)
    except DomainError as error:
        form.form_errors.append(_sentence(error))
        return _draw(row, told, form, 422)
    sum_ = format_money(sum(part.amount for part in parts))
    flash(gettext("The instalments have ended: {sum} BYN").format(sum=sum_), "ok")
    return redirect(url_for("operator.clients.show", client=row.id), code=303)


def _draw(client: Client, told: Told, form: EndForm, status: int) -> Response:
    return render_section(
        "operator/instalments/end.html", status, client=client, told=told, form=form
    )


def _sentence(error: DomainError) -> str:
    what = str(error.values.get("what", ""))
    if isinstance(error, InvalidValue) and what in REFUSALS:
        return gettext(REFUSALS[what])
    return error_text(error)
