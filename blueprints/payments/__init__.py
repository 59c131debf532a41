"""«Платежи»: how the account stands, what was paid and for which bills, and how to pay."""

from datetime import date

from flask import Blueprint, Response, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.feedback import words
from blueprints.guards import allow
from blueprints.onlooking import hands_out
from blueprints.payments.forms import ReportForm, StatementForm
from blueprints.web import MenuItem, render_section
from domain.billing.methods import METHODS
from domain.billing.requisites import format_iban
from domain.errors import AlreadyArrived, AlreadyTold, DomainError, InvalidValue
from domain.feedback import Subject
from domain.money import read_kopecks
from domain.orders import FileFormat
from domain.periods import DateRange, month_start
from domain.roles import ORDERING_ROLES
from domain.writers.qr_svg import qr_path
from services import (
    bill_offers,
    charge_keeping,
    clock,
    feedback_reading,
    invoice_list,
    payment_files,
    payment_list,
    statement_orders,
    told_payments,
)
from services.payment_files import WRITERS, Requisites
from services.payment_list import Wanted
from services.transactions import read_tx
from texts import N_, error_text, gettext, payment_method_text

PAGE_SIZE = 50
LARGEST = 10**12  # kopecks that may be filled into a payment order
TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
bp = Blueprint("payments", __name__, url_prefix="/payments")
MENU = MenuItem(N_("Payments"), "payments.show")


@bp.get("/")
def show() -> Response:
    """How the account stands, and the payments."""
    today = clock.local(clock.now()).date()
    wanted, misread = _wanted()
    sheet = charge_keeping.sheet_of(g.client, now=clock.now())  # may keep what it has counted
    with read_tx():  # the sums of one moment: a bill or payment comes between no two of them
        settlement = invoice_list.settlement_of(g.client)
        standing = payment_list.standing_of(g.client, settlement, today)
        page = payment_list.find_page(
            g.client, wanted, request.args.get("page", 1, type=int), size=PAGE_SIZE
        )
        total = payment_list.total_of(g.client, wanted)
        told = told_payments.of_client(g.client, now=clock.now())
        threads = feedback_reading.open_about(g.client, Subject.PAYMENTS)
    return render_section(
        "payments/show.html",
        item=MENU,
        standing=standing,
        accrued=sheet.sum("total"),
        first=today.replace(day=1),
        missing=invoice_list.missing_month(g.client, today),
        page=page,
        total=total,
        wanted=wanted,
        arguments=_arguments(wanted),
        misread=misread,
        methods=_method_words(),
        forms=list(WRITERS),
        reports=[row for row in threads if row.id not in {each.thread_id for each in told}],
        told=told,
        words=words,
    )


@bp.get("/file.csv", defaults={"form": "csv"})
@bp.get("/file.xlsx", defaults={"form": "xlsx"})
@hands_out
def file(form: str) -> Response:
    """The whole choice as a file."""
    wanted, _misread = _wanted()
    entries = payment_list.entries_of(g.client, wanted)
    content = payment_files.payments_file(g.client, entries, _method_words(), FileFormat(form))
    return send_table(content, "payments", FileFormat(form))


@bp.get("/requisites/")
def requisites() -> Response:
    """To whom to pay what, with a code to scan."""
    told = _requisites()
    return render_section(
        "payments/requisites.html",
        told=told,
        iban=format_iban(told.iban),
        sum=request.args.get("sum", "")[:20],
        misread=_read_sum() is None,
        qr=qr_path(told.text()) if told.are_known else None,
    )


@bp.get("/requisites/order.txt")
@hands_out
def order() -> Response:
    """The same as the text of a payment order."""
    content = payment_files.payment_order(g.client, _requisites(), clock.now())
    return _attached(content, "text/plain; charset=utf-8", "payment-order.txt")


