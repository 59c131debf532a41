"""«История заказов»: the list of a client's orders, and each with its state, file and actions."""

from datetime import date
from urllib.parse import quote

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from flask import send_file as flask_send_file
from werkzeug.exceptions import Gone

from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow, does_not_prolong, refuse_role
from blueprints.onlooking import hands_out
from blueprints.orders import card
from blueprints.scoped import by_number
from blueprints.web import MenuItem, render_section
from domain.formats import format_date
from domain.orders import INVOICE_KINDS, PAPER_KINDS, Direction, OrderKind, OrderState
from domain.roles import ORDERING_ROLES, Role
from models import Order
from services import (
    artefacts,
    call_detail_words,
    clock,
    history,
    order_subjects,
    orders,
    scopes,
)
from texts import N_, gettext

PAGE_SIZE = 20
NUMBERS_SHOWN = 20
bp = Blueprint("orders", __name__, url_prefix="/orders")
MENU = MenuItem(N_("Order history"), "orders.index")
GROUP_WORDS = {
    "": N_("All"),
    "open": N_("Not finished"),
    "sent": N_("Sent ones"),
    "available": N_("Made ones"),
    "failed": N_("Not carried out"),
    "cancelled": N_("Cancelled ones"),
}
ITEMS = {  # where each kind is ordered
    OrderKind.CALL_DETAIL: "bills.call_detail.start",
    OrderKind.INVOICE_EMAIL: "bills.email_bill.show",
    OrderKind.INVOICE_LINK: "bills.download_bill.show",
    OrderKind.INVOICE_REGULAR: "bills.show",
    OrderKind.CHARGES: "bills.charges.show",
    OrderKind.STATEMENT: "payments.show",
}

WIZARDS = {  # first steps of what is ordered by number: filled, they order the same again
    OrderKind.CALL_DETAIL: "bills.call_detail.period",
    OrderKind.CHARGES: "bills.charge_order.form",
}


class FileOver(Gone):
    """The file's time is over: 410, with the day on which it ended."""

    def __init__(self, ended: date) -> None:
        super().__init__()
        self.ended = ended

    @property
    def text(self) -> str:
        """The sentence for the page."""
        sentence = gettext("The file was kept until {day}. Order it again.")
        return sentence.format(day=format_date(self.ended))


@bp.get("/")
@by_number
def index() -> Response:
    """All orders of the client, newest first."""
    wanted = request.args.get("state", "")
    page = history.find_page(
        g.client, wanted, request.args.get("page", 1, type=int), size=PAGE_SIZE
    )
    return render_section(
        "orders/index.html",
        page=page,
        subjects=order_subjects.of_orders(page.orders),
        wanted=wanted,
        groups=GROUP_WORDS,
    )


@bp.get("/<key>")
@by_number
def show(key: str) -> Response:
    """One order: what was asked for, where it stands, its file."""
    order = own_order_or_404(key)
    response = render_section(
        "orders/show.html",
        card=_card(order),
        subject=order_subjects.of_order(order),
        direction=_direction(order),
        back=ITEMS[OrderKind(order.kind)],
        numbers=orders.selected_numbers(order, g.client, NUMBERS_SHOWN),
        count=orders.count_selected(order),
        may_order=_may_order(),
        can_repeat=order.kind in WIZARDS,
        excluded=scopes.excluded_of(order),
        form=EmptyForm(),
    )
    if "HX-History-Restore-Request" in request.headers:
        # Back to the wizard of an order that is placed leads here: the address must say so.
        response.headers["HX-Replace-Url"] = request.full_path.rstrip("?")
    return response


@bp.get("/<key>/status")
@does_not_prolong
@by_number
def status(key: str) -> Response:
    """The card alone, for those who wait for it; opened as a page it is the order."""
    order = own_order_or_404(key)
    if "HX-Request" not in request.headers:
        return redirect(url_for(".show", key=key), code=303)
    if request.args.get("part") == "line":  # of a page that lists several
        return render_section("orders/_line.html", card=_card(order), is_part=True)
    return render_section("orders/_card.html", card=_card(order), form=EmptyForm(), is_part=True)


