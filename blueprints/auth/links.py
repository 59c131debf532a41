"""What links in letters lead to: a password that is chosen, an address that is confirmed. Open to
whoever has the letter; looking uses nothing up, for mail scanners look too. And the page that asks
for such a letter when a password is forgotten.
"""

from flask import Blueprint, Response, current_app, flash, g, redirect, request, url_for
from flask import session as visit
from werkzeug.wrappers import Response as AnyResponse

from blueprints.auth.forms import ForgottenForm, NewPasswordForm
from blueprints.forms import EmptyForm, check_button
from blueprints.guards import public
from blueprints.web import render_section
from domain.errors import DomainError, LinkOver, TooManySignIns
from domain.new_passwords import LEAST
from models_access import AccessLink
from services import access_links, cabinet_users, clock, own_address, password_reset, sessions
from services.access_links import LinkKind
from texts import error_text, gettext

bp = Blueprint("links", __name__)


@bp.route("/password/reset", methods=["GET", "POST"])
@public
def forgotten() -> AnyResponse:
    """«Забыли пароль?»: the answer is one and the same, whoever asks for whatever login."""
    form = ForgottenForm()
    if not form.validate_on_submit():
        return _forgotten_page(form, 422 if form.errors else 200)
    try:
        password_reset.ask(
            form.login.data or "",
            ip=request.remote_addr or "",
            secret=str(current_app.secret_key),
            now=clock.now(),
        )
    except TooManySignIns as error:
        form.form_errors.append(error_text(error))
        response = _forgotten_page(form, 429)
        response.headers["Retry-After"] = str(error.values["retry_after_s"])
        return response
    return redirect(url_for(".forgotten", asked=1), code=303)


@bp.route("/password/new/<token>", methods=["GET", "POST"])
@public
def password(token: str) -> AnyResponse:
    """An invitation, or a forgotten password: choose a new one."""
    try:
        link = access_links.find(token, LinkKind.INVITATION, LinkKind.RESET, now=clock.now())
    except LinkOver as error:
        return _over(error)
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _password_page(form, link, token, 422 if form.errors else 200)
    act = cabinet_users.accept if link.kind == LinkKind.INVITATION else password_reset.set_new
    try:
        act(link, form.new.data or "", ip=request.remote_addr or "", now=clock.now())
    except LinkOver as error:
        return _over(error)
    except DomainError as error:
        form.new.errors = [error_text(error)]
        return _password_page(form, link, token, 422)
    _forget_visit()
    flash(gettext("The password is set. Sign in with it"), "ok")
    return redirect(url_for("auth.login"), code=303)


@bp.route("/security/address/confirm/<token>", methods=["GET", "POST"])
@public
def address(token: str) -> AnyResponse:
    """From a new mailbox: yes, letters about my access may come here."""
    try:
        link = access_links.find(token, LinkKind.ADDRESS, now=clock.now())
        if request.method == "POST":
            check_button()
            own_address.confirm(link, ip=request.remote_addr or "", now=clock.now())
            flash(gettext("The address is confirmed"), "ok")
            return redirect(url_for("auth.own.show"), code=303)
    except LinkOver as error:
        return _over(error)
    return render_section(
        "auth/links/address.html",
        link=link,
        button=EmptyForm(None),
        action=url_for(".address", token=token),
    )


def _forget_visit() -> None:
    """Whoever was signed in here goes on as nobody: the next to sign in is who has the password."""
    if g.get("user") is not None:
        sessions.end(visit.row)
    visit.end()
    g.user = g.client = None


def _over(error: LinkOver) -> Response:
    return render_section("auth/links/_over.html", 410, sentence=error_text(error))


def _forgotten_page(form: ForgottenForm, status: int) -> Response:
    return render_section(
        "auth/links/forgotten.html",
        status,
        form=form,
        is_asked="asked" in request.args and status == 200,
        minutes=current_app.config["CABINET"].PASSWORD_RESET_MINUTES,
    )


def _password_page(form: NewPasswordForm, link: AccessLink, token: str, status: int) -> Response:
    return render_section(
        "auth/links/password.html",
        status,
        form=form,
        link=link,
        action=url_for(".password", token=token),
        least=LEAST,
    )
