"""Tables and blocks of text on an invoice's pages. All texts are laid out in lines here and set as
they are: nothing that people wrote is taken for markup, and figures cost no more than they must.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, Table

from domain.billing.invoice import AnnexRow, InvoiceContent, LineKind
from domain.billing.lines import line_vats
from domain.formats import format_duration, format_integer, format_money, format_percent
from domain.writers.cells import clean
from domain.writers.invoice_facts import CALL_KINDS, balances, outside, whole
from domain.writers.invoice_wording import InvoiceWording
from domain.writers.pdf_tables import BAND, GREY, INK, RULE, STRIPE
from domain.writers.pdf_texts import BOLD, PLAIN, in_lines, text_width

WIDTH = A4[0] - 30 * mm
SIZE, LEADING = 8, 9.8  # of type in tables
HEAD_SIZE, HEAD_LEADING = 7.5, 9
PAD = 3  # beside the text of a cell
MOST_LINES = 8  # of one cell
LEAST_REST = 30 * mm
LINE_COLUMNS = ("ordinal", "name", "quantity", "duration", "net", "vat_percent", "vat", "gross")
LINE_WIDTHS = (8 * mm, 0, 14 * mm, 19 * mm, 21 * mm, 14 * mm, 20 * mm, 21 * mm)  # at least
ANNEX_COLUMNS = ("number", "full_name", "plan", "fees", "calls", "calls_net", "other", "net")
ANNEX_WIDTHS = (25 * mm, 0, 29 * mm, 16 * mm, 17 * mm, 18 * mm, 16 * mm, 20 * mm)
TEXTS = frozenset({"name", "number", "full_name", "plan"})  # the others are set to the right

Command = tuple[Any, ...]


class Type(NamedTuple):
    """How a text is set."""

    font: str = PLAIN
    size: float = 8.5
    leading: float = 11
    colour: str = INK


TEXT = Type()
STRONG = Type(BOLD)
SMALL = Type(PLAIN, 7.5, 9.5, GREY)
TITLE = Type(BOLD, 14, 18)
HEADING = Type(BOLD, 10, 16)


class Lines(Flowable):
    """Texts one below the other, each in as many lines as it needs."""

    def __init__(
        self, texts: Sequence[tuple[str, Type]], *, before: float = 0, after: float = 0
    ) -> None:
        super().__init__()
        self.texts = texts
        self.spaceBefore, self.spaceAfter = before, after  # ReportLab's names
        self._lines: list[tuple[str, Type]] = []

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """Lay the texts out in `width` points."""
        self._lines = [
            (line, kind)
            for text, kind in self.texts
            for line in in_lines(clean(text), kind.font, kind.size, width, MOST_LINES)
        ]
        self.width, self.height = width, sum(kind.leading for _line, kind in self._lines)
        return self.width, self.height

    def draw(self) -> None:
        """Set the lines."""
        y = self.height
        for line, kind in self._lines:
            y -= kind.leading
            self.canv.setFont(kind.font, kind.size)
            self.canv.setFillColor(HexColor(kind.colour))
            self.canv.drawString(0, y + 0.22 * kind.leading, line)


def beside(cells: Sequence[Flowable], widths: Sequence[float]) -> Table:
    """Blocks side by side, the first flush with the margin."""
    table = Table([list(cells)], colWidths=list(widths))
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, 0), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ]
    )
    return table


def lines_table(content: InvoiceContent, wording: InvoiceWording) -> Table:
    """What is paid for; VAT of a line is its part of the VAT of its rate."""
    rows = [
        [
            str(line.ordinal),
            wording.line_name(line),
            format_integer(line.quantity),
            format_duration(line.seconds) if line.seconds else "",
            format_money(line.net),
            format_percent(line.vat_percent),
            format_money(vat),
            format_money(line.net + vat),
        ]
        for line, vat in zip(content.lines, line_vats(content), strict=True)
    ]
    sums = [
        _sums(wording.vat_line.format(percent=format_percent(part.percent)), part.net, part.vat)
        for part in content.vat
    ]
    sums.append(_sums(wording.total, content.net, content.vat_sum))
    widths = _widths(LINE_COLUMNS, LINE_WIDTHS, rows + sums)
    cells = [
        _heads(LINE_COLUMNS, widths, wording),
        *(_laid_out(LINE_COLUMNS, row, widths) for row in rows),
        *sums,
    ]
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    first = len(rows) + 1
    table.setStyle(
        [
            *_style(LINE_COLUMNS),
            *(("SPAN", (0, row), (3, row)) for row in range(first, len(cells))),
            ("ALIGN", (0, first), (-1, -1), "RIGHT"),
            ("LINEABOVE", (0, first), (-1, first), 0.8, HexColor(INK)),
            *_bold(-1),
        ]
    )
    return table


def _sums(words: str, net: int, vat: int) -> list[str]:
    return [words, "", "", "", format_money(net), "", format_money(vat), format_money(net + vat)]


def balance_table(content: InvoiceContent, wording: InvoiceWording) -> Table:
    """From what was owed before to what is to be paid."""
    widths = (WIDTH - 32 * mm, 32 * mm)
    rows = [
        [_cell(words, widths[0]), format_money(sum_)] for words, sum_ in balances(content, wording)
    ]
    table = LongTable(rows, colWidths=widths)
    table.setStyle(
        [
            *_plain(),
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("BACKGROUND", (0, -1), (-1, -1), HexColor(STRIPE)),
            *_bold(-1),
        ]
    )
    return table


def annex_table(
    content: InvoiceContent, annex: Sequence[AnnexRow], wording: InvoiceWording
) -> Table:
    """What each number has, what is no number's, and all of it."""
    kinds = {line.ordinal: line.kind for line in content.lines}
    rest = outside(content, annex, wording)
    shown = [*annex, *([rest] if rest else []), whole(content, wording)]
    rows = [_annex_row(row, kinds) for row in shown]
    widths = _widths(ANNEX_COLUMNS, ANNEX_WIDTHS, rows)
    cells = [
        _heads(ANNEX_COLUMNS, widths, wording),
        *(_laid_out(ANNEX_COLUMNS, row, widths) for row in rows),
    ]
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    table.setStyle([*_style(ANNEX_COLUMNS), *_bold(-1)])
    return table


