"""Forms of what a client pays beside its calls. They check shape; the services decide."""

import secrets
from datetime import date
from typing import Any

from wtforms import Field, HiddenField, IntegerField, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Optional

from blueprints.bills.forms import DATE_FORMATS, DayField
from blueprints.forms import CabinetForm
from domain.billing.methods import METHODS, TRANSFER
from domain.billing.vat import GOODS, TELECOM
from domain.errors import InvalidValue
from domain.formats import format_percent
from domain.money import read_kopecks
from services import vat_rates
from services.instalments import MOST_MONTHS
from texts import N_, gettext, lazy_gettext, payment_method_text

REQUIRED = InputRequired(lazy_gettext("Fill this in"))
SERVICES = {
    TELECOM: N_("Telecommunications, VAT {percent}"),
    GOODS: N_("Goods, VAT {percent}"),
}
OWN_SERVICE = N_("{service}, VAT {percent}")
PAYERS = (
    SelectChoice("client", lazy_gettext("The client, by its bills")),
    SelectChoice("employee", lazy_gettext("The employee")),
)
LONGEST_TEXT = 255


def service_text(service: str, percent: int | None) -> str:
    """A kind of service with its VAT in hundredths of a per cent, if any is known."""
    if percent is None:
        return service
    sentence = gettext(SERVICES.get(service, OWN_SERVICE))
    return sentence.format(service=service, percent=format_percent(percent))


def _trimmed(value: str | None) -> str:
    return (value or "").strip()


def _short(_form: Any, field: Field) -> None:
    if len(field.data or "") > LONGEST_TEXT:
        raise ValidationError(gettext("No more than 255 characters"))


def _parts(_form: Any, field: Field) -> None:
    if not 1 <= (field.data or 0) <= MOST_MONTHS:
        raise ValidationError(gettext("Give a number from 1 to 120"))


class NumberField(IntegerField):
    """A whole number, whose message is left to what checks it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            self.data = None


class SumField(StringField):
    """A sum as people write it; `kopecks` is what it comes to."""

    kopecks = 0

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 - WTForms asks for it
        if not (self.data or "").strip():
            return
        try:
            self.kopecks = read_kopecks(self.data)
        except InvalidValue as error:
            text = gettext("Write roubles and kopecks like 1 234,56")
            raise ValidationError(text) from error


class PaymentForm(CabinetForm):
    """Money that came, or went back."""

    once = HiddenField(default=lambda: secrets.token_hex(16))
    amount = SumField(lazy_gettext("Sum, BYN"), validators=[REQUIRED])
    paid_on = DayField(lazy_gettext("Day"), format=DATE_FORMATS, validators=[REQUIRED])
    document_no = StringField(
        lazy_gettext("Number of the payment order"), filters=[_trimmed], validators=[_short]
    )
    document_on = DayField(
        lazy_gettext("Date of the payment order"), format=DATE_FORMATS, validators=[Optional()]
    )
    method = SelectField(
        lazy_gettext("Way of payment"),
        default=TRANSFER,
        choices=lambda: [SelectChoice(each, payment_method_text(each)) for each in METHODS],
    )
    purpose = StringField(lazy_gettext("What it is for"), filters=[_trimmed], validators=[_short])


class ChargeForm(CabinetForm):
    """What is paid once."""

    name = StringField(lazy_gettext("Name"), filters=[_trimmed], validators=[REQUIRED, _short])
    amount = SumField(lazy_gettext("Sum without VAT, BYN"), validators=[REQUIRED])
    day = DayField(lazy_gettext("Day"), format=DATE_FORMATS, validators=[REQUIRED])
    service = SelectField(lazy_gettext("Kind of service"))
    number = StringField(lazy_gettext("Phone number"), filters=[_trimmed])

    def offer(self, today: date) -> None:
        """Let the services be chosen of which VAT is known today or on the day of the charge, each
        with its rate on that day.
        """
        rates = vat_rates.in_force(today)
        if self.day.data:
            rates |= vat_rates.in_force(self.day.data)
        self.service.choices = [
            SelectChoice(service, service_text(service, percent))
            for service, percent in rates.items()
        ]


class DiscountForm(CabinetForm):
    """So many per cent less."""

    name = StringField(lazy_gettext("Name"), filters=[_trimmed], validators=[REQUIRED, _short])
    percent = SumField(lazy_gettext("Per cent"), validators=[REQUIRED])
    valid_from = DayField(lazy_gettext("First day"), format=DATE_FORMATS, validators=[REQUIRED])
    valid_to = DayField(lazy_gettext("Last day"), format=DATE_FORMATS, validators=[Optional()])


class InstalmentForm(CabinetForm):
    """Goods paid by and by."""

    contract_no = StringField(
        lazy_gettext("Contract No."), filters=[_trimmed], validators=[REQUIRED, _short]
    )
    goods = StringField(lazy_gettext("Goods"), filters=[_trimmed], validators=[REQUIRED, _short])
    serial_no = StringField(
        lazy_gettext("Serial number (IMEI)"), filters=[_trimmed], validators=[_short]
    )
    price = SumField(lazy_gettext("Price with VAT, BYN"), validators=[REQUIRED])
    first_payment = SumField(lazy_gettext("Paid at once, BYN"))
    months = NumberField(lazy_gettext("Number of parts"), validators=[_parts])
    starts_on = DayField(
        lazy_gettext("Day of the first part"), format=DATE_FORMATS, validators=[REQUIRED]
    )
    number = StringField(lazy_gettext("Phone number"), filters=[_trimmed])
    payer = SelectField(lazy_gettext("Who pays"), choices=PAYERS)
