"""«Заказать счет на E-mail»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("email_bill", __name__, url_prefix="/email")
MENU = MenuItem(
    N_("Order a bill by e-mail"),
    "bills.email_bill.show",
    about=N_(
        "You can order regular bills for telecom services to be sent again for a period of "
        "interest. The bill is sent to the e-mail address that stands in the cabinet at the "
        "moment. If the delivery address is changed several times within a month, the regular "
        "bill goes to the address that stood when the bill for the past billing period was made."
    ),
)
MEANWHILE = N_("This section is not open yet: regular bills go on arriving as your contract says.")


@bp.get("/")
def show() -> Response:
    """What the item is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
