"""The workbook of a call detail, opened again and read cell by cell."""

import errno
import subprocess
import sys
import time
import zipfile
from datetime import datetime, timedelta
from datetime import time as day_time
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from domain.call_detail import COST_COLUMNS, ControlSumMismatch, Totals
from domain.cdr.record import CallDirection, Disposition
from domain.orders import Direction
from domain.rating.states import CallRating
from domain.writers import call_detail_xlsx
from tests.domain.writers.sample import (
    COLUMNS,
    NOON,
    UNPRICED,
    WORDING,
    make_head,
    make_row,
    priced_row,
    totals_of,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def written(tmp_path):
    """Write a report of rows and open it."""

    def write(rows, **options):
        rows = list(rows)
        totals = options.pop("totals", None) or totals_of(rows)
        head = make_head(**options.pop("head", {}))
        path = tmp_path / "report.xlsx"
        call_detail_xlsx.write(path, head, totals, iter(rows), WORDING, **options)
        return openpyxl.load_workbook(path)

    return write


def cells(sheet):
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def pairs(book):
    """The words and values of the head."""
    return {row[0]: row[1] for row in cells(book["Сводка"]) if row[0] and row[1] is not None}


def test_a_call_is_a_row_of_typed_cells(written):
    book = written([make_row(61, duration_s=100_000, billable_s=59)])
    header, row = book["Звонки"].iter_rows()
    assert tuple(cell.value for cell in header) == COLUMNS
    assert [cell.value for cell in row] == [
        datetime(2026, 11, 22),  # noqa: DTZ001 - a cell has no zone
        day_time(13, 1),
        "Исходящий",
        "375291112233",
        "Иванов Иван",
        "375172001020",
        "Отвечен",
        timedelta(seconds=100_000),
        timedelta(seconds=59),
        "1795338000.61",
        *(None, None, timedelta(0), None, 0),
    ]
    assert [cell.number_format for cell in row] == [
        "dd.mm.yyyy",
        "hh:mm:ss",
        *["General"] * 5,
        "[h]:mm:ss",
        "[h]:mm:ss",
        "General",
        *("General", "General", "[h]:mm:ss", "General", "#,##0.00####"),  # an empty cell has none
    ]


def test_a_priced_call_tells_where_it_went_and_what_it_cost(written):
    rows = [priced_row(0, 162_700, billed_s=120), priced_row(1, 0, package_s=60, rate_id=8)]
    book = written(rows, totals=totals_of(rows, has_costs=True))
    minute, two = timedelta(minutes=1), timedelta(minutes=2)
    assert [row[10:] for row in cells(book["Звонки"])[1:]] == [
        ["Минск", 0.06, two, None, 0.1627],
        ["=1+1", None, minute, minute, 0],
    ]


@pytest.mark.parametrize(("rating", "word"), [*UNPRICED.items(), (4, "без цены")])
def test_a_call_without_a_price_is_never_one_for_nothing(written, rating, word):
    row = make_row(rating=rating, price=None, billed_s=None, package_s=None)
    assert cells(written([row])["Звонки"])[1][10:] == [None, None, None, None, word]


# --- The sheet of costs ---------------------------------------------------------------------------


def test_costs_stand_by_destination_and_by_number(written):
    rows = [
        priced_row(0, 104_999),
        priced_row(1, 104_999, number="375291112244", full_name=""),
        priced_row(2, 5_000, rate_id=8, package_s=30),
        make_row(3, rating=CallRating.NO_RATE, price=None, billed_s=None, package_s=None),
    ]
    book = written(rows, totals=totals_of(rows, has_costs=True))
    assert book.sheetnames == ["Сводка", "Звонки", "Стоимость"]
    m, half = timedelta(minutes=1), timedelta(seconds=30)
    none, titles = timedelta(0), [f"<{name}>" for name in COST_COLUMNS]
    total = ["Всего", None, 3, 3 * m, half, 0.22, 0.06, 0.28, 1]
    empty = [None] * 9
    assert cells(book["Стоимость"]) == [
        ["Стоимость", *(" " * n for n in range(1, 9))],
        ["Суммы без НДС", *empty[1:]],
        empty,
        ["По направлениям", *empty[1:]],
        titles,
        total,
        ["group7!", "03.2026", 2, 2 * m, none, 0.21, None, None, None],
        ["group8!", "03.2026", 1, m, half, 0.01, None, None, None],
        empty,
        ["По номерам", *empty[1:]],
        ["Номер абонента", "Ф.И.О.", *titles[2:]],
        total,
        ["375291112233", "Иванов Иван", 2, 2 * m, half, 0.12, 0.03, 0.15, 1],
        ["375291112244", None, 1, m, none, 0.1, 0.03, 0.13, None],
    ]
    formats = [cell.number_format for cell in book["Стоимость"][6]][2:]
    assert formats == ["General", *["[h]:mm:ss"] * 2, *["#,##0.00"] * 3, "General"]
    head = pairs(book)
    assert (head["<cost>"], head["<vat>"], head["<cost_with_vat>"]) == (
        "0,22 BYN",
        "0,06 BYN",
        "0,28 BYN",
    )
    assert head["<unrated>"] == 1


def test_a_report_that_can_cost_nothing_has_no_costs(written):
    book = written([make_row(direction=CallDirection.IN)], head={"direction": Direction.IN})
    assert book.sheetnames == ["Сводка", "Звонки"]
    assert "<cost>" not in pairs(book)


@pytest.mark.parametrize("second", [0, 1, 59, 3599, 43_199, 45_296, 86_399])
def test_a_time_of_day_comes_back_to_the_second(written, second):
    midnight = NOON.replace(hour=0)
    book = written([make_row(started=midnight + timedelta(seconds=second), duration_s=second)])
    row = cells(book["Звонки"])[1]
    assert row[1] == (midnight + timedelta(seconds=second)).time()
    assert round(row[7].total_seconds(), 3) == second


@pytest.mark.parametrize(("disposition", "word"), list(WORDING.results.items()))
def test_each_result_has_its_word(written, disposition, word):
    book = written([make_row(disposition=disposition)])
    assert cells(book["Звонки"])[1][6] == word


def test_the_sheet_of_calls_is_ready_to_work_with(written):
    sheet = written([make_row(n) for n in range(3)])["Звонки"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:O4"
    assert all(10 <= sheet.column_dimensions[letter].width <= 40 for letter in "ABCDEFGHIJKLMNO")


# --- Nothing becomes a formula ------------------------------------------------------------------

HOSTILE = [
    *("=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.by","нажмите")', "@SUM(A1)", "+1+1"),
    *("+375291234567", "-5", "-1+1", "=", "+", "-", "@", "==1", " =1+1", "'=1+1", '"=1+1"'),
    *("http://example.by/", "https://example.by", "mailto:a@b.by", "ftp://x", "internal:Sheet2!A1"),
    *("1e5", "00123", "0x1F", "TRUE", "#N/A", "12:30", "01.02.2026", "{=1}", "%0A=1+1", "＝1+1"),
    *("_x0041_", "_x000D_=1", "<b>&amp;</b>", "]]>", "😀", "a\u2028b"),
]
STRIPPED = {
    "\t=1+1": " =1+1",
    "\r=1+1": " =1+1",
    "\n=1+1": " =1+1",
    "a\x00b": "ab",
    "\x01\x1f\x7f\x9fx": "x",
    "one\ttwo": "one two",
    "\ud800x": "x",
    "\ufffe\uffffx": "x",
}


@pytest.mark.parametrize("text", [*HOSTILE, *STRIPPED], ids=repr)
def test_a_text_stays_a_text_in_every_column(written, text):
    expected = STRIPPED.get(text, text)
    row = make_row(number=text, full_name=text, peer=text, record_id=text)
    book = written([row], head={"client_name": text, "account_no": text, "excluded": [text]})
    found = 0
    for sheet in book:
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.data_type != "f"
                assert cell.hyperlink is None
                if isinstance(cell.value, str) and unescape(cell.value) == expected:
                    assert cell.data_type == "s"
                    found += 1
    assert found == 4 + 3 + 2  # the call, the head, the sums of its number


def test_a_text_longer_than_a_cell_is_cut(written):
    book = written([make_row(full_name="я" * 40_000)])
    assert len(cells(book["Звонки"])[1][4]) == 32_767


# --- The sheet of sums ----------------------------------------------------------------------------


def test_the_sums_say_what_was_asked_and_found(written):
    rows = [
        make_row(1),
        make_row(2, direction=CallDirection.IN, billable_s=5),
        make_row(
            3, number="375291112244", full_name="", disposition=Disposition.BUSY, billable_s=0
        ),
    ]
    book = written(rows, head={"excluded": ["375290000001", "375290000002"]})
    assert book.sheetnames == ["Сводка", "Звонки"]
    head = pairs(book)
    assert head["<client>"] == "ООО «Ромашка»"
    assert head["<period>"] == "01.11.2026 – 23.11.2026"
    assert head["<direction>"] == "Исходящие+Входящие"
    assert head["<selected>"] == 2
    assert head["<excluded>"] == "375290000001; 375290000002"
    assert head["<made_at>"] == "23.11.2026 14:05"
    assert head["<data_until>"] == "23.11.2026 13:59"
    assert (head["<rows>"], head["<control_sum>"]) == (3, 65)
    titles, everything, first, second = cells(book["Сводка"])[-4:]
    assert titles[0] == "Номер абонента"
    assert titles[-1] == "<control_sum>"
    seconds = [timedelta(seconds=s) for s in (140, 60, 70, 5)]
    assert everything == ["Всего", None, 2, 1, *seconds[:2], 1, 1, *seconds[2:], 65]
    assert first[:4] == ["375291112233", "Иванов Иван", 1, 1]
    assert second[:4] == ["375291112244", None, 1, 0]


def test_one_direction_shows_no_sums_of_the_other(written):
    book = written([make_row()], head={"direction": Direction.OUT})
    assert cells(book["Сводка"])[-3][2:-1] == list(WORDING.sums[Direction.OUT])


def test_many_excluded_numbers_get_a_sheet(written):
    numbers = [f"37529{n:07}" for n in range(21)]
    book = written([make_row()], head={"excluded": numbers})
    assert pairs(book)["<excluded>"] == 21
    assert [row[0] for row in cells(book["Исключенные номера"])] == ["<excluded>", *numbers]


def test_a_report_without_calls_says_so(written):
    book = written([], totals=Totals(totals_of([make_row(billable_s=0)]).numbers[:0]))
    assert book.sheetnames == ["Сводка", "Звонки"]
    header, line = cells(book["Звонки"])
    assert tuple(header) == COLUMNS
    assert line == [WORDING.no_calls, *[None] * 14]
    assert [WORDING.no_calls] in [row[:1] for row in cells(book["Сводка"])]
    assert pairs(book)["<rows>"] == 0


# --- Many rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "sheets"), [(3, 1), (4, 2), (6, 2), (7, 3)])
def test_rows_go_on_in_further_sheets(written, count, sheets):
    book = written([make_row(n) for n in range(count)], sheet_rows=3)
    names = ["Звонки", "Звонки 2", "Звонки 3"][:sheets]
    assert book.sheetnames == ["Сводка", *names]
    ids = []
    for name in names:
        header, *lines = cells(book[name])
        assert tuple(header) == COLUMNS
        assert book[name].freeze_panes == "A2"
        ids += [line[9] for line in lines]
    assert ids == [f"1795338000.{n}" for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_rows_that_are_not_those_added_up_are_noticed(written, count):
    totals = totals_of([make_row(0), make_row(1)])
    with pytest.raises(ControlSumMismatch):
        written([make_row(n) for n in range(count)], totals=totals, sheet_rows=2)


def test_what_the_source_of_the_rows_raises_is_passed_on(tmp_path):
    class LeaseLost(Exception):
        pass

    def rows():
        yield make_row()
        raise LeaseLost

    with pytest.raises(LeaseLost):
        call_detail_xlsx.write(
            tmp_path / "a.xlsx", make_head(), totals_of([make_row()] * 2), rows(), WORDING
        )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_by_its_number():
    with pytest.raises(OSError, match="space") as refused:
        call_detail_xlsx.write(
            Path("/dev/full"), make_head(), totals_of([make_row()]), iter([make_row()]), WORDING
        )
    assert refused.value.errno == errno.ENOSPC


# --- The same bytes -------------------------------------------------------------------------------

MAKE = """
import sys
from pathlib import Path
from domain.writers import call_detail_xlsx
from tests.domain.writers.sample import WORDING, make_head, make_row, totals_of
rows = [make_row(n) for n in range(500)]
call_detail_xlsx.write(Path(sys.argv[1]), make_head(), totals_of(rows), iter(rows), WORDING)
"""


def test_two_processes_at_two_times_make_the_same_bytes(tmp_path):
    made = []
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.xlsx"
        subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", MAKE, str(path)],
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": f"UTC-{seed}"},
        )
        made.append(path.read_bytes())
        time.sleep(1.1)  # times in the file are whole seconds
    assert made[0] == made[1]


def test_the_times_in_the_package_are_those_of_the_report(tmp_path, written):
    book = written([make_row()])
    made_at = datetime(2026, 11, 23, 11, 5, 7)  # noqa: DTZ001 - UTC, as openpyxl reads it
    assert book.properties.created == made_at
    assert book.properties.modified == made_at
    with zipfile.ZipFile(tmp_path / "report.xlsx") as package:
        assert package.testzip() is None
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
