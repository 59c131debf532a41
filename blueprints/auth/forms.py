"""The form of the sign-in page."""

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from blueprints.forms import CabinetForm
from texts import lazy_gettext


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
