"""The CSV of a call detail, as bytes and as a reader of tables takes it."""

import csv
import errno
import io
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from domain.call_costs import Costs
from domain.call_detail import ControlSumMismatch, Totals
from domain.cdr.record import CallDirection, Disposition
from domain.formats import format_duration
from domain.rating.states import CallRating
from domain.writers import call_detail_csv
from domain.writers.call_detail_csv import guarded, phone
from tests.domain.writers.sample import (
    COLUMNS,
    MINSK,
    NOON,
    WORDING,
    make_head,
    make_row,
    priced_row,
    totals_of,
)
from tests.domain.writers.test_call_detail_xlsx import HOSTILE


@pytest.fixture
def written(tmp_path):
    """Write a report of rows and give the file's bytes."""

    def write(rows, totals=None):
        rows = list(rows)
        path = tmp_path / "report.csv"
        call_detail_csv.write(path, make_head(), totals or totals_of(rows), iter(rows), WORDING)
        return path.read_bytes()

    return write


def read(content):
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=";", strict=True))


def test_a_call_is_a_row_of_quoted_texts(written):
    row = make_row(61, duration_s=100_000, billable_s=59, full_name='ООО "Ромашка"; склад')
    header, line = written([row]).decode("utf-8-sig").split("\r\n")[:2]
    assert header == ";".join(f'"{name}"' for name in COLUMNS)
    assert line == (
        '"22.11.2026";"13:01:00";"Исходящий";"375291112233";"ООО ""Ромашка""; склад";'
        '"375172001020";"Отвечен";"27:46:40";"0:00:59";"1795338000.61";'
        '"";"";"0:00:00";"";"0,00"'
    )


def test_a_priced_call_tells_where_it_went_and_what_it_cost(written):
    rows = [
        priced_row(0, 162_700, billed_s=120),
        priced_row(1, 0, package_s=60, rate_id=8),
        priced_row(2, 1_234_500_000),
    ]
    totals = totals_of(rows, has_costs=True)
    assert [line[10:] for line in read(written(rows, totals))[1:]] == [
        ["Минск", "0,06", "0:02:00", "", "0,1627"],
        ["'=1+1", "", "0:01:00", "0:01:00", "0,00"],
        ["Минск", "0,06", "0:01:00", "", "1234,50"],
    ]


@pytest.mark.parametrize(
    ("rating", "values", "word"),
    [
        (CallRating.NO_PLAN, {}, "без цены"),
        (CallRating.NO_RATE, {}, "без цены"),
        (CallRating.WAIVED, {}, "не оплачивается"),
        (None, {}, "еще нет"),
        (None, {"billable_s": 0}, "0,00"),  # costs nothing by nature
        (None, {"direction": CallDirection.IN}, "0,00"),
    ],
)
def test_a_call_without_a_price_is_never_one_for_nothing(written, rating, values, word):
    nothing = {"price": None, "billed_s": None, "package_s": None, "rating": rating}
    line = read(written([make_row(**{**nothing, **values})]))[1]
    assert line[10:] == ["", "", "", "", word]


def test_prices_that_are_not_those_added_up_are_noticed(written):
    rows = [priced_row(0), priced_row(1)]
    with pytest.raises(ControlSumMismatch):
        written([rows[0], priced_row(1, 60_001)], totals_of(rows, has_costs=True))


def test_excel_knows_its_encoding_and_its_line_ends(written):
    content = written([make_row(), make_row(1)])
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r") == 3
    assert content.endswith(b'"\r\n')


def test_every_row_after_the_first_is_a_call(written):
    rows = [make_row(n, disposition=each, billable_s=n) for n, each in enumerate(Disposition)]
    header, *lines = read(written([*rows, make_row(9, direction=CallDirection.IN)]))
    assert tuple(header) == COLUMNS
    assert [line[6] for line in lines] == [*WORDING.results.values(), "Отвечен"]
    assert [line[2] for line in lines] == ["Исходящий"] * 5 + ["Входящий"]


def test_without_calls_the_names_of_the_columns_remain(written):
    assert read(written([])) == [list(COLUMNS)]


@pytest.mark.parametrize("second", [0, 1, 59, 3599, 43_199, 86_399])
def test_a_time_of_day_is_written_to_the_second(written, second):
    started = NOON.replace(hour=0) + timedelta(seconds=second)
    assert read(written([make_row(started=started)]))[1][1] == f"{started:%H:%M:%S}"


# --- Nothing becomes a formula ------------------------------------------------------------------

