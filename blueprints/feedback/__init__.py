"""«Обратная связь»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("feedback", __name__, url_prefix="/feedback")
MENU = MenuItem(N_("Feedback"), "feedback.show")
MEANWHILE = N_("This section is not open yet: write or call the operator as your contract says.")


@bp.get("/")
def show() -> Response:
    """What the section is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
