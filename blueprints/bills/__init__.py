"""«Счета»: the introduction, and the five items nested below it."""

from flask import Blueprint, Response

from blueprints.bills import call_detail, charges, delivery, download_bill, email_bill
from blueprints.web import MenuItem, render_section
from texts import N_

ITEMS = (email_bill, download_bill, delivery, call_detail, charges)

bp = Blueprint("bills", __name__, url_prefix="/bills")
MENU = MenuItem(
    N_("Bills"),
    "bills.show",
    children=tuple(item.MENU for item in ITEMS),
    about=N_(
        "This section holds what concerns the client's bills. Here you can order a bill by "
        "e-mail or download it by a link. The service is not available while bills for telecom "
        "services are made (from the 1st to the 3rd of each month). The address and method of "
        "delivery can be changed here too."
    ),
)
for _item in ITEMS:
    bp.register_blueprint(_item.bp)


@bp.get("/")
def show() -> Response:
    """What the section is for, with a paragraph about each of its items."""
    return render_section("bills/show.html", section=MENU)
