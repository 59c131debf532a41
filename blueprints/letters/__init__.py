"""Pages that links in letters lead to, without signing in: whoever has the letter may.

Looking changes nothing, for mail scanners look too: what a letter is about is done by a button.
"""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.forms import EmptyForm, check_button
from blueprints.guards import public
from blueprints.web import render_section
from models_billing import DeliverySetting
from services import clock, delivery, delivery_changes

bp = Blueprint("letters", __name__)


@bp.route("/bills/delivery/confirm/<token>", methods=["GET", "POST"])
@public
def confirm(token: str) -> AnyResponse:
    """From the new mailbox: yes, bills may come here."""
    row = delivery_changes.find_to_confirm(token)
    if row is not None and request.method == "POST":
        check_button()
        delivery_changes.confirm(token, ip=request.remote_addr or "", now=clock.now())
        return redirect(url_for(".confirm", token=token), code=303)  # there it says what became
    return _page("letters/confirm.html", row, url_for(".confirm", token=token))


@bp.route("/bills/delivery/cancel/<token>", methods=["GET", "POST"])
@public
def cancel(token: str) -> AnyResponse:
    """From the old mailbox: no, bills are to come here as before."""
    row = delivery_changes.find_to_cancel(token)
    if row is not None and request.method == "POST":
        check_button()
        delivery_changes.cancel(row, ip=request.remote_addr or "", now=clock.now())
        return redirect(url_for(".cancel", token=token), code=303)
    return _page("letters/cancel.html", row, url_for(".cancel", token=token))


def _page(template: str, row: DeliverySetting | None, action: str) -> Response:
    stage = delivery.stage_of(row, now=clock.now()) if row else None
    status = 200 if row else 404
    return render_section(
        template, status, change=row, stage=stage, form=EmptyForm(None), action=action
    )