@bp.route("/report/", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
def report() -> AnyResponse:
    """«Сообщить об оплате»: a payment that the operator has not put down yet, told in a thread."""
    form = ReportForm(today=clock.local(clock.now()).date())
    if not form.validate_on_submit():
        return _draw_report(form, 422 if form.is_submitted() else 200)
    try:
        ip = request.remote_addr or ""
        thread = told_payments.tell(form.wish, client=g.client, user=g.user, ip=ip, now=clock.now())
    except (AlreadyArrived, AlreadyTold) as known:
        flash(error_text(known), "ok")
        return redirect(url_for(".show"), code=303)
    except DomainError as error:
        status, headers = form.refuse(error)
        response = _draw_report(form, status)
        response.headers.update(headers)
        return response
    flash(gettext("Request No. {number} is accepted").format(number=thread.number), "ok")
    return redirect(url_for(".show"), code=303)


@bp.route("/statement/", methods=["GET", "POST"])
@allow(*ORDERING_ROLES)
def statement() -> AnyResponse:
    """«Акт сверки»: order one for a period."""
    today = clock.local(clock.now()).date()
    form = StatementForm(today=today, start=month_start(today, 3), end=today)
    if not form.validate_on_submit():
        return _draw_statement(form, 422 if form.is_submitted() else 200)
    try:
        order = statement_orders.place(
            DateRange(form.start.data, form.end.data),
            form_key=form.form_key.data or "",
            client=g.client,
            user=g.user,
            ip=request.remote_addr or "",
            now=clock.now(),
        )
    except DomainError as error:
        status, headers = form.refuse(error)
        response = _draw_statement(form, status)
        response.headers.update(headers)
        return response
    return redirect(url_for("orders.show", key=order.key), code=303)


def _draw_statement(form: StatementForm, status: int) -> Response:
    address = bill_offers.address_of(g.client, now=clock.now())
    return render_section("payments/statement.html", status, form=form, address=address)


def _draw_report(form: ReportForm, status: int) -> Response:
    return render_section("payments/report.html", status, form=form)


def send_table(content: bytes, name: str, form: FileFormat) -> Response:
    """A table as a file to be saved."""
    return _attached(content, TYPES[form], f"{name}-{clock.local(clock.now()):%Y-%m-%d}.{form}")


def _attached(content: bytes, media_type: str, name: str) -> Response:
    response = Response(content, content_type=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _requisites() -> Requisites:
    settlement = invoice_list.settlement_of(g.client)
    amount = _read_sum()
    bills = payment_list.unpaid_numbers(g.client, settlement)
    sum_ = settlement.debt if amount is None else amount
    return payment_files.requisites_of(g.client, sum_, bills)


def _read_sum() -> int | None:
    """The sum of the address; what is to be paid when it has none, None when it cannot be read."""
    typed = request.args.get("sum", "").strip()
    if not typed:
        return invoice_list.settlement_of(g.client).debt
    try:
        amount = read_kopecks(typed)
    except InvalidValue:
        return None
    return amount if 0 < amount <= LARGEST else None


def _wanted() -> tuple[Wanted, bool]:
    """The choice of the address, and whether a day of it could not be read."""
    days: dict[str, date | None] = {}
    for name in ("from", "to"):
        typed = request.args.get(name, "").strip()
        try:
            days[name] = date.fromisoformat(typed) if typed else None
        except ValueError:
            days[name] = None
    method = request.args.get("method", "")
    misread = any(request.args.get(name, "").strip() and not days[name] for name in days)
    return Wanted(days["from"], days["to"], method if method in METHODS else ""), misread


def _arguments(wanted: Wanted) -> dict[str, str]:
    values = {
        "from": wanted.start.isoformat() if wanted.start else "",
        "to": wanted.end.isoformat() if wanted.end else "",
        "method": wanted.method,
    }
    return {name: value for name, value in values.items() if value}


def _method_words() -> dict[str, str]:
    return {method: payment_method_text(method) for method in METHODS}
