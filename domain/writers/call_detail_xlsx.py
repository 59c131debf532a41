"""Call detail as an Excel workbook: a sheet of sums, then the calls. Rows are streamed, so memory
does not grow with them; the same data give the same bytes. Every text goes in as an inline string:
what looks like a formula stays a text and needs no quote before it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import Format, write_worksheets

from domain.call_costs import Costs, Destination, unpriced_word
from domain.call_detail import (
    CallRow,
    NumberTotals,
    ReportHead,
    Sums,
    Totals,
    Wording,
    checked,
    directions_of,
)
from domain.money import ROUBLE
from domain.orders import Direction
from domain.remembered import Remembered
from domain.writers.call_cost_tables import by_destination, by_number
from domain.writers.cells import INLINE_EXCLUDED, clean, head_values
from domain.writers.figures import DAY_S, DURATION_FORMAT, FORMATS, cells_of
from domain.writers.local_times import STRETCH_S, local_stretches
from domain.writers.xlsx_package import pin_properties

SHEET_ROWS = 1_000_000  # Excel itself ends at 1 048 576

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")
_CALL_WIDTHS = [12.0, 10.0, 14.0, 17.0, 34.0, 20.0, 15.0, 14.0, 18.0, 28.0]
_CALL_WIDTHS += [26.0, 14.0, 16.0, 12.0, 15.0]
_PRICE = "#,##0.00####"
_FORMATS = {
    0: "dd.mm.yyyy",
    1: "hh:mm:ss",
    **dict.fromkeys((7, 8, 12, 13), DURATION_FORMAT),
    **dict.fromkeys((11, 14), _PRICE),
}
_COST_WIDTHS = [30.0, 34.0, 12.0, 18.0, 14.0, 18.0, 14.0, 18.0, 12.0]
_SUMMARY_WIDTHS = [46.0, 40.0] + [16.0] * 9

Row = dict[str, Any]


def write(
    path: Path,
    head: ReportHead,
    totals: Totals,
    rows: Iterator[CallRow],
    wording: Wording,
    *,
    sheet_rows: int = SHEET_ROWS,
) -> None:
    """Write the workbook to `path`. `rows` are read once, in their order.

    Raises `ControlSumMismatch` when the rows are not those added up in `totals`, `OSError` when
    the disk is full, and whatever `rows` raises.
    """
    pairs = _head_cells(head, totals, wording)
    calls = _call_cells(checked(rows, totals), head, wording)
    if not totals.rows:
        calls = chain(calls, [_no_calls(wording)])
    names = _sheet_names(wording.calls_sheet, totals.rows, sheet_rows)
    sheets = [(wording.summary_sheet, _summary(pairs, head, totals, wording))]
    sheets += [(name, islice(calls, sheet_rows)) for name in names]
    if len(head.excluded) > INLINE_EXCLUDED:
        label = wording.labels["excluded"]
        sheets.append((wording.excluded_sheet, ({label: clean(text)} for text in head.excluded)))
    layout = _call_layout(names, wording)
    if totals.costs is not None:
        sheets.insert(len(names) + 1, _costs(totals, totals.costs, wording, layout))
    table_row = len(pairs) + 2  # the title above, an empty row between
    _lay_out_summary(layout, wording, table_row, len(_table_head(head, wording)))
    with system_errors():
        write_worksheets(sheets, str(path), **layout)
    next(calls, None)  # past the last row stands the comparison with the control sum
    pin_properties(path, head.made_at)


def _sheet_names(name: str, rows: int, sheet_rows: int) -> list[str]:
    count = max(1, -(-rows // sheet_rows))
    return [name if n == 1 else f"{name} {n}" for n in range(1, count + 1)]


@contextmanager
def system_errors() -> Iterator[None]:
    """The library tells the system's error in words only, or panics; callers look at `errno`."""
    try:
        yield
    except BaseException as error:
        found = _SYSTEM_ERROR.search(str(error))
        is_panic = type(error).__name__ == "PanicException"  # derives from BaseException
        if found and (is_panic or (isinstance(error, OSError) and error.errno is None)):
            raise OSError(int(found[1] or found[2]), str(error)) from error
        if is_panic:
            raise RuntimeError(str(error)) from error
        raise


def _call_layout(names: list[str], wording: Wording) -> dict[str, Any]:
    columns = wording.columns
    formats = {columns[n]: Format().set_num_format(text) for n, text in _FORMATS.items()}
    page = {"landscape": True, "fit_to_pages": (1, 0), "repeat_rows": 0}
    texts = [columns[n] for n in (3, 5, 9)]  # digits, and text on purpose: no green triangles
    return {
        "header_format": dict.fromkeys(names, header_format()),
        "freeze_panes": {name: {"row": 1, "col": 0} for name in names},
        "autofilter": dict.fromkeys(names, True),
        "column_formats": dict.fromkeys(names, formats),
        "column_widths": dict.fromkeys(names, _CALL_WIDTHS),
        "ignore_errors": dict.fromkeys(names, texts),
        "page_setup": dict.fromkeys(names, page),
    }


def _lay_out_summary(
    layout: dict[str, Any], wording: Wording, table_row: int, columns: int
) -> None:
    name, bold = wording.summary_sheet, Format().set_bold()
    layout["float_format"] = DURATION_FORMAT  # the only fractions are the durations among the sums
    layout["header_format"]["general"] = bold
    formats = {table_row: header_format(), table_row + 1: bold}
    layout.setdefault("row_formats", {})[name] = formats
    layout["column_widths"][name] = _SUMMARY_WIDTHS[:columns]
    layout["column_widths"][wording.excluded_sheet] = [20.0]
    layout["ignore_errors"][name] = [wording.title]
    layout["page_setup"][name] = {"landscape": True, "fit_to_pages": (1, 0)}


