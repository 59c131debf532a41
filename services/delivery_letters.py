"""The letters about a change of how documents are delivered: to the new address with the link that
confirms it, to the old one with the link that cancels it. Addresses in them are shown in part.
"""

from datetime import datetime

from flask import current_app

from domain.formats import format_moment, mask_email
from domain.languages import language
from models import User
from models_billing import DeliverySetting
from services import clock, language_choice, letter_links, notices
from services.delivery import Delivery
from services.notices import Link

CONFIRM, TOLD, DUE, SET = "delivery_confirm", "delivery_told", "delivery_due", "delivery_set"
CONFIRM_PATH, CANCEL_PATH = "/bills/delivery/confirm/", "/bills/delivery/cancel/"


def confirm_token(row: DeliverySetting) -> str:
    """What the link in the letter to the new address ends with."""
    return letter_links.token_of(_seed("confirm", row))


def cancel_token(row: DeliverySetting) -> str:
    """What the link in letters to the old address ends with: the same in each."""
    return letter_links.token_of(_seed("cancel", row))


def subject_of(row: DeliverySetting) -> str:
    """How letters name the change that they are about."""
    return f"delivery_setting:{row.id}"


def ask_to_confirm(row: DeliverySetting, was: Delivery, *, now: datetime) -> None:
    """To the new address. It does not go any more when its link is over."""
    link = Link(CONFIRM_PATH, _seed("confirm", row))
    _post(CONFIRM, row.email, row, was, link=link, expires_at=row.confirm_until, now=now)


def tell_old(row: DeliverySetting, was: Delivery, *, now: datetime) -> None:
    """To the old address, when a change is asked for."""
    _post(TOLD, was.email, row, was, link=Link(CANCEL_PATH, _seed("cancel", row)), now=now)


def tell_old_when(row: DeliverySetting, was: Delivery, *, now: datetime) -> None:
    """To the old address, when the new one is confirmed and the change has its time."""
    _post(DUE, was.email, row, was, link=Link(CANCEL_PATH, _seed("cancel", row)), now=now)


def tell_old_of_operator(row: DeliverySetting, was: Delivery, *, now: datetime) -> None:
    """To the old address, when the operator has changed it."""
    _post(SET, was.email, row, was, now=now)


def _seed(what: str, row: DeliverySetting) -> str:
    return f"delivery.{what}:{row.key}"


def _post(
    kind: str, to: str, row: DeliverySetting, was: Delivery, *, now: datetime, **more: object
) -> None:
    with language(language_choice.of_client(row.client, row.user)):
        notices.post(
            kind,
            to,
            _words(row, was),
            client=row.client,
            subject=subject_of(row),
            now=now,
            **more,
        )


def _words(row: DeliverySetting, was: Delivery) -> dict[str, object]:
    return {
        "company": row.client.name,
        "purpose": str(row.purpose),
        "old_method": was.method.value,
        "old_email": mask_email(was.email),
        "method": str(row.method),
        "email": mask_email(row.email),
        "asked_at": _moment(row.asked_at),
        "asked_by": _name(row.user),
        "until": _moment(row.confirm_until),
        "effective_at": _moment(row.effective_at),
        "hours": current_app.config["CABINET"].DELIVERY_HOLD_HOURS,
    }


def _moment(moment: datetime | None) -> str:
    return format_moment(clock.local(moment)) if moment else ""


def _name(user: User | None) -> str:
    return (user.full_name or user.login) if user else ""
