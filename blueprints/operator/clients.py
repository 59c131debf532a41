"""«Клиенты»: what a client has paid, owes and pays beside its calls, and putting that down."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.forms import CabinetForm, EmptyForm, check_button
from blueprints.guards import allow
from blueprints.operator.money_forms import (
    ChargeForm,
    DiscountForm,
    InstalmentForm,
    PaymentForm,
    service_text,
)
from blueprints.operator.one_client import client_or_404
from blueprints.paths import row_id
from blueprints.step_up import by
from blueprints.web import MenuItem, render_section
from domain.errors import AlreadyExists, DomainError, InvalidValue, NotFound
from domain.formats import NBSP, format_money
from domain.languages import NAMES, OWN
from domain.roles import OPERATOR_ROLES, Role
from models import Client, Subscriber
from models_billing import OneOffCharge
from services import (
    access,
    accounts,
    clock,
    discounts,
    instalment_list,
    instalments,
    invoices,
    one_offs,
    overview,
    payments,
    subscribers,
    told_payments,
    vat_rates,
)
from services.import_turns import ImportsBusy
from services.instalments import Purchase
from texts import BUSY, N_, error_text, gettext

MONEY_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
# What a value that the services refuse is called in its form, and the sentence.
REFUSALS = {
    "amount": N_("Give a sum other than 0"),
    "date": N_("The day is still to come"),
    "date of the document": N_("The date of the payment order is still to come"),
    "first day": N_("Give the date as DD.MM.YYYY"),
    "vat": N_("No VAT is known for this service on that day"),
    "percent": N_("Give more than 0 and no more than 100"),
    "months": N_("There is less than a kopeck for each part"),
    "first payment": N_("The first payment is less than the price"),
}
HINTS = {
    "amount": N_("Like 1 234,56. With a minus it is given back."),
    "document_no": N_("The same order, also in a bank's statement, is one payment."),
    "number": N_("Leave it empty when it is the client as a whole."),
    "valid_from": N_("It counts for months that begin on this day or later."),
    "valid_to": N_("Leave it empty when there is no end."),
    "first_payment": N_("It stands on no bill."),
}
bp = Blueprint("clients", __name__, url_prefix="/clients")
BESIDE = ("operator.bill", "operator.centre", "operator.instalments", "operator.numbers")
MENU = MenuItem(N_("Clients"), "operator.clients.index", beside=BESIDE)


@bp.get("/")
@allow(*OPERATOR_ROLES)
def index() -> Response:
    """Clients by name, and a search."""
    text = request.args.get("q", "")[:100]
    listed = overview.clients_page(text, request.args.get("page", 1, type=int))
    return render_section("operator/clients/index.html", listed=listed, q=text)


@bp.get("/<int:client>")
@allow(*OPERATOR_ROLES)
def show(client: int) -> Response:
    """A client's money."""
    row = client_or_404(client)
    ip = request.remote_addr or ""
    access.note_client_viewed(g.user, row, f"client:{row.id}", ip=ip, now=clock.now())
    charges = one_offs.of_client(row)
    return render_section(
        "operator/clients/show.html",
        client=row,
        balance=payments.balance(row),
        invoices=invoices.of_client(row)[:12],
        payments=payments.of_client(row),
        charges=charges,
        discounts=discounts.of_client(row),
        plans=instalment_list.of_client(row, clock.now().date()),
        services=_services_of(charges),
        languages=NAMES,
        usual_language=NAMES[OWN],
        may_change=_may_change(),
        form=EmptyForm(),
    )


@bp.route("/<int:client>/payment", methods=["GET", "POST"])
@allow(*MONEY_ROLES)
def payment(client: int) -> AnyResponse:
    """Put a payment down."""
    row = client_or_404(client)
    form = PaymentForm(paid_on=clock.now().date(), **_told(row))

    def save() -> str:
        payments.add(
            row,
            form.amount.kopecks,
            paid_on=form.paid_on.data,
            document_no=form.document_no.data,
            document_on=form.document_on.data,
            method=form.method.data,
            purpose=form.purpose.data,
            once=form.once.data[:64],
            by=by(),
        )
        return gettext("The payment is put down")

    return _take(row, form, "operator/clients/payment.html", save)


@bp.route("/<int:client>/charge", methods=["GET", "POST"])
@allow(*MONEY_ROLES)
def charge(client: int) -> AnyResponse:
    """Put down what is paid once."""
    row = client_or_404(client)
    form = ChargeForm(day=clock.now().date())
    form.offer(clock.now().date())

    def save() -> str:
        one_offs.add(
            row,
            form.name.data,
            form.amount.kopecks,
            day=form.day.data,
            service=form.service.data,
            subscriber=_subscriber(row, form.number.data),
            by=by(),
        )
        return gettext("The charge is put down. It stands on the next bill of its month or later")

    return _take(row, form, "operator/clients/charge.html", save)


