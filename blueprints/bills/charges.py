"""«Начисления за текущий период»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("charges", __name__, url_prefix="/charges")
MENU = MenuItem(
    N_("Charges this period"),
    "bills.charges.show",
    about=N_(
        "You can order information about the charges of the current month by subscriber. It is "
        "sent to the client's e-mail address."
    ),
)
MEANWHILE = N_(
    "This section is not open yet: the calls of the current month can be ordered in the section "
    "«Call details by e-mail»."
)


@bp.get("/")
def show() -> Response:
    """What the item is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