def _annex_row(row: AnnexRow, kinds: dict[int, LineKind]) -> list[str]:
    fees = calls = calls_net = other = 0
    for ordinal, (quantity, _seconds, net) in row.sums.items():
        if kinds[ordinal] is LineKind.FEE:
            fees += net
        elif kinds[ordinal] in CALL_KINDS:
            calls, calls_net = calls + quantity, calls_net + net
        else:
            other += net
    sums = (calls_net, other, row.net)
    texts = [row.number, row.full_name, row.plan]
    return [*texts, format_money(fees), format_integer(calls), *map(format_money, sums)]


# --- Cells and how they look ----------------------------------------------------------------------


def _widths(
    names: Sequence[str], least: Sequence[float], rows: Sequence[Sequence[str]]
) -> list[float]:
    """Columns of figures are as wide as their longest, which is never cut; the one without a least
    width has the rest of the page.
    """
    widths = list(least)
    for n, name in enumerate(names):
        if name not in TEXTS and n:
            longest = max((row[n] for row in rows), key=len, default="")
            widths[n] = max(widths[n], text_width(longest, BOLD, SIZE) + 2 * PAD + 1)
    return [width or max(WIDTH - sum(widths), LEAST_REST) for width in widths]


def _laid_out(names: Sequence[str], row: Sequence[str], widths: Sequence[float]) -> list[str]:
    """Texts in lines; figures stand in one."""
    return [
        _cell(text, width) if name in TEXTS else text
        for name, text, width in zip(names, row, widths, strict=True)
    ]


def _cell(text: str, width: float, font: str = PLAIN, size: float = SIZE) -> str:
    return "\n".join(in_lines(clean(text), font, size, width - 2 * PAD, MOST_LINES))


def _heads(names: Sequence[str], widths: Sequence[float], wording: InvoiceWording) -> list[str]:
    return [
        _cell(wording.columns[name], width, BOLD, HEAD_SIZE)
        for name, width in zip(names, widths, strict=True)
    ]


def _style(names: Sequence[str]) -> list[Command]:
    """Of a table with heads: figures to the right, under theirs."""
    right = [n for n, name in enumerate(names) if name not in TEXTS]
    return [
        *_plain(),
        ("FONT", (0, 0), (-1, 0), BOLD, HEAD_SIZE, HEAD_LEADING),
        ("BACKGROUND", (0, 0), (-1, 0), HexColor(BAND)),
        *(("ALIGN", (n, 0), (n, -1), "RIGHT") for n in right),
    ]


def _plain() -> list[Command]:
    return [
        ("FONT", (0, 0), (-1, -1), PLAIN, SIZE, LEADING),
        ("TEXTCOLOR", (0, 0), (-1, -1), HexColor(INK)),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(RULE)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LEFTPADDING", (0, 0), (-1, -1), PAD),
        ("RIGHTPADDING", (0, 0), (-1, -1), PAD),
    ]


def _bold(row: int) -> list[Command]:
    return [("FONT", (0, row), (-1, row), BOLD, SIZE, LEADING)]
