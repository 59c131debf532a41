"""Files of invoices: the frozen content of a document in one of its forms, with its words. What a
form looks like is decided in `domain/writers/`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from flask import current_app

from domain.billing.invoice import AnnexRow, InvoiceContent, LineKind
from domain.formats import format_date, format_money
from domain.languages import OWN, current_language, language
from domain.orders import INVOICE_KINDS, FileFormat, OrderKind
from domain.writers import invoice_csv, invoice_pdf, invoice_xlsx
from domain.writers.invoice_wording import InvoiceWording
from models import Order
from models_billing import Invoice
from services import invoices
from services.rendering import Progress, Renderer, Report
from services.transactions import read_tx
from texts import gettext as _
from texts import month_text

Writer = Callable[[Path, InvoiceContent, Sequence[AnnexRow], InvoiceWording], None]
WRITERS: dict[FileFormat, Writer] = {
    FileFormat.PDF: invoice_pdf.write,
    FileFormat.XLSX: invoice_xlsx.write,
    FileFormat.CSV: invoice_csv.write,
}


@dataclass(frozen=True)
class Document:
    """A file of an invoice: how it is called, and how many numbers are in it."""

    display_name: str
    numbers: int
    content: InvoiceContent


@language(OWN)
def write(invoice: Invoice, file_format: FileFormat, path: Path) -> Document:
    """Write a document given out in one of its forms: the same bytes whenever it is asked for, in
    the language of its lines whoever asks.

    Raises `OSError` when the disk is full.
    """
    with read_tx():
        content, annex = invoices.content_of(invoice), invoices.annex_of(invoice)
    WRITERS[file_format](path, content, annex, wording_of(content))
    return Document(f"{name_of(content, file_format)}.{file_format}", len(annex), content)


def open_made(invoice: Invoice, file_format: FileFormat) -> tuple[BinaryIO, Document]:
    """A document's file made for whoever asks now: open, and already without a name on the disk.

    Raises `OSError` when the disk is full.
    """
    with TemporaryDirectory(dir=current_app.config["CABINET"].data_dir) as folder:
        path = Path(folder) / f"1.{file_format}"
        document = write(invoice, file_format, path)
        return path.open("rb"), document


def invoice_of(order: Order) -> Invoice:
    """The document that an order is about: its client's, or none."""
    return Invoice.of(order.client_id).where(Invoice.id == order.params["invoice"]).get()


def _render(
    file_format: FileFormat, order: Order, path: Path, made_at: datetime, progress: Progress
) -> Report:
    del made_at  # a document is as it was when it was given out, whenever it is ordered
    progress(0, None)
    document = write(invoice_of(order), file_format, path)
    return Report(document.display_name, document.numbers, _summary(document.content))


RENDERERS: dict[tuple[OrderKind, FileFormat], Renderer] = {
    (kind, file_format): partial(_render, file_format)
    for kind in sorted(INVOICE_KINDS)
    for file_format in WRITERS
}


def _summary(content: InvoiceContent) -> dict[str, Any]:
    return {
        "invoice": content.number,
        "corrects": content.corrects,
        "month": content.period.isoformat(),
        "total": content.total,
        "closing": content.closing,
        "due_on": "" if content.corrects else content.due_on.isoformat(),
    }


# --- Words ----------------------------------------------------------------------------------------


def letter_words(order: Order, summary: dict[str, Any]) -> dict[str, Any]:
    """What the letter about an invoice tells of it."""
    closing, due_on = summary["closing"], summary["due_on"]
    return {
        "is_regular": order.kind == OrderKind.INVOICE_REGULAR,
        "invoice": summary["invoice"],
        "corrects": summary["corrects"],
        "month": month_text(date.fromisoformat(summary["month"])),
        "total": format_money(summary["total"]),
        "closing": format_money(abs(closing)),
        "is_ahead": closing < 0,
        "is_settled": closing <= 0,
        "due_on": format_date(date.fromisoformat(due_on)) if due_on and closing > 0 else "",
        "form": form_text(FileFormat(order.params["format"])),
    }


