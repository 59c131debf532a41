"""Forms of «Персональная информация»."""

from wtforms import RadioField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from blueprints.filters import role_text
from blueprints.step_up import StepUpForm
from domain.accounts import check_email, check_login
from domain.errors import InvalidValue
from domain.roles import Role
from services.cabinet_users import Person
from texts import gettext, lazy_gettext

ROLES = (Role.CLIENT_ADMINISTRATOR, Role.ACCOUNTANT, Role.VIEWER)


class _RoleForm(StepUpForm):
    """Name and role: what both forms ask for."""

    full_name = StringField(
        lazy_gettext("Full name"),
        validators=[Length(max=255)],
        render_kw={"autocomplete": "off", "maxlength": "255"},
    )
    role = RadioField(
        lazy_gettext("Role"), validators=[InputRequired(lazy_gettext("Choose the role"))]
    )

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)
        self.role.choices = [SelectChoice(role.value, role_text(role)) for role in ROLES]


COMPANY, CHOSEN = "company", "chosen"


class InvitationForm(_RoleForm):
    """Who is invited, as what, and to see which numbers."""

    email = StringField(
        lazy_gettext("E-mail"),
        validators=[InputRequired(lazy_gettext("Enter the address"))],
        render_kw={"type": "email", "autocomplete": "off"},
    )
    login = StringField(
        lazy_gettext("Login"),
        validators=[InputRequired(lazy_gettext("Enter the login"))],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )

    whose = RadioField(
        lazy_gettext("Open subscribers"),
        choices=[
            SelectChoice(COMPANY, lazy_gettext("The whole company")),
            SelectChoice(CHOSEN, lazy_gettext("Chosen ones")),
        ],
        default=COMPANY,
        validate_choice=False,
    )

    def validate_whose(self, field: RadioField) -> None:
        """An administrator sees all."""
        if field.data == CHOSEN and self.role.data == Role.CLIENT_ADMINISTRATOR:
            raise ValidationError(gettext("An administrator sees the whole company"))

    def validate_email(self, field: StringField) -> None:
        """An address that a letter can be sent to."""
        try:
            check_email((field.data or "").strip())
        except InvalidValue as error:
            raise ValidationError(gettext("Give the address as name@example.by")) from error

    def validate_login(self, field: StringField) -> None:
        """A word."""
        try:
            check_login(field.data or "")
        except InvalidValue as error:
            text = gettext("A login has up to 64 characters and no spaces")
            raise ValidationError(text) from error

    @property
    def person(self) -> Person:
        """What a form that holds asks for."""
        return Person(
            self.login.data or "",
            (self.email.data or "").strip(),
            Role(self.role.data),
            self.full_name.data or "",
            self.whose.data != CHOSEN,
        )


class UserForm(_RoleForm):
    """A user who is there already."""

    access = RadioField(
        lazy_gettext("Access"), validators=[InputRequired(lazy_gettext("Choose the access"))]
    )

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)
        self.access.choices = [
            SelectChoice("open", gettext("Open to them")),
            SelectChoice("closed", gettext("Closed to them")),
        ]
