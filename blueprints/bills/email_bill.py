"""«Заказать счет на E-mail»: invoices of closed months, sent again to the address of today."""

from flask import Blueprint, Response, g, redirect, request, url_for

from blueprints.bills.bill_forms import (
    LIMITS,
    BillForm,
    closure,
    refused,
    say_placed,
    with_headers,
)
from blueprints.guards import allow
from blueprints.web import MenuItem, render_section
from domain.errors import DomainError
from domain.orders import OrderKind
from domain.roles import ORDERING_ROLES
from services import bill_offers, clock, invoice_orders, invoice_reports, orders
from services.invoice_list import number_of
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
    form = BillForm(KIND)
    if not form.validate_on_submit():
        return _draw(form, 422 if request.method == "POST" else 200)
    try:
        placed = invoice_orders.place(
            form.request,
            client=g.client,
            user=g.user,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except DomainError as error:
        status, headers = refused(form, error)
        return with_headers(_draw(form, status, refused_by=error.code), headers)
    say_placed(placed)
    if len(placed.orders) > 1:
        return redirect(url_for("orders.index"), code=303)
    return redirect(url_for("orders.show", key=placed.orders[0].key), code=303)


def _draw(form: BillForm, status: int, *, refused_by: str = "") -> Response:
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
        open_orders=orders.open_orders(g.user) if refused_by in LIMITS else [],
    )
