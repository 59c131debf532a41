"""«Счета»: the introduction, and the five items nested below it."""

from datetime import date, datetime

from flask import Blueprint, Flask, Response, g, request

from blueprints.bills import (
    call_detail,
    charge_order,
    charges,
    delivery,
    download_bill,
    email_bill,
    invoice,
)
from blueprints.scoped import by_number, has_scope
from blueprints.web import MenuItem, render_section
from config import Config
from domain.roles import ORDERING_ROLES, Role
from services import clock, closed_items, invoice_list
from services import delivery as delivery_now
from texts import N_

ITEMS = (email_bill, download_bill, delivery, call_detail, charges)

bp = Blueprint("bills", __name__, url_prefix="/bills")
MENU = MenuItem(
    N_("Bills"),
    "bills.show",
    children=tuple(item.MENU for item in ITEMS),
    about=N_(
        "This section holds what concerns the client's bills. Here you can order a bill by "
        "e-mail or download it by a link. The service is not available while bills for telecom "
        "services are made (from the 1st to the 3rd of each month). The address and method of "
        "delivery can be changed here too."
    ),
)
BILLS_PER_PAGE = 12
for _item in (*ITEMS, charge_order, invoice):
    bp.register_blueprint(_item.bp)


def init_app(app: Flask, _config: Config) -> None:
    """Let pages tell where call details go."""
    app.jinja_env.globals["detail_email"] = _detail_email


def _detail_email() -> str:
    return delivery_now.detail_email(g.client, now=clock.now())


@bp.get("/")
@by_number
def show() -> Response:
    """What the section is for, with a paragraph about each of its items, and the client's bills."""
    now = clock.local(clock.now())
    return render_section(
        "bills/show.html",
        section=MENU,
        opens={item.MENU: _opens_on(item.MENU) for item in ITEMS},
        **({} if has_scope() else _given_out(now)),
    )


def _given_out(now: datetime) -> dict[str, object]:
    """The company's bills."""
    settlement = invoice_list.settlement_of(g.client)
    page = invoice_list.find_page(
        g.client,
        settlement,
        request.args.get("page", 1, type=int),
        size=BILLS_PER_PAGE,
        now=now,
    )
    return {
        "page": page,
        "settlement": settlement,
        "missing": invoice_list.missing_month(g.client, now.date()),
        "number_of": invoice_list.number_of,
        "may_order": Role(g.user.role) in ORDERING_ROLES,
    }


def _opens_on(item: MenuItem) -> date | None:
    """When an item that is closed today opens again."""
    return closed_items.opens_on(item.blueprint.rpartition(".")[2], now=clock.now())
