"""«Подлинность документа»: what the code on a printed invoice leads to, for whoever holds it."""

from flask import Blueprint, Response

from blueprints.guards import public
from blueprints.web import render_section
from services import invoices

bp = Blueprint("verify", __name__, url_prefix="/verify")


@bp.get("/<key>")
@public
def show(key: str) -> Response:
    """Whether the paper is one of ours, and whether it still holds."""
    document = invoices.check(key)
    return render_section("verify/show.html", 200 if document else 404, document=document)
