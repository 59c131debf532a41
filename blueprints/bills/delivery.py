"""«Изменить способ/адрес доставки»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("delivery", __name__, url_prefix="/delivery")
MENU = MenuItem(
    N_("Change delivery method/address"),
    "bills.delivery.show",
    about=N_(
        "Here you can change how bills are delivered, choosing what suits you best (by e-mail, "
        "in person)."
    ),
)
MEANWHILE = N_(
    "This section is not open yet: the operator changes the address, the present one stands in "
    "the section «Company details»."
)


@bp.get("/")
def show() -> Response:
    """What the item is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
