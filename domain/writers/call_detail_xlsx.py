"""Call detail as an Excel workbook: a sheet of sums, then the calls. Rows are streamed, so memory
does not grow with them; the same data give the same bytes.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import Format, write_worksheets

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
from domain.formats import format_date, format_moment
from domain.orders import Direction
from domain.writers.xlsx_package import pin_properties

SHEET_ROWS = 1_000_000  # Excel itself ends at 1 048 576
CELL_CHARACTERS = 32_767
INLINE_EXCLUDED = 20  # more numbers than that get a sheet of their own
DAY_S = 86_400

_SPACES = re.compile(r"[\t\r\n]")
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)|Os \{ code: (\d+)")
_CALL_WIDTHS = [12.0, 10.0, 14.0, 17.0, 34.0, 20.0, 15.0, 14.0, 18.0, 28.0]
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
    calls = _call_cells(checked(rows, totals), wording)
    if not totals.rows:
        calls = chain(
            calls, [dict.fromkeys(wording.columns) | {wording.columns[0]: wording.no_calls}]
        )
    names = _sheet_names(wording.calls_sheet, totals.rows, sheet_rows)
    sheets = [(wording.summary_sheet, _summary(pairs, head, totals, wording))]
    sheets += [(name, islice(calls, sheet_rows)) for name in names]
    if len(head.excluded) > INLINE_EXCLUDED:
        label = wording.labels["excluded"]
        sheets.append((wording.excluded_sheet, ({label: clean(text)} for text in head.excluded)))
    table_row = len(pairs) + 2  # the title above, an empty row between
    _write_sheets(path, sheets, names, table_row, wording)
    next(calls, None)  # past the last row stands the comparison with the control sum
    pin_properties(path, head.made_at)


def clean(text: str) -> str:
    """`text` as a cell can hold it: no control characters, not longer than Excel allows.

    What looks like a formula needs nothing more: every text is written as an inline string.

    >>> clean("=1+1\\x00"), clean("a\\tb")
    ('=1+1', 'a b')
    """
    if not text.isprintable():
        text = _UNWRITABLE.sub("", _SPACES.sub(" ", text))
    return text[:CELL_CHARACTERS]


def _sheet_names(name: str, rows: int, sheet_rows: int) -> list[str]:
    count = max(1, -(-rows // sheet_rows))
    return [name if n == 1 else f"{name} {n}" for n in range(1, count + 1)]


def _write_sheets(
    path: Path,
    sheets: list[tuple[str, Iterator[Row]]],
    calls: list[str],
    table_row: int,
    wording: Wording,
) -> None:
    bold = Format().set_bold()
    header = Format().set_bold().set_text_wrap().set_background_color("#E7ECF3").set_align("top")
    text_columns = [wording.columns[n] for n in (3, 5, 9)]
    try:
        write_worksheets(
            sheets,
            str(path),
            float_format="[h]:mm:ss",  # of the sums: their durations are the only fractions
            header_format=dict.fromkeys(calls, header) | {"general": bold},
            freeze_panes={name: {"row": 1, "col": 0} for name in calls},
            autofilter=dict.fromkeys(calls, True),
            column_formats=dict.fromkeys(calls, _call_formats(wording)),
            column_widths=dict.fromkeys(calls, _CALL_WIDTHS)
            | {wording.summary_sheet: _SUMMARY_WIDTHS, wording.excluded_sheet: [20.0]},
            row_formats={wording.summary_sheet: {table_row: header, table_row + 1: bold}},
            ignore_errors=dict.fromkeys(calls, text_columns)
            | {wording.summary_sheet: [wording.title]},
        )
    except OSError as error:
        if told := _system_error(error):
            raise told from error
        raise
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library's own; not an Exception
            raise
        raise _system_error(error) or RuntimeError(str(error)) from error


def _system_error(error: BaseException) -> OSError | None:
    """The library tells the system's error in words only; callers look at `errno`."""
    found = _SYSTEM_ERROR.search(str(error))
    return OSError(int(found[1] or found[2]), str(error)) if found else None


def _call_formats(wording: Wording) -> dict[str, Format]:
    patterns = {0: "dd.mm.yyyy", 1: "hh:mm:ss", 7: "[h]:mm:ss", 8: "[h]:mm:ss"}
    return {wording.columns[n]: Format().set_num_format(pattern) for n, pattern in patterns.items()}


def _call_cells(rows: Iterator[CallRow], wording: Wording) -> Iterator[Row]:
    columns = wording.columns
    for row in rows:
        started = row.started
        seconds = started.hour * 3600 + started.minute * 60 + started.second
        yield dict(
            zip(
                columns,
                (
                    date(started.year, started.month, started.day),
                    seconds / DAY_S,
                    wording.directions[row.direction],
                    clean(row.number),
                    clean(row.full_name),
                    clean(row.peer),
                    wording.results[row.disposition],
                    row.duration_s / DAY_S,
                    row.billable_s / DAY_S,
                    clean(row.record_id),
                ),
                strict=True,
            )
        )


# --- The sheet of sums ----------------------------------------------------------------------------
# A pair of words and value in each row, then a table. The library takes the first row's keys for a
# header: that is the title, and blanks (each key must differ) above the other columns.


def _summary(
    pairs: list[tuple[Any, ...]], head: ReportHead, totals: Totals, wording: Wording
) -> Iterator[Row]:
    shown = directions_of(head.direction)
    titles = _table_head(shown, wording)
    keys = [wording.title, *(" " * n for n in range(len(titles) - 1))]
    table = (titles, _totals_cells(wording.all_numbers, totals, shown))
    numbers = (_number_cells(number, shown) for number in totals.numbers)
    for row in chain(pairs, [()], table, numbers):
        yield dict(zip(keys, row + (None,) * (len(keys) - len(row)), strict=True))


def _head_cells(head: ReportHead, totals: Totals, wording: Wording) -> list[tuple[Any, ...]]:
    values = {
        "client": clean(head.client_name),
        "account": clean(head.account_no),
        "order": head.order_number,
        "period": f"{format_date(head.period.start)} – {format_date(head.period.end)}",
        "zone": head.zone_name,
        "direction": wording.choices[head.direction],
        "selected": len(totals.numbers),
        "excluded": _excluded(head),
        "made_at": format_moment(head.made_at),
        "data_until": format_moment(head.data_until) if head.data_until else "—",
        "rows": totals.rows,
        "control_sum": totals.control_sum,
    }
    cells: list[tuple[Any, ...]] = [(wording.labels[name], values[name]) for name in values]
    return cells if totals.rows else [*cells, (wording.no_calls,)]


def _excluded(head: ReportHead) -> str | int:
    if len(head.excluded) > INLINE_EXCLUDED:
        return len(head.excluded)
    return "; ".join(clean(number) for number in head.excluded) or "—"


def _table_head(shown: tuple[Direction, ...], wording: Wording) -> tuple[Any, ...]:
    sums = [title for direction in shown for title in wording.sums[direction]]
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
