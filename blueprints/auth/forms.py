"""Forms by which one gets in: sign-in, its second step, links from letters, passwords."""

from wtforms import PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired

from blueprints.forms import CabinetForm
from blueprints.step_up import StepUpForm
from texts import gettext, lazy_gettext


class SignInForm(CabinetForm):
    """Login and password, named so that password managers know them."""

    login = StringField(
        lazy_gettext("Login"),
        validators=[InputRequired(lazy_gettext("Enter the login"))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        lazy_gettext("Password"),
        validators=[InputRequired(lazy_gettext("Enter the password"))],
        render_kw={"autocomplete": "current-password"},
    )


class NewPasswordForm(CabinetForm):
    """A password that is chosen, typed twice. What it must not be is checked by the domain."""

    new = PasswordField(
        lazy_gettext("New password"),
        validators=[InputRequired(lazy_gettext("Enter the new password"))],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        lazy_gettext("New password once more"),
        validators=[InputRequired(lazy_gettext("Enter the new password once more"))],
        render_kw={"autocomplete": "new-password"},
    )

    def validate_again(self, field: PasswordField) -> None:
        """Both entries must be the same."""
        if self.new.data and field.data and field.data != self.new.data:
            raise ValidationError(gettext("The two entries differ"))


class OwnPasswordForm(StepUpForm, NewPasswordForm):
    """The present password and the new one."""


class ForgottenForm(CabinetForm):
    """Whose password is forgotten."""

    login = StringField(
        lazy_gettext("Login"),
        validators=[InputRequired(lazy_gettext("Enter the login"))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )


class OwnAddressForm(StepUpForm):
    """A person's own address, and the password."""

    email = StringField(
        lazy_gettext("New address"),
        validators=[InputRequired(lazy_gettext("Enter the address"))],
        render_kw={"type": "email", "autocomplete": "email"},
    )


class CodeForm(CabinetForm):
    """A code of the application, or a recovery code."""

    code = StringField(
        lazy_gettext("Code"),
        validators=[InputRequired(lazy_gettext("Enter the code"))],
        render_kw={
            "autocomplete": "one-time-code",
            "inputmode": "text",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
