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
from domain.writers.pdf_texts import BOLD, PLAIN, in_lines

WIDTH = A4[0] - 30 * mm
SIZE, LEADING = 8, 9.8  # of type in tables
HEAD_SIZE, HEAD_LEADING = 7.5, 9
PAD = 3  # beside the text of a cell
MOST_LINES = 8  # of one cell
LINE_COLUMNS = ("ordinal", "name", "quantity", "duration", "net", "vat_percent", "vat", "gross")
LINE_WIDTHS = (8 * mm, 0, 17 * mm, 20 * mm, 24 * mm, 14 * mm, 22 * mm, 25 * mm)
ANNEX_COLUMNS = ("number", "full_name", "plan", "fees", "calls", "calls_net", "other", "net")
ANNEX_WIDTHS = (26 * mm, 0, 26 * mm, 20 * mm, 16 * mm, 20 * mm, 20 * mm, 21 * mm)
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

    def __init__(self, texts: Sequence[tuple[str, Type]]) -> None:
        super().__init__()
        self.texts = texts
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
    widths = _widths(LINE_WIDTHS)
    rows = [_heads(LINE_COLUMNS, widths, wording)]
    for line, vat in zip(content.lines, line_vats(content), strict=True):
        rows.append(
            [
                str(line.ordinal),
                _cell(wording.line_name(line), widths[1]),
                format_integer(line.quantity),
                format_duration(line.seconds) if line.seconds else "",
                format_money(line.net),
                format_percent(line.vat_percent),
                format_money(vat),
                format_money(line.net + vat),
            ]
        )
    first_sum = len(rows)
    for part in content.vat:
        words = wording.vat_line.format(percent=format_percent(part.percent))
        rows.append(_sums(words, part.net, part.vat))
    rows.append(_sums(wording.total, content.net, content.vat_sum))
    table = LongTable(rows, colWidths=widths, repeatRows=1)
    table.setStyle(
        [
            *_style(LINE_COLUMNS),
            *(("SPAN", (0, row), (3, row)) for row in range(first_sum, len(rows))),
            ("ALIGN", (0, first_sum), (-1, -1), "RIGHT"),
            ("LINEABOVE", (0, first_sum), (-1, first_sum), 0.8, HexColor(INK)),
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
    widths = _widths(ANNEX_WIDTHS)
    kinds = {line.ordinal: line.kind for line in content.lines}
    rest = outside(content, annex, wording)
    shown = [*annex, *([rest] if rest else []), whole(content, wording)]
    rows = [_heads(ANNEX_COLUMNS, widths, wording)]
    rows += [_annex_row(row, kinds, widths) for row in shown]
    table = LongTable(rows, colWidths=widths, repeatRows=1)
    table.setStyle([*_style(ANNEX_COLUMNS), *_bold(-1)])
    return table


def _annex_row(row: AnnexRow, kinds: dict[int, LineKind], widths: Sequence[float]) -> list[str]:
    fees = calls = calls_net = other = 0
    for ordinal, (quantity, _seconds, net) in row.sums.items():
        if kinds[ordinal] is LineKind.FEE:
            fees += net
        elif kinds[ordinal] in CALL_KINDS:
            calls, calls_net = calls + quantity, calls_net + net
        else:
            other += net
    texts = (row.number, row.full_name, row.plan)
    return [
        *(_cell(text, width) for text, width in zip(texts, widths, strict=False)),
        format_money(fees),
        format_integer(calls),
        *(format_money(sum_) for sum_ in (calls_net, other, row.net)),
    ]


# --- Cells and how they look ----------------------------------------------------------------------


def _widths(given: Sequence[float]) -> list[float]:
    """With the rest of the page's width for the column that names none."""
    return [width or WIDTH - sum(given) for width in given]


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
