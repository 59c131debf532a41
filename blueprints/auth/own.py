"""«Вход и безопасность»: what everybody does about their own way in. Open to clients and to the
operator's people alike.
"""

from datetime import timedelta

from flask import Blueprint, Response, current_app, flash, g, redirect, request, url_for
from flask import session as visit
from werkzeug.wrappers import Response as AnyResponse

from blueprints import step_up
from blueprints.auth.forms import OwnAddressForm, OwnPasswordForm
from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow
from blueprints.paths import row_id
from blueprints.web import render_section
from domain.devices import device_name
from domain.errors import DomainError, InvalidValue
from domain.new_passwords import LEAST
from domain.roles import Role
from services import clock, own_access, own_address, second_factor, sessions
from texts import error_text, gettext

bp = Blueprint("own", __name__, url_prefix="/security")


@bp.get("/")
@allow(*Role)
def show() -> Response:
    """The password, and where one is signed in."""
    idle = timedelta(minutes=current_app.config["CABINET"].SESSION_IDLE_MINUTES)
    return render_section(
        "auth/own/show.html",
        rows=own_access.open_sessions(g.user, now=clock.now(), idle=idle),
        this=visit.row.id,
        device_name=device_name,
        has_factor=second_factor.has(g.user),
        waiting=own_address.waiting(g.user, now=clock.now()),
        button=EmptyForm(None),
    )


@bp.route("/password", methods=["GET", "POST"])
@allow(*Role)
def password() -> AnyResponse:
    """Another password; every other session ends."""
    form = OwnPasswordForm()
    if not form.validate_on_submit():
        return _password_page(form, 422 if form.errors else 200)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_password_page(form, status))
    old, new = form.password.data or "", form.new.data or ""
    try:
        own_access.change_password(g.user, old, new, by=step_up.by())
    except DomainError as error:
        form.new.errors = [error_text(error)]
        return _password_page(form, 422)
    _begin_anew()
    flash(gettext("The password is changed. On all other devices you have been signed out"), "ok")
    return redirect(url_for(".show"), code=303)


@bp.route("/address", methods=["GET", "POST"])
@allow(*Role)
def address() -> AnyResponse:
    """Where letters about the access go; another one is confirmed from its own mailbox."""
    form = OwnAddressForm()
    if not form.validate_on_submit():
        return _address_page(form, 422 if form.errors else 200)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_address_page(form, status))
    try:
        own_address.ask(g.user, form.email.data or "", by=step_up.by())
    except InvalidValue:
        form.email.errors = [gettext("Give the address as name@example.by")]
        return _address_page(form, 422)
    except DomainError as error:
        form.email.errors = [error_text(error)]
        return _address_page(form, 422)
    flash(gettext("We have sent a letter to the new address: confirm it from there"), "ok")
    return redirect(url_for(".show"), code=303)


@bp.post("/sessions/end")
@allow(*Role)
def end() -> AnyResponse:
    """«Завершить»: one session, on another device."""
    check_button()
    if _end(request.form.get("session", "")):
        flash(gettext("The session is ended"), "ok")
    else:
        flash(gettext("That session has ended already"), "warn")
    return redirect(url_for(".show"), code=303)


@bp.post("/sessions/end-all")
@allow(*Role)
def end_all() -> AnyResponse:
    """«Выйти на всех устройствах»: this one too."""
    check_button()
    own_access.end_all_sessions(g.user, by=step_up.by())
    visit.end()
    g.user = g.client = None
    flash(gettext("You have signed out on all devices"), "ok")
    response = redirect(url_for("auth.login"), code=303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _end(text: str) -> bool:
    try:
        number = row_id(text)
    except ValueError:
        return False
    return number != visit.row.id and own_access.end_session(g.user, number, by=step_up.by())


def _begin_anew() -> None:
    """Go on in a session of its own after all were ended."""
    config = current_app.config["CABINET"]
    row, token = sessions.start(
        g.user,
        ip=request.remote_addr or "",
        user_agent=request.user_agent.string,
        now=clock.now(),
        hours=config.SESSION_HOURS,
    )
    visit.begin(row, token)


def _address_page(form: OwnAddressForm, status: int) -> Response:
    waiting = own_address.waiting(g.user, now=clock.now())
    return render_section("auth/own/address.html", status, form=form, waiting=waiting)


def _password_page(form: OwnPasswordForm, status: int) -> Response:
    return render_section("auth/own/password.html", status, form=form, least=LEAST)
