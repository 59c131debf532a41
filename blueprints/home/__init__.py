"""The home page: what needs somebody first, the last bills and orders, and the month in figures."""

from flask import Blueprint, Response, g

from blueprints.bills import call_detail
from blueprints.feedback import words
from blueprints.home import figures
from blueprints.scoped import by_number, has_scope
from blueprints.web import render_section
from domain.periods import month_start
from domain.roles import ORDERING_ROLES, Role
from services import attention, clock, invoice_list, order_subjects

bp = Blueprint("home", __name__)


@bp.get("/")
@by_number
def show() -> Response:
    """What to do today, in a few sentences, and what the figures are made of."""
    now = clock.local(clock.now())
    may_order = Role(g.user.role) in ORDERING_ROLES
    bills = None if has_scope() else attention.bills_of(g.client, now=now)
    orders = attention.last_orders(g.client)
    first = attention.of_client(g.client, g.user, bills, orders, now=now, fetches=may_order)
    g.unread = len(first.answers)  # for the menu
    return render_section(
        "home/show.html",
        first=first,
        bills=bills,
        number_of=invoice_list.number_of,
        orders=orders,
        subjects=order_subjects.of_orders(orders),
        call_detail=call_detail.MENU,
        may_order=may_order,
        words=words,
        is_administrator=g.user.role == Role.CLIENT_ADMINISTRATOR,
        figures=figures.drawn(now, bills and bills.find(month_start(now.date(), 1))),
    )
