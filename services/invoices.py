"""Invoices that were given out: finding them and reading what stands on them. Forming them is in
`billing.py`.
"""

from datetime import date

from domain.billing.invoice import AnnexRow, InvoiceContent, from_json
from models import Client
from models_billing import Invoice, InvoiceSubscriber


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


def of_client(client: Client) -> list[Invoice]:
    """All documents of a client, the newest first."""
    return list(Invoice.of(client).order_by(Invoice.id.desc()))


def credit_notes_of(invoice: Invoice) -> list[Invoice]:
    """The credit notes on an invoice, in their order."""
    query = Invoice.of(invoice.client_id).where(Invoice.corrects == invoice)
    return list(query.order_by(Invoice.ordinal))


def closed_months(client: Client) -> list[date]:
    """First days of the months that have an invoice, the newest first."""
    query = Invoice.of(client, Invoice.period).where(Invoice.ordinal == 0)
    return [row.period for row in query.order_by(Invoice.period.desc())]