SIGNED = {"+375291234567", "-5"}  # numbers, no formulas
GUARDED = {
    **{text: f"'{text}" for text in HOSTILE if text.strip()[0] in "=+-@＝" and text not in SIGNED},
    "\t=1+1": "' =1+1",
    "\r=1+1": "' =1+1",
    "\n=1+1": "' =1+1",
    "\tx": "' x",
    "\rx": "' x",
    "\x00x": "'x",
    "\x00=1": "'=1",
    "＋1": "'＋1",
    "－1": "'－1",
    "＠SUM": "'＠SUM",
    "\u00a0=1": "'\u00a0=1",
    "\x01=1": "'=1",
    "a\x00b": "ab",
    "one\ntwo": "one two",
    "a;b": "a;b",
    'a"b': 'a"b',
}
PHONES = {"+375291234567": "375291234567", "+375 17 200": "375 17 200"}


@pytest.mark.parametrize("text", [*HOSTILE, *GUARDED], ids=repr)
def test_a_text_stays_a_text_in_every_column(written, text):
    expected = GUARDED.get(text, text)
    line = read(written([make_row(number=text, full_name=text, peer=text, record_id=text)]))[1]
    assert (line[4], line[9]) == (expected, expected)
    expected = PHONES.get(text, expected)
    assert (line[3], line[5]) == (expected, expected)
    starts = tuple("=+-@＝＋－＠")
    assert not any(cell.lstrip().startswith(starts) for cell in line if cell not in SIGNED)


@pytest.mark.parametrize(("typed", "written_as"), PHONES.items())
def test_a_phone_number_loses_its_plus_and_nothing_else(written, typed, written_as):
    line = read(written([make_row(number=typed, peer=typed)]))[1]
    assert (line[3], line[5]) == (written_as, written_as)


def roubles(micros):
    whole, places = f"{Decimal(micros) / 10**6:.6f}".split(".")
    return f"{whole},{places[:2]}{places[2:].rstrip('0')}"


def plainly(rows):
    """The same file by the standard library, a value at a time."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        started = datetime.fromtimestamp(row.started_at, MINSK)
        writer.writerow(
            (
                *(f"{started:%d.%m.%Y}", f"{started:%H:%M:%S}"),
                *(WORDING.directions[row.direction], phone(row.number), guarded(row.full_name)),
                *(phone(row.peer), WORDING.results[row.disposition]),
                *(format_duration(row.duration_s), format_duration(row.billable_s)),
                guarded(row.record_id),
                *(("Минск", "0,06") if row.rate_id == 7 else ("'=1+1" if row.rate_id else "", "")),
                "" if row.billed_s is None else format_duration(row.billed_s),
                format_duration(row.package_s) if row.package_s else "",
                "без цены" if row.price is None else roubles(row.price),
            )
        )
    return file.getvalue().encode("utf-8-sig")


def test_the_bytes_are_those_of_the_standard_library(written):
    texts = [*HOSTILE, *GUARDED, "", '"', 'a"', '"=1"', "я" * 40_000, "9" * 1001, "a\u00a0b", "²"]
    rows = [
        make_row(
            n * 977,
            direction=n % 2,
            disposition=n % 5,
            number=text,
            full_name=texts[-n],
            peer=texts[n - 1],
            record_id=texts[n // 2],
            duration_s=n * 997,
            billable_s=n,
            rating=CallRating.NO_RATE,
            rate_id=(None, 7, 8)[n % 3],
            price=None if n % 2 == 0 and n else 111_111 * (n + 1),
            billed_s=None if n % 4 == 0 else n * 7,
            package_s=n % 5,
        )
        for n, text in enumerate(texts)
    ]
    money = Costs(micros=sum(row.price or 0 for row in rows))
    assert written(rows, Totals(totals_of(rows).numbers, money)) == plainly(rows)
    same = [priced_row(n, 111_111, record_id=text) for n, text in enumerate(texts)]
    assert written(same, totals_of(same, has_costs=True)) == plainly(same)


# --- What must not happen -------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_that_are_not_those_added_up_are_noticed(written, count):
    with pytest.raises(ControlSumMismatch):
        written([make_row(n) for n in range(count)], totals=totals_of([make_row(0), make_row(1)]))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_by_its_number():
    rows = [make_row(n) for n in range(5000)]
    with pytest.raises(OSError, match="space") as refused:
        call_detail_csv.write(Path("/dev/full"), make_head(), totals_of(rows), iter(rows), WORDING)
    assert refused.value.errno == errno.ENOSPC


def test_rows_are_written_as_they_come(tmp_path):
    """Memory does not grow with them: what was read is on its way to the disk."""
    path, sizes = tmp_path / "report.csv", []
    rows = [make_row(n) for n in range(3000)]

    def reading():
        for row in rows:
            sizes.append(path.stat().st_size)
            yield row

    call_detail_csv.write(path, make_head(), totals_of(rows), reading(), WORDING)
    assert path.stat().st_size - sizes[-1] < 150_000 < sizes[-1]
