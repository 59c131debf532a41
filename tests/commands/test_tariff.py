"""`flask tariff` and `flask rate`, as typed."""

import json

import pytest

from models import Call, db
from tests.apps import another_app
from tests.factories import make_call, make_client, make_subscriber

DECK = """prefix;destination;price;increments;connect fee
375;Беларусь;0,06;60/60;
7;Россия;0,5;60/1;0,1
"""


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """Type a command in a cabinet of its own: exit status and what it says."""
    with another_app(tmp_path_factory.mktemp("tariff") / "var") as app:
        runner = app.test_cli_runner()
        assert runner.invoke(args=["db", "upgrade"]).exit_code == 0

        def type_in(*args):
            result = runner.invoke(args=[str(arg) for arg in args])
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output

        type_in.app = app
        yield type_in


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    path = tmp_path_factory.mktemp("deck") / "deck.csv"
    path.write_text(DECK, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def published(typed, deck):
    assert (
        typed(
            "tariff", "import", deck, "--plan", "Офис", "--valid-from", "2026-01-01", "--publish"
        )[0]
        == 0
    )
    return typed


def test_a_deck_is_read_published_and_listed(published):
    _status, output = published("tariff", "list")
    assert "Офис\t2026-01-01\tpublished\tdeck.csv" in output


def test_a_dry_run_shows_the_difference(published, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("prefix;price;note\n375;0,07;x\n48;0,9;y\n", encoding="utf-8")
    args = ("tariff", "import", path, "--plan", "Офис", "--valid-from", "01.02.2026", "--dry-run")
    status, output = published(*args)
    assert status == 0
    assert "added 1: 48" in output
    assert "changed 1: 375" in output
    assert "removed 1: 7" in output
    assert "The column 'note' means nothing here" in output
    assert "Nothing was stored" in output
    assert "2026-02-01" not in published("tariff", "list")[1]


def test_mistakes_are_named_with_their_lines(typed, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("prefix,rate\n213,0.09\n213,0.0998\n", encoding="utf-8")
    status, output = typed(
        "tariff", "import", path, "--plan", "Плохой", "--valid-from", "2026-01-01"
    )
    assert status == 2
    assert "line 3: prefix 213 has another price than on line 2" in output
    assert "Плохой" not in typed("tariff", "list")[1]


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (("tariff", "import", "/nowhere.csv", "--plan", "a", "--valid-from", "2026-01-01"), 1, ""),
        (("tariff", "publish", "Нет такого", "2026-01-01"), 1, "there is none"),
        (("tariff", "assign", "000", "Офис", "--from", "2026-01-01"), 1, "there is none"),
        (("rate", "--plan", "Нет", "--number", "375", "--seconds", "1"), 1, "there is none"),
        (("rate", "--plan", "Офис"), 2, "--number"),
        (("rate", "rerun", "--from", "2026-03-01", "--to", "2026-01-01"), 2, "before"),
    ],
)
def test_what_cannot_be_is_one_sentence(published, args, status, sentence):
    got, output = published(*args)
    assert (got, sentence in output) == (status, True), output


def test_a_price_explains_itself(published):
    args = ("rate", "--plan", "Офис", "--number", "+7 495 123-45-67", "--seconds", "61")
    status, output = published(*args)
    assert status == 0
    assert "prefix 7: Россия" in output
    assert "1 x 60 s at 0.5/min = 0.5" in output
    assert "0.608333 without VAT, 0.152083 VAT 25 %, 0.760416 in all" in output
    told = json.loads(published(*args, "--json")[1])
    assert (told["prefix"], told["billed_s"], told["price"]) == ("7", 61, "0.608333")
    assert [part["increments"] for part in told["parts"]] == [1, 1]


def test_no_price_is_said_and_not_taken_for_nothing(published):
    status, output = published(
        "rate", "--plan", "Офис", "--number", "48221234567", "--seconds", "61"
    )
    assert (status, "unrated" in output) == (1, True)


def test_stored_calls_get_their_prices(published):
    app = published.app
    with app.app_context(), db.connection_context():
        client = make_client()
        subscriber = make_subscriber(client, plan="Офис")
        call = make_call(subscriber, billable_s=61)
        Call.update(answered_at=Call.started_at).execute()
        account = client.account_no
    status, output = published("rate", "rerun", "--from", "2026-03-01", "--client", account)
    assert (status, output) == (0, "1 calls, 1 prices changed, 0 without a price\n")
    with app.app_context(), db.connection_context():
        assert Call.get(Call.seq == call.seq).price == 120_000
    assert published("tariff", "assign", account, "Офис", "--from", "2026-03-01")[0] == 0
