"""Figures of an invoice that follow from its lines and are shown beside them."""

from collections.abc import Iterable
from decimal import Decimal

from domain.billing.invoice import InvoiceContent, Line
from domain.billing.totals import Net, vat_by_line


def plain_nets(lines: Iterable[Line]) -> list[Net]:
    """Lines whose VAT is counted on their sum, in their order: all but prices that hold theirs."""
    return [Net(line.net, Decimal(line.vat_percent) / 100) for line in lines if not line.gross]


def line_vats(content: InvoiceContent) -> list[int]:
    """The VAT of each line: prices that hold theirs tell it, the others part the VAT of their rate
    so that nothing is lost.
    """
    told = {Decimal(rate.percent) / 100: rate.vat for rate in content.vat}
    for line in content.lines:
        if line.gross:
            told[Decimal(line.vat_percent) / 100] -= line.gross - line.net
    parts = iter(vat_by_line(plain_nets(content.lines), told))
    return [line.gross - line.net if line.gross else next(parts) for line in content.lines]
