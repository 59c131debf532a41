"""Tariffs in the tables: drafts, published versions, and whose calls are priced by what."""

from datetime import UTC, date, datetime

import pytest

from domain.errors import AlreadyExists, InvalidValue, NotFound
from domain.money import Rounding
from domain.rating.states import VersionState
from domain.rating.tariff import RoundingRule, Step
from models_billing import PlanAssignment, TariffPlan, TariffRate, TariffVersion
from services import tariffs
from services.plans import Plans
from tests.factories import make_client, make_subscriber

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
PLAN = """
plan = "Офис"
valid_from = 2026-03-01
rounding = {mode = "up", places = 4}

[[fees]]
code = "number"
name = "Абонентская плата"
amount = "3.50"

[[packages]]
code = "home"
minutes = 300
groups = ["local"]

[[hours]]
days = ["sun"]
prices = {local = "0.01"}

[[rates]]
prefix = "375"
price = "0.06"
valid_to = 2026-03-31
"""


@pytest.fixture
def write(tmp_path):
    """Write a file and give its path."""

    def make(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


def read(path, **values):
    return tariffs.import_file(path, now=NOW, **values)


def test_a_plan_is_stored_as_it_is_told(base, write):
    imported = read(write("plan.toml", PLAN))
    assert (imported.plan, imported.valid_from, imported.rates) == ("Офис", MARCH, 1)
    tariffs.publish("Офис", MARCH, now=NOW)
    version = tariffs.load(imported.version.id)
    assert version.rounding == RoundingRule(Rounding.UP, 4)
    [rate] = version.rates
    assert rate.steps == (Step(0, 60_000),)
    assert rate.windows[0].steps == (Step(0, 10_000),)
    assert rate.valid_to == int(datetime(2026, 3, 31, 21, tzinfo=UTC).timestamp())
    assert [package.quota_s for package in version.packages] == [18_000]
    assert [(fee.code, fee.amount) for fee in tariffs.fees_of(imported.version)] == [
        ("number", 350)
    ]


def test_a_deck_keeps_fees_packages_and_rounding_of_the_version_before(base, write):
    read(write("plan.toml", PLAN))
    tariffs.publish("Офис", MARCH, now=NOW)
    deck = write("deck.csv", "prefix,rate\n375,0.07\n7,0.5\n")
    imported = read(deck, plan_name="Офис", valid_from=APRIL)
    assert [fee.code for fee in tariffs.fees_of(imported.version)] == ["number"]
    assert [p.code for p in tariffs.packages_of(imported.version)] == ["home"]
    assert tariffs.rounding_of(imported.version).places == 4


def test_a_dry_run_tells_the_difference_and_stores_nothing(base, write):
    first = write("a.csv", "prefix,name,rate\n375,Belarus,0.06\n7,Russia,0.5\n48,Poland,0.7\n")
    read(first, plan_name="Офис", valid_from=MARCH)
    tariffs.publish("Офис", MARCH, now=NOW)
    second = write("b.csv", "prefix,name,rate\n375,Беларусь,0.06\n7,Russia,0.6\n49,Germany,0.7\n")
    told = read(second, plan_name="Офис", valid_from=APRIL, dry_run=True)
    assert (told.difference.against, told.version) == (MARCH, None)
    assert told.difference.added == ["49"]
    assert told.difference.changed == ["7"]
    assert told.difference.removed == ["48"]
    assert TariffVersion.select().count() == 1


def test_a_draft_is_replaced_and_a_published_version_never(base, write):
    first, second = write("a.csv", "prefix,rate\n375,0.06\n"), write("b.csv", "prefix,rate\n7,1\n")
    read(first, plan_name="Офис", valid_from=MARCH)
    read(second, plan_name="Офис", valid_from=MARCH)
    assert [rate.prefix for rate in TariffRate.select()] == ["7"]
    tariffs.publish("Офис", MARCH, now=NOW)
    with pytest.raises(AlreadyExists):
        read(first, plan_name="Офис", valid_from=MARCH)
    assert tariffs.publish("Офис", MARCH, now=NOW).state == VersionState.PUBLISHED


def test_a_file_with_mistakes_leaves_nothing(base, write):
    deck = write("a.csv", "prefix,rate\n375,0.06\n375,0.07\nx,1\n")
    with pytest.raises(tariffs.DeckRefused) as refused:
        read(deck, plan_name="Офис", valid_from=MARCH)
    assert [(m.line, m.code, m.other) for m in refused.value.mistakes] == [
        (3, "contradiction", 2),
        (4, "bad_prefix", 0),
    ]
    assert not TariffPlan.select().exists()


def test_what_is_missing_is_said(base, write, tmp_path):
    with pytest.raises(NotFound):
        read(tmp_path / "none.csv", plan_name="Офис", valid_from=MARCH)
    with pytest.raises(NotFound):
        read(write("p.toml", 'plan = "a"\nvalid_from = 2026-03-01\ndeck = "none.csv"'))
    with pytest.raises(InvalidValue):
        read(write("a.csv", "prefix,rate\n375,0.06\n"), plan_name="Офис")
    with pytest.raises(NotFound):
        tariffs.publish("Офис", MARCH, now=NOW)


def moment(text):
    return int(datetime.fromisoformat(text).timestamp())


def test_a_subscriber_has_its_own_plan_its_clients_or_the_one_it_names(base):
    client = make_client()
    plans = {name: TariffPlan.create(name=name, created_at=NOW) for name in ("named", "all", "own")}
    versions = {
        name: TariffVersion.create(
            plan=plan, valid_from=date(2026, 1, 1), state="published", created_at=NOW
        ).id
        for name, plan in plans.items()
    }
    first, second, third = (
        make_subscriber(client, number=f"37517000000{n}", plan=plan)
        for n, plan in enumerate(("named", "named", "unknown"))
    )
    PlanAssignment.create(client=client, plan=plans["all"], valid_from=MARCH)
    PlanAssignment.create(client=client, subscriber=first, plan=plans["own"], valid_from=APRIL)
    found = Plans(client)

    def at(subscriber, text):
        number = found.version_at(subscriber.id, moment(text))
        return next((name for name, version in versions.items() if version == number), None)

    before, in_march, in_april = (
        "2026-02-28T23:59:59+03:00",
        "2026-03-01T00:00:00+03:00",
        "2026-04-01T00:00:00+03:00",
    )
    assert [at(first, text) for text in (before, in_march, in_april)] == ["named", "all", "own"]
    assert [at(second, text) for text in (before, in_march, in_april)] == ["named", "all", "all"]
    assert [at(third, text) for text in (before, in_march)] == [None, "all"]
    assert at(second, "2025-12-31T23:59:59+03:00") is None  # no version yet


def test_drafts_price_nothing(base):
    client = make_client()
    subscriber = make_subscriber(client, plan="Офис")
    plan = TariffPlan.create(name="Офис", created_at=NOW)
    TariffVersion.create(plan=plan, valid_from=date(2026, 1, 1), created_at=NOW)
    assert Plans().version_at(subscriber.id, moment("2026-03-01T00:00:00+03:00")) is None
