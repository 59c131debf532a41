"""The operator's page: what was read in last, and orders by state with reason and retry."""

from flask import Blueprint, Response

from blueprints.guards import allow
from blueprints.web import MenuItem, render_section
from domain.roles import OPERATOR_ROLES
from texts import N_

bp = Blueprint("operator", __name__, url_prefix="/operator")
OPERATOR_MENU = MenuItem(N_("Imports and orders"), "operator.overview")


@bp.get("/")
@allow(*OPERATOR_ROLES)
def overview() -> Response:
    """Last imports, and orders by state: what needs somebody first."""
    return render_section("operator/overview.html")
