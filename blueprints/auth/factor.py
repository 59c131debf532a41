"""The second factor of whoever is signed in: set up, removed, new recovery codes."""

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from flask import session as visit
from werkzeug.wrappers import Response as AnyResponse

from blueprints import step_up
from blueprints.auth.forms import CodeForm
from blueprints.forms import check_button
from blueprints.guards import allow, needs_no_factor
from blueprints.step_up import StepUpForm
from blueprints.web import render_section
from domain.errors import TooManySignIns, WrongCode
from domain.roles import Role
from domain.writers.qr_svg import qr_path
from models_access import SecondFactor
from services import clock, second_factor
from texts import error_text, gettext

bp = Blueprint("factor", __name__, url_prefix="/security/factor")


@bp.get("/")
@allow(*Role)
@needs_no_factor
def show() -> Response:
    """Whether there is one, and what can be done about it."""
    return _state_page(None, 200)


@bp.post("/")
@allow(*Role)
@needs_no_factor
def begin() -> AnyResponse:
    """«Подключить»: with the password, then the code to be read by the application."""
    if second_factor.has(g.user):
        return _nothing_to_do()
    form = StepUpForm()
    if not form.validate_on_submit():
        return _state_page(form, 422)
    if status := step_up.refusal(form):
        return step_up.with_retry_after(_state_page(form, status))
    second_factor.begin(g.user, now=clock.now())
    return redirect(url_for(".confirm"), code=303)


@bp.route("/confirm", methods=["GET", "POST"])
@allow(*Role)
@needs_no_factor
def confirm() -> AnyResponse:
    """The code for the application, until the first code of the application is entered."""
    if (factor := second_factor.find_unconfirmed(g.user, now=clock.now())) is None:
        return _nothing_to_do()
    form = CodeForm()
    if not form.validate_on_submit():
        return _confirm_page(form, factor, 422 if form.errors else 200)
    try:
        codes = second_factor.confirm(g.user, form.code.data or "", keep=visit.row, by=step_up.by())
    except WrongCode as error:
        form.code.errors = [error_text(error)]
        return _confirm_page(form, factor, 422)
    except TooManySignIns as error:
        form.form_errors.append(error_text(error))
        return _confirm_page(form, factor, 429)
    return _codes_page(codes, is_new=True)


@bp.route("/codes", methods=["GET", "POST"])
@allow(*Role)
def codes() -> AnyResponse:
    """New recovery codes in place of those before."""
    return _with_password("auth/factor/codes.html", _renew)


@bp.route("/remove", methods=["GET", "POST"])
@allow(*Role)
def remove() -> AnyResponse:
    """«Отключить», where it need not be."""
    if second_factor.is_required(g.user):
        abort(403)
    return _with_password("auth/factor/remove.html", _remove)


def _renew() -> AnyResponse:
    return _codes_page(second_factor.renew_codes(g.user, by=step_up.by()))


def _remove() -> AnyResponse:
    second_factor.remove(g.user, by=step_up.by())
    flash(gettext("The second factor is off"), "ok")
    return redirect(url_for("auth.own.show"), code=303)


def _with_password(template: str, act: Callable[[], AnyResponse]) -> AnyResponse:
    """A page that asks for the password and then does something with the factor there is."""
    if not second_factor.has(g.user):
        return _nothing_to_do()
    form = StepUpForm()
    status = 422 if not form.validate_on_submit() and form.errors else 200
    if form.is_submitted() and not form.errors:
        status = step_up.refusal(form)
        if not status:
            return act()
    page = render_section(template, status, form=form, **_facts())
    return step_up.with_retry_after(page)


def _nothing_to_do() -> AnyResponse:
    """Back to where it is said how things are."""
    if request.method == "POST":
        check_button()
    return redirect(url_for(".show"), code=303)


def _state_page(form: StepUpForm | None, status: int) -> Response:
    return render_section(
        "auth/factor/show.html", status, form=form or StepUpForm(None), **_facts()
    )


def _facts() -> dict[str, object]:
    return {
        "factor": second_factor.find(g.user),
        "left": second_factor.codes_left(g.user),
        "is_required": second_factor.is_required(g.user),
    }


def _confirm_page(form: CodeForm, factor: SecondFactor, status: int) -> Response:
    secret = second_factor.secret_of(factor)
    return render_section(
        "auth/factor/confirm.html",
        status,
        form=form,
        qr=qr_path(second_factor.address_of(factor, g.user)),
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
    )


def _codes_page(made: Sequence[str], *, is_new: bool = False) -> Response:
    return render_section("auth/factor/_made.html", codes=made, is_new=is_new)