@bp.get("/<key>/file")
@hands_out
@by_number
def file(key: str) -> Response:
    """The made file, for as long as it is kept and where the client's policy allows. Who may not
    order gets papers only.
    """
    order = own_order_or_404(key)
    now = clock.now()
    if not _may_order() and order.kind not in PAPER_KINDS:
        refuse_role(ORDERING_ROLES)
    found = artefacts.find_open(order, g.client, now=now)
    if found is None:
        if ended := artefacts.ended_at(order, g.client, now=now):
            raise FileOver(clock.local(ended).date())
        abort(404)
    if not artefacts.is_whole(found.artefact):
        abort(404)  # somebody else's bytes, or half of ours: the log tells
    if request.method == "GET":
        artefacts.note_download(found, order, user=g.user, ip=request.remote_addr or "", now=now)
    response = flask_send_file(
        found.path,
        mimetype=found.artefact.media_type,
        as_attachment=True,
        download_name=found.artefact.display_name,
        etag=False,
    )
    response.headers.set(
        "Content-Disposition",
        "attachment",
        filename=f"{_plain_name(order)}{found.path.suffix}",  # for those who know no other
        **{"filename*": f"UTF-8''{quote(found.artefact.display_name, safe='')}"},
    )
    return response


@bp.route("/<key>/cancel", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
@by_number
def cancel(key: str) -> Response:
    """Ask, then cancel: an order that is being mailed already goes its way."""
    order = own_order_or_404(key)
    if request.method != "POST":
        return render_section("orders/cancel.html", order=order, form=EmptyForm())
    check_button()
    if orders.cancel(order, user=g.user, ip=request.remote_addr or "", now=clock.now()):
        flash(gettext("The order has been cancelled"))
    else:
        flash(gettext("It is too late to cancel: the order is done or is being sent"))
    return redirect(url_for(".show", key=key), code=303)


@bp.post("/<key>/retry")
@allow(*ORDERING_ROLES)
@by_number
def retry(key: str) -> Response:
    """«Повторить»: a failed order is tried again, under the same number."""
    order = own_order_or_404(key)
    check_button()
    orders.retry(
        order,
        user=g.user,
        ip=request.remote_addr or "",
        now=clock.now(),
        states={OrderState.FAILED},
    )
    return redirect(url_for(".show", key=key), code=303)


@bp.post("/<key>/repeat")
@allow(*ORDERING_ROLES)
@by_number
def repeat(key: str) -> Response:
    """«Заказать такую же»: the wizard, filled with the answers of this order. What has no wizard is
    ordered where it was.
    """
    order = own_order_or_404(key)
    check_button()
    kind = OrderKind(order.kind)
    if kind not in WIZARDS:
        return redirect(url_for(ITEMS[kind]), code=303)
    draft = orders.draft_like(order, g.client, g.user, now=clock.now())
    return redirect(url_for(WIZARDS[kind], key=draft.key), code=303)


def own_order_or_404(key: str) -> Order:
    """The client's order with that key."""
    return orders.find(key, g.client) or abort(404)


def _direction(order: Order) -> str:
    """«Тип детализации», which only call details have."""
    direction = order.params.get("direction")
    return call_detail_words.direction_text(Direction(direction)) if direction else ""


def _plain_name(order: Order) -> str:
    """A file's name in ASCII."""
    if order.kind in INVOICE_KINDS:
        return f"invoice-{order.number}"
    return f"{order.kind.replace('_', '-')}-{order.number}"


def _may_order() -> bool:
    return Role(g.user.role) in ORDERING_ROLES


def _card(order: Order) -> card.Card:
    return card.draw(order, g.client, may_order=_may_order(), now=clock.now())
