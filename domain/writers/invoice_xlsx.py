"""An invoice as an Excel workbook: a sheet with all that stands on the paper, and a sheet with what
each number has on it. Sums are numbers, texts are inline strings: nothing becomes a formula. The
same content gives the same bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import Format, write_worksheets

from domain.billing.invoice import AnnexRow, InvoiceContent
from domain.billing.lines import line_vats
from domain.billing.words import in_words
from domain.formats import format_date, format_percent
from domain.writers.call_detail_xlsx import filled, header_format, system_errors
from domain.writers.cells import clean
from domain.writers.figures import DAY_S, DURATION_FORMAT, FORMATS, MONEY_FORMAT, cell
from domain.writers.invoice_facts import (
    AnnexColumn,
    annex_columns,
    balances,
    outside,
    sides,
    whole,
)
from domain.writers.invoice_wording import InvoiceWording
from domain.writers.xlsx_package import pin_properties

COLUMNS = ("name", "quantity", "duration", "net", "vat_percent", "vat", "gross")
WIDTHS = [56.0, 12.0, 14.0, 16.0, 9.0, 16.0, 16.0]
TEXT_WIDTHS = (17.0, 36.0, 20.0)

Row = tuple[Any, ...]


def write(
    path: Path, content: InvoiceContent, annex: Sequence[AnnexRow], wording: InvoiceWording
) -> None:
    """Write the workbook to `path`. Raises `OSError` when the disk is full."""
    head, table = _head(content, wording), _table(content, wording)
    sums, below = _balances(content, wording), _below(content, wording)
    title = wording.title_of(content)
    keys = (title, *(" " * n for n in range(1, len(COLUMNS))))  # each must differ
    columns = annex_columns(content, wording)
    rest = outside(content, annex, wording)
    numbers = [*annex, *([rest] if rest else []), whole(content, wording)]
    first, second = wording.sheets
    table_row = len(head) + 2  # the title above, an empty row between
    bold = {table_row: header_format(), table_row + len(table) - 1: _bold()}
    bold[table_row + len(table) + len(sums)] = _bold()  # what is to be paid
    last = len(numbers)
    layout = {
        "header_format": {"general": _bold(), second: header_format()},
        "row_formats": {first: bold, second: {last: _bold()}},
        "column_formats": {first: _formats(keys), second: _annex_formats(columns)},
        "column_widths": {first: WIDTHS, second: [*TEXT_WIDTHS, *[14.0] * (len(columns) - 3)]},
        "freeze_panes": {second: {"row": 1, "col": 1}},
        "ignore_errors": {first: [keys[1]], second: [columns[0].title]},  # digits as texts
        "page_setup": {
            name: {"landscape": True, "fit_to_pages": (1, 0)} for name in (first, second)
        },
    }
    sheets = [
        (first, filled(keys, [*head, (), *table, (), *sums, *below])),
        (second, _annex(columns, numbers)),
    ]
    with system_errors():
        write_worksheets(sheets, str(path), **layout)
    pin_properties(path, datetime.combine(content.issued_on, time(), UTC))


def _head(content: InvoiceContent, wording: InvoiceWording) -> list[Row]:
    rows: list[Row] = [(wording.subtitle_of(content),)]
    for role, name, facts in sides(content, wording):
        rows += [(), (role, clean(name))]
        rows += [(label, clean(value)) for label, value in facts]
    return rows


def _table(content: InvoiceContent, wording: InvoiceWording) -> list[Row]:
    """Heads, lines, their sums by rate of VAT, and all of it."""
    rows: list[Row] = [tuple(wording.columns[name] for name in COLUMNS)]
    for line, vat in zip(content.lines, line_vats(content), strict=True):
        rows.append(
            (
                clean(f"{line.ordinal}. {wording.line_name(line)}"),
                line.quantity,
                line.seconds / DAY_S if line.seconds else None,
                line.net / 100,
                line.vat_percent / 100,
                vat / 100,
                (line.net + vat) / 100,
            )
        )
    for part in content.vat:
        words = wording.vat_line.format(percent=format_percent(part.percent))
        rows.append((words, None, None, *_sums(part.net, part.percent, part.vat)))
    return [*rows, (wording.total, None, None, *_sums(content.net, None, content.vat_sum))]


def _sums(net: int, percent: int | None, vat: int) -> Row:
    return (net / 100, None if percent is None else percent / 100, vat / 100, (net + vat) / 100)


def _balances(content: InvoiceContent, wording: InvoiceWording) -> list[Row]:
    blanks = (None,) * (len(COLUMNS) - 2)
    return [(words, *blanks, sum_ / 100) for words, sum_ in balances(content, wording)]


def _below(content: InvoiceContent, wording: InvoiceWording) -> list[Row]:
    """What is to be done about it."""
    labels, verify = wording.labels, (wording.verify.format(url=wording.verify_url),)
    if content.closing <= 0:
        return [(labels["nothing_to_pay"],), verify]
    words = (labels["to_pay_words"].format(sum=in_words(content.closing)),)
    if content.corrects:
        return [words, verify]
    return [words, (labels["due_on"], format_date(content.due_on)), verify]


def _annex(columns: Sequence[AnnexColumn], rows: Iterable[AnnexRow]) -> Iterator[dict[str, Any]]:
    titles = [clean(column.title) for column in columns]
    for row in rows:
        yield dict(
            zip(titles, (cell(column.form, column.value(row)) for column in columns), strict=True)
        )


def _formats(keys: Sequence[str]) -> dict[str, Format]:
    patterns = dict.fromkeys(("net", "vat", "gross"), MONEY_FORMAT) | {"duration": DURATION_FORMAT}
    return {
        key: Format().set_num_format(patterns[name])
        for key, name in zip(keys, COLUMNS, strict=True)
        if name in patterns
    }


def _annex_formats(columns: Sequence[AnnexColumn]) -> dict[str, Format]:
    return {
        clean(column.title): Format().set_num_format(FORMATS[column.form])
        for column in columns
        if column.form in FORMATS
    }


def _bold() -> Format:
    return Format().set_bold()
