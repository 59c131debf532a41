"""Tables over as many A4 pages as they need, lying on their side: heads repeated, pages counted.
How many pages there will be follows from the numbers of rows, so that rows are read once. What
the tables hold is decided elsewhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from reportlab import rl_config
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from domain.writers.pdf_texts import BOLD, PLAIN, clipped, load_fonts, text_width, wrapped

rl_config.useA85 = 0  # streams as bytes, not as text: files are a fifth smaller, and made sooner

# Points, from the lower left corner of the page.
PAGE = landscape(A4)
LEFT, RIGHT = 28.0, PAGE[0] - 28.0
WIDTH = RIGHT - LEFT
TOP, BOTTOM = PAGE[1] - 46.0, 40.0  # of what lies between the running head and the foot
RUNNING_HEAD, FOOT = PAGE[1] - 30.0, 22.0
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


@dataclass(frozen=True, kw_only=True)
class Table:
    """`count` rows under a head. A line is drawn where the value of column `ruled` changes."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    count: int
    lead: Row | None = None  # sums above the rows
    foot: Row | None = None  # and below; its first text may run over the empty cells after it
    instead: str = ""  # said where there are no rows
    ruled: int | None = None

    @property
    def lines(self) -> int:
        """How many lines it has below its head."""
        return (self.count or 1) + (self.lead is not None) + (self.foot is not None)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What stands on every page and in the document's properties."""

    title: str
    author: str
    language: str
    made_at: datetime
    running_head: str  # on all pages but the first
    foot: str
    page_words: str  # with {page} and {pages}


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
            above = _head_height(table) + (0 if parts else TITLE)
            if top < TOP and top - above - min(left, FEWEST) * LINE < BOTTOM:
                page, top = page + 1, TOP
            lines = min(left, max(1, int((top - above - BOTTOM) / LINE)))
            parts.append(Part(page, top, lines, not parts))
            left -= lines
            top -= above + lines * LINE
        plans.append(parts)
    return plans


def write(path: Path, paper: Paper, front: "Front", tables: Sequence[Table]) -> None:
    """Write the document to `path`: `front` on the first page, then the tables one after another.

    The same content gives the same bytes. Raises `OSError`, and whatever the rows raise.
    """
    plans = plan(tables, front.bottom)
    pages = _Pages(path, paper, plans[-1][-1].page)
    front.draw(pages.canvas)
    for number, (table, parts) in enumerate(zip(tables, plans, strict=True)):
        lines = _lines(table)
        for part in parts:
            pages.turn_to(part.page)
            if part.is_first:
                pages.mark(table.title, f"table{number}")
            _draw_part(pages.canvas, table, part, islice(lines, part.lines))
        next(lines, None)  # past the last row, rows tell whether they were complete
    pages.save()


class _Pages:
    """The document under way: knows the page it is at, and dresses each."""

    def __init__(self, path: Path, paper: Paper, count: int) -> None:
        load_fonts()
        self._paper, self._count, self._at = paper, count, 1
        self.canvas = Canvas(
            str(path),
            pagesize=PAGE,
            invariant=1,
            pageCompression=1,
            initialFontName=PLAIN,
            lang=paper.language,
        )
        self.canvas.setTitle(paper.title)
        self.canvas.setAuthor(paper.author)
        self.canvas.setSubject(paper.running_head)
        self.canvas.setCreator(paper.author)
        moment = f"D:{paper.made_at:%Y%m%d%H%M%S%z}"
        self.canvas.setDateFormatter(lambda *_: f"{moment[:-2]}'{moment[-2:]}'")
        self._dress()

    def turn_to(self, page: int) -> None:
        while self._at < page:
            self.canvas.showPage()
            self._at += 1
            self._dress()

    def mark(self, title: str, key: str) -> None:
        """Make the table that begins here an entry of the reader's list of contents."""
        self.canvas.bookmarkPage(key)
        self.canvas.addOutlineEntry(title, key)

    def save(self) -> None:
        self.canvas.showPage()
        self.canvas.save()

    def _dress(self) -> None:
        canvas, paper = self.canvas, self._paper
        canvas.setFillColor(GREY)
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.5)
        canvas.setFont(PLAIN, SMALL)
        position = paper.page_words.format(page=self._at, pages=self._count)
        canvas.drawRightString(RIGHT, FOOT, position)
        canvas.drawString(LEFT, FOOT, clipped(paper.foot, PLAIN, SMALL, WIDTH * 0.7))
        if self._at > 1:
            canvas.drawString(LEFT, RUNNING_HEAD, clipped(paper.running_head, PLAIN, SMALL, WIDTH))
            canvas.line(LEFT, RUNNING_HEAD - 5, RIGHT, RUNNING_HEAD - 5)