def header_format() -> Format:
    """How heads of tables look."""
    return Format().set_bold().set_text_wrap().set_background_color("#E7ECF3").set_align("top")


def _no_calls(wording: Wording) -> Row:
    return dict.fromkeys(wording.columns) | {wording.columns[0]: wording.no_calls}


def _call_cells(rows: Iterator[CallRow], head: ReportHead, wording: Wording) -> Iterator[Row]:
    columns, texts = wording.columns, Remembered(clean)
    stretches = local_stretches(head.zone, _day_and_second)
    directions, results = dict(wording.directions), dict(wording.results)
    destinations = Remembered(lambda rate_id: _destination(head, rate_id))
    for row in rows:
        at, direction, number, name, peer, result, duration_s, billable_s, record_id = row[:9]
        rating, price, billed_s, package_s, rate_id = row[9:]
        day, second = stretches[at // STRETCH_S]
        destination, minute = destinations[rate_id]
        cost: Any = None
        if price is None:
            cost = unpriced_word(rating, direction, billable_s, wording.unpriced)
        cells = (
            day,
            (second + at % STRETCH_S) / DAY_S,
            directions[direction],
            texts[number],
            texts[name],
            clean(peer),  # differs in nearly every row, as the id does
            results[result],
            duration_s / DAY_S,
            billable_s / DAY_S,
            clean(record_id),
            destination,
            minute,
            None if billed_s is None else billed_s / DAY_S,
            package_s / DAY_S if package_s else None,
            cost or (price or 0) / ROUBLE,
        )
        yield dict(zip(columns, cells, strict=True))


def _destination(head: ReportHead, rate_id: int | None) -> tuple[str | None, float | None]:
    found = head.destination_of(rate_id) if rate_id else Destination()
    return clean(found.name) or None, None if found.minute is None else found.minute / ROUBLE


def _day_and_second(start: datetime) -> tuple[date, int]:
    return start.date(), start.hour * 3600 + start.minute * 60 + start.second


# --- The sheet of costs ---------------------------------------------------------------------------


def _costs(
    totals: Totals, costs: Costs, wording: Wording, layout: dict[str, Any]
) -> tuple[str, Iterator[Row]]:
    """What calls cost by destination and by number: two tables, one under the other."""
    name, bold = wording.costs_sheet, Format().set_bold()
    rows: list[tuple[Any, ...]] = [(wording.cost_rule,)]
    row_formats = layout.setdefault("row_formats", {}).setdefault(name, {})
    tables = [make(totals, costs, wording) for make in (by_destination, by_number)]
    for table in tables:
        rows += [(), (table.title,), tuple(head.title for head in table.heads)]
        at = len(rows)  # of the heads: the sheet's first row is its own
        row_formats |= {at - 1: bold, at: header_format(), at + 1: bold}
        rows += [cells_of(table, row) for row in (table.total, *table.rows) if row is not None]
    heads = tables[0].heads
    keys = [name, *(" " * n for n in range(1, len(heads)))]
    layout["column_formats"][name] = {
        key: Format().set_num_format(FORMATS[head.form])
        for key, head in zip(keys, heads, strict=True)
        if head.form in FORMATS
    }
    layout["column_widths"][name] = _COST_WIDTHS
    layout["ignore_errors"][name] = [name]
    layout["page_setup"][name] = {"landscape": True, "fit_to_pages": (1, 0)}
    return name, filled(keys, rows)


def filled(keys: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    """Rows as the library takes them; short ones have nothing in their last columns."""
    for row in rows:
        yield dict(zip(keys, row + (None,) * (len(keys) - len(row)), strict=True))


# --- The sheet of sums ----------------------------------------------------------------------------
# A pair of words and value in each row, then a table. The library takes the first row's keys for a
# header: that is the title, and blanks (each key must differ) above the other columns.


def _summary(
    pairs: list[tuple[Any, ...]], head: ReportHead, totals: Totals, wording: Wording
) -> Iterator[Row]:
    shown = directions_of(head.direction)
    titles = _table_head(head, wording)
    keys = [wording.title, *(" " * n for n in range(len(titles) - 1))]
    table = (titles, _totals_cells(wording.all_numbers, totals, shown))
    numbers = (_number_cells(number, shown) for number in totals.numbers)
    return filled(keys, chain(pairs, [()], table, numbers))


def _head_cells(head: ReportHead, totals: Totals, wording: Wording) -> list[tuple[Any, ...]]:
    values = head_values(head, totals, wording)
    cells: list[tuple[Any, ...]] = [(wording.labels[name], values[name]) for name in values]
    return cells if totals.rows else [*cells, (wording.no_calls,)]


def _table_head(head: ReportHead, wording: Wording) -> tuple[Any, ...]:
    sums = [
        title for direction in directions_of(head.direction) for title in wording.sums[direction]
    ]
    return (wording.columns[3], wording.columns[4], *sums, wording.labels["control_sum"])


def _sum_cells(sums: Sums) -> tuple[Any, ...]:
    return (sums.calls, sums.answered, sums.duration_s / DAY_S, sums.billable_s / DAY_S)


def _totals_cells(name: str, totals: Totals, shown: tuple[Direction, ...]) -> tuple[Any, ...]:
    sums = chain.from_iterable(_sum_cells(totals.of(direction)) for direction in shown)
    return (name, None, *sums, totals.control_sum)


def _number_cells(number: NumberTotals, shown: tuple[Direction, ...]) -> tuple[Any, ...]:
    sums = chain.from_iterable(_sum_cells(number.of(direction)) for direction in shown)
    billable_s = number.of(Direction.BOTH).billable_s
    return (clean(number.number), clean(number.full_name), *sums, billable_s)
