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

from blueprints import intranet, spoken
from blueprints.auth import factor, links, own
from blueprints.auth.ending import ending
from blueprints.auth.forms import CodeForm, SignInForm
from blueprints.forms import check_button
from blueprints.guards import allow, does_not_prolong, needs_no_factor, public
from blueprints.paths import local_path
from blueprints.web import render_section
from config import Config
from domain.errors import DomainError, SignInExpired, TooManySignIns, WrongCode, WrongCredentials
from domain.roles import Role
from services import clock, sessions, sign_in
from services.audit import By
from services.sign_in import HalfWay, Opened, Visitor
from texts import current_language, error_text, gettext

bp = Blueprint("auth", __name__)
for _part in (factor, links, own):
    bp.register_blueprint(_part.bp)


@bp.route("/login", methods=["GET", "POST"])
@public
def login() -> AnyResponse:
    """Ask for login and password; `next` is the page to go on with."""
    target = local_path(request.args.get("next", ""))
    if request.method != "POST" and (way := _way_in(target)):
        return _go(way)
    form = SignInForm()
    if not form.validate_on_submit():
        return _page(form, target, 422 if form.errors else 200)
    try:
        step = _sign_in(form)
    except WrongCredentials as error:
        form.form_errors.append(error_text(error))
        return _page(form, target, 422)
    except TooManySignIns as error:
        form.form_errors.append(error_text(error))
        response = _page(form, target, 429)
        response.headers["Retry-After"] = str(error.values["retry_after_s"])
        return response
    if isinstance(step, HalfWay):
        _go_half_way(step)
        return _go(_code_address(target))
    _begin(step)
    return _go(target or url_for("home.show"))


@bp.route("/login/code", methods=["GET", "POST"])
@public
def code() -> AnyResponse:
    """The second step: a code of the application, or a recovery code."""
    target = local_path(request.args.get("next", ""))
    if request.method != "POST" and "second_step" not in visit:
        return _go(_login_address(target))
    form = CodeForm()
    if not form.validate_on_submit():
        return _code_page(form, target, 422 if form.errors else 200)
    if "second_step" not in visit:
        return _go(_login_address(target))
    try:
        opened = _go_on(form)
    except (SignInExpired, WrongCode, TooManySignIns) as error:
        return _refuse_code(form, target, error)
    _begin(opened, by_header=bool(visit.get(intranet.MARK)))
    return _go(target or url_for("home.show"))


def _begin(opened: Opened, *, by_header: bool = False) -> None:
    """Go on signed in, in the language that was chosen on the way."""
    user = opened.row.user
    spoken.keep_for(user, By(now=clock.now(), user=user, ip=request.remote_addr or ""))
    visit.begin(opened.row, opened.token)
    if by_header:
        visit[intranet.MARK] = True


@bp.post("/logout")
@allow(*Role)
@needs_no_factor
def logout() -> AnyResponse:
    """End the session, and let the browser forget the pages it has kept."""
    check_button()
    sign_in.sign_out(visit.row, ip=request.remote_addr or "", now=clock.now())
    visit.end()
    visit[spoken.LEFT_IN] = current_language()
    if intranet.vouched():
        visit[intranet.STAYS_OUT] = True
    g.user = g.client = None
    flash(gettext("You have signed out"), "ok")
    response = _go(url_for("auth.login"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.get("/session")
@allow(*Role)
@needs_no_factor
@does_not_prolong
def session_end() -> AnyResponse:
    """The line about the session's end, for the page that asks when it has been open for long."""
    return _line_or_home()


@bp.get("/session/stay")
@allow(*Role)
@needs_no_factor
def stay() -> AnyResponse:
    """«Продолжить работу»: a request that counts, and leaves the page as it is."""
    return _line_or_home()


def _line_or_home() -> AnyResponse:
    if "HX-Request" not in request.headers:
        return redirect(url_for("home.show"), code=303)
    return render_section("auth/_session_end.html")


def _way_in(target: str | None) -> str | None:
    """Where to go on for whom the sign-in has nothing to ask: who is in already, and whom the
    intranet's proxy names. After «Выход» it is asked for first.
    """
    start = target or url_for("home.show")
    if g.user is not None:
        return start
    login = intranet.vouched()
    if not login or (visit.get(intranet.STAYS_OUT) and "again" not in request.args):
        return None
    hours = current_app.config["CABINET"].SESSION_HOURS
    step = sign_in.by_header(login, visitor=_visitor(), hours=hours, now=clock.now())
    if isinstance(step, HalfWay):
        _go_half_way(step)
        visit[intranet.MARK] = True
        return _code_address(target)
    if step is not None:
        _begin(step, by_header=True)
    return step and start


def _go_half_way(step: HalfWay) -> None:
    """Remember that a code is still asked for, and the language that was chosen."""
    chosen = visit.get(spoken.CHOSEN, "")
    visit.end()
    visit.update({"second_step": step.token, **({spoken.CHOSEN: chosen} if chosen else {})})


def _sign_in(form: SignInForm) -> Opened | HalfWay:
    step = sign_in.sign_in(
        form.login.data or "",
        form.password.data or "",
        visitor=_visitor(),
        secret=str(current_app.secret_key),
        hours=current_app.config["CABINET"].SESSION_HOURS,
        now=clock.now(),
    )
    if visit.row is not None:  # somebody else was signed in here
        sessions.end(visit.row)
    return step


def _go_on(form: CodeForm) -> Opened:
    return sign_in.go_on(
        visit["second_step"],
        form.code.data or "",
        visitor=_visitor(),
        hours=current_app.config["CABINET"].SESSION_HOURS,
        now=clock.now(),
    )


def _refuse_code(form: CodeForm, target: str | None, error: DomainError) -> AnyResponse:
    if isinstance(error, SignInExpired):
        visit.pop("second_step")
        flash(error_text(error), "warn")
        return _go(_login_address(target))
    if isinstance(error, WrongCode):
        form.code.errors = [error_text(error)]
        return _code_page(form, target, 422)
    form.form_errors.append(error_text(error))
    response = _code_page(form, target, 429)
    response.headers["Retry-After"] = str(error.values["retry_after_s"])
    return response


def _visitor() -> Visitor:
    return Visitor(request.remote_addr or "", request.user_agent.string)


def _page(form: SignInForm, target: str | None, status: int) -> Response:
    return render_section(
        "auth/login.html",
        status,
        form=form,
        action=_login_address(target),
        known_as=intranet.vouched() if visit.get(intranet.STAYS_OUT) else "",
        again=url_for("auth.login", next=target, again=1),
    )


def _code_page(form: CodeForm, target: str | None, status: int) -> Response:
    return render_section(
        "auth/code.html",
        status,
        form=form,
        action=_code_address(target),
        back=_login_address(target),
    )


def _login_address(target: str | None) -> str:
    return url_for("auth.login", next=target) if target else url_for("auth.login")


def _code_address(target: str | None) -> str:
    return url_for("auth.code", next=target) if target else url_for("auth.code")


def _go(target: str) -> AnyResponse:
    """Lead to a page as a whole: the menu around it changes with who is signed in."""
    if request.headers.get("HX-Request") == "true":
        return make_response("", 204, {"HX-Redirect": target})
    return redirect(target, code=303)


def init_app(app: Flask, _config: Config) -> None:
    """Give the layout the end of the session."""
    app.jinja_env.globals["ending"] = ending
