"""What «Заказать счет на E-mail» and «Загрузить счет по ссылке» share: their form, how it becomes
orders or a refusal, and the notice of closed days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from flask import Response, current_app, flash, g, redirect, request
from wtforms import (
    BooleanField,
    RadioField,
    SelectMultipleField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from blueprints.forms import KeyedForm, refusal
from domain.errors import DomainError, TooManyOpenOrders, TooManyOrdersPerHour
from domain.orders import FileFormat, OrderKind
from models import Order
from services import bill_offers, clock, invoice_orders, orders, reports
from services.bill_offers import ITEMS
from services.invoice_orders import BillRequest, Placed
from texts import error_text, gettext, lazy_gettext

FORMATS = (FileFormat.PDF, FileFormat.XLSX, FileFormat.CSV)  # the paper's own form first
LIMITS = frozenset({TooManyOpenOrders.code, TooManyOrdersPerHour.code})


class BillForm(KeyedForm):
    """Which documents, in what form, and on closed days the choice to wait."""

    documents = SelectMultipleField(validate_choice=False)  # the service knows what is offered
    file_format = RadioField(
        lazy_gettext("Form of the file"),
        default=FileFormat.PDF.value,
        validators=[InputRequired(lazy_gettext("Choose the form of the file"))],
    )
    is_deferred = BooleanField(lazy_gettext("carry out when the bills are made"))

    def __init__(self, kind: OrderKind, **values: object) -> None:
        super().__init__(**values)
        self.kind = kind
        offered = reports.formats_of(kind)
        self.file_format.choices = [
            SelectChoice(each.value, each.value.upper()) for each in FORMATS if each in offered
        ]
        if not self.is_submitted():
            self.documents.data = request.args.getlist("bill")[:1]  # from the page of a bill

    def validate_documents(self, field: SelectMultipleField) -> None:
        """At least one, and no more than a page has."""
        if not field.data:
            raise ValidationError(gettext("Choose at least one month"))
        field.data = list(dict.fromkeys(field.data))[:500]

    @property
    def formats(self) -> list[tuple[str, str]]:
        """Value and word of each form of file."""
        return [(choice.value, choice.label) for choice in self.file_format.choices]

    @property
    def request(self) -> BillRequest:
        """What is asked for, once the form is found right."""
        return BillRequest(
            self.kind,
            tuple(self.documents.data or ()),
            FileFormat(self.file_format.data),
            self.form_key.data or "",
            bool(self.is_deferred.data),
        )


@dataclass(frozen=True)
class Closure:
    """Why nothing is ordered today: invoices are formed from the `first` to the `last` day."""

    first: int
    last: int
    opens: date


def closure(kind: OrderKind, *, now: datetime) -> Closure | None:
    """On a closed day what the page says of it."""
    opens = bill_offers.opens_on(kind, now=now)
    if opens is None:
        return None
    days = current_app.config["CABINET"].closed_days(ITEMS[kind])
    return Closure(*days.stretch(clock.local(now).date()), opens)


def order(
    form: BillForm,
    draw: Callable[[BillForm, int, list[Order]], Response],
    address_of: Callable[[Placed], str],
) -> Response:
    """Place what the form asks for and go to `address_of` it; else what `draw` makes of the form,
    a status and the open orders that stand in the way.
    """
    if not form.validate_on_submit():
        return draw(form, 422 if request.method == "POST" else 200, [])
    try:
        placed = invoice_orders.place(
            form.request,
            client=g.client,
            user=g.user,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except DomainError as error:
        form.form_errors.append(error_text(error))
        status, wait = refusal(error)
        response = draw(form, status, orders.open_orders(g.user) if error.code in LIMITS else [])
        response.headers.update(wait)
        return response
    _say_placed(placed)
    return redirect(address_of(placed), code=303)


def _say_placed(placed: Placed) -> None:
    """Which orders there are now, when that is not plain from where one is led."""
    numbers = ", ".join(str(order.number) for order in placed.orders)
    if placed.is_changed:
        text = gettext(
            "This form was sent before: orders No. {numbers}. What was changed after that is not "
            "in them; to order something else, open the page anew."
        )
        flash(text.format(numbers=numbers), "warn")
    elif len(placed.orders) > 1:
        flash(gettext("Orders accepted: No. {numbers}").format(numbers=numbers), "ok")
