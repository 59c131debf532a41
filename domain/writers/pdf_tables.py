"""Tables on A4 pages lying on their side: what a table is, which part of it stands on which page,
and how a part is drawn. What the tables hold is decided elsewhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from domain.writers.pdf_texts import BOLD, PLAIN, clipped, load_fonts, text_width, wrapped

# Points, from the lower left corner of the page.
PAGE = landscape(A4)
LEFT, RIGHT = 28.0, PAGE[0] - 28.0
WIDTH = RIGHT - LEFT
TOP, BOTTOM = PAGE[1] - 46.0, 40.0  # of what lies between the running head and the foot
TEXT, SMALL = 7.5, 7.0  # sizes of type
LINE = 11.8  # a row of a table
LEADING = 9.0  # a line of a head
TITLE = 32.0  # a table's title with the space above it
PAD = 4.0  # beside the text of a cell
FEWEST = 4  # rows that must fit under a head, or it begins on the next page

INK, GREY, RULE, BAND, STRIPE = "#1b2430", "#53606f", "#b9c2ce", "#e7ecf3", "#f5f7fa"

Row = Sequence[str]


@dataclass(frozen=True)
class Column:
    """A column of a table. `group` is a title over neighbouring columns that share it."""

    title: str
    width: float
    is_number: bool = False  # set to the right
    indent: float = 0.0  # more room before the text, after a column of numbers
    group: str = ""
    pad: float = PAD  # beside its texts


@dataclass(frozen=True, kw_only=True)
class Table:
    """`count` rows under a head. A line is drawn where the value of column `ruled` changes."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    count: int
    note: str = ""  # in small type beside the title
    lead: Row | None = None  # sums above the rows
    foot: Row | None = None  # and below; their first texts may run over the empty cells after them
    instead: str = ""  # said where there are no rows
    ruled: int | None = None
    size: float = TEXT  # of type in its rows

    @property
    def lines(self) -> int:
        """How many lines it has below its head."""
        return (self.count or 1) + (self.lead is not None) + (self.foot is not None)


def stretched(columns: list[Column]) -> list[Column]:
    """The column without a width takes the room that the others leave."""
    room = WIDTH - sum(column.width for column in columns)
    return [column if column.width else replace(column, width=room) for column in columns]


class Part(NamedTuple):
    """As much of a table as stands on one page; `top` is where its title or head begins."""

    page: int
    top: float
    lines: int
    is_first: bool


def plan(tables: Sequence[Table], top: float) -> list[list[Part]]:
    """The parts of each table, of which the first begins at `top` of the first page."""
    page, plans = 1, []
    for table in tables:
        left, parts = table.lines, []
        while left:
            above = head_height(table) + (0 if parts else TITLE)
            if top < TOP and top - above - min(left, FEWEST) * LINE < BOTTOM:
                page, top = page + 1, TOP
            lines = min(left, max(1, int((top - above - BOTTOM) / LINE)))
            parts.append(Part(page, top, lines, not parts))
            left -= lines
            top -= above + lines * LINE
        plans.append(parts)
    return plans


def lines_of(table: Table) -> Iterator[tuple[Row, bool]]:
    """Its lines, and which of them are bold."""
    if table.lead is not None:
        yield table.lead, True
    for row in table.rows:
        yield row, False
    if not table.count:
        yield (table.instead,), True
    if table.foot is not None:
        yield table.foot, True


def draw_part(canvas: Canvas, table: Table, part: Part, lines: Iterator[tuple[Row, bool]]) -> None:
    y = part.top
    if part.is_first:
        y -= TITLE
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, 10.5)
        canvas.drawString(LEFT, y + 8, table.title)
        _draw_note(canvas, table, y + 8)
    y = _draw_head(canvas, table, y)
    _draw_stripes(canvas, table, y, part.lines)
    text = canvas.beginText()
    text.setFillColor(INK)
    _draw_lines(canvas, text, table, y, lines)
    canvas.drawText(text)


def _draw_note(canvas: Canvas, table: Table, y: float) -> None:
    if table.note:
        left = LEFT + text_width(table.title, BOLD, 10.5) + 10
        canvas.setFillColor(GREY)
        canvas.setFont(PLAIN, SMALL)
        canvas.drawString(left, y, clipped(table.note, PLAIN, SMALL, RIGHT - left))


def _draw_head(canvas: Canvas, table: Table, y: float) -> float:
    height = head_height(table)
    if not height:
        return y
    canvas.setFillColor(BAND)
    canvas.rect(LEFT, y - height, _table_width(table), height, stroke=0, fill=1)
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, SMALL)
    top = y - LEADING
    if any(column.group for column in table.columns):
        _draw_groups(canvas, table, top)
        top -= LEADING + 2
    for left, column in _placed(table):
        for n, line in enumerate(_title_lines(column)):
            if column.is_number:
                canvas.drawRightString(left + column.width - column.pad, top - n * LEADING, line)
            else:
                canvas.drawString(left + column.pad + column.indent, top - n * LEADING, line)
    return y - height


def _draw_groups(canvas: Canvas, table: Table, y: float) -> None:
    spans: dict[str, list[float]] = {}
    for left, column in _placed(table):
        if column.group:
            spans.setdefault(column.group, [left, left])[1] = left + column.width
    for group, (left, right) in spans.items():
        canvas.drawCentredString((left + right) / 2, y, group)
        canvas.line(left + PAD, y - 3.5, right - PAD, y - 3.5)


def _draw_stripes(canvas: Canvas, table: Table, y: float, lines: int) -> None:
    canvas.setFillColor(STRIPE)
    width = _table_width(table)
    for n in range(1, lines, 2):
        canvas.rect(LEFT, y - (n + 1) * LINE, width, LINE, stroke=0, fill=1)


def _draw_lines(
    canvas: Canvas,
    text: PDFTextObject,
    table: Table,
    y: float,
    lines: Iterator[tuple[Row, bool]],
) -> None:
    places, before = _placed(table), None
    for row, is_bold in lines:
        font = BOLD if is_bold else PLAIN
        text.setFont(font, table.size)
        is_ruled = table.ruled is not None and table.count and not is_bold
        ruled = row[table.ruled] if is_ruled else None
        if is_bold or (before is not None and ruled != before):
            canvas.line(LEFT, y, LEFT + _table_width(table), y)
        before = ruled
        y -= LINE
        runs_over = is_bold and (row is table.foot or row is table.lead)
        for n, (cell, (left, column)) in enumerate(zip(row, places, strict=False)):
            if not cell:
                continue
            room = WIDTH if len(row) == 1 or (runs_over and n == 0) else _room(column)
            shown = clipped(cell, font, table.size, room)
            if column.is_number:
                x = left + column.width - column.pad - text_width(shown, font, table.size)
            else:
                x = left + column.pad + column.indent
            text.setTextOrigin(x, y + 3.4)
            text.textOut(shown)


def _placed(table: Table) -> list[tuple[float, Column]]:
    left, places = LEFT, []
    for column in table.columns:
        places.append((left, column))
        left += column.width
    return places


def _table_width(table: Table) -> float:
    return sum(column.width for column in table.columns)


def _title_lines(column: Column) -> list[str]:
    return wrapped(column.title, BOLD, SMALL, _room(column), 3)


def _room(column: Column) -> float:
    return column.width - column.indent - 2 * column.pad


def head_height(table: Table) -> float:
    load_fonts()
    lines = max(len(_title_lines(column)) for column in table.columns)
    groups = LEADING + 2 if any(column.group for column in table.columns) else 0
    return groups + lines * LEADING + 5 if lines else 0
