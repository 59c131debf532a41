"""Call detail as a PDF to read, print and file: what was asked and found, the sums of each number,
then the calls. Pages are drawn in `pdf_pages.py`, tables in `pdf_tables.py`.

All pages are kept in memory until the end, so the form is for some ten thousand calls.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from domain.call_costs import Destination, unpriced_word
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
from domain.formats import (
    format_date,
    format_duration,
    format_integer,
    format_money,
    format_price,
)
from domain.orders import Direction
from domain.rating.states import CallRating
from domain.remembered import Remembered
from domain.writers import pdf_pages
from domain.writers.call_cost_tables import by_destination, by_number
from domain.writers.cells import INLINE_EXCLUDED, clean, head_values
from domain.writers.figures import Form, texts_of
from domain.writers.local_times import MINUTES, STRETCH_S, hour_and_second, local_stretches
from domain.writers.pdf_pages import Front, Paper
from domain.writers.pdf_tables import WIDTH, Column, Row, Table, stretched

_CALL_WIDTHS = (47.0, 36.0, 50.0, 57.0, 0.0, 58.0, 49.0, 38.0, 38.0, 82.0)
_CALL_WIDTHS += (86.0, 38.0, 38.0, 38.0, 64.0)
_CALL_TEXT, _CALL_PAD = 6.5, 2.5  # fifteen columns: in smaller type, and closer
_NUMBERS = frozenset({7, 8, 11, 12, 13, 14})  # columns of the calls that are set to the right
_NUMBER_WIDTH, _CONTROL_WIDTH = 72.0, 102.0  # among the sums; the name takes the rest
_SUM_WIDTHS = (42.0, 48.0, 66.0, 80.0)
_EXCLUDED_COLUMNS = 8
_ID = 9
_RULED = 3  # a line where the subscriber number changes


def write(
    path: Path, head: ReportHead, totals: Totals, rows: Iterator[CallRow], wording: Wording
) -> None:
    """Write the document to `path`. `rows` are read once, in their order.

    Raises `ControlSumMismatch` when the rows are not those added up in `totals`, `OSError` when
    the disk is full, and whatever `rows` raises.
    """
    values = {
        name: format_integer(value) if isinstance(value, int) else value
        for name, value in head_values(head, totals, wording).items()
    }
    values["order"] = str(head.order_number)
    facts = [(wording.labels[name], value) for name, value in values.items()]
    tables = [_sums(head, totals, wording), *_costs(totals, wording)]
    tables.append(_calls(head, totals, rows, wording))
    if len(head.excluded) > INLINE_EXCLUDED:
        tables.append(_excluded(head, wording))
    paper = _paper(head, values, wording)
    pdf_pages.write(path, paper, Front(wording.title, facts), tables)


def _paper(head: ReportHead, values: dict[str, str], wording: Wording) -> Paper:
    title = f"{wording.title} {values['period']}"
    order = f"{wording.labels['order']}: {values['order']}"
    return Paper(
        title=f"{title}, {values['client']}",
        author=clean(head.operator_name),
        language=wording.language,
        made_at=head.made_at,
        running_head=f"{title} · {values['client']} · {order}",
        foot=f"{order} · {wording.labels['made_at']}: {values['made_at']}"
        f" · {clean(head.operator_name)}",
        page_words=wording.page,
    )


# --- Sums -----------------------------------------------------------------------------------------


def _sums(head: ReportHead, totals: Totals, wording: Wording) -> Table:
    shown = directions_of(head.direction)
    columns = [Column(wording.columns[3], _NUMBER_WIDTH), Column(wording.columns[4], 0)]
    columns += [
        Column(title, width, is_number=True, group=wording.choices[direction])
        for direction in shown
        for title, width in zip(wording.sum_columns, _SUM_WIDTHS, strict=True)
    ]
    columns.append(Column(wording.labels["control_sum"], _CONTROL_WIDTH, is_number=True))
    return Table(
        title=wording.summary_sheet,
        columns=stretched(columns),
        rows=(_number_row(number, shown) for number in totals.numbers),
        count=len(totals.numbers),
        lead=(
            wording.all_numbers,
            "",
            *chain.from_iterable(_sum_cells(totals.of(direction)) for direction in shown),
            format_integer(totals.control_sum),
        ),
        instead="—",
    )


def _number_row(number: NumberTotals, shown: tuple[Direction, ...]) -> Row:
    return (
        clean(number.number),
        clean(number.full_name),
        *chain.from_iterable(_sum_cells(number.of(direction)) for direction in shown),
        format_integer(number.of(Direction.BOTH).billable_s),
    )


def _sum_cells(sums: Sums) -> Row:
    return (
        format_integer(sums.calls),
        format_integer(sums.answered),
        format_duration(sums.duration_s),
        format_duration(sums.billable_s),
    )


# --- Costs ----------------------------------------------------------------------------------------


def _costs(totals: Totals, wording: Wording) -> Iterator[Table]:
    """What calls cost, by destination and by number."""
    if totals.costs is None:
        return
    for make, rule in ((by_destination, wording.cost_rule), (by_number, "")):
        figures = make(totals, totals.costs, wording)
        columns = [
            Column(head.title, head.width, is_number=head.form is not Form.TEXT)
            for head in figures.heads
        ]
        yield Table(
            title=f"{wording.costs_sheet}: {figures.title}",
            note=rule,
            columns=stretched(columns),
            rows=(texts_of(figures, row) for row in figures.rows),
            count=figures.count,
            lead=texts_of(figures, figures.total or ()),
            instead="—",
        )


# --- Calls ----------------------------------------------------------------------------------------


def _calls(head: ReportHead, totals: Totals, rows: Iterator[CallRow], wording: Wording) -> Table:
    sums = totals.of(Direction.BOTH)
    words = f"{wording.labels['rows']}: {format_integer(totals.rows)}"
    durations = (format_duration(sums.duration_s), format_duration(sums.billable_s))
    titles = [wording.paper_columns.get(n, title) for n, title in enumerate(wording.columns)]
    columns = [
        Column(
            title,
            width,
            is_number=n in _NUMBERS,
            indent=5.0 if n == _ID else 0.0,
            pad=_CALL_PAD,
        )
        for n, (title, width) in enumerate(zip(titles, _CALL_WIDTHS, strict=True))
    ]
    return Table(
        title=wording.calls_sheet,
        columns=stretched(columns),
        rows=_call_rows(checked(rows, totals), head, wording),
        count=totals.rows,
        foot=(words, *[""] * 6, *durations, *_money(totals)) if totals.rows else None,
        instead=wording.no_calls,
        ruled=_RULED,
        size=_CALL_TEXT,
    )


def _money(totals: Totals) -> Row:
    """The sums under the columns that tell of money."""
    if totals.costs is None:
        return ("",) * 6
    whole = totals.costs.whole
    durations = (format_duration(whole.billed_s), format_duration(whole.package_s))
    return ("", "", "", *durations, format_money(whole.net))


def _call_rows(rows: Iterator[CallRow], head: ReportHead, wording: Wording) -> Iterator[Row]:
    stretches = local_stretches(head.zone, _day_and_hour)
    texts, durations = Remembered(clean), Remembered(format_duration)
    destinations = Remembered(lambda rate_id: _destination(head, rate_id))
    unpriced = {**wording.unpriced, None: wording.unpriced[CallRating.NO_RATE]}  # the short word
    for row in rows:
        at, direction, number, name, peer, result, duration_s, billable_s, record_id = row[:9]
        rating, price, billed_s, package_s, rate_id = row[9:]
        day, hour, second = stretches[at // STRETCH_S]
        word = None
        if price is None:
            word = unpriced_word(rating, direction, billable_s, unpriced)
        yield (
            day,
            hour + MINUTES[second + at % STRETCH_S],
            wording.directions[direction],
            texts[number],
            texts[name],
            clean(peer),
            wording.results[result],
            durations[duration_s],
            durations[billable_s],
            clean(record_id),
            *destinations[rate_id],
            "" if billed_s is None else durations[billed_s],
            durations[package_s] if package_s else "",
            word or format_price(price or 0),
        )


def _destination(head: ReportHead, rate_id: int | None) -> tuple[str, str]:
    found = head.destination_of(rate_id) if rate_id else Destination()
    return clean(found.name), "" if found.minute is None else format_price(found.minute)


def _day_and_hour(start: datetime) -> tuple[str, str, int]:
    return (format_date(start), *hour_and_second(start))


def _excluded(head: ReportHead, wording: Wording) -> Table:
    numbers = map(clean, head.excluded)
    count = -(-len(head.excluded) // _EXCLUDED_COLUMNS)
    rows = (tuple(islice(numbers, _EXCLUDED_COLUMNS)) for _ in range(count))
    width = WIDTH / _EXCLUDED_COLUMNS
    return Table(
        title=wording.excluded_sheet,
        columns=[Column("", width)] * _EXCLUDED_COLUMNS,
        rows=rows,
        count=count,
    )