@bp.post("/<int:client>/charge/cancel")
@allow(*MONEY_ROLES)
def cancel_charge(client: int) -> AnyResponse:
    """Call a charge off that stands on no bill."""
    check_button()
    row = client_or_404(client)
    try:
        one_offs.cancel(row, _row_in_form("charge"), by=by())
        flash(gettext("The charge is called off"), "ok")
    except ImportsBusy:
        flash(gettext(BUSY), "warn")
    except DomainError as error:
        flash(_sentence(error), "warn")
    return redirect(url_for(".show", client=row.id), code=303)


@bp.route("/<int:client>/discount", methods=["GET", "POST"])
@allow(*MONEY_ROLES)
def discount(client: int) -> AnyResponse:
    """Give a discount."""
    row = client_or_404(client)
    form = DiscountForm(valid_from=clock.now().date().replace(day=1))

    def save() -> str:
        discounts.add(
            row,
            form.name.data,
            form.percent.kopecks,
            valid_from=form.valid_from.data,
            valid_to=form.valid_to.data,
            by=by(),
        )
        return gettext("The discount is given")

    return _take(row, form, "operator/clients/discount.html", save)


@bp.post("/<int:client>/discount/end")
@allow(*MONEY_ROLES)
def end_discount(client: int) -> AnyResponse:
    """Let a discount hold up to today, and no longer."""
    check_button()
    row = client_or_404(client)
    try:
        discounts.end(row, _row_in_form("discount"), clock.now().date(), by=by())
        flash(gettext("The discount ends today"), "ok")
    except ImportsBusy:
        flash(gettext(BUSY), "warn")
    except DomainError as error:
        flash(_sentence(error), "warn")
    return redirect(url_for(".show", client=row.id), code=303)


@bp.route("/<int:client>/instalment", methods=["GET", "POST"])
@allow(*MONEY_ROLES)
def instalment(client: int) -> AnyResponse:
    """Sell goods by instalments."""
    row = client_or_404(client)
    form = InstalmentForm(starts_on=clock.now().date())

    def save() -> str:
        purchase = Purchase(
            contract_no=form.contract_no.data,
            goods=form.goods.data,
            serial_no=form.serial_no.data,
            price=form.price.kopecks,
            first_payment=form.first_payment.kopecks,
            months=form.months.data,
            starts_on=form.starts_on.data,
            payer=form.payer.data,
            subscriber=_subscriber(row, form.number.data),
        )
        instalments.add(row, purchase, by=by())
        return gettext("The instalments are put down")

    return _take(row, form, "operator/clients/instalment.html", save)


@bp.post("/<int:client>/language")
@allow(*MONEY_ROLES)
def language(client: int) -> AnyResponse:
    """In which language the company is written to; "": as nobody has chosen one."""
    check_button()
    row, code = client_or_404(client), request.form.get("language", "")
    if code and code not in NAMES:
        flash(gettext("Choose the language"), "warn")
    elif accounts.change_client(
        row, language=code, user=g.user, ip=request.remote_addr or "", now=clock.now()
    ):
        flash(gettext("The language is kept. Letters of orders that are placed speak theirs"), "ok")
    return redirect(url_for(".show", client=row.id), code=303)


def _told(client: Client) -> dict[str, object]:
    """What the client has told of a payment, when the address names one."""
    told = told_payments.find(client, request.args.get("told", 0, type=row_id))
    if told is None:
        return {}
    sum_ = format_money(told.amount).replace(NBSP, " ")
    order = {"document_no": told.document_no, "document_on": told.document_on}
    return {"amount": sum_, **order}


# --- Common to the forms --------------------------------------------------------------------------


def _take(client: Client, form: CabinetForm, template: str, save: Callable[[], str]) -> AnyResponse:
    """Show a form, or do what it says and lead back; what was typed stays when that is refused."""
    if request.method == "POST" and form.validate_on_submit():
        try:
            flash(save(), "ok")
            return redirect(url_for(".show", client=client.id), code=303)
        except DomainError as error:
            form.form_errors.append(_sentence(error))
    status = 422 if form.errors or form.form_errors else 200
    hints = {name: gettext(hint) for name, hint in HINTS.items()}
    return render_section(template, status, client=client, form=form, hints=hints)


def _sentence(error: DomainError) -> str:
    what = str(error.values.get("what", ""))
    if isinstance(error, AlreadyExists):
        return gettext("It is put down already")
    if isinstance(error, NotFound) and what == "number":
        return gettext("The client has no such number")
    if isinstance(error, InvalidValue) and what in REFUSALS:
        return gettext(REFUSALS[what])
    return error_text(error)


def _subscriber(client: Client, number: str) -> Subscriber | None:
    return subscribers.find_subscriber(client, number) if number else None


def _row_in_form(name: str) -> int:
    try:
        return row_id(request.form.get(name, ""))
    except ValueError:
        return 0


def _services_of(charges: list[OneOffCharge]) -> dict[int, str]:
    """Words of each charge's kind of service, with its VAT on the charge's day."""
    rates = {day: vat_rates.in_force(day) for day in {row.day for row in charges}}
    return {row.id: service_text(row.service, rates[row.day].get(row.service)) for row in charges}


def _may_change() -> bool:
    return Role(g.user.role) in MONEY_ROLES
