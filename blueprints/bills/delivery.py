"""«Изменить способ/адрес доставки»: what holds, a change with the password, and its history. The
pages that links in letters lead to are in `blueprints/letters`.
"""

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints import step_up
from blueprints.bills.delivery_form import DeliveryForm
from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow
from blueprints.web import MenuItem, render_section
from domain.billing.delivery import Stage
from domain.errors import DomainError
from domain.roles import ORDERING_ROLES, Role
from services import clock, delivery, delivery_changes, delivery_letters, notices
from texts import N_, error_text, failure_text, gettext

HISTORY_SIZE = 20

bp = Blueprint("delivery", __name__, url_prefix="/delivery")
MENU = MenuItem(
    N_("Change delivery method/address"),
    "bills.delivery.show",
    about=N_(
        "Here you can change how bills are delivered, choosing what suits you best (by e-mail, "
        "in person)."
    ),
)


@bp.get("/")
def show() -> Response:
    """What holds, what is under way, and all that was before."""
    held = delivery.current(g.client, now=clock.now())
    return _page(DeliveryForm(None, held=held), held)


@bp.post("/")
@allow(*ORDERING_ROLES)
def change() -> AnyResponse:
    """Ask for a change; nothing of it holds yet."""
    held = delivery.current(g.client, now=clock.now())
    form = DeliveryForm(held=held)
    if not form.validate_on_submit():
        return _page(form, held, 422)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_page(form, held, status))
    ip = request.remote_addr or ""
    try:
        row = delivery_changes.ask(g.client, form.wish, user=g.user, ip=ip, now=clock.now())
    except DomainError as error:
        form.form_errors.append(error_text(error))
        return _page(form, held, 422)
    if delivery.stage_of(row, now=clock.now()) is Stage.WAITING:
        flash(gettext("We have sent a letter to the new address: confirm it from there"), "ok")
    else:
        flash(gettext("The change has been taken"), "ok")
    return redirect(url_for(".show"), code=303)


@bp.post("/<key>/cancel")
@allow(*ORDERING_ROLES)
def cancel(key: str) -> AnyResponse:
    """«Отменить»: a change that has not taken effect."""
    row = delivery.find_change(g.client, key) or abort(404)
    check_button()
    ip = request.remote_addr or ""
    if delivery_changes.cancel(row, user=g.user, ip=ip, now=clock.now()):
        flash(gettext("The change has been cancelled: bills are delivered as before"), "ok")
    else:
        flash(gettext("It is too late to cancel: the change is in effect, or is over"), "warn")
    return redirect(url_for(".show"), code=303)


def _page(form: DeliveryForm, held: delivery.Delivery, status: int = 200) -> Response:
    now = clock.now()
    pending = delivery.pending(g.client, now=now)
    return render_section(
        "bills/delivery/show.html",
        status,
        place="bills.delivery",
        is_administrator=g.user.role == Role.CLIENT_ADMINISTRATOR,
        about=MENU.about,
        form=form,
        button=EmptyForm(None),
        held=held,
        pending=pending,
        letter=letter_of(pending),
        may_change=Role(g.user.role) in ORDERING_ROLES,
        history=delivery.history(
            g.client, request.args.get("page", 1, type=int), size=HISTORY_SIZE, now=now
        ),
        added_with=delivery.added_with(g.client),
        hours=current_app.config["CABINET"].DELIVERY_HOLD_HOURS,
        failure_text=failure_text,
    )


def letter_of(pending: delivery.Change | None) -> object:
    """The letter with the link to confirm by, while that is waited for."""
    if pending is None or pending.stage is not Stage.WAITING:
        return None
    subject = delivery_letters.subject_of(pending.row)
    return notices.last_about(g.client, subject, delivery_letters.CONFIRM)
