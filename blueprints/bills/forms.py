"""Forms of «Счета». They check shape; calendar and ownership are asked of domain and services."""

from datetime import date
from typing import Any

from wtforms import DateField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from blueprints.forms import CabinetForm
from domain.errors import DomainError, PeriodOutOfRange
from domain.orders import Direction, FileFormat
from domain.periods import DateRange, call_detail_window, check_call_detail_period, month_of
from services.orders import CallDetailRequest, ChargesRequest
from texts import error_text, gettext, lazy_gettext

DATE_FORMATS = ["%Y-%m-%d", "%d.%m.%Y"]  # what browsers send, and what people type
DIRECTIONS = {
    Direction.OUT: lazy_gettext("Outgoing"),
    Direction.IN: lazy_gettext("Incoming"),
    Direction.BOTH: lazy_gettext("Outgoing+Incoming"),
}


class DayField(DateField):
    """A date, whose message says what to do."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata([value.strip() for value in valuelist])
        except ValueError as error:
            raise ValueError(gettext("Give the date as DD.MM.YYYY")) from error


class FormatForm(CabinetForm):
    """What file is to be made; the wizard offers the forms that there are."""

    file_format = RadioField(
        lazy_gettext("Form of the file"),
        default=FileFormat.XLSX.value,
        validators=[InputRequired(lazy_gettext("Choose the form of the file"))],
    )

    def __init__(
        self, *args: object, today: date, formats: tuple[FileFormat, ...], **kw: object
    ) -> None:
        super().__init__(*args, **kw)
        self.today = today
        self.file_format.choices = [SelectChoice(f.value, f.value.upper()) for f in formats]


class ChargesForm(FormatForm):
    """Step 1 of the charges: what file. They are always those of the present month."""

    @property
    def request(self) -> ChargesRequest:
        """What a form that holds asks for."""
        return ChargesRequest(month_of(self.today), FileFormat(self.file_format.data))


class PeriodForm(FormatForm):
    """Step 1 of call detail: which days, which direction of calls, what file."""

    start = DayField(
        lazy_gettext("From"),
        format=DATE_FORMATS,
        validators=[InputRequired(lazy_gettext("Give the first day"))],
    )
    end = DayField(
        lazy_gettext("To"),
        format=DATE_FORMATS,
        validators=[InputRequired(lazy_gettext("Give the last day"))],
    )
    direction = RadioField(
        lazy_gettext("Type of call details"),
        choices=[SelectChoice(value.value, text) for value, text in DIRECTIONS.items()],
        default=Direction.BOTH.value,
        validators=[InputRequired(lazy_gettext("Choose the type of call details"))],
    )

    def __init__(self, *args: object, months_back: int, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.months_back = months_back

    @property
    def window(self) -> DateRange:
        """Days that may be asked for."""
        return call_detail_window(self.today, self.months_back)

    def validate_start(self, field: DateField) -> None:
        """The first day must not lie before the window."""
        if field.data is not None and field.data < self.window.start:
            raise ValidationError(self._out_of_range())

    def validate_end(self, field: DateField) -> None:
        """The last day must not lie before the first, nor after the window."""
        if self.start.data is None or field.data is None:
            return  # the other field has spoken already
        try:
            period = DateRange(self.start.data, field.data)
            check_call_detail_period(period, self.today, self.months_back)
        except PeriodOutOfRange as error:
            if field.data > self.window.end:
                raise ValidationError(error_text(error)) from error
        except DomainError as error:
            raise ValidationError(error_text(error)) from error

    def _out_of_range(self) -> str:
        return error_text(PeriodOutOfRange(start=self.window.start, end=self.window.end))

    @property
    def request(self) -> CallDetailRequest:
        """What a form that holds asks for."""
        return CallDetailRequest(
            DateRange(self.start.data, self.end.data),
            Direction(self.direction.data),
            FileFormat(self.file_format.data),
        )


class SubscribersForm(CabinetForm):
    """Step 2: ticks of the rows shown and the typed list. Which button was pressed is `go`."""

    typed = TextAreaField(lazy_gettext("Enter your own list of subscribers"))
    go = StringField()
