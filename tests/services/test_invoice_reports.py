"""Files of invoices of every shape, as text, and what adds up in them."""

import csv
import dataclasses
import io
from datetime import timedelta

import openpyxl
import pytest
from pypdf.generic import ContentStream

from domain.formats import format_money
from domain.orders import FileFormat
from domain.writers import pdf_qr
from models import Client
from services import invoice_reports, invoices, verify
from tests.pdf import lines_of, open_pdf
from tests.services import invoice_cases
from tests.services.invoice_cases import CASES, document_of

REQUISITES = {
    "OPERATOR_NAME": "ООО «Оператор связи»",
    "OPERATOR_UNP": "100000001",
    "OPERATOR_ADDRESS": "220004, г. Минск, пр. Победителей, 1",
    "OPERATOR_BANK": "ОАО «Банк», г. Минск",
    "OPERATOR_IBAN": "BY13NBRB3600900000002Z00AB00",
    "OPERATOR_BIC": "NBRBBY2X",
    "PUBLIC_URL": "https://cabinet.example.by/sip",
}
PDF, XLSX, CSV = FileFormat.PDF, FileFormat.XLSX, FileFormat.CSV


@pytest.fixture
def requisites(app, base, monkeypatch):
    """The operator as it stands on these invoices."""
    config = dataclasses.replace(app.config["CABINET"], **REQUISITES)
    monkeypatch.setitem(app.config, "CABINET", config)


@pytest.fixture
def written(requisites, tmp_path):
    """Write a document in a form; give its path."""

    def write(invoice, file_format):
        path = tmp_path / f"{invoice.key}.{file_format}"
        invoice_reports.write(invoice, file_format, path)
        return path

    return write


def pdf_text(path):
    pages = open_pdf(path).pages
    lines = [line for page in pages for line in ("", *lines_of(page))]
    return "\n".join([f"== PDF, {len(pages)} p.", *lines])


def xlsx_text(path):
    book = openpyxl.load_workbook(path)
    lines = []
    for sheet in book:
        lines.append(f"== {sheet.title}")
        lines += [" | ".join(map(shown, row)).rstrip(" |") for row in sheet.iter_rows()]
    return "\n".join(lines)


def shown(cell):
    """A value with its form where that says more than the value."""
    if cell.value is None:
        return ""
    if not isinstance(cell.value, int | float):
        return str(cell.value)
    return f"{cell.value:.2f}" if cell.number_format == "#,##0.00" else f"{cell.value:g}"


def csv_text(path):
    return "== CSV\n" + path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def rows_of(path):
    text = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=";", strict=True))


@pytest.mark.parametrize("name", CASES)
def test_an_invoice_looks_as_it_did_and_every_form_adds_up(written, golden, name):
    """Columns of the annex make the lines, lines and VAT the total, balances what is to be paid."""
    invoice = document_of(name)
    paths = {file_format: written(invoice, file_format) for file_format in FileFormat}
    paper, book, table = pdf_text(paths[PDF]), xlsx_text(paths[XLSX]), csv_text(paths[CSV])
    golden(f"invoices/{name}.txt", f"{paper}\n\n{book}\n\n{table}".replace(invoice.key, "<key>"))
    content = invoices.content_of(invoice)
    check_table(content, rows_of(paths[CSV]))
    check_book(content, paths[XLSX])
    text = " ".join(paper.split())
    for figure in (content.net, content.vat_sum, content.total, abs(content.closing)):
        assert " ".join(format_money(figure).split()) in text


def check_table(content, rows):
    head, *rows = rows
    figures = list(zip(head, *rows, strict=True))[3:]  # behind number, name and plan
    sums = {title: sum(map(to_kopecks, cells)) for title, *cells in figures}
    for line in content.lines:
        (title,) = (t for t in head if t.startswith(f"{line.ordinal}. ") and is_money(t, line))
        assert sums[title] == line.net
    assert sums[head[-1]] == content.net


def check_book(content, path):
    rows = list(openpyxl.load_workbook(path)["Приложение"].iter_rows(min_row=2, values_only=True))
    assert round(rows[-1][-1] * 100) == content.net
    assert round(sum(row[-1] for row in rows[:-1]) * 100) == content.net


