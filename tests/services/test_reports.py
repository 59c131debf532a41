"""Reports made of rows in a real database."""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from peewee import SqliteDatabase

from domain.cdr.record import CallDirection, Disposition
from domain.orders import FileFormat, OrderKind
from models import Exchange
from services import clock, reports
from tests import factories
from tests.factories import make_call, make_import_run, make_order, make_subscriber
from tests.services.conftest import MINSK, at

MADE_AT = datetime(2026, 3, 10, 14, 5, 7, tzinfo=MINSK)


@pytest.fixture
def render(app, config):
    """Render an order and open the file."""

    def make(order, made_at=MADE_AT, progress=lambda *_: None):
        rendered = reports.render(order, made_at=made_at, progress=progress)
        return rendered, openpyxl.load_workbook(config.artefact_dir / rendered.path)

    return make


def listed(book):
    """ID column of the calls."""
    return [row[9] for row in book["Звонки"].iter_rows(min_row=2, values_only=True) if row[9]]


def shown(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def head(book):
    return {row[0]: row[1] for row in book["Сводка"].iter_rows(values_only=True)}


def test_the_file_holds_the_calls_of_the_chosen_numbers_and_no_others(client_row, render):
    chosen, other = make_subscriber(client_row), make_subscriber(client_row)
    make_call(chosen, uid="mine")
    make_call(other, uid="not chosen")
    make_call(make_subscriber(), uid="a stranger's")
    rendered, book = render(make_order(client_row, [chosen]))
    assert listed(book) == ["mine"]
    assert rendered.rows == 1


def test_a_subscriber_of_another_client_gives_nothing_even_if_it_got_into_the_order(
    client_row, render
):
    stranger = make_subscriber()
    make_call(stranger)
    assert render(make_order(client_row, [stranger]))[0].rows == 0


@pytest.mark.parametrize(
    ("started", "is_in"),
    [
        (at(1), True),  # the first second of the first day
        (at(1) - timedelta(seconds=1), False),
        (at(10, 23, 59, 59), True),  # the last second of the last day
        (at(11), False),
        (datetime(2026, 2, 28, 21, tzinfo=UTC), True),  # the day begins in the operator's zone
        (datetime(2026, 3, 10, 21, tzinfo=UTC), False),
    ],
)
def test_days_are_days_of_the_operators_zone(client_row, render, started, is_in):
    number = make_subscriber(client_row)
    make_call(number, started)
    assert render(make_order(client_row, [number]))[0].rows == int(is_in)


def test_calls_stand_by_number_and_then_by_time(client_row, render):
    late = make_subscriber(client_row, number="375299000002")
    early = make_subscriber(client_row, number="375299000001")
    make_call(late, at(2), uid="3")
    make_call(early, at(3, 12, 0, 1), uid="2")
    make_call(early, at(3, 12), uid="1", seq=20)
    make_call(early, at(3, 12), uid="0", seq=10)
    assert listed(render(make_order(client_row, [late, early]))[1]) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("direction", "found"), [("out", ["o"]), ("in", ["i"]), ("both", ["o", "i"])]
)
def test_the_type_of_call_detail_chooses_the_direction(client_row, render, direction, found):
    number = make_subscriber(client_row)
    make_call(number, at(2), direction=CallDirection.OUT, uid="o")
    make_call(number, at(3), direction=CallDirection.IN, uid="i")
    rendered, book = render(make_order(client_row, [number], params={"direction": direction}))
    assert listed(book) == found
    wanted = {"out": ["out"], "in": ["in"], "both": ["out", "in"]}[direction]
    assert list(rendered.summary["by_direction"]) == wanted


def test_a_chosen_number_without_calls_stands_among_the_sums(client_row, render):
    busy = make_subscriber(client_row, number="375299000001")
    silent = make_subscriber(client_row, number="375299000002")
    make_call(busy)
    _, book = render(make_order(client_row, [busy, silent]))
    last = list(book["Сводка"].iter_rows(values_only=True))[-1]
    assert last[0] == "375299000002"
    assert not any(last[2:])


def test_no_calls_at_all_make_a_file_that_says_so(client_row, render):
    order = make_order(client_row, [make_subscriber(client_row)])
    rendered, book = render(order)
    assert book["Звонки"]["A2"].value == "За выбранный период звонков нет"
    assert rendered.rows == 0
    assert rendered.summary["control_sum"] == 0


def test_the_summary_for_the_letter_holds_sums_only(client_row, render):
    run = make_import_run(last_at=clock.epoch(at(9, 8)))
    number = make_subscriber(client_row)
    make_call(number, import_run=run)
    make_call(number, import_run=run, disposition=Disposition.BUSY)
    make_call(number, import_run=run, direction=CallDirection.IN, billable_s=7)
    summary = render(make_order(client_row, [number]))[0].summary
    assert summary == {
        "numbers": 1,
        "calls": 3,
        "control_sum": 67,
        "data_until": "2026-03-09T08:00:00+03:00",
        "by_direction": {
            "out": {"calls": 2, "answered": 1, "duration_s": 130, "billable_s": 60},
            "in": {"calls": 1, "answered": 1, "duration_s": 65, "billable_s": 7},
        },
        "cost": {"billed_s": 0, "net": 0, "vat": 0, "total": 0, "unrated": 1},
    }


