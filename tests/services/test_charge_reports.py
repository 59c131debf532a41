"""The charges as a file: the figures of the screen, in each form, and the letter about them."""

import csv
import io
import random
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy

import openpyxl
import pytest

from domain.orders import FileFormat, OrderKind
from models import Artefact
from models_billing import OneOffCharge
from services import charges, clock, mailer, reports
from services.charge_making import make
from tests.factories import make_order, make_subscriber
from tests.pdf import lines_of, open_pdf
from tests.services.test_charges import LAST, NOW, client, full_month, price  # noqa: F401 - a fixture

MONEY = ("fee", "out", "international", "one_off", "instalment", "net", "vat", "total", "forecast")


@pytest.fixture
def own(client):  # noqa: F811
    numbers = full_month(client, random.Random(1))  # noqa: S311 - to be repeated
    price()
    return numbers


@pytest.fixture
def render(app, config, client):  # noqa: F811
    """Order the charges of numbers, and make the file."""

    def render(numbers, file_format=FileFormat.XLSX, made_at=LAST, **params):
        order = make_order(
            client,
            numbers,
            kind=OrderKind.CHARGES,
            params={"month": "2026-03-01", "format": file_format, **params},
        )
        order.number = 12
        rendered = reports.render(order, made_at=made_at, progress=lambda *_: None)
        return order, rendered, config.artefact_dir / rendered.path

    return render


def in_xlsx(path):
    """The head, and the rows by their titles: all sums first."""
    rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    at = next(n for n, row in enumerate(rows) if row[0] == "Номер телефона")
    return {row[0]: row[1] for row in rows[:at]}, [
        dict(zip(rows[at], row, strict=True)) for row in rows[at + 1 :]
    ]


def kopecks(value):
    return None if value is None else round(value * 100)


TITLES = dict(
    zip(
        MONEY,
        (
            *("Абонплата", "Исходящие: стоимость", "в т. ч. международные", "Разовые", "Рассрочка"),
            *("Без НДС", "НДС", "Всего с НДС", "Прогноз на месяц с НДС"),
        ),
        strict=True,
    )
)


def test_all_numbers_make_the_sums_of_the_screen(client, own, render):  # noqa: F811
    sheet = make(client, LAST)
    _order, rendered, path = render(own)
    head, (total, *rows) = in_xlsx(path)
    assert {name: kopecks(total[TITLES[name]]) for name in MONEY} == {
        name: sheet.sum(name) for name in MONEY
    }
    assert total["Номер телефона"] == "Всего по компании"
    rest = rows.pop()
    assert (rest["Номер телефона"], rest["Ф.И.О."]) == (None, "На компанию в целом")
    assert {name: kopecks(rest[TITLES[name]]) for name in MONEY} == {
        name: sheet.rest(name) for name in MONEY
    }
    for one, row in zip(own, rows, strict=True):
        sums = charges.row_of(sheet, one).sums
        assert row["Номер телефона"] == one.number
        assert {n: kopecks(row[TITLES[n]]) for n in MONEY} == {n: sums[n] for n in MONEY}
        assert row["Исходящие: звонков"] == sums["out_calls"]
        spoken = row["Исходящие: тарифицируемая длительность"]
        assert round(spoken.total_seconds()) == sums["out_s"]
    assert any("осталось" in str(words) for words in head.values()), "of the shared package"
    assert head["Период"] == "01.03.2026 – 31.03.2026"
    assert head["Данные на"] == "31.03.2026 21:00"
    assert head["Сформировано"] == "31.03.2026 21:00"
    assert (rendered.rows, rendered.summary["is_whole"]) == (len(own), True)
    assert rendered.summary["total"] == sheet.sum("total")


def test_some_numbers_make_their_own_sums(client, own, render):  # noqa: F811
    sheet = make(client, LAST)
    _order, rendered, path = render(own[2:4])
    _head, (total, *rows) = in_xlsx(path)
    assert [row["Номер телефона"] for row in rows] == [one.number for one in own[2:4]]
    assert total["Номер телефона"] == "Всего по выбранным номерам"
    for name in MONEY:
        wanted = sum(charges.row_of(sheet, one).sums[name] for one in own[2:4])
        assert kopecks(total[TITLES[name]]) == wanted, name
    assert rendered.summary["is_whole"] is False


