"""The PDF of a call detail, read back: its texts, where they stand, and what the document says of
itself.
"""

import errno
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from domain.call_detail import ControlSumMismatch, NumberTotals, Totals
from domain.cdr.record import CallDirection, Disposition
from domain.formats import format_duration
from domain.orders import Direction
from domain.rating.states import CallRating
from domain.writers import call_detail_pdf, pdf_tables, pdf_texts
from domain.writers.pdf_pages import FOOT, RUNNING_HEAD
from domain.writers.pdf_tables import BOTTOM, LEFT, LINE, RIGHT, TOP, Column, Table
from domain.writers.pdf_texts import PLAIN, clipped, text_width, wrapped
from tests.domain.writers.sample import (
    NOON,
    WORDING,
    make_head,
    make_row,
    priced_row,
    totals_of,
)
from tests.domain.writers.test_call_detail_xlsx import HOSTILE
from tests.pdf import lines_of, open_pdf, places_of

ROOT = Path(__file__).parents[3]
SIZE = 6.5  # of type in the table of calls
CALL = re.compile(r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d (Исх|Вх)одящий")


@pytest.fixture
def written(tmp_path):
    """Write a report of rows and open it."""

    def write(rows, totals=None, **head):
        rows = list(rows)
        path = tmp_path / "report.pdf"
        totals = totals or totals_of(rows)
        call_detail_pdf.write(path, make_head(**head), totals, iter(rows), WORDING)
        return open_pdf(path)

    return write


def texts(document):
    """The lines of each page."""
    return [lines_of(page) for page in document.pages]


def calls(document):
    return [line for page in texts(document) for line in page if CALL.match(line)]


def many_numbers(count):
    return [make_row(n, number=f"37529{n:07}") for n in range(count)]


def test_a_call_is_a_line(written):
    row = make_row(61, duration_s=100_000, billable_s=59, disposition=Disposition.ANSWERED)
    (line,) = calls(written([row]))
    assert line == (
        "22.11.2026 13:01:00 Исходящий 375291112233 Иванов Иван 375172001020 Отвечен "
        "27:46:40 0:00:59 1795338000.61 0:00:00 0,00"
    )


def test_a_priced_call_tells_where_it_went_and_what_it_cost(written):
    nothing = {"price": None, "billed_s": None, "package_s": None}
    rows = [
        priced_row(0, 162_700, billed_s=120),
        priced_row(1, 0, package_s=60),
        make_row(2, rating=CallRating.NO_RATE, **nothing),
    ]
    document = written(rows, totals_of(rows, has_costs=True))
    assert [line.partition("1795338000.")[2] for line in calls(document)] == [
        "0 Минск 0,06 0:02:00 0,1627",
        "1 Минск 0,06 0:01:00 0:01:00 0,00",
        "2 без цены",
    ]
    page = [line for page in texts(document) for line in page]
    assert "Стоимость: По направлениям | Суммы без НДС" in page
    assert "Всего 2 0:03:00 0:01:00 0,16 0,04 0,20 1" in page
    assert "group7! 03.2026 2 0:03:00 0:01:00 0,16" in page
    assert "Стоимость: По номерам" in page
    assert "375291112233 Иванов Иван 2 0:03:00 0:01:00 0,16 0,04 0,20 1" in page
    assert "<rows>: 3 0:03:30 0:03:00 0:03:00 0:01:00 0,16" in page


def test_the_first_page_says_what_was_asked_and_found(written):
    rows = [
        make_row(1),
        make_row(2, direction=CallDirection.IN, billable_s=5),
        make_row(
            3, number="375291112244", full_name="", disposition=Disposition.BUSY, billable_s=0
        ),
    ]
    (page,) = texts(written(rows, excluded=["375290000001", "375290000002"]))
    assert page[0] == "Детализация звонков"
    assert page[1:9] == [
        "<client> | <account> | <order>",
        "ООО «Ромашка» | 00001234 | 12",
        "<period> | <zone> | <direction>",
        "01.11.2026 – 23.11.2026 | Europe/Minsk | Исходящие+Входящие",
        "<selected> | <excluded> | <made_at>",
        "2 | 375290000001; 375290000002 | 23.11.2026 14:05",
        "<data_until> | <rows> | <control_sum>",
        "23.11.2026 13:59 | 3 | 65",
    ]
    assert "Всего 2 1 0:02:20 0:01:00 1 1 0:01:10 0:00:05 65" in page
    assert "375291112233 Иванов Иван 1 1 0:01:10 0:01:00 1 1 0:01:10 0:00:05 65" in page
    assert "375291112244 1 0 0:01:10 0:00:00 0 0 0:00:00 0:00:00 0" in page
    assert "<rows>: 3 0:03:30 0:01:05" in page
    assert page[-1].endswith("Страница 1 из 1")


def test_one_direction_shows_no_sums_of_the_other(written):
    (page,) = texts(written([make_row()], direction=Direction.OUT))
    assert "375291112233 Иванов Иван 1 1 0:01:10 0:01:00 60" in page
    assert not any(line.startswith("Входящие") for line in page)


def test_a_report_without_calls_says_so(written):
    nobody = Totals([NumberTotals("375291112233", "Иванов Иван")])
    (page,) = texts(written([], totals=nobody))
    assert WORDING.no_calls in page
    assert "375291112233 Иванов Иван 0 0 0:00:00 0:00:00 0 0 0:00:00 0:00:00 0" in page


@pytest.mark.parametrize("count", [1, 20, 21, 22, 60, 61, 62, 63, 64, 65, 66, 400])
def test_each_page_knows_how_many_there_are(written, count):
    document = written([make_row(n) for n in range(count)])
    pages = texts(document)
    for number, page in enumerate(pages, start=1):
        assert page[-1].endswith(f"Страница {number} из {len(pages)}")
        assert [line.split(" | ")[:3] for line in page].count(["Дата", "Время", "Вид"]) == 1
    assert all("ООО «Ромашка»" in page[0] for page in pages[1:])
    assert [line.split()[-3] for line in calls(document)] == [
        f"1795338000.{n}" for n in range(count)
    ]
    assert pages[-1][-2].startswith(f"<rows>: {count} ")


def test_the_sums_of_many_numbers_go_over_pages(written):
    document = written(many_numbers(150))
    pages = texts(document)
    with_sums = [page for page in pages if any("Отвечено" in line for line in page)]
    assert len(with_sums) > 2
    listed = [line[:12] for page in pages for line in page if line.startswith("37529")]
    assert listed == [f"37529{n:07}" for n in range(150)]
    assert len(calls(document)) == 150


def test_many_excluded_numbers_are_listed_at_the_end(written):
    numbers = [f"37525{n:07}" for n in range(700)]
    pages = texts(written([make_row()], excluded=numbers))
    assert any(line.endswith("| 23.11.2026 14:05") and "700" in line for line in pages[0])
    found = [
        word for page in pages for line in page for word in line.split() if word[:5] == "37525"
    ]
    assert found == numbers


def test_everything_stands_inside_the_page(written):
    document = written([make_row(n, full_name="Щ" * 300, peer="9" * 40) for n in range(60)])
    for page in document.pages:
        assert [float(side) for side in page.mediabox[2:]] == [841.8898, 595.2756]
        for x, y, text in places_of(page):
            assert LEFT <= x < RIGHT
            assert BOTTOM <= y <= TOP + 0.01 or y in (FOOT, round(RUNNING_HEAD, 4))
            if text.isdigit():
                assert x + text_width(text.decode(), PLAIN, pdf_tables.TEXT) < RIGHT


def test_numbers_end_at_one_edge(written):
    rows = [make_row(n, duration_s=9 * 10**n, billable_s=0) for n in range(7)]
    page = written(rows).pages[0]
    durations = {format_duration(row.duration_s).encode() for row in rows}
    ends = {
        round(x + text_width(text.decode(), PLAIN, SIZE), 1)
        for x, y, text in places_of(page)
        if text in durations
    }
    assert len(durations) == 7
    assert len(ends) == 1


def test_a_long_name_is_cut_with_an_ellipsis(written):
    (line,) = calls(written([make_row(full_name="Константинопольский Иннокентий " * 9)]))
    assert re.search(r"Константино\S*… 375172001020", line)


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_words_from_outside_are_words(written, text):
    document = written([make_row(full_name=text)], client_name=text)
    page = document.pages[0].extract_text()
    shown = text.replace("😀", "□").replace("＝", "□")  # the font has no such signs
    assert "".join(shown.split())[:12] in "".join(page.split())
    assert "/Annots" not in document.pages[0]


def test_the_document_says_what_it_is(written):
    document = written([make_row(n) for n in range(60)])
    about = document.metadata
    assert about.title == "Детализация звонков 01.11.2026 – 23.11.2026, ООО «Ромашка»"
    assert about.author == "Оператор связи"
    assert about.creation_date == about.modification_date == make_head().made_at
    assert document.trailer["/Root"]["/Lang"] == "ru"
    assert [entry.title for entry in document.outline] == ["Сводка", "Звонки"]


def test_only_what_is_used_of_the_two_fonts_is_embedded(written, tmp_path):
    document = written([make_row()])
    fonts = document.pages[0]["/Resources"]["/Font"]
    used = {font.get_object()["/BaseFont"].split("+")[1] for font in fonts.values()}
    assert used == {"DejaVuSans", "DejaVuSans-Bold"}
    assert all("/FontFile2" in font.get_object()["/FontDescriptor"] for font in fonts.values())
    assert (tmp_path / "report.pdf").stat().st_size < 100_000


def test_the_fonts_are_those_that_are_written_down():
    notes = (pdf_texts.FONTS / "README.md").read_text(encoding="utf-8")
    for path in pdf_texts.FONTS.glob("*.ttf"):
        assert f"| `{path.name}` | `{hashlib.sha256(path.read_bytes()).hexdigest()}` |" in notes


# --- Laying out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("top", [TOP, 300.0, 100.0, BOTTOM])
@pytest.mark.parametrize("count", [0, 1, 5, 40, 1000])
def test_a_table_is_parted_without_losing_a_line(count, top):
    table = Table(title="т", columns=[Column("к", 50)], rows=[], count=count, foot=("Всего",))
    (parts,) = pdf_tables.plan([table], top)
    assert sum(part.lines for part in parts) == table.lines
    assert [part.is_first for part in parts] == [True] + [False] * (len(parts) - 1)
    for part in parts:
        above = pdf_tables.head_height(table) + (pdf_tables.TITLE if part.is_first else 0)
        assert part.top - above - part.lines * LINE >= BOTTOM - 0.01


@pytest.mark.parametrize("width", [5, 40, 100, 1000])
def test_what_is_clipped_fits(width):
    for text in ("", "Иванов", "Очень длинное название отдела", "W" * 500):
        assert text_width(clipped(text, PLAIN, 7.5, width), PLAIN, 7.5) <= max(width, 7.5)
        lines = wrapped(text, PLAIN, 7.5, width, 3)
        assert len(lines) <= 3
        assert all(text_width(line, PLAIN, 7.5) <= max(width, 7.5) for line in lines)


# --- What must not happen -------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_that_are_not_those_added_up_are_noticed(written, tmp_path, count):
    with pytest.raises(ControlSumMismatch):
        written([make_row(n) for n in range(count)], totals=totals_of([make_row(0), make_row(1)]))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_by_its_number():
    with pytest.raises(OSError, match="space") as refused:
        call_detail_pdf.write(
            Path("/dev/full"), make_head(), totals_of([make_row()]), iter([make_row()]), WORDING
        )
    assert refused.value.errno == errno.ENOSPC


# --- The same bytes -------------------------------------------------------------------------------

MAKE = """
import sys
from pathlib import Path
from domain.writers import call_detail_csv, call_detail_pdf
from tests.domain.writers.sample import WORDING, make_head, make_row, totals_of
names = ["Имя " + chr(0x410 + n % 64) + chr(0x3b1 + n % 300) for n in range(900)]
rows = [make_row(n, full_name=name) for n, name in enumerate(names)]
for form, writer in (("csv", call_detail_csv), ("pdf", call_detail_pdf)):
    path = Path(sys.argv[1] + "." + form)
    writer.write(path, make_head(), totals_of(rows), iter(rows), WORDING)
    writer.write(path.with_suffix(".again"), make_head(), totals_of(rows), iter(rows), WORDING)
    assert path.read_bytes() == path.with_suffix(".again").read_bytes()
"""


def test_two_processes_at_two_times_make_the_same_bytes(tmp_path):
    made = []
    for seed in ("1", "2"):
        path = tmp_path / seed
        subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", MAKE, str(path)],
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": f"UTC-{seed}"},
        )
        made.append([path.with_suffix(f".{form}").read_bytes() for form in ("csv", "pdf")])
        time.sleep(1.1)  # times in a file are whole seconds
    assert made[0] == made[1]


def test_the_time_it_was_made_is_in_the_bytes(tmp_path):
    made = set()
    for minute in (5, 6):
        path = tmp_path / "report.pdf"
        head = make_head(made_at=NOON.replace(minute=minute))
        call_detail_pdf.write(path, head, totals_of([make_row()]), iter([make_row()]), WORDING)
        made.add(path.read_bytes())
    assert len(made) == 2
