"""Signing in and out. The rules are in `services/sign_in.py`, the cookie in `sessions.py`."""

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    request,
    url_for,
)
from flask import session as visit
from werkzeug.wrappers import Response as AnyResponse

from blueprints.auth import links, own
from blueprints.auth.ending import ending
from blueprints.auth.forms import SignInForm
from blueprints.forms import check_button
from blueprints.guards import allow, does_not_prolong, public
from blueprints.paths import local_path
from blueprints.web import render_section
from config import Config
from domain.errors import TooManySignIns, WrongCredentials
from domain.roles import Role
from models import UserSession
from services import clock, sessions, sign_in
from texts import error_text, gettext

bp = Blueprint("auth", __name__)
for _part in (links, own):
    bp.register_blueprint(_part.bp)


@bp.route("/login", methods=["GET", "POST"])
@public
def login() -> AnyResponse:
    """Ask for login and password; `next` is the page to go on with."""
    target = local_path(request.args.get("next", ""))
    if request.method != "POST" and g.user is not None:
        return _go(target or url_for("home.show"))
    form = SignInForm()
    if not form.validate_on_submit():
        return _page(form, target, 422 if form.errors else 200)
    try:
        row, token = _sign_in(form)
    except WrongCredentials as error:
        form.form_errors.append(error_text(error))
        return _page(form, target, 422)
    except TooManySignIns as error:
        form.form_errors.append(error_text(error))
        response = _page(form, target, 429)
        response.headers["Retry-After"] = str(error.values["retry_after_s"])
        return response
    visit.begin(row, token)
    return _go(target or url_for("home.show"))


@bp.post("/logout")
@allow(*Role)
def logout() -> AnyResponse:
    """End the session, and let the browser forget the pages it has kept."""
    check_button()
    sign_in.sign_out(visit.row, ip=request.remote_addr or "", now=clock.now())
    visit.end()
    g.user = g.client = None
    flash(gettext("You have signed out"), "ok")
    response = _go(url_for("auth.login"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.get("/session")
@allow(*Role)
@does_not_prolong
def session_end() -> AnyResponse:
    """The line about the session's end, for the page that asks when it has been open for long."""
    return _line_or_home()


@bp.get("/session/stay")
@allow(*Role)
def stay() -> AnyResponse:
    """«Продолжить работу»: a request that counts, and leaves the page as it is."""
    return _line_or_home()


def _line_or_home() -> AnyResponse:
    if "HX-Request" not in request.headers:
        return redirect(url_for("home.show"), code=303)
    return render_section("auth/_session_end.html")


def _sign_in(form: SignInForm) -> tuple[UserSession, str]:
    visitor = sign_in.Visitor(request.remote_addr or "", request.user_agent.string)
    row, token = sign_in.sign_in(
        form.login.data or "",
        form.password.data or "",
        visitor=visitor,
        secret=str(current_app.secret_key),
        hours=current_app.config["CABINET"].SESSION_HOURS,
        now=clock.now(),
    )
    if visit.row is not None:  # somebody else was signed in here
        sessions.end(visit.row)
    return row, token


def _page(form: SignInForm, target: str | None, status: int) -> Response:
    action = url_for("auth.login", next=target) if target else url_for("auth.login")
    return render_section("auth/login.html", status, form=form, action=action)


def _go(target: str) -> AnyResponse:
    """Lead to a page as a whole: the menu around it changes with who is signed in."""
    if request.headers.get("HX-Request") == "true":
        return make_response("", 204, {"HX-Redirect": target})
    return redirect(target, code=303)


def init_app(app: Flask, _config: Config) -> None:
    """Give the layout the end of the session."""
    app.jinja_env.globals["ending"] = ending
