"""Call detail as CSV: a row of column names, then a row for each call, and nothing else.

Sums and the head of the report are not in this file. It is for Excel's data import, accounting
programs and scripts: they take every row after the first for a call, and one row of sums would
count each call twice. The sums, the number of rows and the control sum stand in the letter.

Excel opens it by a double click: UTF-8 with a byte order mark, `;`, CRLF. Every value is quoted.
A text from outside never becomes a formula: where one begins as formulas do, a `'` stands before
it. Phone numbers lose their `+` instead, so that they stay what they are.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from domain.call_costs import Destination, format_cost, unpriced_word
from domain.call_detail import CallRow, ReportHead, Totals, Wording, checked
from domain.formats import format_duration
from domain.remembered import Remembered
from domain.writers.cells import CELL_CHARACTERS, clean
from domain.writers.local_times import MINUTES, STRETCH_S, hour_and_second, local_stretches

END = b"\r\n"
CHUNK = 200  # lines written together
_FORMULA = re.compile(r"[\t\r\0]|\s*[=+\-@＝＋－＠]")  # the wide ones: Excel folds them
_NUMBER = re.compile(r"[+-][0-9]{1,30}(?:[.,][0-9]{1,30})?")
_PHONE = re.compile(r"\+[0-9][0-9 ]*")


def write(
    path: Path, head: ReportHead, totals: Totals, rows: Iterator[CallRow], wording: Wording
) -> None:
    """Write the calls to `path`. `rows` are read once, in their order.

    Raises `ControlSumMismatch` when the rows are not those added up in `totals`, `OSError` when
    the disk is full, and whatever `rows` raises.
    """
    with path.open("wb") as file:
        file.write(BOM_UTF8 + b";".join(map(_quoted, wording.columns)) + END)
        lines = _lines(checked(rows, totals), head, wording)
        while chunk := b"".join(islice(lines, CHUNK)):
            file.write(chunk)


def guarded(text: str) -> str:
    """`text` as no spreadsheet takes it for a formula. A number with its sign is none.

    >>> guarded("=1+1"), guarded("Иванов"), guarded("-5"), guarded("-5+1")
    ("'=1+1", 'Иванов', '-5', "'-5+1")
    """
    if text[:1].isalnum() and text.isprintable():  # nearly always: nothing to be done
        return text[:CELL_CHARACTERS]
    if _NUMBER.fullmatch(text):
        return text
    shown = clean(text)  # may bring to the front what stood behind a control character
    return f"'{shown}" if _FORMULA.match(text) or _FORMULA.match(shown) else shown


def phone(text: str) -> str:
    """A phone number without its `+`; anything else as `guarded` writes it.

    >>> phone("+375291112233"), phone("+1+1")
    ('375291112233', "'+1+1")
    """
    return text[1:] if _PHONE.fullmatch(text) else guarded(text)


def _lines(rows: Iterator[CallRow], head: ReportHead, wording: Wording) -> Iterator[bytes]:
    """The calls as `csv.writer` would write them, every value quoted, at a fraction of its cost:
    pieces of a line are remembered with their quotes and as bytes.
    """
    stretches = local_stretches(head.zone, _day_and_hour)
    minutes = [f'{text}";'.encode() for text in MINUTES]
    directions, results = (
        {n: _cell(word) for n, word in words.items()}
        for words in (wording.directions, wording.results)
    )
    phones = Remembered(lambda text: _cell(phone(text)))
    names = Remembered(lambda text: _cell(guarded(text)))
    durations = Remembered(lambda seconds: _cell(format_duration(seconds)))
    paid = Remembered(lambda seconds: _cell("" if seconds is None else format_duration(seconds)))
    packages = Remembered(lambda seconds: _cell(format_duration(seconds) if seconds else ""))
    costs = Remembered(lambda micros: _cell(format_cost(micros))[:-1] + END)
    destinations = Remembered(
        lambda rate_id: _destination(head.destination_of(rate_id) if rate_id else Destination())
    )
    for row in rows:
        at, direction, number, name, peer, result, duration_s, billable_s, record_id = row[:9]
        rating, price, billed_s, package_s, rate_id = row[9:]
        if price is None:
            word = unpriced_word(rating, direction, billable_s, wording.unpriced)
            cost = costs[0] if word is None else _quoted(word) + END
        else:
            cost = costs[price]
        day_and_hour, second = stretches[at // STRETCH_S]
        yield b"".join(
            (
                day_and_hour,
                minutes[second + at % STRETCH_S],
                directions[direction],
                phones[number],
                names[name],
                _own_cell(peer, phone),
                results[result],
                durations[duration_s],
                durations[billable_s],
                _own_cell(record_id, guarded),
                destinations[rate_id],
                paid[billed_s],
                packages[package_s],
                cost,
            )
        )


def _destination(found: Destination) -> bytes:
    minute = "" if found.minute is None else format_cost(found.minute)
    return _cell(guarded(found.name)) + _cell(minute)


def _day_and_hour(start: datetime) -> tuple[bytes, int]:
    hour, second = hour_and_second(start)
    return f'"{start:%d.%m.%Y}";"{hour}'.encode(), second  # alike in all languages, for programs


def _cell(text: str) -> bytes:
    return _quoted(text) + b";"


def _own_cell(text: str, written: Callable[[str], str]) -> bytes:
    """A text that differs in every row: it is not worth while to remember what was made of it.
    Nearly always there is nothing to be done.
    """
    if text[:1].isalnum() and text.isprintable() and '"' not in text and len(text) < 1000:
        return f'"{text}";'.encode()
    return _cell(written(text))


def _quoted(text: str) -> bytes:
    if '"' in text:
        text = text.replace('"', '""')
    return f'"{text}"'.encode()
