"""Forms of «Обратная связь», of both sides. They check shape; files and limits are not theirs."""

from flask import current_app
from wtforms import (
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from blueprints.feedback.words import OPERATOR_WORDS, SUBJECT_WORDS
from blueprints.forms import CabinetForm, KeyedForm, refusal
from domain.attachments import FileRefused
from domain.errors import DomainError, NoSpaceForFiles, TextMissing, TextTooLong
from domain.feedback import OPERATOR_STATES, RATINGS, Subject, ThreadState
from models import Client, Subscriber
from services import feedback, feedback_about
from services.feedback_files import Incoming
from texts import error_text, gettext, lazy_gettext

CHOOSE = SelectChoice("", lazy_gettext("Not chosen"))
FILE_ERRORS = (FileRefused, NoSpaceForFiles)


def _trimmed(value: str | None) -> str:
    return (value or "").strip()


def _check_words(field: TextAreaField) -> None:
    """Some words, and not too many."""
    try:
        feedback.check_text(field.data or "")
    except (TextMissing, TextTooLong) as error:
        raise ValidationError(error_text(error)) from error


class MessageForm(KeyedForm):
    """A text, and files with it."""

    text = TextAreaField(lazy_gettext("Text"))
    files = MultipleFileField(lazy_gettext("Files"))

    def validate_text(self, field: TextAreaField) -> None:
        _check_words(field)

    def validate_files(self, field: MultipleFileField) -> None:
        """Nothing, or files; an empty control sends one without a name."""
        field.data = [file for file in field.data or () if getattr(file, "filename", "")]

    @property
    def incoming(self) -> list[Incoming]:
        """The files, for the services."""
        return [Incoming(file.filename, file.stream) for file in self.files.data or ()]

    def refuse(self, error: DomainError) -> tuple[int, dict[str, str]]:
        """Put the sentence where it belongs; status and headers of the answer."""
        if isinstance(error, FILE_ERRORS):
            self.files.errors = [*self.files.errors, error_text(error)]
        else:
            self.form_errors.append(error_text(error))
        return refusal(error)

    @property
    def lost_files(self) -> int:
        """How many files were sent and have to be chosen again: browsers do not keep them."""
        return len(self.files.data or ()) if self.is_submitted() else 0


class QuestionForm(MessageForm):
    """A new thread: what it is about, beside the text."""

    about = HiddenField()
    subject = SelectField(
        lazy_gettext("Subject"),
        choices=[
            CHOOSE,
            *(SelectChoice(each.value, lazy_gettext(SUBJECT_WORDS[each])) for each in Subject),
        ],
        validators=[InputRequired(lazy_gettext("Choose the subject"))],
    )
    number = StringField(lazy_gettext("Phone number"), filters=[_trimmed])

    subscriber: Subscriber | None = None

    def __init__(self, *, client: Client, **values: object) -> None:
        self._client = client
        super().__init__(**values)

    def validate_number(self, field: StringField) -> None:
        """A number of the client's, or none."""
        if not field.data:
            return
        self.subscriber = feedback_about.find_by_number(field.data[:64], self._client)
        if self.subscriber is None:
            raise ValidationError(gettext("Not found among your company's numbers"))


class RatingForm(CabinetForm):
    """How well it was answered."""

    rating = RadioField(
        lazy_gettext("How do you rate the answer?"),
        choices=[SelectChoice(str(each), str(each)) for each in RATINGS],
    )


def _states() -> list[SelectChoice]:
    return [
        SelectChoice(each.value, lazy_gettext(OPERATOR_WORDS[each])) for each in OPERATOR_STATES
    ]


class ReplyForm(MessageForm):
    """The operator's answer, and where the thread stands after it."""

    state = SelectField(
        lazy_gettext("State after the answer"),
        choices=_states,
        default=ThreadState.AWAITS_CLIENT.value,
    )


class NoteForm(KeyedForm):
    """What the operator's people write for themselves."""

    note = TextAreaField(lazy_gettext("Note"))

    def validate_note(self, field: TextAreaField) -> None:
        _check_words(field)


class StateForm(CabinetForm):
    """The state without an answer."""

    new_state = SelectField(lazy_gettext("State"), choices=_states)


def limits() -> dict[str, int]:
    """What the page says of files."""
    config = current_app.config["CABINET"]
    return {"files": config.FEEDBACK_FILES, "size": config.FEEDBACK_FILE_MB}
