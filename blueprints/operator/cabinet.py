"""«Посмотреть кабинет клиента»: opened with a reason, and closed (`blueprints/onlooking`)."""

from flask import Blueprint, Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Field, StringField, ValidationError
from wtforms.validators import InputRequired

from blueprints import onlooking
from blueprints.forms import CabinetForm, check_button
from blueprints.guards import allow
from blueprints.operator.one_client import client_or_404
from blueprints.web import render_section
from domain.accounts import check_detail
from domain.errors import InvalidValue
from domain.roles import OPERATOR_ROLES
from models import Client
from texts import N_, gettext, lazy_gettext

LONGEST_REASON = 200
SAY_WHY = N_("Say why: the client sees it in the access log")
bp = Blueprint("cabinet", __name__, url_prefix="/clients/<int:client>/cabinet")


class ReasonForm(CabinetForm):
    """Why one has to look."""

    reason = StringField(
        lazy_gettext("Why you look"),
        filters=[lambda value: " ".join((value or "").split())],
        validators=[InputRequired(lazy_gettext(SAY_WHY))],
    )

    def validate_reason(self, field: Field) -> None:
        """A sentence in one line, with a word in it."""
        try:
            check_detail(field.data)
        except InvalidValue as error:
            raise ValidationError(gettext("Write it in one line")) from error
        if not any(sign.isalnum() for sign in field.data):
            raise ValidationError(gettext(SAY_WHY))
        if len(field.data) > LONGEST_REASON:
            raise ValidationError(gettext("No more than 200 characters"))


@bp.route("/", methods=["GET", "POST"])
@allow(*OPERATOR_ROLES)
def show(client: int) -> AnyResponse:
    """Say why, and go to the client's home page."""
    row = client_or_404(client)
    form = ReasonForm()
    if not form.validate_on_submit():
        return _draw(row, form, 422 if form.is_submitted() else 200)
    onlooking.open_cabinet(row, form.reason.data or "")
    return redirect(url_for("home.show"), code=303)


@bp.post("/leave")
@allow(*OPERATOR_ROLES)
def leave(client: int) -> AnyResponse:
    """Go back to the operator's pages."""
    check_button()
    row = client_or_404(client)
    onlooking.close_cabinet()
    return redirect(url_for("operator.clients.show", client=row.id), code=303)


def _draw(row: Client, form: ReasonForm, status: int) -> Response:
    return render_section("operator/cabinet/show.html", status, client=row, form=form)
