"""One report in three forms: the same calls, counts and sums in each, and as they lie in the
database; the form is chosen by the order.
"""

import csv
import hashlib
import io
import re
from dataclasses import replace
from datetime import datetime, timedelta

import openpyxl
import pytest

from domain.cdr.record import CallDirection, Disposition
from domain.orders import Direction, FileFormat, OrderKind
from domain.periods import DateRange
from models import Call, Subscriber
from services import clock, reports
from tests.factories import make_call, make_import_run, make_order, make_subscriber
from tests.pdf import lines_of, open_pdf
from tests.services.conftest import MINSK, at

MADE_AT = datetime(2026, 3, 10, 14, 5, 7, tzinfo=MINSK)
CONTROL = "Контрольная сумма (тарифицируемые секунды)"
RESULTS = ("Отвечен", "Не отвечен", "Занято", "Не удался", "Отменен")
CALL = re.compile(
    r"(\d\d\.\d\d\.\d{4}) (\d\d:\d\d:\d\d) (Исходящий|Входящий) (\d+) (SIP-номер) (\d+) "
    rf"({'|'.join(RESULTS)}) (\d+:\d\d:\d\d) (\d+:\d\d:\d\d) (\S+)(?: .*)?"
)


@pytest.fixture
def render(app, config):
    """Make the file of an order in a form; give what was told of it, and its path."""

    def make(order, file_format):
        order.params = {**order.params, "format": file_format}
        rendered = reports.render(order, made_at=MADE_AT, progress=lambda *_: None)
        return rendered, config.artefact_dir / rendered.path

    return make


def seconds(text):
    hours, minutes, rest = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + rest


def in_xlsx(path):
    """Calls as tuples; total calls; control sum."""
    book = openpyxl.load_workbook(path)
    calls = [
        (
            day.strftime("%d.%m.%Y"),
            time.strftime("%H:%M:%S"),
            *texts,
            *(round(each.total_seconds()) for each in durations),
            uid,
        )
        for day, time, *rest in book["Звонки"].iter_rows(min_row=2, values_only=True)
        for texts, durations, uid in [(rest[:5], rest[5:7], rest[7])]
    ]
    head = {row[0]: row[1] for row in book["Сводка"].iter_rows(values_only=True)}
    return calls, head["Всего звонков"], head[CONTROL]


def in_csv(path):
    text = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
    _, *lines = csv.reader(text, delimiter=";", strict=True)
    calls = [(*line[:7], seconds(line[7]), seconds(line[8]), line[9]) for line in lines]
    return calls, len(calls), sum(call[8] for call in calls)


def in_pdf(path):
    lines = [line for page in open_pdf(path).pages for line in lines_of(page)]
    found = [CALL.fullmatch(line) for line in lines]
    calls = [
        (*match.groups()[:7], seconds(match[8]), seconds(match[9]), match[10])
        for match in found
        if match
    ]
    values = lines[lines.index("Данные по | Всего звонков | " + CONTROL) + 1].split(" | ")
    return calls, *(int("".join(value.split())) for value in values[1:])


READERS = {FileFormat.XLSX: in_xlsx, FileFormat.CSV: in_csv, FileFormat.PDF: in_pdf}


@pytest.fixture
def many(client_row):
    """Three numbers with calls of all kinds over many days, one without; and calls of others."""
    numbers = [make_subscriber(client_row, full_name="SIP-номер") for _ in range(4)]
    run = make_import_run(last_at=clock.epoch(at(10, 13)))
    for n in range(150):
        make_call(
            numbers[n % 3],
            at(1) + timedelta(minutes=95 * n, seconds=n),
            import_run=run,
            direction=CallDirection(n % 2),
            disposition=Disposition(n % 5),
            duration_s=n * 37,
            billable_s=0 if n % 5 else n * 31,
        )
    make_call(make_subscriber(client_row), at(2), import_run=run)
    make_call(make_subscriber(), at(2), import_run=run)
    make_call(numbers[0], at(11), import_run=run)
    return numbers


