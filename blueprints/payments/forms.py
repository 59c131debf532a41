"""Forms of «Платежи»: a payment that the operator has not put down yet, the days of an act."""

from datetime import date

from wtforms import StringField, ValidationError
from wtforms.validators import InputRequired, Length

from blueprints.bills.forms import DATE_FORMATS, DayField
from blueprints.forms import KeyedForm, refusal
from blueprints.operator.money_forms import SumField
from domain.billing.told import Told
from domain.errors import DomainError, PeriodReversed
from domain.formats import format_date, format_money
from services.told_payments import Wish
from texts import error_text, gettext, lazy_gettext

REQUIRED = InputRequired(lazy_gettext("Fill this in"))
LONGEST_NUMBER = 30


def _trimmed(value: str | None) -> str:
    return " ".join((value or "").split())


class _RefusableForm(KeyedForm):
    """A form that a rule may refuse."""

    def refuse(self, error: DomainError) -> tuple[int, dict[str, str]]:
        """Say why it was not taken; status and headers of the answer."""
        self.form_errors.append(error_text(error))
        return refusal(error)


class ReportForm(_RefusableForm):
    """Number, date and sum of a payment order."""

    document_no = StringField(
        lazy_gettext("Number of the payment order"),
        filters=[_trimmed],
        validators=[REQUIRED, Length(max=LONGEST_NUMBER)],
    )
    document_on = DayField(
        lazy_gettext("Date of the payment order"), format=DATE_FORMATS, validators=[REQUIRED]
    )
    amount = SumField(lazy_gettext("Sum, BYN"), validators=[REQUIRED])

    def __init__(self, *, today: date, **values: object) -> None:
        super().__init__(**values)
        self.today = today

    def validate_document_on(self, field: DayField) -> None:
        """Not a day to come."""
        if field.data and field.data > self.today:
            raise ValidationError(gettext("The day is still to come"))

    def validate_amount(self, field: SumField) -> None:
        """More than nothing."""
        if not field.errors and field.kopecks <= 0:
            raise ValidationError(gettext("Give a sum other than 0"))

    @property
    def wish(self) -> Wish:
        """What the form says, for the services."""
        order = Told(self.document_no.data, self.document_on.data, self.amount.kopecks)
        return Wish(order, self.text_of_thread(), self.form_key.data or "")

    def text_of_thread(self) -> str:
        """What the operator reads."""
        return gettext(
            "We have paid: payment order No. {number} of {day}, {sum} BYN. Please find the payment."
        ).format(
            number=self.document_no.data,
            day=format_date(self.document_on.data),
            sum=format_money(self.amount.kopecks),
        )


class StatementForm(_RefusableForm):
    """The days of an act of reconciliation."""

    start = DayField(lazy_gettext("First day"), format=DATE_FORMATS, validators=[REQUIRED])
    end = DayField(lazy_gettext("Last day"), format=DATE_FORMATS, validators=[REQUIRED])

    def __init__(self, *, today: date, **values: object) -> None:
        super().__init__(**values)
        self.today = today

    def validate_end(self, field: DayField) -> None:
        """Not before the first day, nor to come."""
        if field.data and field.data > self.today:
            raise ValidationError(gettext("The day is still to come"))
        if field.data and self.start.data and field.data < self.start.data:
            raise ValidationError(error_text(PeriodReversed()))
