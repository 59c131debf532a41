"""Files of invoices of every shape, as text; what a letter about one says; how an order of one goes
its way.
"""

import csv
import dataclasses
import io
from datetime import timedelta

import openpyxl
import pytest

from domain.formats import format_money
from domain.orders import FileFormat
from services import invoice_reports, invoices
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
def test_an_invoice_looks_as_it_did(written, golden, name):
    invoice = document_of(name)
    parts = [
        pdf_text(written(invoice, PDF)),
        xlsx_text(written(invoice, XLSX)),
        csv_text(written(invoice, CSV)),
    ]
    golden(f"invoices/{name}.txt", "\n\n".join(parts).replace(invoice.key, "<key>"))


@pytest.mark.parametrize("name", CASES)
def test_every_form_adds_up_to_the_document(written, name):
    """Columns of the annex make the lines, lines and VAT the total, balances what is to be paid."""
    invoice = document_of(name)
    content = invoices.content_of(invoice)
    head, *rows = rows_of(written(invoice, CSV))
    kopecks = [sum(map(to_kopecks, column)) for column in list(zip(*rows, strict=True))[3:]]
    sums = dict(zip(head[3:], kopecks, strict=True)) if rows else {}
    for line in content.lines:
        (title,) = (t for t in head if t.startswith(f"{line.ordinal}. ") and is_money(t, line))
        assert sums[title] == line.net
    assert sum(map(to_kopecks, (row[-1] for row in rows))) == content.net == invoice.net
    book = openpyxl.load_workbook(written(invoice, XLSX))
    annex = list(book["Приложение"].iter_rows(min_row=2, values_only=True))
    assert round(annex[-1][-1] * 100) == content.net
    assert round(sum(row[-1] for row in annex[:-1]) * 100) == content.net
    text = " ".join(pdf_text(written(invoice, PDF)).split())
    for figure in (content.net, content.vat_sum, content.total, abs(content.closing)):
        assert " ".join(format_money(figure).split()) in text


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
