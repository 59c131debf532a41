"""The form of «Изменить способ/адрес доставки». It checks shape; services say what may be."""

from flask import current_app
from wtforms import RadioField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from blueprints.filters import delivery_method_text
from blueprints.step_up import StepUpForm
from domain.accounts import check_detail, check_email
from domain.billing.delivery import DeliveryMethod
from domain.errors import DomainError
from services.delivery import Delivery
from services.delivery_changes import Wish
from texts import gettext, lazy_gettext


class DeliveryForm(StepUpForm):
    """How bills are to be delivered, and the password of who asks."""

    method = RadioField(
        lazy_gettext("Delivery method"),
        validators=[InputRequired(lazy_gettext("Choose the delivery method"))],
    )
    email = StringField(
        lazy_gettext("New e-mail"),
        filters=[lambda text: (text or "").strip()],
        render_kw={"type": "email", "autocomplete": "email", "maxlength": 254},
    )
    receiver = StringField(
        lazy_gettext("Who receives"),
        filters=[lambda text: (text or "").strip()],
        render_kw={"maxlength": 255},
    )

    def __init__(self, *args: object, held: Delivery, **more: object) -> None:
        defaults = {"method": held.method.value, "receiver": held.receiver}
        super().__init__(*args, data=defaults, **more)
        methods = current_app.config["CABINET"].delivery_methods
        self.method.choices = [
            SelectChoice(each.value, delivery_method_text(each)) for each in methods
        ]

    def validate_email(self, field: StringField) -> None:
        """An address that mail can be sent to, or none."""
        if not field.data:
            return
        try:
            check_email(field.data)
        except DomainError as error:
            raise ValidationError(gettext("Give the address as name@example.by")) from error

    def validate_receiver(self, field: StringField) -> None:
        """One line."""
        try:
            check_detail(field.data)
        except DomainError as error:
            raise ValidationError(
                gettext("Write it in one line of up to 255 characters")
            ) from error

    @property
    def wish(self) -> Wish:
        """What a form that holds asks for."""
        receiver = check_detail(self.receiver.data)
        return Wish(DeliveryMethod(self.method.data), self.email.data, receiver)