def to_kopecks(text):
    return int(text.replace(",", "")) if "," in text else 0


def is_money(title, line):
    return title.endswith(": сумма") if line.kind in ("calls", "late_calls") else True


@pytest.mark.parametrize("file_format", FileFormat)
def test_the_same_document_is_the_same_bytes_whenever_it_is_written(
    written, file_format, monkeypatch
):
    invoice = document_of("everything_at_once")
    first = written(invoice, file_format).read_bytes()
    monkeypatch.setattr("services.clock.now", lambda: invoice_cases.LATER + timedelta(days=400))
    assert written(invoice, file_format).read_bytes() == first


def test_the_code_on_paper_is_the_address_that_checks_it(written):
    """The dark squares of the page are the modules of that code."""
    invoice = document_of("two_numbers")
    page = open_pdf(written(invoice, PDF)).pages[0]
    url = f"https://cabinet.example.by/sip/verify/{invoice.key}"
    assert url in page.extract_text().replace("\n", "")
    drawn = set()
    runs = [
        [float(number) for number in operands]
        for operands, operator in ContentStream(page.get_contents(), page.pdf).operations
        if operator == b"re"
    ]
    step = min(width for _x, _y, width, _height in runs)
    squares = [run for run in runs if abs(run[3] - step) < 0.01]
    left, top = min(run[0] for run in squares), max(run[1] for run in squares)
    for x, y, width, _height in squares:
        column, row = round((x - left) / step), round((top - y) / step)
        drawn |= {(row, column + n) for n in range(round(width / step))}
    dark = {
        (row, column)
        for row, line in enumerate(pdf_qr.modules(url))
        for column, is_dark in enumerate(line)
        if is_dark
    }
    assert drawn == dark


def test_figures_never_run_into_one_another(written):
    """Nor over the edge of their own column, however large."""
    text = pdf_text(written(document_of("large_sums"), PDF)).replace("\xa0", " ")
    assert "Всего | 990 123 456,88 | 247 530 864,22 | 1 237 654 321,10" in text


def test_names_of_files_say_what_they_are(app, base):
    content = invoices.content_of(document_of("two_numbers"))
    note = dataclasses.replace(content, corrects="2026-000001", number="2026-000002")
    names = [invoice_reports.name_of(content, form) for form in (PDF, XLSX, CSV)]
    assert names == [
        "Счет № 2026-000001 за март 2026",
        "Счет № 2026-000001 за март 2026",
        "Приложение к счету № 2026-000001 за март 2026",
    ]
    assert invoice_reports.name_of(note, PDF) == "Корректировочный счет № 2026-000002 за март 2026"


def test_bank_details_of_the_customer_are_frozen_with_the_bill(written):
    """A bill of before they were known has none, then and now; no later change touches one."""
    invoice_cases.make_plan()
    client = invoice_cases.make_customer()
    invoice_cases.form()
    iban = REQUISITES["OPERATOR_IBAN"]
    known = {"bank": "ЗАО «Ссуда»", "iban": iban, "bic": "DEMOBY2X"}
    Client.update(known).where(Client.id == client.id).execute()
    invoice_cases.form(invoice_cases.APRIL, invoice_cases.LATER)
    Client.update(bank="Другой", iban="", bic="").where(Client.id == client.id).execute()
    after, before = invoices.of_client(client)
    assert not invoices.content_of(before).client.bank
    assert "Ссуда" not in pdf_text(written(before, PDF))
    text = pdf_text(written(after, PDF))
    assert "Банк: ЗАО «Ссуда»" in text
    assert "БИК: DEMOBY2X" in text
    assert text.count("Расчетный счет: BY13 NBRB 3600") == 2, "of both sides"
    assert xlsx_text(written(after, XLSX)).count("BY13 NBRB 3600 9000 0000 2Z00 AB00") == 2
    assert "Другой" not in text
    assert invoices.check(before.key).is_whole
    assert invoices.check(after.key).is_whole
    assert verify.run() == []
