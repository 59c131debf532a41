"""The form by which a change of the call centre is asked for: its answers become a text."""

from datetime import date

from wtforms import DateField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import Optional

from blueprints.forms import KeyedForm
from domain.errors import DomainError, TextMissing, TextTooLong, TooManyMessages
from domain.formats import format_date
from models import Client, Subscriber
from services import feedback, selection
from texts import N_, error_text, gettext, lazy_gettext

ADD, REMOVE, HOURS, OTHER = "add", "remove", "hours", "other"
WHAT_WORDS = {
    ADD: N_("Connect numbers or employees"),
    REMOVE: N_("Disconnect numbers or employees"),
    HOURS: N_("Change the working hours"),
    OTHER: N_("Something else"),
}
NAMED = 5  # entries of a wrong list that a sentence names


class ChangeForm(KeyedForm):
    """What is to change, for which numbers, from what day."""

    what = RadioField(
        lazy_gettext("What is to change"),
        choices=[SelectChoice(key, lazy_gettext(word)) for key, word in WHAT_WORDS.items()],
        validate_choice=False,  # below: a browser's own words would come in its language
    )
    numbers = StringField(lazy_gettext("Numbers"))
    from_day = DateField(lazy_gettext("From what day"), validators=[Optional()])
    text = TextAreaField(lazy_gettext("Details"))

    def __init__(self, *, client: Client, today: date, **values: object) -> None:
        self._client, self._today = client, today
        super().__init__(**values)

    def validate_what(self, field: RadioField) -> None:
        """One of those."""
        if field.data not in WHAT_WORDS:
            raise ValidationError(gettext("Choose what is to change"))

    def validate_numbers(self, field: StringField) -> None:
        """The client's own; needed where numbers are put in or taken out."""
        report = selection.check_list(Subscriber.of(self._client), (field.data or "")[:5000])
        if self.what.data in (ADD, REMOVE) and not report.entries:
            raise ValidationError(gettext("Name the numbers"))
        if report.bad:
            named = ", ".join(entry.typed[:40] for entry in report.bad[:NAMED])
            text = gettext("Not found among your company's numbers: %(numbers)s")
            raise ValidationError(text % {"numbers": named})

    def validate_from_day(self, field: DateField) -> None:
        """Not a day that is over."""
        if field.data is not None and field.data < self._today:
            raise ValidationError(gettext("This day is over"))

    def validate_text(self, field: TextAreaField) -> None:
        """Needed where the rest does not say it; never too long."""
        if self.what.data in (HOURS, OTHER) and not (field.data or "").strip():
            raise ValidationError(gettext("Write what is to change"))
        try:
            feedback.check_text(self.message)
        except (TextMissing, TextTooLong) as error:
            raise ValidationError(error_text(error)) from error

    @property
    def message(self) -> str:
        """The answers as the operator reads them."""
        what = gettext(WHAT_WORDS.get(self.what.data or "", WHAT_WORDS[OTHER]))
        lines = [f"{gettext('What is to change')}: {what}"]
        if numbers := (self.numbers.data or "").strip():
            lines.append(f"{gettext('Numbers')}: {numbers}")
        if self.from_day.data:
            lines.append(f"{gettext('From what day')}: {format_date(self.from_day.data)}")
        if text := (self.text.data or "").strip():
            lines += ["", text]
        return "\n".join(lines)

    def refuse(self, error: DomainError) -> int:
        """Say why on the form; the status of the answer."""
        self.form_errors.append(error_text(error))
        return 429 if isinstance(error, TooManyMessages) else 422
