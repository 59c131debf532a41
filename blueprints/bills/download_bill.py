"""«Загрузить счет по ссылке»: invoices of the months before this one, made to be fetched here."""

from dataclasses import dataclass

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
from blueprints.orders import card
from blueprints.orders.card import Card
from blueprints.web import MenuItem, render_section
from domain.errors import DomainError
from domain.orders import OrderKind
from domain.roles import ORDERING_ROLES
from services import bill_offers, clock, invoice_orders, orders
from services.bill_offers import Offer
from services.invoice_list import number_of
from texts import N_

KIND = OrderKind.INVOICE_LINK
bp = Blueprint("download_bill", __name__, url_prefix="/download")
MENU = MenuItem(
    N_("Download a bill"),
    "bills.download_bill.show",
    about=N_(
        "You can order a bill for telecom services (for the 2 previous months). Once it is made, "
        "it can be downloaded by its link. Note: making a bill takes some time, so wait for the "
        "end."
    ),
)


@dataclass(frozen=True)
class Document:
    """A document, or a month without one, with the orders there are of it."""

    offer: Offer
    cards: list[Card]
    can_order: bool


@bp.route("/", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
def show() -> Response:
    """Each month with its documents: order one, wait for it, fetch it."""
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
    anchor = f"order-{placed.orders[0].key}"
    return redirect(url_for(".show", _anchor=anchor), code=303)


def _draw(form: BillForm, status: int, *, refused_by: str = "") -> Response:
    now = clock.now()
    shown = closure(KIND, now=now)
    known = bill_offers.last_links(g.client, now=now)
    documents = [
        Document(
            offer,
            [
                card.draw(order, g.client, may_order=True, now=now)
                for order in known
                if bill_offers.is_of(order, offer)
            ],
            offer.invoice is not None
            or (shown is not None and bill_offers.can_wait_for(offer, now=now)),
        )
        for offer in bill_offers.link_offers(g.client, now=now)
    ]
    return render_section(
        "bills/download_bill/show.html",
        status,
        item=MENU,
        form=form,
        documents=documents,
        number_of=number_of,
        closure=shown,
        open_orders=orders.open_orders(g.user) if refused_by in LIMITS else [],
    )
