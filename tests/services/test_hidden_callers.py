"""The policy to show callers in part only: in every form of the report, and said in the letter."""

from datetime import timedelta

import openpyxl
import pytest
from pypdf import PdfReader

from domain.cdr.record import CallDirection
from domain.orders import FileFormat
from models import Client
from services import mailer, reports
from tests.factories import NOON, make_call, make_order, make_subscriber


@pytest.fixture
def rendered(app, config, client_row):
    """Render an order of three calls; gives the summary and all texts of the file."""
    number = make_subscriber(client_row, number="375171234567", full_name="Касса")
    make_call(number, NOON - timedelta(minutes=3), peer="375297654321")
    for minutes, peer in ((2, "375291234567"), (1, "101")):
        start = NOON - timedelta(minutes=minutes)
        make_call(number, start, peer=peer, direction=CallDirection.IN)

    def render(**params):
        order = make_order(client_row, [number], params=params)
        made = reports.render(order, made_at=NOON, progress=lambda *_: None)
        return made.summary, words_of(config.artefact_dir / made.path)

    return render


def words_of(path):
    if path.suffix == ".csv":
        return path.read_text("utf-8-sig")
    if path.suffix == ".pdf":
        return "".join(page.extract_text() for page in PdfReader(path).pages)
    book = openpyxl.load_workbook(path)
    return "\n".join(str(c.value) for sheet in book for row in sheet.iter_rows() for c in row)


@pytest.mark.parametrize("form", list(FileFormat))
def test_callers_lose_their_last_digits_where_the_policy_says_so(rendered, form):
    sums, plain = rendered(format=form)
    assert "375291234567" in plain
    assert "***" not in plain
    Client.update(hide_incoming_peers=True).execute()
    summary, hidden = rendered(format=form)
    assert "375291234***" in hidden
    assert "375291234567" not in hidden
    assert hidden.count("***") == 2, "the short number is hidden whole"
    assert "375297654321" in hidden, "whom one called one knows"
    if form is not FileFormat.CSV:  # which has no head: the letter says it
        assert "последние 3 цифры скрыты" in hidden
    assert summary == {**sums, "hides_peers": True}, "sums are the truth"


def test_outgoing_calls_alone_say_nothing_of_callers(rendered):
    Client.update(hide_incoming_peers=True).execute()
    summary, words = rendered(direction="out")
    assert "скрыты" not in words
    assert "hides_peers" not in summary


@pytest.mark.parametrize("hides", [True, False])
@pytest.mark.parametrize("name", ["body.txt", "body.html"])
def test_the_letter_says_so(app, base, name, hides):
    words = {"hides_peers": hides, "calls": 0, "sums": [], "number": 1}
    with app.app_context():
        letter = mailer._template("call_detail", name, words)
    assert ("последние 3 цифры собеседника скрыты" in letter) is hides
