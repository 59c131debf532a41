"""Forms of an invoice against texts and figures from outside: nothing is lost, nothing becomes a
formula or markup, and a full disk is told as such.
"""

import csv
import dataclasses
import errno
import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.billing.forming import vat_totals
from domain.billing.invoice import AnnexRow, InvoiceContent, Line, LineKind, Party
from domain.writers import invoice_csv, invoice_pdf, invoice_xlsx
from domain.writers.invoice_facts import outside
from domain.writers.invoice_wording import COLUMNS, LABELS, InvoiceWording
from domain.writers.pdf_texts import PLAIN, in_lines, text_width
from tests.pdf import open_pdf

HOSTILE = (
    *(
        "=1+1",
        "+1",
        "-1+1",
        "@A1",
        "\t=1",
        "\r=1",
        "＝1",
        '=HYPERLINK("http://x")',
        "<b>",
        "</para>",
    ),
    *(
        "&amp;",
        "&#0;",
        "{date}",
        "%s",
        "a\x00b",
        "\ud83d\ude00",
        "\ud800",
        "«»",
        "x" * 3000,
        "",
        " ",
    ),
)
WORDING = InvoiceWording(
    language="ru",
    title="Счет № {number} от {date}",
    credit_title="Корректировочный счет № {number} от {date}",
    corrects="Исправляет счет № {number}",
    period="Услуги связи, {month}",
    month="март 2026 г.",
    contract="№ {number} от {date}",
    labels={name: f"<{name}>" for name in LABELS}
    | {"charged_words": "{sum}, {vat}", "to_pay_words": "{sum}"},
    columns={name: f"[{name}]" for name in COLUMNS},
    parts={"calls": "звонков", "duration": "время", "net": "сумма"},
    vat_line="По ставке {percent}",
    total="Всего",
    sheets=("Счет", "Приложение"),
    annex="Приложение",
    annex_elsewhere="Номеров: {count}",
    page="Страница {page} из {pages}",
    verify="Проверить: {url}",
    verify_url="https://cabinet.example.by/verify/key",
    line_kinds={LineKind.LATE_CALLS: "За прошлые месяцы", LineKind.DISCOUNT: "Скидка"},
)


def make_line(ordinal=1, net=350, **values):
    values = {"kind": LineKind.FEE, "name": "Плата", "quantity": 1, "vat_percent": 2500, **values}
    return Line(ordinal=ordinal, net=net, **values)


def make_content(*lines, **values):
    lines = lines or (make_line(),)
    return InvoiceContent(
        **{
            "number": "2026-000001",
            "key": "key",
            "period": date(2026, 3, 1),
            "issued_on": date(2026, 4, 2),
            "due_on": date(2026, 4, 25),
            "operator": Party(name="Оператор", unp="1"),
            "client": Party(name="Клиент", unp="2"),
            "account_no": "1",
            "lines": lines,
            "vat": vat_totals(lines),
            "opening": 0,
            **values,
        }
    )


def make_row(n=1, sums=None, **values):
    values = {"number": f"37517{n:07}", "full_name": "Иванов", "plan": "Офис", **values}
    return AnnexRow(subscriber_id=n, sums=sums or {1: (1, 0, 350)}, **values)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_texts_from_outside_stay_texts(tmp_path, text):
    content = make_content(
        make_line(name=text), client=Party(name=text, unp=text, address=text), contract_no=text
    )
    annex = [make_row(number=text, full_name=text, plan=text)]
    for writer in (invoice_pdf, invoice_xlsx, invoice_csv):
        path = tmp_path / writer.__name__
        writer.write(path, content, annex, WORDING)
        first = path.read_bytes()
        writer.write(path, content, annex, WORDING)
        assert path.read_bytes() == first
    assert open_pdf(tmp_path / invoice_pdf.__name__).pages[0].extract_text()
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / invoice_xlsx.__name__).read_bytes()))
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    table = (tmp_path / invoice_csv.__name__).read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table, newline=""), delimiter=";", strict=True))
    assert not any(cell[:1] in set("=+@＝\t\r") for row in rows for cell in row if cell != "+1")


@settings(max_examples=60)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=80),
    st.integers(20, 300),
)
def test_lines_lose_no_sign_and_are_not_wider_than_asked(text, width):
    lines = in_lines(text, PLAIN, 8, width, 200)
    assert len("".join(lines).replace(" ", "")) == len(text.replace(" ", ""))
    assert all(len(line) == 1 or text_width(line, PLAIN, 8) <= width for line in lines)


def test_what_does_not_fit_is_cut_with_a_sign_of_it():
    lines = in_lines("слово " * 50, PLAIN, 8, 60, 3)
    assert (len(lines), lines[-1][-1]) == (3, "…")


def test_what_is_no_numbers_has_a_row_of_its_own():
    content = make_content(make_line(1, 700), make_line(2, -70, kind=LineKind.DISCOUNT))
    annex = [make_row(1), make_row(2)]
    assert outside(content, annex, WORDING).sums == {2: (0, 0, -70)}
    assert outside(make_content(make_line(1, 700)), annex, WORDING) is None


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [
        (LineKind.DISCOUNT, "за верность", "Скидка: за верность"),
        (LineKind.DISCOUNT, "Скидка 5 %", "Скидка 5 %"),
        (LineKind.LATE_CALLS, "Звонки", "За прошлые месяцы: Звонки"),
        (LineKind.CALLS, "Звонки", "Звонки"),
    ],
)
def test_a_line_says_what_it_is_once(kind, name, shown):
    assert WORDING.line_name(make_line(kind=kind, name=name)) == shown


def test_the_heads_of_a_long_annex_stand_on_each_page_and_more_are_left_to_the_workbook(tmp_path):
    annex = [make_row(n) for n in range(500)]
    content = make_content(make_line(net=350 * 500))
    invoice_pdf.write(tmp_path / "a.pdf", content, annex, WORDING)
    pages = open_pdf(tmp_path / "a.pdf").pages
    assert "[full_name]" in pages[1].extract_text()
    last = pages[-1].extract_text()
    assert "[full_name]" in last
    assert f"Страница {len(pages)} из {len(pages)}" in last
    content = dataclasses.replace(content, number="2026-000002")
    invoice_pdf.write(tmp_path / "b.pdf", content, [*annex, make_row(501)], WORDING)
    assert "Номеров: 501" in open_pdf(tmp_path / "b.pdf").pages[0].extract_text()


@pytest.mark.parametrize("writer", [invoice_pdf, invoice_xlsx, invoice_csv])
def test_a_full_disk_is_told_as_such(writer):
    annex = [make_row(n) for n in range(200)]
    with pytest.raises(OSError) as raised:  # noqa: PT011 - its number is looked at
        writer.write(Path("/dev/full"), make_content(make_line(net=70_000)), annex, WORDING)
    assert raised.value.errno == errno.ENOSPC