def truth(direction):
    """The calls as they lie in the database, not by the query of reports."""
    codes = {"out": (0,), "in": (1,), "both": (0, 1)}[direction]
    names = {row.id: row for row in Subscriber.across_clients()}
    found = []
    for call in Call.select().order_by(Call.number, Call.started_at, Call.seq):
        started = datetime.fromtimestamp(call.started_at, MINSK)
        if call.direction in codes and started < at(11) and call.billable_s % 31 == 0:
            found.append(
                (
                    f"{started:%d.%m.%Y}",
                    f"{started:%H:%M:%S}",
                    ("Исходящий", "Входящий")[call.direction],
                    call.number,
                    names[call.subscriber_id].full_name,
                    call.peer,
                    RESULTS[call.disposition],
                    call.duration_s,
                    call.billable_s,
                    call.uid,
                )
            )
    return found


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("file_format", list(FileFormat))
def test_each_form_tells_the_truth(client_row, many, render, file_format, direction):
    order = make_order(client_row, many, params={"direction": direction})
    rendered, path = render(order, file_format)
    calls, count, control_sum = READERS[file_format](path)
    expected = truth(direction)
    assert len(expected) == {"out": 75, "in": 75, "both": 150}[direction]
    assert calls == expected
    assert rendered.rows == rendered.summary["calls"] == count == len(expected)
    assert control_sum == rendered.summary["control_sum"] == sum(call[8] for call in expected)
    assert reports.count_calls(
        Subscriber.of(client_row).where(Subscriber.id.in_([number.id for number in many])),
        DateRange(at(1).date(), at(10).date()),
        direction,
    ) == len(expected)


@pytest.mark.parametrize(
    ("file_format", "media_type", "beginning"),
    [
        (FileFormat.CSV, "text/csv; charset=utf-8", b'\xef\xbb\xbf"'),
        (FileFormat.PDF, "application/pdf", b"%PDF-1."),
    ],
)
def test_a_file_is_named_and_typed_by_its_form(
    client_row, many, render, file_format, media_type, beginning
):
    order = make_order(client_row, many, number=12)
    rendered, path = render(order, file_format)
    assert rendered.display_name == f"Детализация 2026-03-01–2026-03-10 № 12.{file_format}"
    assert rendered.path == f"{order.key}/1.{file_format}"
    assert rendered.media_type == media_type
    content = path.read_bytes()
    assert content.startswith(beginning)
    assert rendered.sha256 == hashlib.sha256(content).hexdigest()
    assert render(order, file_format)[0] == rendered  # made again, it is the same


def test_all_forms_are_offered():
    assert reports.formats_of(OrderKind.CALL_DETAIL) == tuple(FileFormat)


@pytest.mark.parametrize(
    ("file_format", "sentence"),
    [(FileFormat.CSV, "Дата"), (FileFormat.PDF, "За выбранный период звонков нет")],
)
def test_no_calls_make_a_file_all_the_same(client_row, render, file_format, sentence):
    order = make_order(client_row, [make_subscriber(client_row)])
    rendered, path = render(order, file_format)
    assert rendered.rows == 0
    if file_format is FileFormat.CSV:
        (line,) = path.read_text(encoding="utf-8-sig").splitlines()
        assert sentence in line
    else:
        assert sentence in lines_of(open_pdf(path).pages[0])


def test_more_calls_than_are_offered_are_made_all_the_same(
    client_row, many, render, app, config, monkeypatch
):
    """The records have grown since the order: it is carried out."""
    monkeypatch.setitem(app.config, "CABINET", replace(config, PDF_ROWS=3))
    rendered, _ = render(make_order(client_row, many), FileFormat.PDF)
    assert rendered.rows == 150


def test_the_csv_as_it_reads(written_down, render, golden):
    content = render(written_down, FileFormat.CSV)[1].read_bytes().decode("utf-8-sig")
    golden("call_detail_csv.txt", content.replace("\r\n", "\n"))


def test_the_pdf_as_it_reads(written_down, render, golden):
    document = open_pdf(render(written_down, FileFormat.PDF)[1])
    pages = ["\n".join(lines_of(page)) for page in document.pages]
    about = "".join(f"{name[1:]}: {value}\n" for name, value in sorted(document.metadata.items()))
    golden("call_detail_pdf.txt", about + "".join(f"== {page}\n" for page in pages))
