"""«Акт сверки» as a PDF: what was charged and paid between two days, and the balances around it.
Its orders are placed in `statement_orders.py`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask import current_app
from peewee import fn

from domain.billing.invoice import number_text
from domain.billing.words import in_words
from domain.formats import format_date, format_money
from domain.orders import FileFormat, OrderKind
from domain.periods import DateRange
from domain.writers import figure_files
from domain.writers.figure_files import Document
from domain.writers.figures import Figures, Form, Head
from models import Client, Order
from models_billing import Invoice, Payment
from services import clock
from services.rendering import Progress, Renderer, Report
from services.transactions import read_tx
from texts import current_language
from texts import gettext as _

BLANK = "____________________ /____________________/"


@dataclass(frozen=True)
class Movement:
    """A document: kopecks charged, or paid (less than nothing: given back)."""

    day: date
    name: str
    charged: int | None = None
    paid: int | None = None


@dataclass(frozen=True)
class Statement:
    """An account between two days, both included; balances above nothing are debts."""

    period: DateRange
    opening: int
    movements: list[Movement]

    @property
    def charged(self) -> int:
        """All that was charged."""
        return sum(each.charged or 0 for each in self.movements)

    @property
    def paid(self) -> int:
        """All that was paid."""
        return sum(each.paid or 0 for each in self.movements)

    @property
    def closing(self) -> int:
        """The balance at the end of the last day."""
        return self.opening + self.charged - self.paid


def statement_of(client: Client, period: DateRange) -> Statement:
    """Bills count on the day they were given out, payments on the day they came."""
    bills = Invoice.of(client, fn.SUM(Invoice.total)).where(Invoice.issued_on < period.start)
    money = Payment.of(client, fn.SUM(Payment.amount)).where(Payment.paid_on < period.start)
    movements = [*_charges(client, period), *_payments(client, period)]
    movements.sort(key=lambda each: each.day)
    return Statement(period, int(bills.scalar() or 0) - int(money.scalar() or 0), movements)


def _charges(client: Client, period: DateRange) -> list[Movement]:
    columns = ("issued_on", "series", "year", "number", "total", "ordinal")
    rows = Invoice.of(client, *(getattr(Invoice, name) for name in columns))
    within = Invoice.issued_on.between(period.start, period.end)
    return [
        Movement(
            row.issued_on,
            (_("Credit note No. {number}") if row.ordinal else _("Bill No. {number}")).format(
                number=number_text(row.series, row.year, row.number)
            ),
            charged=row.total,
        )
        for row in rows.where(within).order_by(Invoice.id)
    ]


def _payments(client: Client, period: DateRange) -> list[Movement]:
    within = Payment.paid_on.between(period.start, period.end)
    rows = Payment.of(client).where(within).order_by(Payment.paid_on, Payment.id)
    named, plain = _("Payment, document No. {number}"), _("Payment")
    return [
        Movement(
            row.paid_on,
            named.format(number=row.document_no) if row.document_no else plain,
            paid=row.amount,
        )
        for row in rows
    ]


# --- The file -------------------------------------------------------------------------------------


def _render(order: Order, path: Path, made_at: datetime, progress: Progress) -> Report:
    progress(0, None)
    days = (date.fromisoformat(order.params[name]) for name in ("start", "end"))
    with read_tx():
        client = Client.get_by_id(order.client_id)
        told = statement_of(client, DateRange(*days))
    figure_files.write_pdf(path, _document(order, client, told, made_at))
    name = _("Act of reconciliation No. {number}").format(number=order.number)
    return Report(f"{name}.pdf", len(told.movements), _summary(told))


def _document(order: Order, client: Client, told: Statement, made_at: datetime) -> Document:
    config = current_app.config["CABINET"]
    heads = [
        Head(_("Date of document"), Form.TEXT, 90.0),
        Head(_("Document"), Form.TEXT, 0),
        Head(_("Charged, BYN"), Form.MONEY, 110.0),
        Head(_("Paid, BYN"), Form.MONEY, 110.0),
    ]
    rows = [(format_date(each.day), each.name, each.charged, each.paid) for each in told.movements]
    return Document(
        title=_("Act of reconciliation of accounts"),
        facts=_facts(client, told),
        figures=Figures(
            title=_("Documents of the period"),
            heads=heads,
            rows=rows,
            count=len(rows),
            total=("", _("Total"), told.charged, told.paid),
        ),
        note=_("Bills count on the day they were given out, payments on the day they came."),
        author=config.OPERATOR_NAME,
        foot=f"{_('Order number')}: {order.number}",
        page_words=_("Page {page} of {pages}"),
        sheet=_("Act of reconciliation"),
        language=current_language(),
        made_at=clock.local(made_at),
    )


def _facts(client: Client, told: Statement) -> list[tuple[str, str]]:
    config = current_app.config["CABINET"]
    period = told.period
    return [
        (_("Period"), f"{format_date(period.start)} – {format_date(period.end)}"),
        (_("Provider"), _party(config.OPERATOR_NAME, config.OPERATOR_UNP)),
        (_("Customer"), _party(client.name, client.unp)),
        (_("Account number"), client.account_no),
        (_("Contract"), client.contract_no or "—"),
        (_("Balance on {day}").format(day=format_date(period.start)), _balance(told.opening)),
        (_("Balance at the end of {day}").format(day=format_date(period.end)), _closing(told)),
        (_("For the provider"), BLANK),
        (_("For the customer"), BLANK),
    ]


def _closing(told: Statement) -> str:
    return f"{_balance(told.closing)} ({in_words(abs(told.closing))})"


def _party(name: str, unp: str) -> str:
    return f"{name}, {_('UNP')} {unp}" if unp else name


def _balance(kopecks: int) -> str:
    words = _("paid ahead by the customer: {sum} BYN") if kopecks < 0 else _("owed: {sum} BYN")
    return words.format(sum=format_money(abs(kopecks)))


RENDERERS: dict[tuple[OrderKind, FileFormat], Renderer] = {
    (OrderKind.STATEMENT, FileFormat.PDF): _render,
}


# --- The letter -----------------------------------------------------------------------------------


def _summary(told: Statement) -> dict[str, Any]:
    return {
        "start": told.period.start.isoformat(),
        "end": told.period.end.isoformat(),
        **{name: getattr(told, name) for name in ("opening", "charged", "paid", "closing")},
    }


def letter_words(summary: dict[str, Any]) -> dict[str, Any]:
    """What the letter about an act tells of it."""
    return {
        "start": format_date(date.fromisoformat(summary["start"])),
        "end": format_date(date.fromisoformat(summary["end"])),
        "opening": _balance(summary["opening"]),
        "closing": _balance(summary["closing"]),
        "charged": format_money(summary["charged"]),
        "paid": format_money(summary["paid"]),
    }
