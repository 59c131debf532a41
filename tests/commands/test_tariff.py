"""`flask tariff` and `flask rate`, as typed."""

import json
from datetime import UTC, date

import pytest

from domain.rating.calendar import Calendar
from domain.rating.explanation import explain
from domain.rating.usage import Rater, Usage
from models import Call, db
from models_billing import TariffVersion
from services import tariffs
from tests.apps import another_app
from tests.factories import make_call, make_client, make_subscriber

DECK = """prefix;destination;price;increments;connect fee
375;Беларусь;0,06;60/60;
7;Россия;0,5;60/1;0,1
"""

WAYS = """
plan = "Все способы"
valid_from = 2026-01-01

[[packages]]
code = "abroad"
name = "Минута за границу"
minutes = 1
groups = ["abroad"]
overage = [
    {price = "0.40", increments = "60/1"},
    {from_s = 120, price = "0.0050", per = "second", increments = "30"},
]

[[hours]]
name = "Ночь"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
from = "00:00"
to = "08:00"
prices = {local = {price = "0.0005", per = "second", increments = "1"}}
[hours.prefixes]
7 = [{price = "0.20"}, {from_s = 60, price = "0.10", increments = "30"}]
37529 = "0.02"

[[rates]]
prefix = "7"
group = "abroad"
tiers = [{price = "0.50", increments = "60/1"}, {from_s = 180, price = "0.30"}]

[[rates]]
prefix = "44"
price = "0.01"
per = "second"
increments = "1/10"

[[rates]]
prefix = "49"
price = "0.75"
per = "call"

[[rates]]
prefix = "375"
group = "local"
price = "0.06"
increments = "60/30"

[[rates]]
prefix = "37529"
group = "mobile"
price = "0.08"
minimum_s = 90
cap = "0.10"
"""
DAY, NIGHT = "2026-03-10T12:00:00", "2026-03-10T07:00:00"


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


@pytest.fixture(scope="module")
def ways(typed, tmp_path_factory):
    """A plan that says prices in every way."""
    path = tmp_path_factory.mktemp("ways") / "ways.toml"
    path.write_text(WAYS, encoding="utf-8")
    assert typed("tariff", "import", path, "--publish")[0] == 0
    return typed


@pytest.mark.parametrize(
    ("number", "seconds", "at", "price", "billed_s", "parts"),
    [  # parts: from second, increments, their length, price for so many seconds
        (
            "74951234567",
            200,
            DAY,
            "1.8",
            240,
            [(0, 1, 60, "0.5", 60), (60, 120, 1, "0.5", 60), (180, 1, 60, "0.3", 60)],
        ),
        ("74951234567", 61, NIGHT, "0.25", 90, [(0, 1, 60, "0.2", 60), (60, 1, 30, "0.1", 60)]),
        ("442071234567", 15, DAY, "0.21", 21, [(0, 1, 1, "0.01", 1), (1, 2, 10, "0.01", 1)]),
        ("493012345678", 601, DAY, "0.75", 660, [(0, 11, 60, "0", 60)]),
        ("375171234567", 61, DAY, "0.09", 90, [(0, 1, 60, "0.06", 60), (60, 1, 30, "0.06", 60)]),
        ("375171234567", 61, NIGHT, "0.0305", 61, [(0, 61, 1, "0.0005", 1)]),
        ("375291234567", 5, DAY, "0.1", 120, [(0, 2, 60, "0.08", 60)]),
        ("375291234567", 5, NIGHT, "0.04", 120, [(0, 2, 60, "0.02", 60)]),
    ],
)
def test_a_plan_says_prices_in_every_way(ways, number, seconds, at, price, billed_s, parts):
    args = ("rate", "--plan", "Все способы", "--number", number, "--seconds", seconds, "--at", at)
    status, output = ways(*args, "--json")
    assert status == 0
    told = json.loads(output)
    assert (told["price"], told["billed_s"]) == (price, billed_s)
    names = ("from_s", "increments", "increment_s", "price", "per_s")
    assert [tuple(part[name] for name in names) for part in told["parts"]] == parts
    assert {part["hours"] for part in told["parts"]} == {"Ночь" if at == NIGHT else ""}
    assert told["is_capped"] == (number.startswith("37529") and at == DAY)
    assert told["connect_fee"] == ("0.75" if number.startswith("49") else "0")


def test_beyond_a_package_its_tiers_are_paid(ways):
    with ways.app.app_context(), db.connection_context():
        row = TariffVersion.get(TariffVersion.source == "ways.toml")
        assert row.valid_from == date(2026, 1, 1)
        version = tariffs.load(row.id)
    rater = Rater(version, Calendar(UTC))
    price = rater.price("74951234567", 240, usage=Usage(), started_at=12 * 3600)
    told = explain(price, version, 240, 25).as_json()
    assert told["packages"] == [["Минута за границу", 60]]
    assert (told["price"], told["billed_s"]) == ("1.1", 240)
    names = ("from_s", "increments", "increment_s", "sum")
    assert [tuple(part[name] for name in names) for part in told["parts"]] == [
        (0, 1, 60, "0.4"),
        (60, 60, 1, "0.4"),
        (120, 2, 30, "0.3"),
    ]


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