# --- The first page -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Front:
    """The title of the document and what it is about: names with values, in columns."""

    title: str
    facts: Sequence[tuple[str, str]]
    columns: int = 3
    most_lines: int = 8  # of one value

    @property
    def bottom(self) -> float:
        """Where the tables begin."""
        return self._rows()[-1][0] + LINE

    def draw(self, canvas: Canvas) -> None:
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, 16)
        canvas.drawString(LEFT, TOP, clipped(self.title, BOLD, 16, WIDTH))
        tops = [TOP - 30.0] + [bottom for bottom, _ in self._rows()]
        for top, (_, cells) in zip(tops, self._rows(), strict=False):
            for n, (name, lines) in enumerate(cells):
                left = LEFT + n * WIDTH / self.columns
                canvas.setFillColor(GREY)
                canvas.setFont(PLAIN, SMALL)
                canvas.drawString(left, top, name)
                canvas.setFillColor(INK)
                canvas.setFont(BOLD, 9)
                for line, text in enumerate(lines, start=1):
                    canvas.drawString(left, top - line * 11.5, text)

    def _rows(self) -> list[tuple[float, list[tuple[str, list[str]]]]]:
        """Each row of facts with its lower edge."""
        load_fonts()
        width, top, rows = WIDTH / self.columns - 12, TOP - 30.0, []
        for start in range(0, len(self.facts), self.columns):
            cells = [
                (name, wrapped(value, BOLD, 9, width, self.most_lines))
                for name, value in self.facts[start : start + self.columns]
            ]
            top -= 18.0 + 11.5 * max(len(lines) for _, lines in cells)
            rows.append((top, cells))
        return rows


# --- Tables ---------------------------------------------------------------------------------------


def _lines(table: Table) -> Iterator[tuple[Row, bool]]:
    """Its lines, and which of them are bold."""
    if table.lead is not None:
        yield table.lead, True
    for row in table.rows:
        yield row, False
    if not table.count:
        yield (table.instead,), True
    if table.foot is not None:
        yield table.foot, True


def _draw_part(canvas: Canvas, table: Table, part: Part, lines: Iterator[tuple[Row, bool]]) -> None:
    y = part.top
    if part.is_first:
        y -= TITLE
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, 10.5)
        canvas.drawString(LEFT, y + 8, table.title)
    y = _draw_head(canvas, table, y)
    _draw_stripes(canvas, table, y, part.lines)
    text = canvas.beginText()
    text.setFillColor(INK)
    _draw_lines(canvas, text, table, y, lines)
    canvas.drawText(text)


def _draw_head(canvas: Canvas, table: Table, y: float) -> float:
    height = _head_height(table)
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
                canvas.drawRightString(left + column.width - PAD, top - n * LEADING, line)
            else:
                canvas.drawString(left + PAD + column.indent, top - n * LEADING, line)
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
        text.setFont(font, TEXT)
        is_ruled = table.ruled is not None and table.count and not is_bold
        ruled = row[table.ruled] if is_ruled else None
        if is_bold or (before is not None and ruled != before):
            canvas.line(LEFT, y, LEFT + _table_width(table), y)
        before = ruled
        y -= LINE
        runs_over = is_bold and row is table.foot
        for n, (cell, (left, column)) in enumerate(zip(row, places, strict=False)):
            if not cell:
                continue
            room = WIDTH if len(row) == 1 or (runs_over and n == 0) else _room(column)
            shown = clipped(cell, font, TEXT, room)
            if column.is_number:
                x = left + column.width - PAD - text_width(shown, font, TEXT)
            else:
                x = left + PAD + column.indent
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
    return column.width - column.indent - 2 * PAD


def _head_height(table: Table) -> float:
    load_fonts()
    lines = max(len(_title_lines(column)) for column in table.columns)
    groups = LEADING + 2 if any(column.group for column in table.columns) else 0
    return groups + lines * LEADING + 5 if lines else 0
