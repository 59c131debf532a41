"""«Загрузить счет по ссылке»: invoices of the months before this one, made to be fetched here."""

from dataclasses import dataclass

from flask import Blueprint, Response, g, url_for

from blueprints.bills.bill_forms import BillForm, closure, order
from blueprints.guards import allow
from blueprints.orders import card
from blueprints.orders.card import Card
from blueprints.web import MenuItem, render_section
from domain.orders import OrderKind
from domain.roles import ORDERING_ROLES
from models import Order
from services import bill_offers, clock
from services.bill_offers import Offer
from services.invoice_list import number_of
from services.invoice_orders import Placed
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
    return order(BillForm(KIND), _draw, _address_of)


def _address_of(placed: Placed) -> str:
    return url_for(".show", _anchor=f"order-{placed.orders[0].key}")


def _draw(form: BillForm, status: int, in_the_way: list[Order]) -> Response:
    now = clock.now()
    shown = closure(KIND, now=now)
    links = bill_offers.last_links(g.client, now=now)
    documents = [
        Document(
            offer,
            [
                card.draw(known, g.client, may_order=True, now=now)
                for known in links
                if bill_offers.is_of(known, offer)
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
        open_orders=in_the_way,
    )
