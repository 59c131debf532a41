"""A document of tables: its first page, what stands on every page, its properties. How many pages
there will be follows from the numbers of rows, so that rows are read once and «page 1 of 40» can
be written at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from domain.writers.pdf_tables import (
    GREY,
    INK,
    LEFT,
    LINE,
    PAGE,
    RIGHT,
    RULE,
    SMALL,
    TOP,
    WIDTH,
    Table,
    draw_part,
    lines_of,
    plan,
)
from domain.writers.pdf_texts import BOLD, PLAIN, clipped, load_fonts, wrapped

RUNNING_HEAD, FOOT = PAGE[1] - 30.0, 22.0
rl_config.useA85 = 0  # streams as bytes, not as text: files are a fifth smaller, and made sooner


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


def write(path: Path, paper: Paper, front: "Front", tables: Sequence[Table]) -> None:
    """Write the document to `path`: `front` on the first page, then the tables one after another.

    The same content gives the same bytes. Raises `OSError`, and whatever the rows raise.
    """
    plans = plan(tables, front.bottom)
    pages = _Pages(path, paper, plans[-1][-1].page)
    front.draw(pages.canvas)
    for number, (table, parts) in enumerate(zip(tables, plans, strict=True)):
        lines = lines_of(table)
        for part in parts:
            pages.turn_to(part.page)
            if part.is_first:
                pages.mark(table.title, f"table{number}")
            draw_part(pages.canvas, table, part, islice(lines, part.lines))
        next(lines, None)  # past the last row, rows tell whether they were complete
    pages.save()


class _Pages:
    """The document under way: knows the page it is at, and dresses each."""

    def __init__(self, path: Path, paper: Paper, count: int) -> None:
        load_fonts()
        self._path, self._paper, self._count, self._at = path, paper, count, 1
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
        self._path.write_bytes(self.canvas.getpdfdata())

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
