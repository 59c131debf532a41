"""The home page: who you are here, your last orders and the way to a new one."""

from flask import Blueprint, Response, g

from blueprints.bills import call_detail
from blueprints.web import render_section
from domain.roles import ORDERING_ROLES
from models import Order
from services import order_subjects

bp = Blueprint("home", __name__)
ORDERS_SHOWN = 5


@bp.get("/")
def show() -> Response:
    """Welcome, with the last orders."""
    orders = list(Order.of(g.client).order_by(Order.number.desc()).limit(ORDERS_SHOWN))
    return render_section(
        "home/show.html",
        orders=orders,
        subjects=order_subjects.of_orders(orders),
        call_detail=call_detail.MENU,
        may_order=g.user.role in ORDERING_ROLES,
    )
