"""The address for call details and charges: what holds, a change with the password, its history.
Letters and rules are those of «Изменить способ/адрес доставки».
"""

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField, ValidationError
from wtforms.validators import InputRequired

from blueprints import step_up
from blueprints.bills.delivery import HISTORY_SIZE, letter_of
from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow
from blueprints.step_up import StepUpForm
from blueprints.web import render_section
from domain.accounts import check_email
from domain.billing.delivery import DeliveryMethod, DeliveryPurpose
from domain.errors import DomainError
from domain.roles import Role
from services import clock, delivery, delivery_changes
from services.delivery_changes import Wish
from texts import error_text, failure_text, gettext, lazy_gettext

PURPOSE = DeliveryPurpose.DETAIL
bp = Blueprint("detail_address", __name__, url_prefix="/detail-address")


class AddressForm(StepUpForm):
    """The new address, and the password of who asks."""

    email = StringField(
        lazy_gettext("New e-mail"),
        filters=[lambda text: (text or "").strip()],
        validators=[InputRequired(lazy_gettext("Enter the address"))],
        render_kw={"type": "email", "autocomplete": "email", "maxlength": 254},
    )

    def validate_email(self, field: StringField) -> None:
        """An address that mail can be sent to."""
        try:
            check_email(field.data)
        except DomainError as error:
            raise ValidationError(gettext("Give the address as name@example.by")) from error


@bp.get("/")
@allow(Role.CLIENT_ADMINISTRATOR)
def show() -> Response:
    """What holds, what is under way, and all that was before."""
    return _page(AddressForm(None))


@bp.post("/")
@allow(Role.CLIENT_ADMINISTRATOR)
def change() -> AnyResponse:
    """Ask for a change; nothing of it holds yet."""
    form = AddressForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_page(form, status))
    wish = Wish(DeliveryMethod.EMAIL, form.email.data or "", purpose=PURPOSE)
    ip = request.remote_addr or ""
    try:
        delivery_changes.ask(g.client, wish, user=g.user, ip=ip, now=clock.now())
    except DomainError as error:
        form.form_errors.append(error_text(error))
        return _page(form, 422)
    flash(gettext("We have sent a letter to the new address: confirm it from there"), "ok")
    return redirect(url_for(".show"), code=303)


@bp.post("/<key>/cancel")
@allow(Role.CLIENT_ADMINISTRATOR)
def cancel(key: str) -> AnyResponse:
    """«Отменить»: a change that has not taken effect."""
    row = delivery.find_change(g.client, key, PURPOSE) or abort(404)
    check_button()
    ip = request.remote_addr or ""
    if delivery_changes.cancel(row, user=g.user, ip=ip, now=clock.now()):
        flash(gettext("The change has been cancelled: the address stays as it was"), "ok")
    else:
        flash(gettext("It is too late to cancel: the change is in effect, or is over"), "warn")
    return redirect(url_for(".show"), code=303)


def _page(form: AddressForm, status: int = 200) -> Response:
    now = clock.now()
    pending = delivery.pending(g.client, PURPOSE, now=now)
    page = request.args.get("page", 1, type=int)
    return render_section(
        "account/detail_address/show.html",
        status,
        place="account.detail_address",
        form=form,
        button=EmptyForm(None),
        held=delivery.current(g.client, PURPOSE, now=now),
        pending=pending,
        letter=letter_of(pending),
        may_change=True,
        history=delivery.history(g.client, page, size=HISTORY_SIZE, now=now, purpose=PURPOSE),
        added_with=delivery.added_with(g.client, PURPOSE),
        hours=current_app.config["CABINET"].DELIVERY_HOLD_HOURS,
        failure_text=failure_text,
    )
