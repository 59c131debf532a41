"""What every form of the cabinet shares: our words for WTForms' refusals, and the CSRF token as a
field with an error of its own. The sections' forms are in the sections.
"""

import re
import secrets
from typing import Any

from flask import g
from flask_wtf import FlaskForm
from flask_wtf.csrf import _FlaskFormCSRF
from werkzeug.exceptions import UnprocessableEntity
from wtforms import Form, HiddenField, ValidationError
from wtforms.csrf.core import CSRFTokenField
from wtforms.i18n import get_translations

from domain.errors import (
    DomainError,
    NoSpaceForFiles,
    NoSpaceLeft,
    TooManyMessages,
    TooManyOrdersPerHour,
)
from domain.languages import OWN
from texts import N_, current_language, gettext

FORM_KEY = re.compile(r"[0-9a-f]{24}")
WAITS = {  # status, seconds to wait
    TooManyOrdersPerHour: (429, 60),
    TooManyMessages: (429, 60),
    NoSpaceLeft: (503, 600),
    NoSpaceForFiles: (503, 600),
}
STALE_FORM = N_("The form is out of date. Check the data and send it again")


class StaleForm(UnprocessableEntity):
    """A form without a valid CSRF token that has no fields to show again: 422."""

    @property
    def text(self) -> str:
        """The sentence for the page."""
        return gettext(STALE_FORM)


class FormCSRF(_FlaskFormCSRF):
    """Flask-WTF's token, refused with a sentence that tells what to do."""

    def validate_csrf_token(self, form: Form, field: CSRFTokenField) -> None:
        g.csrf_checked = True
        try:
            super().validate_csrf_token(form, field)
        except ValidationError as error:
            raise ValidationError(gettext(STALE_FORM)) from error


class CabinetForm(FlaskForm):
    """Base of all forms. A stale token is an error of the form: 422, and the fields are kept."""

    class Meta(FlaskForm.Meta):
        csrf_class = FormCSRF

        def get_translations(self, form: Form) -> Any:  # noqa: ARG002 - WTForms asks for it
            return get_translations([current_language(), OWN])  # WTForms has no Belarusian


class KeyedForm(CabinetForm):
    """A form that is sent once, however often it is clicked."""

    form_key = HiddenField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        if "formdata" in values or not self.is_submitted():  # drawn anew
            self.form_key.data = secrets.token_hex(12)

    def validate_form_key(self, field: HiddenField) -> None:
        """A key of ours: it makes of two clicks one deed."""
        if not FORM_KEY.fullmatch(field.data or ""):
            field.data = secrets.token_hex(12)
            raise ValidationError(gettext(STALE_FORM))


def refusal(error: DomainError) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer that says why a rule did not let a form pass."""
    status, wait_s = WAITS.get(type(error), (422, 0))
    wait = {"Retry-After": str(error.values.get("retry_after_s", wait_s))} if wait_s else {}
    return status, wait


class EmptyForm(CabinetForm):
    """A button: nothing but the token."""


def check_button() -> None:
    """Let a one-button POST pass, or answer 422 when its token is not this session's."""
    if not EmptyForm().validate_on_submit():
        raise StaleForm