def test_a_number_of_another_client_is_not_told_even_if_it_got_into_the_order(own, render):
    stranger = make_subscriber()
    _order, rendered, path = render([own[0], stranger], FileFormat.CSV)
    assert rendered.rows == 1
    assert stranger.number not in path.read_text(encoding="utf-8-sig")


def test_the_csv_has_a_row_for_each_number_and_no_sums(client, own, render):  # noqa: F811
    sheet = make(client, LAST)
    _order, _rendered, path = render(own, FileFormat.CSV)
    text = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
    rows = list(csv.DictReader(text, delimiter=";", strict=True))
    assert [row["Номер телефона"] for row in rows] == [*(one.number for one in own), ""]
    assert rows[-1]["Ф.И.О."] == "На компанию в целом"
    for name in MONEY:
        column = [round(float(row[TITLES[name]].replace(",", ".")) * 100) for row in rows]
        assert sum(column) == sheet.sum(name), name
    assert rows[0]["Звонков без цены"] == "0"


def test_the_pdf_as_it_reads(client, own, render):  # noqa: F811
    _order, rendered, path = render(own, FileFormat.PDF)
    lines = [line for page in open_pdf(path).pages for line in lines_of(page)]
    assert lines[0] == "Начисления за март 2026 г."
    total = next(line for line in lines if line.startswith("Всего по компании"))
    money = f"{rendered.summary['total'] // 100},{rendered.summary['total'] % 100:02}"
    assert money in total
    assert "…" not in total
    assert rendered.display_name == "Начисления за март 2026 № 12.pdf"


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_made_twice_the_file_is_the_same(own, render, file_format):
    order, once, _path = render(own, file_format)
    again = reports.render(order, made_at=LAST, progress=lambda *_: None)
    assert again == once


def test_a_file_made_after_the_month_tells_of_its_last_moment(client, own, render):  # noqa: F811
    last_second = datetime(2026, 3, 31, 23, 59, 59, tzinfo=clock.zone())
    made_at = last_second + timedelta(hours=9)
    _order, rendered, path = render(own, made_at=made_at)
    head, _rows = in_xlsx(path)
    assert rendered.summary["total"] == make(client, last_second).sum("total")
    assert head["Период"] == "01.03.2026 – 31.03.2026"
    assert head["Сформировано"] == "01.04.2026 08:59"


def test_names_from_outside_stay_texts(client, render):  # noqa: F811
    hostile = make_subscriber(client, plan="Офис", full_name="=1+1")
    OneOffCharge.create(
        client=client, subscriber=hostile, day=LAST.date(), name="x", amount=-5, created_at=NOW
    )
    _order, _rendered, path = render([hostile], FileFormat.CSV)
    line = path.read_text(encoding="utf-8-sig").splitlines()[1]
    assert '"\'=1+1"' in line
    assert '"-0,05"' in line
    _order, _rendered, path = render([hostile])
    cells = [cell for row in openpyxl.load_workbook(path).worksheets[0].iter_rows() for cell in row]
    assert [cell.data_type for cell in cells if cell.value == "=1+1"] == ["s"]


@pytest.mark.parametrize("is_attached", [True, False])
def test_the_letter_tells_the_sums_and_of_when_they_are(
    own, render, app, config, golden, monkeypatch, is_attached
):
    if not is_attached:
        limited = replace(config, MAIL_ATTACHMENT_LIMIT_MB=0)
        monkeypatch.setitem(app.config, "CABINET", limited)
    order, rendered, _path = render(own)
    order.key = "abcdef"
    artefact = Artefact(
        order=order,
        path=rendered.path,
        display_name=rendered.display_name,
        media_type=rendered.media_type,
        size=10_000,
        summary=rendered.summary,
        made_at=LAST,
        expires_at=LAST + timedelta(days=7),
    )
    frozen = mailer.compose(order, artefact, ordinal=1, now=LAST)
    message = message_from_bytes(
        (config.artefact_dir / frozen.path).read_bytes(), policy=policy.default
    )
    assert message["Subject"] == "Начисления за март 2026 г., заказ № 12"
    files = [part.get_filename() for part in message.iter_attachments()]
    assert files == (["Начисления за март 2026 № 12.xlsx"] if is_attached else [])
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert ("/orders/abcdef" in text) is not is_attached
    assert "Данные на: 31.03.2026 21:00" in text
    if is_attached:
        html = message.get_body(("html",)).get_content().replace("\r\n", "\n")
        golden("charges_mail.txt", text + html)
