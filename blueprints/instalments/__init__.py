"""«Информация по рассрочке»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("instalments", __name__, url_prefix="/instalments")
MENU = MenuItem(N_("Instalments"), "instalments.show")
MEANWHILE = N_(
    "This section is not open yet: the terms stand in your contract, the operator tells the rest."
)


@bp.get("/")
def show() -> Response:
    """What the section is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
