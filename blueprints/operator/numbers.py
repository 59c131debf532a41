"""Numbers of a client on the operator's side: all of them, and what is known of each. A plan is not
changed here: it is given from a day on.
"""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Field, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice

from blueprints.filters import SUBSCRIBER_STATUS_WORDS
from blueprints.forms import CabinetForm
from blueprints.guards import allow
from blueprints.operator.one_client import client_or_404
from blueprints.step_up import by
from blueprints.web import render_section
from domain.accounts import check_detail
from domain.errors import ConnectionUnfit, DomainError, InvalidValue, NotFound
from domain.roles import OPERATOR_ROLES, Role
from domain.subscribers import SubscriberStatus
from models import Client, Subscriber
from services import access, clock, subscriber_changes, subscriber_list, subscribers
from services.subscriber_changes import SubscriberChanges
from services.subscriber_list import Filters
from texts import error_text, gettext, lazy_gettext

CHANGING_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
PAGE_SIZE = 50
bp = Blueprint("numbers", __name__, url_prefix="/clients/<int:client>/numbers")


def _trimmed(value: str | None) -> str:
    return " ".join((value or "").split())


def _line(_form: Any, field: Field) -> None:
    try:
        check_detail(field.data)
    except InvalidValue as error:
        raise ValidationError(gettext("No more than 255 characters")) from error


class SubscriberForm(CabinetForm):
    """What is known of a number."""

    full_name = StringField(lazy_gettext("Full name"), filters=[_trimmed], validators=[_line])
    connection = StringField(lazy_gettext("SIP connection"), filters=[_trimmed])
    status = SelectField(
        lazy_gettext("Status"),
        choices=[
            SelectChoice(status.value, lazy_gettext(SUBSCRIBER_STATUS_WORDS[status]))
            for status in SubscriberStatus
        ],
    )
    status_reason = StringField(
        lazy_gettext("Reason of the status"), filters=[_trimmed], validators=[_line]
    )


@bp.get("/")
@allow(*OPERATOR_ROLES)
def show(client: int) -> Response:
    """The numbers by the page, those that were taken away too."""
    row = client_or_404(client)
    ip = request.remote_addr or ""
    access.note_client_viewed(g.user, row, f"client:{row.id}", ip=ip, now=clock.now())
    wanted = _wanted()
    page = subscriber_list.find_page_ever(
        row,
        Filters(str(wanted.get("q", "")), str(wanted.get("status", ""))),
        number=request.args.get("page", 1, type=int),
        size=PAGE_SIZE,
    )
    return render_section(
        "operator/numbers/show.html",
        client=row,
        page=page,
        wanted=wanted,
        statuses=list(SubscriberStatus),
        now=clock.now(),
        day_of=_day_of,
        may_change=Role(g.user.role) in CHANGING_ROLES,
    )


@bp.route("/<int:subscriber>", methods=["GET", "POST"])
@allow(*CHANGING_ROLES)
def edit(client: int, subscriber: int) -> AnyResponse:
    """Another name, connection, status or reason."""
    row = client_or_404(client)
    number = subscriber_list.find(row, subscriber) or abort(404)
    owner = subscriber_list.find(row, number.connection_id) if number.connection_id else None
    form = SubscriberForm(
        full_name=number.full_name,
        connection=owner.number if owner else "",
        status=number.status,
        status_reason=number.status_reason,
    )
    if form.validate_on_submit() and _save(row, number, form):
        return redirect(url_for(".show", client=row.id, **_wanted(), **_page()), code=303)
    status = 422 if form.errors or form.form_errors else 200
    return render_section(
        "operator/numbers/edit.html",
        status,
        client=row,
        number=number,
        form=form,
        day_of=_day_of,
        back={**_wanted(), **_page()},
    )


def _save(client: Client, number: Subscriber, form: SubscriberForm) -> bool:
    """Whether it is so now; else the form says why not."""
    try:
        connection = None
        if form.connection.data:
            connection = subscribers.find_subscriber(client, form.connection.data)
        told: SubscriberChanges = {
            "full_name": form.full_name.data,
            "connection": connection,
            "status": form.status.data,
        }
        if form.status_reason.data != number.status_reason:  # else it goes when it has no use
            told["status_reason"] = form.status_reason.data
        changed = subscriber_changes.change_subscriber(number, by=by(), **told)
    except NotFound:
        form.connection.errors = [gettext("The client has no such number")]
    except ConnectionUnfit as error:
        form.connection.errors = [error_text(error)]
    except DomainError as error:
        form.form_errors.append(error_text(error))
    else:
        if changed:
            flash(gettext("What is known of the number is kept"), "ok")
        else:
            flash(gettext("Nothing was changed: it was so already"), "warn")
        return True
    return False


def _day_of(moment: datetime) -> date:
    """The day on which a moment is, in the operator's zone."""
    return clock.local(moment).date()


def _wanted() -> dict[str, str]:
    """The list as the address asks for it: only what differs from the plain one."""
    told = {"q": request.args.get("q", "")[:100], "status": request.args.get("status", "")}
    return {name: value for name, value in told.items() if value}


def _page() -> dict[str, int]:
    page = request.args.get("page", 1, type=int)
    return {"page": page} if page > 1 else {}
