"""«Мобильный колл-центр»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("call_centre", __name__, url_prefix="/call-centre")
MENU = MenuItem(N_("Mobile call centre"), "call_centre.show")
MEANWHILE = N_("This section is not open yet: the operator tells about this service.")


@bp.get("/")
def show() -> Response:
    """What the section is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
