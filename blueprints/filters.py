"""How templates write values and states: every filter of the product, registered in one place."""

from datetime import date, datetime
from functools import cache

from flask import Flask
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

import texts
from domain import formats
from domain.billing.delivery import DeliveryMethod, Stage
from domain.billing.requisites import format_iban
from domain.orders import MailState, OrderKind, OrderState
from services import clock
from texts import N_, gettext

STATE_WORDS = {
    OrderState.ACCEPTED: N_("Accepted"),
    OrderState.RENDERING: N_("Under way"),
    OrderState.RENDERED: N_("Being sent"),
    OrderState.SENDING: N_("Being sent"),
    OrderState.SENT: N_("Sent"),
    OrderState.AVAILABLE: N_("Made"),
    OrderState.RETRY_WAIT: N_("Delayed"),
    OrderState.UNCONFIRMED: N_("Being checked"),
    OrderState.FAILED: N_("Not carried out"),
    OrderState.CANCELLED: N_("Cancelled"),
}
KIND_WORDS = {
    OrderKind.CALL_DETAIL: N_("Call details by e-mail"),
    OrderKind.INVOICE_EMAIL: N_("Order a bill by e-mail"),
    OrderKind.INVOICE_LINK: N_("Download a bill"),
    OrderKind.INVOICE_REGULAR: N_("Regular bill"),
    OrderKind.CHARGES: N_("Charges this period"),
    OrderKind.STATEMENT: N_("Act of reconciliation"),
}
QUEUED = N_("In the queue")
MAIL_WORDS = {
    MailState.READY: N_("Ready to be sent"),
    MailState.SENDING: N_("Being sent"),
    MailState.SENT: N_("Sent"),
    MailState.UNKNOWN: N_("Perhaps sent"),
    MailState.FAILED: N_("Refused"),
}
SUBSCRIBER_STATUS_WORDS = {
    "active": N_("Active"),
    "blocked": N_("Blocked"),
    "closed": N_("Closed"),
}
ROLE_WORDS = {
    "client-administrator": N_("Administrator"),
    "accountant": N_("Accountant"),
    "viewer": N_("Viewer"),
    "operator-administrator": N_("Operator's administrator"),
    "clerk": N_("Operator's clerk"),
}
DELIVERY_METHOD_WORDS = {
    DeliveryMethod.EMAIL: N_("by e-mail"),
    DeliveryMethod.PICKUP: N_("in person"),
    DeliveryMethod.POST: N_("by post"),
    DeliveryMethod.EDI: N_("by electronic document exchange"),
}
DELIVERY_STAGE_WORDS = {
    Stage.WAITING: N_("Waits to be confirmed"),
    Stage.HELD: N_("Confirmed"),
    Stage.DONE: N_("Was in effect"),
    Stage.CANCELLED: N_("Called off"),
    Stage.EXPIRED: N_("Not confirmed"),
}
TONES = {
    OrderState.SENT: "ok",
    OrderState.AVAILABLE: "ok",
    OrderState.RETRY_WAIT: "warn",
    OrderState.UNCONFIRMED: "warn",
    OrderState.FAILED: "bad",
}


def moment(value: datetime) -> str:
    """ДД.ММ.ГГГГ чч:мм in the operator's zone."""
    return formats.format_moment(clock.local(value))


def epoch_moment(seconds: int) -> str:
    """ДД.ММ.ГГГГ чч:мм:сс of a call, in the operator's zone."""
    return formats.format_second(clock.local(clock.from_epoch(seconds)))


def iso_date(text: str) -> str:
    """ДД.ММ.ГГГГ of a date kept as YYYY-MM-DD."""
    return formats.format_date(date.fromisoformat(text))


def time(value: datetime) -> str:
    """чч:мм in the operator's zone."""
    return f"{clock.local(value):%H:%M}"


def order_state_text(state: str, due_at: datetime | None = None) -> str:
    """The state in a word. An accepted order whose time (`due_at`) has come stands in the queue."""
    if due_at is not None and state == OrderState.ACCEPTED and due_at <= clock.now():
        return gettext(QUEUED)
    return gettext(STATE_WORDS[OrderState(state)])


def order_state_tone(state: str) -> str:
    """Class of the tag that shows a state: ok, warn, bad or none. The word says it too."""
    return TONES.get(OrderState(state), "")


def order_kind_text(kind: str) -> str:
    """What was ordered, by the name of its menu item."""
    return gettext(KIND_WORDS[OrderKind(kind)])


def mail_state_text(state: str) -> str:
    """Where a message stands, in a word."""
    return gettext(MAIL_WORDS[MailState(state)])


def subscriber_status_text(status: str) -> str:
    """«Статус» of a subscriber in a word."""
    return gettext(SUBSCRIBER_STATUS_WORDS[status])


def role_text(role: str) -> str:
    """A user's role in words."""
    return gettext(ROLE_WORDS[role])


def delivery_method_text(method: str) -> str:
    """«Способ доставки» in words."""
    return gettext(DELIVERY_METHOD_WORDS[DeliveryMethod(method)])


def delivery_stage_text(stage: str) -> str:
    """Where a change of delivery stands, in words."""
    return gettext(DELIVERY_STAGE_WORDS[Stage(stage)])


@pass_eval_context
def say(where: EvalContext, message: str, **values: object) -> str:
    """The text of a msgid in the current language with its values, as Jinja's own `gettext` gives
    it; found once in each language.
    """
    find = _form if values else _text
    text = find(texts.current_language(), message, is_markup=where.autoescape)
    return text % values if values else text


@cache
def _form(_language: str, message: str, *, is_markup: bool) -> str:
    text = gettext(message)
    return Markup(text) if is_markup else text  # noqa: S704 - texts are ours, values get escaped


@cache
def _text(language: str, message: str, *, is_markup: bool) -> str:
    return _form(language, message, is_markup=is_markup) % {}


FILTERS = {
    "date": formats.format_date,
    "iso_date": iso_date,
    "moment": moment,
    "epoch_moment": epoch_moment,
    "time": time,
    "duration": formats.format_duration,
    "phone": formats.format_phone,
    "iban": format_iban,
    "size": formats.format_size,
    "integer": formats.format_integer,
    "money": formats.format_money,
    "percent": formats.format_percent,
    "price": formats.format_price,
    "decimal": formats.format_decimal,
    "destination_group_text": texts.destination_group_text,
    "payment_method_text": texts.payment_method_text,
    "month": texts.month_text,
    "masked": formats.mask_email,
    "role_text": role_text,
    "subscriber_status_text": subscriber_status_text,
    "delivery_method_text": delivery_method_text,
    "delivery_stage_text": delivery_stage_text,
    "order_kind_text": order_kind_text,
    "mail_state_text": mail_state_text,
    "order_state_text": order_state_text,
    "order_state_tone": order_state_tone,
}


def init_app(app: Flask) -> None:
    """Teach templates our filters and the current language."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(say, texts.ngettext, newstyle=True)
    app.jinja_env.globals.update(gettext=say, _=say)  # a page has a hundred: past Jinja's wrappers
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        current_language=texts.current_language,
        order_state_text=order_state_text,
        order_state_tone=order_state_tone,
    )
