"""Invoices that were given out: finding them and reading what stands on them. Forming them is in
`billing.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.billing.invoice import (
    AnnexRow,
    InvoiceContent,
    annex_hash,
    content_hash,
    from_json,
    read_number,
)
from domain.errors import NotFound
from models import Client
from models_billing import Invoice, InvoiceLine, InvoiceSubscriber


def content_of(invoice: Invoice) -> InvoiceContent:
    """What stands on it."""
    return from_json(invoice.content)


def annex_of(invoice: Invoice) -> list[AnnexRow]:
    """What each number has on it, by number."""
    query = InvoiceSubscriber.select().where(InvoiceSubscriber.invoice == invoice)
    return [
        AnnexRow(
            subscriber_id=row.subscriber_id,
            number=row.number,
            full_name=row.full_name,
            plan=row.plan,
            sums={int(ordinal): tuple(sums) for ordinal, sums in row.sums.items()},
        )
        for row in query.order_by(InvoiceSubscriber.number, InvoiceSubscriber.subscriber)
    ]


def find(client: Client, key: str) -> Invoice | None:
    """The client's own document with that key, or None."""
    return Invoice.of(client).where(Invoice.key == key).first()


def find_by_number(text: str) -> Invoice:
    """The document with a number, whoever's it is; raises `NotFound`."""
    told = read_number(text)
    found = None
    if told is not None:
        series, year, number = told
        same = (Invoice.series == series) & (Invoice.year == year) & (Invoice.number == number)
        found = Invoice.across_clients(Invoice, Client).join(Client).where(same).first()
    if found is None:
        raise NotFound(what="invoice", name=text)
    return found


def of_client(client: Client) -> list[Invoice]:
    """All documents of a client, the newest first."""
    return list(Invoice.of(client).order_by(Invoice.id.desc()))


def credit_notes_of(invoice: Invoice) -> list[Invoice]:
    """The credit notes on an invoice, in their order."""
    query = Invoice.of(invoice.client_id).where(Invoice.corrects == invoice)
    return list(query.order_by(Invoice.ordinal))


# --- «Is this paper genuine?» ---------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """What anybody who holds a paper may know of it: what is printed on it, and whether it still
    holds. Money is kopecks.
    """

    number: str
    issued_on: date
    period: date
    total: int
    closing: int
    corrects: str  # of a credit note: the invoice's number
    credit_notes: tuple[str, ...]  # numbers of the documents that correct this one
    is_whole: bool  # the stored content is the one that was given out


def check(key: str) -> Checked | None:
    """The document of a paper's code, whoever's it is; None: there is no such document."""
    invoice = Invoice.across_clients().where(Invoice.key == key).first()
    if invoice is None:
        return None
    content = content_of(invoice)
    return Checked(
        content.number,
        content.issued_on,
        content.period,
        content.total,
        content.closing,
        content.corrects,
        tuple(content_of(note).number for note in credit_notes_of(invoice)),
        content_hash(invoice.previous_hash, invoice.content) == invoice.content_hash,
    )


def contradictions(invoice: Invoice) -> Iterator[str]:
    """What is told twice of an invoice and does not agree, a few words each."""
    content = content_of(invoice)
    if content_hash(invoice.previous_hash, invoice.content) != invoice.content_hash:
        yield "the hash is not that of the content"
    sums = (content.net, content.vat_sum, content.total, content.opening, content.paid)
    if sums != (invoice.net, invoice.vat, invoice.total, invoice.opening, invoice.paid):
        yield "the sums are not those of the content"
    if content.closing != invoice.closing:
        yield "the closing balance is not that of the content"
    lines = InvoiceLine.select().where(InvoiceLine.invoice == invoice).order_by(InvoiceLine.ordinal)
    told = [(line.ordinal, line.kind, line.name, line.net) for line in lines]
    if told != [(line.ordinal, line.kind, line.name, line.net) for line in content.lines]:
        yield "the lines are not those of the content"
    annex = annex_of(invoice)
    if content.annex_sha256 and annex_hash(annex) != content.annex_sha256:
        yield "the annex is not the one it was given out with"
