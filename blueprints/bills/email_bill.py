"""«Заказать счет на E-mail»: invoices of closed months, sent again to the address of today."""

from flask import Blueprint, Response, g, url_for

from blueprints.bills.bill_forms import BillForm, closure, order
from blueprints.guards import allow
from blueprints.web import MenuItem, render_section
from domain.orders import OrderKind
from domain.roles import ORDERING_ROLES
from models import Order
from services import bill_offers, clock, invoice_reports
from services.invoice_list import number_of
from services.invoice_orders import Placed
from texts import N_

KIND = OrderKind.INVOICE_EMAIL
bp = Blueprint("email_bill", __name__, url_prefix="/email")
MENU = MenuItem(
    N_("Order a bill by e-mail"),
    "bills.email_bill.show",
    about=N_(
        "You can order regular bills for telecom services to be sent again for a period of "
        "interest. The bill is sent to the e-mail address that stands in the cabinet at the "
        "moment. If the delivery address is changed several times within a month, the regular "
        "bill goes to the address that stood when the bill for the past billing period was made."
    ),
)


@bp.route("/", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
def show() -> Response:
    """The documents there are, each with a tick; those ticked become an order each."""
    return order(BillForm(KIND), _draw, _address_of)


def _address_of(placed: Placed) -> str:
    if len(placed.orders) > 1:
        return url_for("orders.index")
    return url_for("orders.show", key=placed.orders[0].key)


def _draw(form: BillForm, status: int, in_the_way: list[Order]) -> Response:
    now = clock.now()
    return render_section(
        "bills/email_bill/show.html",
        status,
        item=MENU,
        form=form,
        offers=bill_offers.email_offers(g.client, now=now),
        number_of=number_of,
        address=bill_offers.address_of(g.client, now=now),
        closure=closure(KIND, now=now),
        form_text=invoice_reports.form_text,
        open_orders=in_the_way,
    )
