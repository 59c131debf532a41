"""«Выбор SIP-абонента»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("subscribers", __name__, url_prefix="/subscribers")
MENU = MenuItem(N_("Choose SIP subscriber"), "subscribers.show")
MEANWHILE = N_(
    "This section is not open yet: choose subscribers in the list when you order a call detail."
)


@bp.get("/")
def show() -> Response:
    """What the section is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
