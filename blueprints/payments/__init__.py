"""«Платежи»: not open yet."""

from flask import Blueprint, Response

from blueprints.not_open import not_open_page
from blueprints.web import MenuItem
from texts import N_

bp = Blueprint("payments", __name__, url_prefix="/payments")
MENU = MenuItem(N_("Payments"), "payments.show")
MEANWHILE = N_(
    "This section is not open yet: the operator tells which payments came in for your account."
)


@bp.get("/")
def show() -> Response:
    """What the section is for, and what to do until it opens."""
    return not_open_page(MENU, MEANWHILE)
