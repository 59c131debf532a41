"""Rows of «Что изменилось» as texts and links: what a part of the difference comes from, what was
before and is now, and where the lines and calls behind it stand.
"""

from typing import NamedTuple

from flask import url_for

from domain import charts
from domain.billing.bridge import OF_NUMBERS, Part, PartKind, Side
from domain.formats import format_duration, format_money, format_price
from domain.money import KOPECK, divide
from models_billing import Invoice
from services.invoice_annex import Changes
from texts import N_, destination_group_text, gettext, ngettext

BAR = 160  # width of a drawing
WORDS = {
    PartKind.NUMBERS_ADDED: N_("New numbers"),
    PartKind.NUMBERS_REMOVED: N_("Numbers that are no longer there"),
    PartKind.PLAN_CHANGED: N_("Another tariff plan"),
    PartKind.FEE_CHANGED: N_("The same plan, another fee"),
    PartKind.COMPANY_FEES: N_("Fees of the company as a whole"),
    PartKind.CALLS_VOLUME: N_("%(group)s: how much was talked"),
    PartKind.CALLS_PRICE: N_("%(group)s: what a minute cost"),
    PartKind.LATE_CALLS: N_("Calls of earlier months that came late"),
    PartKind.ONE_OFF: N_("Paid once"),
    PartKind.INSTALMENT: N_("Instalment"),
    PartKind.DISCOUNT: N_("Discounts"),
    PartKind.VAT: N_("VAT"),
}
REMARKS = {
    PartKind.FEE_CHANGED: N_("a part of the month, a fee that is paid once, or a new price"),
    PartKind.CALLS_VOLUME: N_("as if a minute had cost what it did the month before"),
    PartKind.CALLS_PRICE: N_("other numbers, hours and packages change what a minute costs"),
}


class Link(NamedTuple):
    """Where the lines or calls stand."""

    text: str
    url: str


class Cell(NamedTuple):
    """A figure and what stands under it."""

    text: str = ""
    small: str = ""


class Row(NamedTuple):
    """A part as it is shown."""

    name: str
    remark: str
    before: Cell
    after: Cell
    amount: int
    bar: charts.Span
    links: list[Link]


def rows_of(invoice: Invoice, changes: Changes) -> list[Row]:
    """The parts in their order."""
    parts = changes.bridge.parts
    spans = charts.spans([part.amount for part in parts], BAR)
    return [_row(invoice, changes, part, span) for part, span in zip(parts, spans, strict=True)]


def _row(invoice: Invoice, changes: Changes, part: Part, span: charts.Span) -> Row:
    name = gettext(WORDS[part.kind]) % {"group": destination_group_text(part.code)}
    if part.kind in OF_NUMBERS:
        words = ngettext("%(num)d number", "%(num)d numbers", part.count) % {"num": part.count}
        before, after = Cell(), Cell("", words)
    else:
        before, after = _cell(part.kind, part.before), _cell(part.kind, part.after)
    is_new = part.kind is PartKind.CALLS_VOLUME and not part.before.quantity
    remark = "" if is_new or part.kind not in REMARKS else gettext(REMARKS[part.kind])
    return Row(name, remark, before, after, part.amount, span, list(_links(invoice, changes, part)))


def _cell(kind: PartKind, side: Side) -> Cell:
    if kind is PartKind.CALLS_PRICE:
        if not side.seconds:
            return Cell()
        minute = divide(side.net * KOPECK * 60, side.seconds)
        return Cell(format_price(round_to_kopeck_parts(minute)), gettext("a minute"))
    if kind is PartKind.CALLS_VOLUME:
        calls = ngettext("%(num)d call", "%(num)d calls", side.quantity) % {"num": side.quantity}
        return Cell(format_money(side.net), f"{calls}, {format_duration(side.seconds)}")
    return Cell(format_money(side.net))


def round_to_kopeck_parts(micros: int) -> int:
    """An average price has no end of places: four of them tell enough.

    >>> round_to_kopeck_parts(123456)
    123500
    """
    return divide(micros, 100) * 100


def _links(invoice: Invoice, changes: Changes, part: Part) -> list[Link]:
    key, old = invoice.key, changes.before.key
    if part.kind in OF_NUMBERS:
        url = url_for("bills.invoice.changed_numbers", key=key, which=part.kind.value)
        return [Link(gettext("Which numbers"), url)]
    if part.kind in (PartKind.CALLS_VOLUME, PartKind.CALLS_PRICE, PartKind.LATE_CALLS):
        return [
            Link(word, url_for("bills.invoice.numbers", key=whose, line=side.lines[0]))
            for word, whose, side in (
                (gettext("calls now"), key, part.after),
                (gettext("calls before"), old, part.before),
            )
            if side.lines
        ]
    if part.kind is PartKind.VAT:
        return []
    return [
        Link(word, url_for("bills.invoice.show", key=whose, _anchor=f"line-{side.lines[0]}"))
        for word, whose, side in (
            (gettext("lines now"), key, part.after),
            (gettext("lines before"), old, part.before),
        )
        if side.lines
    ]
