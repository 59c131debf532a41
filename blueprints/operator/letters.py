"""Letters that no order asked for and that did not go out: why, and a button to try again."""

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints import step_up
from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow
from blueprints.web import render_section
from domain.roles import OPERATOR_ROLES
from services import clock, held_letters
from texts import N_, failure_text, gettext

PAGE_SIZE = 50
bp = Blueprint("letters", __name__, url_prefix="/letters")
KINDS = {  # by templates/mail
    "access_told": N_("What was changed about the access"),
    "address_confirm": N_("Own address to be confirmed"),
    "delivery_confirm": N_("Address for documents to be confirmed"),
    "delivery_told": N_("A change of delivery was asked for"),
    "delivery_due": N_("A change of delivery is confirmed"),
    "delivery_set": N_("The delivery was changed by the operator"),
    "feedback_answer": N_("Answer to a request"),
    "invitation": N_("Invitation"),
    "password_reset": N_("Forgotten password"),
}
OTHER = N_("Letter")


@bp.get("/")
@allow(*OPERATOR_ROLES)
def index() -> Response:
    """The newest first."""
    now = clock.now()
    page = held_letters.find_page(request.args.get("page", 1, type=int), size=PAGE_SIZE)
    return render_section(
        "operator/letters/index.html",
        page=page,
        retryable={row.id for row in page.rows if held_letters.can_retry(row, now=now)},
        kind_text=lambda kind: gettext(KINDS.get(kind, OTHER)),
        failure_text=failure_text,
        button=EmptyForm(None),
    )


@bp.post("/<key>/retry")
@allow(*OPERATOR_ROLES)
def retry(key: str) -> AnyResponse:
    """«Повторить»."""
    row = held_letters.find(key) or abort(404)
    check_button()
    if held_letters.retry(row, by=step_up.by()):
        flash(gettext("The letter is on its way again"), "ok")
    else:
        flash(gettext("This letter is of no use any more"), "warn")
    return redirect(url_for(".index"), code=303)