def test_data_until_looks_at_files_read_in_time_and_not_at_other_clients_exchanges(
    client_row, render
):
    number = make_subscriber(client_row)
    theirs = Exchange.create(name="theirs", client=factories.make_client())
    ours = Exchange.create(name="ours", client=client_row)
    make_import_run(last_at=clock.epoch(at(5)))
    make_import_run(last_at=clock.epoch(at(6)), exchange=ours)
    make_import_run(last_at=clock.epoch(at(7)), exchange=theirs)
    make_import_run(last_at=clock.epoch(at(8)), finished_at=MADE_AT + timedelta(seconds=1))
    assert head(render(make_order(client_row, [number]))[1])["Данные по"] == "06.03.2026 00:00"


def test_a_clock_gone_ahead_does_not_promise_data_of_the_future(client_row, render):
    make_import_run(last_at=clock.epoch(at(20)))
    order = make_order(client_row, [make_subscriber(client_row)])
    assert head(render(order)[1])["Данные по"] == "10.03.2026 14:05"


def test_the_name_tells_the_period_and_the_order_and_no_phone_number(client_row, render):
    number = make_subscriber(client_row)
    order = make_order(client_row, [number], number=12)
    rendered, _ = render(order)
    assert rendered.display_name == "Детализация 2026-03-01–2026-03-10 № 12.xlsx"
    assert rendered.path == f"{order.key}/1.xlsx"
    assert rendered.media_type.endswith("spreadsheetml.sheet")


def test_made_twice_the_file_is_the_same(client_row, render):
    number = make_subscriber(client_row)
    for minute in range(50):
        make_call(number, at(2, 10, minute))
    order = make_order(client_row, [number])
    first, _ = render(order)
    second, _ = render(order)
    assert first == second
    assert render(order, made_at=MADE_AT + timedelta(seconds=1))[0].sha256 != first.sha256


def test_the_work_can_be_stopped_and_leaves_nothing_behind(client_row, render, config, monkeypatch):
    class LeaseLost(Exception):
        pass

    def stop(done, total):
        if done:
            raise LeaseLost

    monkeypatch.setattr(reports, "PROGRESS_ROWS", 2)
    number = make_subscriber(client_row)
    for minute in range(5):
        make_call(number, at(2, 10, minute))
    order = make_order(client_row, [number])
    with pytest.raises(LeaseLost):
        render(order, progress=stop)
    assert list((config.artefact_dir / order.key).iterdir()) == []


def test_progress_is_told_as_rows_are_written(client_row, render, monkeypatch):
    monkeypatch.setattr(reports, "PROGRESS_ROWS", 2)
    number = make_subscriber(client_row)
    for minute in range(5):
        make_call(number, at(2, 10, minute))
    told = []
    render(make_order(client_row, [number]), progress=lambda *step: told.append(step))
    assert told == [(0, None), (0, None), (0, 5), (2, 5), (4, 5), (5, 5)]


def test_progress_is_told_while_calls_are_counted(client_row, render, monkeypatch):
    monkeypatch.setattr(reports, "PROGRESS_NUMBERS", 2)
    numbers = [make_subscriber(client_row) for _ in range(5)]
    told = []
    render(make_order(client_row, numbers), progress=lambda *step: told.append(step))
    assert told == [(0, None)] * (3 + 3) + [(0, 0)]  # for costs, and for calls


def test_scratch_files_stay_in_the_data_dir(client_row, render, config, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    seen = []
    order = make_order(client_row, [make_subscriber(client_row)])
    render(order, progress=lambda *_: seen.append(os.environ["TMPDIR"]))
    assert set(seen) == {str(config.artefact_dir / order.key)}
    assert os.environ["TMPDIR"] == "/nowhere"


def test_a_format_that_is_not_made_is_neither_offered_nor_rendered(client_row, render, monkeypatch):
    offered = reports.formats_of(OrderKind.CALL_DETAIL)
    assert FileFormat.XLSX in offered
    monkeypatch.setattr(reports, "RENDERERS", {})
    assert reports.formats_of(OrderKind.CALL_DETAIL) == ()
    with pytest.raises(reports.FormatNotMade, match="call_detail as xlsx"):
        render(make_order(client_row))


def test_a_number_chosen_alone_is_found_among_many_without_sorting(client_row, base):
    """The plan: no calls are sorted, so that memory does not grow with the report."""
    if not isinstance(base.obj, SqliteDatabase):
        pytest.skip("PostgreSQL decides by what the tables hold")
    order = make_order(client_row, [make_subscriber(client_row)])
    plans = []
    for query in (reports._rows_query(order), reports._totals_query(order)):
        sql, params = query.sql()
        plan = " ".join(row[-1] for row in base.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params))
        plans.append(plan)
        assert "TEMP B-TREE FOR GROUP BY" not in plan
        assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plans[0]


def test_the_cells_of_a_report(written_down, render, golden):
    book = render(written_down)[1]
    lines = []
    for sheet in book:
        lines.append(f"== {sheet.title}")
        for row in sheet.iter_rows():
            texts = ["" if cell.value is None else shown(cell.value) for cell in row]
            lines.append(" | ".join(texts).rstrip(" |"))
    golden("call_detail_xlsx.txt", "\n".join(lines) + "\n")


def test_the_zone_is_named_and_used(client_row, render):
    number = make_subscriber(client_row)
    make_call(number, datetime(2026, 3, 2, 6, 0, tzinfo=UTC))
    try:
        clock.set_zone(ZoneInfo("Asia/Vladivostok"))
        _, book = render(make_order(client_row, [number]))
    finally:
        clock.set_zone(MINSK)
    assert head(book)["Часовой пояс"] == "Asia/Vladivostok"
    assert book["Звонки"]["B2"].value.hour == 16
