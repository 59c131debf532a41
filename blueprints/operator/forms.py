"""Forms of the operator's pages. They check shape; files are looked into by the services."""

from flask import current_app
from wtforms import BooleanField, Field, MultipleFileField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import ValidationError

from blueprints.forms import CabinetForm
from domain.cdr.dates import DateOrder
from domain.cdr.generic import GENERIC
from domain.cdr.registry import FORMATS
from domain.cdr.times import parse_zone
from domain.errors import InvalidValue, NotFound
from models import Client
from services import accounts
from services.uploads import Upload
from texts import gettext, lazy_gettext

LONGEST_NAME = 64
DATE_CHOICES = (
    SelectChoice("", lazy_gettext("By the file itself")),
    SelectChoice(DateOrder.DMY, lazy_gettext("Day, month, year")),
    SelectChoice(DateOrder.MDY, lazy_gettext("Month, day, year")),
)


def _formats() -> list[SelectChoice]:
    """All that can be read without a map of columns."""
    names = [name for name in FORMATS if name != GENERIC.name]
    return [
        SelectChoice("auto", lazy_gettext("By the content")),
        *(SelectChoice(name, name) for name in names),
    ]


def _trimmed(value: str | None) -> str:
    return (value or "").strip()


class UploadForm(CabinetForm):
    """Files of call records, and how to understand them."""

    files = MultipleFileField(lazy_gettext("Files of records"))
    format_name = SelectField(lazy_gettext("Format of the records"), choices=_formats)
    zone = StringField(lazy_gettext("Time zone of the records"), filters=[_trimmed])
    dates = SelectField(lazy_gettext("Order of the dates"), choices=DATE_CHOICES)
    exchange = StringField(lazy_gettext("Exchange"), filters=[_trimmed])
    account = StringField(lazy_gettext("Account number of the client"), filters=[_trimmed])
    check_only = BooleanField(lazy_gettext("Check only"), default=True)

    client: Client | None = None

    def validate_files(self, field: Field) -> None:
        field.data = [file for file in field.data or () if getattr(file, "filename", "")]
        if not field.data:
            raise ValidationError(gettext("Choose a file"))

    def validate_zone(self, field: Field) -> None:
        try:
            parse_zone(field.data or _default_zone())
        except InvalidValue as error:
            raise ValidationError(
                gettext("There is no such time zone: give a name like Europe/Minsk, or +03:00")
            ) from error

    def validate_exchange(self, field: Field) -> None:
        if len(field.data) > LONGEST_NAME:
            raise ValidationError(gettext("No more than 64 characters"))

    def validate_account(self, field: Field) -> None:
        if not field.data:
            return
        try:
            self.client = accounts.find_client(field.data)
        except NotFound as error:
            raise ValidationError(gettext("There is no client with this account number")) from error

    @property
    def upload(self) -> Upload:
        """What the form says, for the services."""
        return Upload(
            zone=self.zone.data or _default_zone(),
            format_name=self.format_name.data,
            dates=DateOrder(self.dates.data) if self.dates.data else None,
            exchange_name=self.exchange.data,
            client=self.client,
            check_only=self.check_only.data,
        )


def _default_zone() -> str:
    return current_app.config["CABINET"].TIME_ZONE


class LoadForm(CabinetForm):
    """The button under a checked file."""

    force_zone = BooleanField(lazy_gettext("The time zone is right, store the file all the same"))
