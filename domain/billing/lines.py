"""Figures of an invoice that follow from its lines and are shown beside them."""

from domain.billing.invoice import InvoiceContent
from domain.money import split


def line_vats(content: InvoiceContent) -> list[int]:
    """The VAT of each line: prices that hold theirs tell it, the others part the VAT of their rate
    so that nothing is lost.
    """
    vats = [line.gross - line.net if line.gross else 0 for line in content.lines]
    for total in content.vat:
        at = [n for n, line in enumerate(content.lines) if line.vat_percent == total.percent]
        held = sum(vats[n] for n in at)
        plain = [n for n in at if not content.lines[n].gross]
        parts = split(total.vat - held, [content.lines[n].net for n in plain])
        for n, part in zip(plain, parts, strict=True):
            vats[n] = part
    return vats
