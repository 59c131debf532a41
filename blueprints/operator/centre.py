"""«Мобильный колл-центр» of a client on the operator's side: which numbers are in it, and when it
works. The client asks for changes through «Обратная связь».
"""

from flask import Blueprint, Response, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, Field, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from blueprints.forms import CabinetForm, EmptyForm, check_button
from blueprints.guards import allow
from blueprints.operator.one_client import client_or_404
from blueprints.web import render_section
from domain.accounts import check_detail
from domain.call_centre import Hours, MemberKind, read_hours, write_hours
from domain.errors import AlreadyExists, DomainError, InvalidValue, NotFound
from domain.roles import OPERATOR_ROLES, Role
from models import Client
from services import access, call_centre, clock, subscribers
from texts import error_text, gettext, lazy_gettext

KEEPING_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
LONGEST_GROUP = 64
KINDS = (
    SelectChoice(MemberKind.EMPLOYEE, lazy_gettext("An employee")),
    SelectChoice(MemberKind.LINE, lazy_gettext("A number that customers call")),
)
bp = Blueprint("centre", __name__, url_prefix="/clients/<int:client>/call-centre")


def _trimmed(value: str | None) -> str:
    return " ".join((value or "").split())


class NumberForm(CabinetForm):
    """A number that comes into the service."""

    number = StringField(
        lazy_gettext("Phone number"),
        filters=[_trimmed],
        validators=[InputRequired(lazy_gettext("Fill this in"))],
    )
    kind = SelectField(lazy_gettext("What it is"), choices=KINDS)
    group = StringField(lazy_gettext("Group of employees"), filters=[_trimmed])

    def validate_group(self, field: Field) -> None:
        if len(field.data) > LONGEST_GROUP:
            raise ValidationError(gettext("No more than 64 characters"))
        try:
            check_detail(field.data)
        except InvalidValue as error:
            raise ValidationError(gettext("Write it in one line")) from error


class HoursForm(CabinetForm):
    """When people work."""

    hours = StringField(lazy_gettext("Working hours"), filters=[_trimmed])
    holidays = BooleanField(lazy_gettext("State holidays are worked as other days are"))

    def validate_hours(self, field: Field) -> None:
        try:
            read_hours(field.data)
        except InvalidValue as error:
            raise ValidationError(
                gettext("Write days and hours like 1-5 9:00-18:00; 6 10:00-15:00")
            ) from error

    @property
    def wanted(self) -> Hours:
        """What a form that holds says."""
        return read_hours(self.hours.data, works_on_holidays=self.holidays.data)


@bp.get("/")
@allow(*OPERATOR_ROLES)
def show(client: int) -> Response:
    """The numbers and the hours."""
    row = client_or_404(client)
    ip = request.remote_addr or ""
    access.note_client_viewed(g.user, row, f"client:{row.id}", ip=ip, now=clock.now())
    return _draw(row)


@bp.post("/add")
@allow(*KEEPING_ROLES)
def add(client: int) -> AnyResponse:
    """Put a number into the service."""
    row, form = client_or_404(client), NumberForm()
    if not form.validate_on_submit():
        return _draw(row, number=form, status=422)
    try:
        subscriber = subscribers.find_subscriber(row, form.number.data)
        kind = MemberKind(form.kind.data)
        call_centre.add(row, subscriber, kind, form.group.data, **_by())
    except AlreadyExists:
        form.number.errors = [gettext("This number is in the call centre already")]
        return _draw(row, number=form, status=422)
    except NotFound:
        form.number.errors = [gettext("The client has no such number")]
        return _draw(row, number=form, status=422)
    flash(gettext("The number is in the call centre"), "ok")
    return redirect(url_for(".show", client=row.id), code=303)


@bp.post("/remove")
@allow(*KEEPING_ROLES)
def remove(client: int) -> AnyResponse:
    """Take a number out."""
    check_button()
    row = client_or_404(client)
    wanted = request.form.get("subscriber", "")
    found = [each for each in call_centre.members_of(row) if str(each.subscriber.id) == wanted]
    try:
        for each in found:
            call_centre.remove(row, each.subscriber, **_by())
    except DomainError as error:
        flash(error_text(error), "warn")
    else:
        if found:
            flash(gettext("The number is out of the call centre"), "ok")
        else:
            flash(gettext("The number is not in the call centre"), "warn")
    return redirect(url_for(".show", client=row.id), code=303)


@bp.post("/hours")
@allow(*KEEPING_ROLES)
def hours(client: int) -> AnyResponse:
    """Keep other working hours."""
    row, form = client_or_404(client), HoursForm()
    if not form.validate_on_submit():
        return _draw(row, week=form, status=422)
    call_centre.set_hours(row, form.wanted, **_by())
    flash(gettext("The working hours are kept"), "ok")
    return redirect(url_for(".show", client=row.id), code=303)


def _draw(
    client: Client,
    *,
    number: NumberForm | None = None,
    week: HoursForm | None = None,
    status: int = 200,
) -> Response:
    held = call_centre.hours_of(client)
    told = {"hours": write_hours(held), "holidays": held.works_on_holidays}
    return render_section(
        "operator/centre/show.html",
        status,
        client=client,
        members=call_centre.members_of(client),
        kinds=MemberKind,
        number=number or NumberForm(formdata=None),
        week=week or HoursForm(formdata=None, data=told),
        sent=number or week,
        may_keep=Role(g.user.role) in KEEPING_ROLES,
        form=EmptyForm(formdata=None),
    )


def _by() -> dict[str, object]:
    return {"user": g.user, "ip": request.remote_addr or "", "now": clock.now()}
