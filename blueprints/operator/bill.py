"""A client's bill as the operator's people see it, its file, and giving back of it by a credit
note: first a look at what would be given out, then the password.
"""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, flash, g, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Field, HiddenField, RadioField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from blueprints import step_up
from blueprints.forms import CabinetForm
from blueprints.guards import allow
from blueprints.operator.money_forms import SumField
from blueprints.step_up import StepUpForm
from blueprints.web import render_section
from domain.billing.delivery import DeliveryMethod
from domain.billing.invoice import InvoiceContent
from domain.errors import DomainError, InvalidValue
from domain.formats import format_percent
from domain.orders import FileFormat
from domain.roles import OPERATOR_ROLES, Role
from models import Client
from models_billing import Invoice
from services import (
    access,
    clock,
    corrections,
    delivery,
    invoice_list,
    invoice_reports,
    invoices,
)
from services.corrections import LONGEST_REASON, Left
from texts import error_text, gettext, lazy_gettext

CORRECTING_ROLES = (Role.OPERATOR_ADMINISTRATOR,)
ALL, RATES, LINES = "all", "rates", "lines"
bp = Blueprint("bill", __name__, url_prefix="/clients/<int:client>/bills/<key>")


def _short(_form: Any, field: Field) -> None:
    if len(field.data) > LONGEST_REASON:
        raise ValidationError(gettext("No more than 120 characters"))


class _Wish(CabinetForm):
    """What is given back, and why. Each line and rate of the bill has a field of its own."""

    reason = StringField(
        lazy_gettext("Reason"),
        filters=[lambda text: " ".join((text or "").split())],
        validators=[
            InputRequired(lazy_gettext("Fill this in")),
            _short,
        ],
    )
    scope = RadioField(
        lazy_gettext("What is given back"),
        choices=[
            SelectChoice(ALL, lazy_gettext("All that is left of the bill")),
            SelectChoice(RATES, lazy_gettext("Sums by rate of VAT")),
            SelectChoice(LINES, lazy_gettext("Sums by line")),
        ],
        default=LINES,
    )

    def sums(self, lefts: list[Left]) -> dict[int, int] | None:
        """Kopecks by line; None: all that is left. Raises `InvalidValue`."""
        if self.scope.data == ALL:
            return None
        if self.scope.data == RATES:
            return corrections.parted(lefts, self._kopecks("rate-"))
        return self._kopecks("line-")

    def _kopecks(self, kind: str) -> dict[int, int]:
        return {int(each.name[5:]): each.kopecks for each in self if each.name.startswith(kind)}

    def refuse(self, error: DomainError) -> None:
        """Say at its place why it cannot be."""
        name = f"{error.values.get('what', '')}-{error.values.get('value', '')}"
        if isinstance(error, InvalidValue) and name in self:
            self[name].errors = [gettext("No more than is left, and more than 0")]
        elif isinstance(error, InvalidValue) and error.values.get("what") == "correction":
            self.form_errors.append(gettext("Nothing is given back: fill in a sum"))
        else:
            self.form_errors.append(error_text(error))


class _Deed(_Wish, StepUpForm):
    """The same once more, with the password."""

    after = HiddenField()

    @property
    def seen(self) -> int:
        """How many credit notes there were on the page."""
        told = self.after.data or ""
        return int(told) if told.isdecimal() and len(told) < 10 else -1


def _form_of(kind: type[_Wish], lefts: list[Left], **more: Any) -> Any:
    """A form with a field for each line of which something is left."""
    fields = {f"line-{left.line.ordinal}": SumField(left.line.name) for left in lefts if left.sum}
    for percent in corrections.rates_of(lefts):
        fields[f"rate-{percent}"] = SumField(
            gettext("VAT {percent}").format(percent=format_percent(percent))
        )
    made = type(kind.__name__, (kind,), {})
    for name, field in fields.items():
        setattr(made, name, field)
    return made(**more)


@bp.get("/")
@allow(*OPERATOR_ROLES)
def show(client: int, key: str) -> Response:
    """The bill; with `scope` in the address also what would be given out."""
    invoice = _invoice_or_404(client, key)
    ip = request.remote_addr or ""
    access.note_client_viewed(
        g.user, invoice.client, f"invoice:{invoice.id}", ip=ip, now=clock.now()
    )
    lefts = corrections.left_of(invoice)
    if "scope" not in request.args:
        return _draw(invoice, lefts, _form_of(_Wish, lefts, formdata=None))
    form = _form_of(_Wish, lefts, formdata=request.args, meta={"csrf": False})
    if "edit" in request.args:
        return _draw(invoice, lefts, form)
    content = _look(invoice, lefts, form) if form.validate() else None
    deed = _form_of(_Deed, lefts, formdata=None)
    return _draw(invoice, lefts, form, 200 if content else 422, content=content, deed=deed)


