"""A bill of the client's: what stands on it, what each number has of it and for which calls, what
has changed since the month before, and whether it says what the calls say.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, redirect, request, url_for

from blueprints.bills import change_rows
from blueprints.bills.charges import own_call_or_404, own_number_or_404
from blueprints.web import render_section
from domain.billing import lines as line_figures
from domain.billing.bridge import OF_NUMBERS, PartKind
from domain.billing.invoice import AnnexRow, InvoiceContent, Line
from domain.billing.words import in_words
from domain.rating.states import CallRating
from domain.roles import ORDERING_ROLES, Role
from models_billing import Invoice
from services import (
    bill_offers,
    clock,
    invoice_annex,
    invoice_calls,
    invoice_list,
    invoice_reports,
    invoices,
    price_questions,
)
from services.invoice_calls import CALL_LINES
from services.selection import PAGE_SIZES

CALLS_PER_PAGE = 50
COMPARED_AT_ONCE = 50_000  # calls on a bill: up to here its own page compares them
bp = Blueprint("invoice", __name__, url_prefix="/<key>")


@bp.get("/")
def show(key: str) -> Response:
    """The bill as it was given out, what is paid of it, and where to go on from here."""
    invoice = own_invoice_or_404(key)
    content = invoices.content_of(invoice)
    is_small = sum(line.quantity for line in content.lines) <= COMPARED_AT_ONCE
    return render_section(
        "bills/invoice/show.html",
        **_named(invoice, content),
        vats=line_figures.line_vats(content),
        words=in_words(abs(content.closing)),
        entry=_entry(invoice),
        corrected=_corrected(invoice),
        number_of=invoice_list.number_of,
        has_numbers=bool(content.subscribers),
        comparison=invoice_calls.comparison_of(invoice) if is_small and _is_bill(invoice) else None,
        call_lines=CALL_LINES,
        may_order=Role(g.user.role) in ORDERING_ROLES,
        can_link=invoice.period in bill_offers.link_months(clock.now()),
    )


@bp.get("/comparison/")
def comparison(key: str) -> Response:
    """The bill, the call detail and the charges side by side: 0,00, or the name of what differs."""
    invoice = _own_bill_or_404(key)
    return render_section(
        "bills/invoice/comparison.html",
        **_named(invoice, invoices.content_of(invoice)),
        comparison=invoice_calls.comparison_of(invoice),
        number_of=invoice_list.number_of,
    )


# --- Numbers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """The list of numbers as the address asks for it."""

    text: str
    line: int
    sort: str
    number: int
    size: int

    @classmethod
    def asked_for(cls) -> "Wanted":
        """Whatever is not understood is as if it were not there."""
        values = request.args
        sort, size = values.get("sort", ""), values.get("per_page", PAGE_SIZES[0], type=int)
        return cls(
            values.get("q", "")[:100],
            values.get("line", 0, type=int),
            sort if sort in invoice_annex.SORTS else "number",
            values.get("page", 1, type=int),
            size if size in PAGE_SIZES else PAGE_SIZES[0],
        )

    def arguments(self, key: str) -> dict[str, object]:
        """The address of the list without its page."""
        values = {
            "q": self.text,
            "line": self.line,
            "sort": self.sort if self.sort != "number" else "",
            "per_page": self.size if self.size != PAGE_SIZES[0] else "",
        }
        return {"key": key} | {name: value for name, value in values.items() if value}


@bp.get("/numbers/")
def numbers(key: str) -> Response:
    """What each number has of the bill, or of one of its lines."""
    invoice = _own_bill_or_404(key)
    content, wanted = invoices.content_of(invoice), Wanted.asked_for()
    line = _line(content, wanted.line)
    page = invoice_annex.find_page(
        invoice,
        text=wanted.text,
        line=line.ordinal if line else 0,
        sort=wanted.sort,
        number=wanted.number,
        size=wanted.size,
    )
    return render_section(
        "bills/invoice/numbers.html",
        **_named(invoice, content),
        page=page,
        wanted=wanted,
        line=line,
        sums=[_sums(row, content) for row in page.rows],
        outside=content.net - invoice_annex.net_of_numbers(invoice),
        call_lines=CALL_LINES,
        sizes=PAGE_SIZES,
    )


def _sums(row: AnnexRow, content: InvoiceContent) -> dict[str, int]:
    """Fees, calls and the rest of what a number has."""
    found = {"fees": 0, "calls": 0, "count": 0, "seconds": 0, "other": 0}
    for line in content.lines:
        quantity, seconds, net = row.sums.get(line.ordinal, (0, 0, 0))
        if line.kind in CALL_LINES:
            found["calls"] += net
            found["count"] += quantity
            found["seconds"] += seconds
        else:
            found["fees" if line.kind == "fee" else "other"] += net
    return found


@bp.get("/numbers/<int:subscriber>/")
def number(key: str, subscriber: int) -> Response:
    """One number: its part of each line, and its calls with their prices."""
    invoice = _own_bill_or_404(key)
    own_number_or_404(subscriber)
    row = invoice_annex.find_number(invoice, subscriber) or abort(404)
    content = invoices.content_of(invoice)
    line = _line(content, request.args.get("line", 0, type=int))
    line = line if line and line.kind in CALL_LINES else None
    page = request.args.get("page", 1, type=int)
    return render_section(
        "bills/invoice/number.html",
        **_named(invoice, content),
        row=row,
        line=line,
        told=_told(row, content, line),
        calls=invoice_calls.calls_of(invoice, subscriber, line, number=page, size=CALLS_PER_PAGE),
        call_lines=CALL_LINES,
        ratings=CallRating,
    )


def _told(row: AnnexRow, content: InvoiceContent, line: Line | None) -> tuple[int, int]:
    """How many calls the bill has of a number, on a line or on all, and what they come to."""
    sums = [
        row.sums.get(each.ordinal, (0, 0, 0))
        for each in content.lines
        if each.kind in CALL_LINES and line in (None, each)
    ]
    return sum(count for count, _s, _net in sums), sum(net for _c, _s, net in sums)


@bp.get("/numbers/<int:subscriber>/<int:started>-<int:seq>")
def call(key: str, subscriber: int, started: int, seq: int) -> Response:
    """Why one call on the bill costs what it does."""
    invoice = _own_bill_or_404(key)
    told = own_call_or_404(own_number_or_404(subscriber), started, seq)
    if not invoice_calls.is_on(invoice, told.call):
        abort(404)
    return render_section(
        "bills/charges/call.html",
        told=told,
        call=told.call,
        why=price_questions.why(g.client, told.call),
        ratings=CallRating,
        back=url_for(".number", key=key, subscriber=subscriber),
    )


# --- «Что изменилось» -----------------------------------------------------------------------------


@bp.get("/changes/")
def changes(key: str) -> Response:
    """Where the difference to the month before comes from."""
    invoice = _own_bill_or_404(key)
    before = invoice_calls.previous_of(invoice)
    found = invoice_annex.changes_of(invoice, before) if before else None
    return render_section(
        "bills/invoice/changes.html",
        **_named(invoice, invoices.content_of(invoice)),
        changes=found,
        rows=change_rows.rows_of(invoice, found) if found else [],
        number_of=invoice_list.number_of,
    )


@bp.get("/changes/numbers/")
def changed_numbers(key: str) -> Response:
    """The numbers that came, went, or have another plan or fee."""
    invoice = _own_bill_or_404(key)
    before = invoice_calls.previous_of(invoice)
    if before is None:
        return redirect(url_for(".changes", key=key), code=303)
    which = request.args.get("which", "")
    kind = PartKind(which) if which in OF_NUMBERS else OF_NUMBERS[0]
    found = invoice_annex.changes_of(invoice, before)
    page = invoice_annex.changed_page(
        invoice, found, kind, number=request.args.get("page", 1, type=int), size=PAGE_SIZES[1]
    )
    return render_section(
        "bills/invoice/changed_numbers.html",
        **_named(invoice, found.new),
        kind=kind,
        kinds={each: change_rows.WORDS[each] for each in OF_NUMBERS if found.numbers.ids[each]},
        page=page,
        changes=found,
        fee_of=invoice_annex.fee_of,
    )


# --- Shared ---------------------------------------------------------------------------------------


def own_invoice_or_404(key: str) -> Invoice:
    """The client's own document: somebody else's is one that does not exist."""
    return invoices.find(g.client, key) or abort(404)


def _own_bill_or_404(key: str) -> Invoice:
    """The same, but for credit notes: they have neither numbers nor calls."""
    found = own_invoice_or_404(key)
    return found if _is_bill(found) else abort(404)


def _is_bill(invoice: Invoice) -> bool:
    return invoice.ordinal == 0


def _line(content: InvoiceContent, ordinal: int) -> Line | None:
    return next((line for line in content.lines if line.ordinal == ordinal), None)


def _named(invoice: Invoice, content: InvoiceContent) -> dict[str, object]:
    """What every page of a bill needs."""
    wording = invoice_reports.wording_of(content)
    return {"invoice": invoice, "content": content, "wording": wording}


def _corrected(invoice: Invoice) -> Invoice | None:
    """The bill that a credit note corrects."""
    return Invoice.of(g.client).where(Invoice.id == invoice.corrects_id).first()


def _entry(invoice: Invoice) -> invoice_list.Entry | None:
    """What is paid of it; None for a credit note."""
    if not _is_bill(invoice):
        return None
    settlement = invoice_list.settlement_of(g.client)
    now = clock.local(clock.now())
    return invoice_list.entries_of(g.client, [invoice], settlement, now=now)[0]