def form_text(file_format: FileFormat) -> str:
    """What the file is."""
    return {
        FileFormat.PDF: _("PDF document: the bill as on paper."),
        FileFormat.XLSX: _("Excel workbook: a sheet with the bill and a sheet with every number."),
        FileFormat.CSV: _("CSV table: a row for each number, without VAT."),
    }[file_format]


def name_of(content: InvoiceContent, file_format: FileFormat) -> str:
    """How a file is called, without its extension: «Счет № 2026-000001 за март 2026»."""
    if content.corrects:
        words = _("Credit note No. {number} for {month}")
    elif file_format is FileFormat.CSV:
        words = _("Annex to bill No. {number} for {month}")
    else:
        words = _("Bill No. {number} for {month}")
    month = month_text(content.period).removesuffix(" г.")  # a dot comes before the extension
    return words.format(number=content.number, month=month)


def wording_of(content: InvoiceContent) -> InvoiceWording:
    """The words of a document in the language spoken now."""
    public_url = current_app.config["CABINET"].public_url
    return InvoiceWording(
        language=current_language(),
        title=_("Bill No. {number} of {date}"),
        credit_title=_("Credit note No. {number} of {date}"),
        corrects=_("Corrects bill No. {number}"),
        period=_("Telecom services, {month}"),
        month=month_text(content.period),
        contract=_("No. {number} of {date}"),
        labels=_labels(),
        columns=_columns(),
        parts={"calls": _("calls"), "duration": _("paid time"), "net": _("sum")},
        vat_line=_("Together at the rate of {percent}"),
        total=_("In all"),
        sheets=(_("Bill"), _("Annex")),
        annex=_("Annex: charges by number, without VAT, BYN"),
        annex_elsewhere=_(
            "There are {count} numbers: what each of them has is in the annex as XLSX or CSV, "
            "which can be ordered in the cabinet."
        ),
        page=_("Page {page} of {pages}"),
        verify=_("Whether this document is genuine and holds: {url}"),
        verify_url=f"{public_url}/verify/{content.key}",
        line_kinds={
            LineKind.LATE_CALLS: _("Of earlier months"),
            LineKind.DISCOUNT: _("Discount"),
        },
    )


def _labels() -> dict[str, str]:
    return {
        "operator": _("Provider"),
        "client": _("Customer"),
        "unp": _("UNP"),
        "address": _("Address"),
        "bank": _("Bank"),
        "iban": _("IBAN"),
        "bic": _("BIC"),
        "account": _("Account number"),
        "contract": _("Contract"),
        "opening": _("Balance before: debt, or paid ahead with a minus"),
        "charged": _("Charged for the period, with VAT"),
        "closing": _("To pay"),
        "ahead": _("Paid ahead"),
        "due_on": _("Pay by"),
        "subscribers": _("How many numbers"),
        "outside": _("Not of any number"),
        "payment": _("Payment of {date}"),
        "payment_no": _("Payment of {date}, document No. {number}"),
        "charged_words": _("Charged: {sum}, VAT in it: {vat} BYN."),
        "to_pay_words": _("To pay: {sum}"),
        "nothing_to_pay": _("Nothing is to be paid."),
    }


def _columns() -> dict[str, str]:
    return {
        "ordinal": _("No."),
        "name": _("What for"),
        "quantity": _("Qty"),
        "duration": _("Paid time, h:mm:ss"),
        "net": _("Sum without VAT, BYN"),
        "vat_percent": _("VAT, %"),
        "vat": _("Sum of VAT, BYN"),
        "gross": _("Sum with VAT, BYN"),
        "number": _("Phone number"),
        "full_name": _("Full name of the subscriber"),
        "plan": _("Tariff plan"),
        "fees": _("Fees"),
        "calls": _("Calls"),
        "calls_net": _("Sum of calls"),
        "other": _("Other"),
    }