@bp.get("/file")
@allow(*OPERATOR_ROLES)
def file(client: int, key: str) -> Response:
    """The document as PDF, made on the spot: the bytes that the client gets. To be handed over, or
    put into an envelope.
    """
    invoice = _invoice_or_404(client, key)
    now = clock.now()
    made, document = invoice_reports.open_made(invoice, FileFormat.PDF)
    if request.method == "GET":
        access.note_invoice_fetched(g.user, invoice, ip=request.remote_addr or "", now=now)
    response = send_file(
        made, mimetype="application/pdf", as_attachment=True, download_name="x", etag=False
    )
    response.headers.set(
        "Content-Disposition",
        "attachment",
        filename=f"invoice-{document.content.number}.pdf",  # for those who know no other
        **{"filename*": f"UTF-8''{quote(document.display_name, safe='')}"},
    )
    return response


@bp.post("/correct")
@allow(*CORRECTING_ROLES)
def correct(client: int, key: str) -> AnyResponse:
    """Give the credit note out, and order its letter."""
    invoice = _invoice_or_404(client, key)
    if invoice.ordinal:
        abort(404)
    lefts = corrections.left_of(invoice)
    form = _form_of(_Deed, lefts)
    content = _look(invoice, lefts, form) if form.validate_on_submit() else None
    status = step_up.refusal(form) if content else 422
    if status:
        page = _draw(invoice, lefts, form, status, content=content, deed=form)
        return step_up.with_retry_after(page)
    try:
        note = corrections.give(
            invoice, form.sums(lefts), reason=form.reason.data, after=form.seen, by=step_up.by()
        )
    except DomainError as error:
        form.refuse(error)
        return _draw(invoice, corrections.left_of(invoice), form, 422)
    number = invoice_list.number_of(note)
    flash(gettext("Credit note No. {number} is given out").format(number=number), "ok")
    return redirect(url_for(".show", client=client, key=key), code=303)


def _look(invoice: Invoice, lefts: list[Left], form: _Wish) -> InvoiceContent | None:
    """What would be given out; None when the form says why not."""
    try:
        wanted = corrections.corrections_of(invoice, form.sums(lefts))
        reason = corrections.check_reason(form.reason.data)
        return corrections.look(invoice, wanted, reason=reason, now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return None


def _draw(
    invoice: Invoice,
    lefts: list[Left],
    form: _Wish,
    status: int = 200,
    *,
    content: InvoiceContent | None = None,
    deed: _Deed | None = None,
) -> Response:
    setting = delivery.current(invoice.client, now=clock.now())
    return render_section(
        "operator/bill/show.html",
        status,
        client=invoice.client,
        invoice=invoice,
        told=invoices.content_of(invoice),
        delivery=delivery.of_invoices([invoice])[invoice.id],
        number_of=invoice_list.number_of,
        notes=invoices.credit_notes_of(invoice),
        corrected=_corrected(invoice),
        lefts=lefts,
        form=form,
        deed=deed,
        content=content,
        typed=_typed(form),
        rates=corrections.rates_of(lefts),
        mailed_to=setting.email if setting.method == DeliveryMethod.EMAIL else "",
        may_correct=_may_correct() and not invoice.ordinal and any(left.sum for left in lefts),
    )


def _typed(form: _Wish) -> dict[str, str]:
    """What was typed, for the address of the page to type on."""
    names = [each for each in form if each.name in ("reason", "scope") or each.name[4:5] == "-"]
    return {each.name: each.data or "" for each in names}


def _corrected(invoice: Invoice) -> Invoice | None:
    """The bill that a credit note corrects."""
    return Invoice.of(invoice.client_id).where(Invoice.id == invoice.corrects_id).first()


def _may_correct() -> bool:
    return Role(g.user.role) in CORRECTING_ROLES


def _invoice_or_404(client_id: int, key: str) -> Invoice:
    client = Client.get_or_none(Client.id == client_id) or abort(404)
    return invoices.find(client, key) or abort(404)
