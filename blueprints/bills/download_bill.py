"""«Загрузить счет по ссылке»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("download_bill", __name__, url_prefix="/download")
MENU = MenuItem(
    N_("Download a bill"),
    "bills.download_bill.show",
    about=N_(
        "You can order a bill for telecom services (for the 2 previous months). Once it is made, "
        "it can be downloaded by its link. Note: making a bill takes some time, so wait for the "
        "end."
    ),
)
MEANWHILE = N_("This section is not open yet: regular bills go on arriving as your contract says.")


@bp.get("/")
def show() -> Response:
    """What the item is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
