"""The home page: who you are here, your last orders and the way to a new one."""

from flask import Blueprint, Response, g

from blueprints import bills
from blueprints.web import render_section
from models import Order

bp = Blueprint("home", __name__)
ORDERS_SHOWN = 5
CALL_DETAIL = next(
    (item for item in bills.MENU.children if item.blueprint == "bills.call_detail"), bills.MENU
)


@bp.get("/")
def show() -> Response:
    """Welcome, with the last orders."""
    orders = Order.of(g.client).order_by(Order.number.desc()).limit(ORDERS_SHOWN)
    return render_section("home/show.html", orders=list(orders), call_detail=CALL_DETAIL)
