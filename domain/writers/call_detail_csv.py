"""Call detail as CSV: a row of column names, then a row for each call, and nothing else.

Sums and the head of the report are not in this file. It is for Excel's data import, accounting
programs and scripts: they take every row after the first for a call, and one row of sums would
count each call twice. The sums, the number of rows and the control sum stand in the letter.

Excel opens it by a double click: UTF-8 with a byte order mark, `;`, CRLF. Every value is quoted.
A text from outside never becomes a formula: where one begins as formulas do, a `'` stands before
it. Phone numbers lose their `+` instead, so that they stay what they are.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from domain.call_detail import CallRow, ReportHead, Totals, Wording, checked
from domain.formats import format_duration
from domain.writers.cells import clean

_FORMULA = re.compile(r"[\t\r\0]|\s*[=+\-@＝＋－＠]")  # the wide ones: Excel folds them
_PHONE = re.compile(r"\+[0-9][0-9 ]*")


def write(
    path: Path, _head: ReportHead, totals: Totals, rows: Iterator[CallRow], wording: Wording
) -> None:
    """Write the calls to `path`. `rows` are read once, in their order.

    Raises `ControlSumMismatch` when the rows are not those added up in `totals`, `OSError` when
    the disk is full, and whatever `rows` raises.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(wording.columns)
        writer.writerows(_cells(checked(rows, totals), wording))


def guarded(text: str) -> str:
    """`text` as no spreadsheet takes it for a formula.

    >>> guarded("=1+1"), guarded("Иванов"), guarded("-5")
    ("'=1+1", 'Иванов', "'-5")
    """
    shown = clean(text)  # may bring to the front what stood behind a control character
    return f"'{shown}" if _FORMULA.match(text) or _FORMULA.match(shown) else shown


def phone(text: str) -> str:
    """A phone number without its `+`; anything else as `guarded` writes it.

    >>> phone("+375291112233"), phone("+1+1")
    ('375291112233', "'+1+1")
    """
    return text[1:] if _PHONE.fullmatch(text) else guarded(text)


def _cells(rows: Iterator[CallRow], wording: Wording) -> Iterator[tuple[str, ...]]:
    for row in rows:
        at = row.started
        yield (
            f"{at.day:02}.{at.month:02}.{at.year:04}",  # strftime is five times as slow
            f"{at.hour:02}:{at.minute:02}:{at.second:02}",
            wording.directions[row.direction],
            phone(row.number),
            guarded(row.full_name),
            phone(row.peer),
            wording.results[row.disposition],
            format_duration(row.duration_s),
            format_duration(row.billable_s),
            guarded(row.record_id),
        )
