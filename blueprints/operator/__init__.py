"""The operator's page: what was read in last, and orders by state with reason and retry."""

from flask import Blueprint, Response, abort, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.forms import EmptyForm, check_button
from blueprints.guards import allow
from blueprints.operator import (
    bill,
    billing,
    cabinet,
    centre,
    clients,
    feedback,
    import_card,
    imports,
    instalments,
    letters,
    numbers,
    statements,
    unrated,
)
from blueprints.operator.reasons import import_error_text, reason_text
from blueprints.paths import page_of_form
from blueprints.web import MenuItem, render_section
from domain.orders import OrderState
from domain.roles import OPERATOR_ROLES
from services import (
    access,
    awaited_invoices,
    clock,
    operators_attention,
    order_subjects,
    orders,
    overview,
)
from services.orders import RETRYABLE_STATES
from texts import N_, failure_text, gettext

bp = Blueprint("operator", __name__, url_prefix="/operator")
PAGES = (imports, unrated, billing, statements, clients, feedback)
OPERATOR_MENU = MenuItem(
    N_("Imports and orders"), "operator.show", children=tuple(page.MENU for page in PAGES)
)
for page in (*PAGES, bill, cabinet, centre, instalments, letters, numbers):
    bp.register_blueprint(page.bp)


@bp.get("/")
@allow(*OPERATOR_ROLES)
def show() -> Response:
    """Last imports, and orders by state: what needs somebody first."""
    state = request.args.get("state", "")
    if state and state not in set(OrderState):
        abort(404)
    page = request.args.get("page", 1, type=int)
    listed = overview.orders_page(OrderState(state) if state else None, page)
    imports = overview.last_imports()
    return render_section(
        "operator/show.html",
        first=operators_attention.now_at(listed.counts, imports, now=clock.now()),
        imports=imports,
        listed=listed,
        retryable=RETRYABLE_STATES,
        failure_text=failure_text,
        import_state_text=import_card.state_text,
        import_error_text=import_error_text,
        reason_text=reason_text,
    )


@bp.get("/orders/<key>")
@allow(*OPERATOR_ROLES)
def order(key: str) -> Response:
    """One client's order as we see it; that somebody looked is written down."""
    record = order_or_404(key)
    access.note_client_viewed(
        g.user,
        record.order.client,
        f"order:{record.order.id}",
        ip=request.remote_addr or "",
        now=clock.now(),
    )
    return render_section(
        "operator/order.html",
        record=record,
        subject=order_subjects.of_order(record.order),
        awaits=awaited_invoices.awaited_month(record.order) if record.order.is_open else None,
        failure_text=failure_text,
        form=EmptyForm(),
    )


@bp.post("/orders/<key>/retry")
@allow(*OPERATOR_ROLES)
def retry(key: str) -> AnyResponse:
    """Send a failed or held order on its way again."""
    check_button()
    record = order_or_404(key)
    is_retried = orders.retry(
        record.order, user=g.user, ip=request.remote_addr or "", now=clock.now()
    )
    if is_retried:
        flash(gettext("Order No. {number} is tried again").format(number=record.order.number), "ok")
    else:
        flash(gettext("This order needs no second try"), "warn")
    return redirect(page_of_form() or url_for("operator.show"), code=303)


def order_or_404(key: str) -> overview.OrderRecord:
    """An order of any client: for the operator's people only."""
    record = overview.find_order(key)
    if record is None:
        abort(404)
    return record
