"""The password once more, before what an unattended browser must not do; afterwards the session has
another id. A form that asks for it derives from `StepUpForm`.
"""

from flask import Response, current_app, g, request, session
from wtforms import PasswordField
from wtforms.validators import InputRequired

from blueprints.forms import CabinetForm
from domain.errors import TooManySignIns, WrongPassword
from services import clock, sessions, sign_in
from services.audit import By
from texts import error_text, lazy_gettext


class StepUpForm(CabinetForm):
    """A form whose last field is the password that its sender signs in with."""

    password = PasswordField(
        lazy_gettext("Your password"),
        validators=[InputRequired(lazy_gettext("Enter the password"))],
        render_kw={"autocomplete": "current-password"},
    )


def by() -> By:
    """Who sends this request, for the audit trail."""
    return By(now=clock.now(), user=g.user, ip=request.remote_addr or "")


def refusal(form: StepUpForm) -> int:
    """0 when the password in a form that holds is right; else the status of the answer, and the
    form says why.
    """
    try:
        sign_in.check_password(
            g.user,
            form.password.data or "",
            ip=request.remote_addr or "",
            secret=str(current_app.secret_key),
            now=clock.now(),
        )
    except WrongPassword as error:
        form.password.errors = [error_text(error)]
        return 422
    except TooManySignIns as error:
        form.form_errors.append(error_text(error))
        g.retry_after_s = error.values["retry_after_s"]
        return 429
    session.renew(sessions.renew(session.row))  # type: ignore[attr-defined]
    return 0


def with_retry_after(response: Response) -> Response:
    """`response`, which says when to come again if the password was refused for now."""
    if seconds := g.get("retry_after_s"):
        response.headers["Retry-After"] = str(seconds)
    return response
