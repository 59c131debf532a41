"""A table of figures with what it is about, as a workbook, a CSV or a PDF. The same document gives
the same bytes.

The CSV is like that of a call detail: a row of column names, then the rows, no sums: it is for
programs. Workbook and paper have the head and the sums above them.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import Format, write_worksheets

from domain.writers import pdf_pages
from domain.writers.call_detail_csv import phone
from domain.writers.call_detail_xlsx import filled, header_format, system_errors
from domain.writers.cells import clean
from domain.writers.figures import (
    FORMATS,
    Figures,
    Form,
    Head,
    Row,
    cells_of,
    csv_text,
    texts_of,
)
from domain.writers.pdf_pages import Front, Paper
from domain.writers.pdf_tables import Column, Table, stretched
from domain.writers.pdf_texts import BOLD, load_fonts, text_width
from domain.writers.xlsx_package import pin_properties

SIZE, PAD = 6.5, 2.5  # of type on paper, and beside it: there are many columns
WIDTHS = (24.0, 40.0, 14.0)  # of a workbook's columns: the first two, and the others


@dataclass(frozen=True, kw_only=True)
class Document:
    """What the file is about, and its table."""

    title: str
    facts: Sequence[tuple[str, str]]
    figures: Figures
    note: str
    author: str
    foot: str
    page_words: str  # with {page} and {pages}
    sheet: str
    language: str
    made_at: datetime


def write_csv(path: Path, document: Document) -> None:
    """Write the rows to `path`. Raises `OSError` when the disk is full."""
    figures = document.figures
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
        rows.writerow([csv_text(Form.TEXT, head.title) for head in figures.heads])
        for row in figures.rows:
            cells = zip(figures.heads[1:], row[1:], strict=True)
            rows.writerow([phone(row[0]), *(csv_text(head.form, cell) for head, cell in cells)])


def write_xlsx(path: Path, document: Document) -> None:
    """Write a sheet with the head, the sums and the rows. Raises `OSError`."""
    figures, name, bold = document.figures, document.sheet, Format().set_bold()
    above: list[tuple[Any, ...]] = [
        *((clean(label), clean(value)) for label, value in document.facts),
        (document.note,),
        (),
        tuple(head.title for head in figures.heads),
    ]
    rows = [figures.total] if figures.total else []
    keys = [document.title, *(" " * n for n in range(1, len(figures.heads)))]
    cells = (cells_of(figures, row) for row in chain(rows, figures.rows))
    at = len(above)
    layout = {
        "header_format": {"general": bold},
        "row_formats": {name: {at: header_format(), **({at + 1: bold} if rows else {})}},
        "column_formats": {name: _formats(keys, figures.heads)},
        "column_widths": {name: [*WIDTHS[:2], *[WIDTHS[2]] * (len(keys) - 2)]},
        "ignore_errors": {name: [keys[0], keys[1]]},  # digits as texts
        "page_setup": {name: {"landscape": True, "fit_to_pages": (1, 0)}},
    }
    with system_errors():
        write_worksheets([(name, filled(keys, chain(above, cells)))], str(path), **layout)
    pin_properties(path, document.made_at)


def _formats(keys: Sequence[str], heads: Sequence[Head]) -> dict[str, Format]:
    return {
        key: Format().set_num_format(FORMATS[head.form])
        for key, head in zip(keys, heads, strict=True)
        if head.form in FORMATS
    }


def write_pdf(path: Path, document: Document) -> None:
    """Write pages with the head, the sums and the rows. Raises `OSError`."""
    load_fonts()
    figures = document.figures
    total = texts_of(figures, figures.total) if figures.total else None
    table = Table(
        title=figures.title,
        note=document.note,
        columns=_columns(figures.heads, total or ()),
        rows=(texts_of(figures, row) for row in figures.rows),
        count=figures.count,
        lead=total,
        instead="—",
        size=SIZE,
    )
    paper = Paper(
        title=clean(document.title),
        author=clean(document.author),
        language=document.language,
        made_at=document.made_at,
        running_head=clean(document.title),
        foot=f"{clean(document.foot)} · {clean(document.author)}",
        page_words=document.page_words,
    )
    facts = [(clean(label), clean(value)) for label, value in document.facts]
    pdf_pages.write(path, paper, Front(document.title, facts), [table])


def _columns(heads: Sequence[Head], total: Row) -> list[Column]:
    """Figures are never cut: a column is as wide as its sum, the widest of them."""
    columns = [
        Column(head.paper or head.title, head.width, is_number=head.form is not Form.TEXT, pad=PAD)
        for head in heads
    ]
    for n, text in enumerate(total):
        if columns[n].is_number:
            width = text_width(text, BOLD, SIZE) + 2 * PAD + 1
            columns[n] = replace(columns[n], width=max(columns[n].width, width))
    return stretched(columns)
