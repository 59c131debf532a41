"""The home page: what needs somebody first, the last bills and orders, and the month in figures."""

from datetime import datetime

from flask import Blueprint, Response, g, request

from blueprints.bills import call_detail
from blueprints.chosen import narrows
from blueprints.feedback import words
from blueprints.home import drawings
from blueprints.web import render_section
from domain.periods import month_start
from domain.roles import ORDERING_ROLES, Role
from models import Order
from services import attention, clock, home_figures, invoice_list, order_subjects

bp = Blueprint("home", __name__)
ORDERS_SHOWN = 5


@bp.get("/")
def show() -> Response:
    """What to do today, in a few sentences, and what the figures are made of."""
    now = clock.local(clock.now())
    may_order = Role(g.user.role) in ORDERING_ROLES
    bills = attention.bills_of(g.client, now=now)
    first = attention.of_client(g.client, g.user, bills, now=now, fetches=may_order)
    orders = list(Order.of(g.client).order_by(Order.number.desc()).limit(ORDERS_SHOWN))
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
        **_figures(now, bills),
    )


def _figures(now: datetime, bills: attention.Bills) -> dict[str, object]:
    """The month, its drawings, and the bill of the month before."""
    whom = narrows(request.args.get("whose"))
    figures = home_figures.of_client(g.client, whom, now=now)
    before = month_start(figures.period.start, 1)
    return {
        "whom": whom,
        "figures": figures,
        "days": drawings.of_days(figures.days),
        "months": drawings.of_comparison(figures.compared),
        "destinations": drawings.of_destinations(figures.destinations),
        "numbers": drawings.of_numbers(figures.numbers),
        "last_bill": next(
            (entry.invoice for entry in bills.entries if entry.invoice.period == before), None
        ),
    }
