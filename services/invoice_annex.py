"""The annex of an invoice on screen: pages of numbers out of the table, one number, and what became
of the numbers since the month before. The whole annex at once is for files: `invoices.annex_of`.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from peewee import Cast, Expression, fn

from domain.billing.bridge import (
    Bridge,
    NumberChanges,
    NumberFees,
    PartKind,
    bridge,
    compare_numbers,
)
from domain.billing.invoice import AnnexRow, InvoiceContent, LineKind
from models import Subscriber, db
from models_billing import Invoice, InvoiceSubscriber
from services import invoices, selection
from services.charges import Page, page_within

SORTS = ("number", "net")
COMPARED_KEPT = 8
_compared: dict[tuple[str, str], NumberChanges] = {}


def find_page(
    invoice: Invoice,
    *,
    text: str = "",
    line: int = 0,
    sort: str = "number",
    number: int,
    size: int,
) -> Page[AnnexRow]:
    """A page of the numbers that `text` finds and that have something on `line`; the last when
    there are not so many. By number, or the dearest first.
    """
    query = InvoiceSubscriber.select().where(
        InvoiceSubscriber.invoice == invoice, *_such(invoice, text, line)
    )
    found = query.count()
    number, pages = page_within(number, found, size)
    by_number = (InvoiceSubscriber.number, InvoiceSubscriber.subscriber)
    order = (InvoiceSubscriber.net.desc(), *by_number) if sort == "net" else by_number
    rows = [_row(row) for row in query.order_by(*order).paginate(number, size)]
    return Page(rows, number, pages, size, found)


def _such(invoice: Invoice, text: str, line: int) -> Iterator[Expression]:
    if text.strip():
        condition = selection.text_condition(text.strip())
        own = Subscriber.of(invoice.client_id, Subscriber.id).where(condition)
        yield InvoiceSubscriber.subscriber.in_(own)
    if line:
        yield Cast(InvoiceSubscriber.sums, "text").contains(f'"{line}": [')


def find_number(invoice: Invoice, subscriber_id: int) -> AnnexRow | None:
    """What one number has on the invoice, or None."""
    row = InvoiceSubscriber.get_or_none(
        InvoiceSubscriber.invoice == invoice, InvoiceSubscriber.subscriber == subscriber_id
    )
    return None if row is None else _row(row)


def rows_of(invoice: Invoice, ids: Collection[int]) -> dict[int, AnnexRow]:
    """What these numbers have on the invoice: a page of them."""
    query = InvoiceSubscriber.select().where(
        InvoiceSubscriber.invoice == invoice, InvoiceSubscriber.subscriber.in_(list(ids))
    )
    return {row.subscriber_id: _row(row) for row in query}


def _row(row: InvoiceSubscriber) -> AnnexRow:
    return AnnexRow(
        subscriber_id=row.subscriber_id,
        number=row.number,
        full_name=row.full_name,
        plan=row.plan,
        sums={int(ordinal): tuple(sums) for ordinal, sums in row.sums.items()},
    )


def net_of_numbers(invoice: Invoice) -> int:
    """What all numbers have together: the rest of the invoice is no number's."""
    query = InvoiceSubscriber.select(fn.SUM(InvoiceSubscriber.net))
    return int(query.where(InvoiceSubscriber.invoice == invoice).scalar() or 0)


# --- «Что изменилось» -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """Two months beside each other, and which numbers have changed how."""

    before: Invoice
    old: InvoiceContent
    new: InvoiceContent
    bridge: Bridge
    numbers: NumberChanges


class ChangedNumber(NamedTuple):
    """A number in both months; None where it was not there."""

    before: AnnexRow | None
    after: AnnexRow | None

    @property
    def row(self) -> AnnexRow:
        """As it is now, or was last."""
        return self.after or self.before


def changes_of(invoice: Invoice, before: Invoice) -> Changes:
    """What has changed since the month before. Both annexes are gone through once, row by row."""
    old, new = invoices.content_of(before), invoices.content_of(invoice)
    numbers = _number_changes(invoice, new, before, old)
    return Changes(before, old, new, bridge(old, new, numbers), numbers)


def _number_changes(
    invoice: Invoice, new: InvoiceContent, before: Invoice, old: InvoiceContent
) -> NumberChanges:
    """Of large clients these are 100 000 rows to read: what was compared last is kept, for neither
    invoice ever changes.
    """
    key = before.content_hash, invoice.content_hash
    found = _compared.get(key)
    if found is None:
        found = compare_numbers(_fees(before, old), _fees(invoice, new))
        while len(_compared) >= COMPARED_KEPT:
            _compared.pop(next(iter(_compared)), None)
        _compared[key] = found
    return found


def _fees(invoice: Invoice, content: InvoiceContent) -> Iterator[NumberFees]:
    lines = [str(line.ordinal) for line in content.lines if line.kind is LineKind.FEE]
    query = InvoiceSubscriber.select(
        InvoiceSubscriber.subscriber, InvoiceSubscriber.plan, InvoiceSubscriber.sums
    ).where(InvoiceSubscriber.invoice == invoice)
    for subscriber_id, plan, text in db.execute(query.order_by(InvoiceSubscriber.subscriber)):
        sums = json.loads(text)
        yield NumberFees(subscriber_id, plan, sum(sums[n][2] for n in lines if n in sums))


def changed_page(
    invoice: Invoice, changes: Changes, kind: PartKind, *, number: int, size: int
) -> Page[ChangedNumber]:
    """A page of the numbers that have changed in one way."""
    ids = changes.numbers.ids[kind]
    number, pages = page_within(number, len(ids), size)
    shown = ids[(number - 1) * size : number * size]
    old, new = rows_of(changes.before, shown), rows_of(invoice, shown)
    rows = [ChangedNumber(old.get(each), new.get(each)) for each in shown]
    return Page(rows, number, pages, size, len(ids))


def fee_of(row: AnnexRow | None, content: InvoiceContent) -> int | None:
    """The fees of a number, or None where it was not there."""
    if row is None:
        return None
    lines = {line.ordinal for line in content.lines if line.kind is LineKind.FEE}
    return sum(net for ordinal, (_n, _s, net) in row.sums.items() if ordinal in lines)
