"""A tariff plan in one file, and each mistake in it as one sentence."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.errors import InvalidValue
from domain.money import Rounding
from domain.rating.calendar import Calendar
from domain.rating.calls import price_call
from domain.rating.plan_file import as_rate, read_plan
from domain.rating.tariff import HOLIDAY, Package, RoundingRule, Step, Version
from domain.rating.usage import Rater

PLAN = """
plan = "SIP-номер"
valid_from = 2026-03-01
rounding = {mode = "up", places = 4}
deck = "prices.csv"

[[fees]]
code = "number"
name = "Абонентская плата"
amount = "3.50"

[[packages]]
code = "home"
minutes = 300
shared = true
groups = ["local", "mobile"]
overage = "0.05"

[[hours]]
days = ["sat", "sun", "holiday"]
prices = {local = "0.03"}

[[rates]]
prefix = "onnet"
price = "0"

[[rates]]
prefix = "37517"
price = "0.06"
increments = "60/1"
connect_fee = "0.01"
"""
DECK = b"prefix;rate\n7;0.5\n48;0.7\n"


def read(text, deck=DECK):
    return read_plan(text, {"prices.csv": deck}.__getitem__)


def test_everything_is_read():
    plan = read(PLAN)
    assert (plan.plan, plan.valid_from) == ("SIP-номер", date(2026, 3, 1))
    assert plan.rounding == RoundingRule(Rounding.UP, 4)
    assert [(fee.code, fee.amount, fee.is_monthly) for fee in plan.fees] == [("number", 350, True)]
    assert plan.packages == [
        Package(
            "home",
            18_000,
            is_shared=True,
            groups=frozenset({"local", "mobile"}),
            overage=(Step(0, 50_000),),
        )
    ]
    rates = {rate.prefix: rate for rate, _origin in plan.rates}
    assert list(rates) == ["7", "48", "onnet", "37517"]
    assert rates["37517"].steps == (Step(0, 60_000, 60, 60), Step(60, 60_000, 60, 1))
    [window] = plan.windows_of(rates["37517"])
    assert (window.days, window.steps[0].price) == (frozenset({5, 6, HOLIDAY}), 30_000)
    assert plan.windows_of(rates["7"]) == ()


def test_calls_inside_the_network_have_their_own_price():
    rates = tuple(as_rate(rate, origin) for rate, origin in read(PLAN).rates)
    rater = Rater(Version("plan", date(2026, 3, 1), rates))
    assert rater.price("375171234567", 60, is_on_net=True).micros == 0
    assert rater.price("375171234567", 60).micros == 70_000
    assert price_call(rates[0], 61).micros == 1_000_000


def test_no_price_inside_the_network_is_the_usual_price():
    rates = [as_rate(rate, origin) for rate, origin in read(PLAN).rates]
    rater = Rater(Version("plan", date(2026, 3, 1), tuple(r for r in rates if r.prefix != "onnet")))
    assert rater.price("375171234567", 60, is_on_net=True).micros == 70_000


def test_the_example_of_the_documentation_is_a_plan():
    docs = (Path(__file__).parents[3] / "docs/tariffs.md").read_text(encoding="utf-8")
    _before, example, _after = docs.split("```")
    plan = read(example.removeprefix("toml"))
    rates = {
        rate.prefix: as_rate(rate, origin, plan.windows_of(rate)) for rate, origin in plan.rates
    }
    rater = Rater(Version("plan", plan.valid_from, tuple(rates.values())), Calendar(UTC))
    noon = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
    prices = [
        [rater.price(number, seconds, started_at=at).micros for at in (noon, noon - 6 * 3600)]
        for number, seconds in (("7495", 240), ("442", 8), ("49", 500), ("37517", 3), ("375", 2))
    ]
    assert prices == [  # at noon, and at six in the morning
        [1_800_000, 500_000],
        [130_000, 65_000],
        [750_000, 750_000],
        [70_000, 25_000],
        [0, 0],
    ]
    assert [len(package.overage) for package in plan.packages] == [2]
    assert [len(fee.ranges) for fee in plan.fees] == [2]


def test_ranges_are_read():
    [fee] = read(
        """[[fees]]
        code = "lines"
        name = "Линии"
        ranges = [[10, "3.50", "0"], ["", "3.00", "1.00"]]
        volume = true
        """
    ).fees
    assert fee.ranges == ((10, 3_500_000, 0), (None, 3_000_000, 1_000_000))
    assert (fee.is_volume, fee.amount) == (True, 0)


def test_a_price_of_hours_goes_by_prefix_before_the_group():
    plan = read(
        """
        deck = "prices.csv"
        [[hours]]
        days = ["sat"]
        prices = {international = "0.30"}
        prefixes = {48 = {price = "0.40", increments = "30"}}
        """
    )
    steps = {rate.prefix: plan.windows_of(rate)[0].steps for rate, _origin in plan.rates}
    assert steps == {"7": (Step(0, 300_000),), "48": (Step(0, 400_000, 60, 30),)}


TIERS = "[[rates]]\nprefix = '7'\ntiers = "
RATE = "[[rates]]\nprefix = '7'\nprice = '1'\n"
FEE = "[[fees]]\ncode = 'a'\nname = 'b'\n"
ONE = "[[hours]]\ndays = ['mon']\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (TIERS + "'1'", "[[rates]] 1, line 1: tiers are a list"),
        (TIERS + "[]", "there is no tier"),
        (TIERS + "['1']", "tier 1: a tier is a table"),
        (TIERS + "[{from_s = 60, price = '1'}]", "tier 1: the first step starts with the call"),
        (TIERS + "[{increments = '1'}]", "tier 1: it lacks 'price'"),
        (TIERS + "[{price = '1'}, {price = '2'}]", "tier 2: it lacks 'from_s'"),
        (TIERS + "[{price = '1'}, {from_s = 90, price = '2'}]", "tier 2: a step of 90 s"),
        (TIERS + "[{price = '1'}, {from_s = 0, price = '2'}]", "tier 2: a step of 0 s"),
        (TIERS + "[{price = '1', increments = '60/1'}, {from_s = 60, price = '2'}]", "tier 2:"),
        (TIERS + "[{price = '1', until = 60}]", "tier 1: 'until' means nothing"),
        (TIERS + "[{price = '1', per = 'call'}]", 'per "minute" or "second"'),
        (TIERS + "[{price = '1'}]\nprice = '2'", "leave 'price' out"),
        (TIERS + "[{price = '1'}]\nper = 'call'", "leave 'per' out"),
        (RATE + "per = 'hour'", "not 'hour'"),
        (RATE + "per = 'call'\nconnect_fee = '1'", "is its connect fee"),
        ("[[rates]]\nprefix = '7'\nper = 'call'", "it lacks 'price'"),
        (RATE + "increments = '60/0'", "increments are written as 60/1"),
        (RATE + "connect_fee = '-1'", "not less than nothing: '-1'"),
        (RATE + "cap = '-1'", "not less than nothing"),
        (RATE + "free_s = -1", "free_s is a whole number"),
        (RATE + "valid_from = 2026-03-02\nvalid_to = 2026-03-01", "before the first"),
        (RATE + "\n" + RATE, "[[rates]] 2, line 5: the prefix 7 has a price already: [[rates]] 1"),
        ("deck = 'prices.csv'\n" + RATE, "line 2: the prefix 7 has a price already: the deck"),
        (ONE + "prices = {x = 5}", "[[hours]] 1, line 1: prices, x: a price is"),
        (ONE + "prices = {x = {per = 'second'}}", "prices, x: it lacks 'price'"),
        (ONE + "prices = {x = [{price = '-1'}]}", "prices, x: tier 1: a price is not less"),
        (ONE + "prices = '1'", "prices is a table"),
        (ONE + "prefixes = {99 = '1'}\n" + RATE, "line 1: no rate has the prefix '99'"),
        (ONE + "prefixes = {7 = '1'}\n" + RATE + "per = 'call'", "cannot change a price per call"),
        (ONE, "it lacks 'prices'"),
        ("[[hours]]\ndays = 'mon'\nprices = {}", "days is a list"),
        ("[[packages]]\ncode = 'a'\nminutes = 5\noverage = 1", "overage: a price is"),
        ("[[packages]]\ncode = 'a'\nminutes = 5\ngroups = 'local'", "groups is a list"),
        ("[[packages]]\ncode = 'a'\nminutes = 5\nshared = 'no'", "shared is true or false"),
        (
            FEE + "ranges = [[10, '1', '0']]",
            "[[fees]] 1, line 1: range 1: the last range has no end",
        ),
        (FEE + "ranges = [[5, '1', '0'], [5, '1', '0'], ['', '1', '0']]", "range 2: it ends at 5"),
        (FEE + "ranges = [['', '1', '0']]\nper = 'client'", "ranges count numbers"),
        (FEE + "ranges = 5", "ranges are written as"),
        (FEE + "per = ['client']", "per is written in quotes"),
        (RATE + "free_s = 3000000000", "free_s is a whole number"),
        (RATE + 'name = "\\u0000"', "a NUL"),
        ("[[rates]]\nprefix = '7'\nper = 'second'", "it lacks 'price'"),
        ("rounding = 5", "rounding is a table"),
        ("fees = [{name = 'b'}]", "[[fees]] 1: it lacks 'code'"),
    ],
)
def test_nonsense_is_refused_with_its_place(text, sentence):
    with pytest.raises(InvalidValue) as refused:
        read(text)
    assert sentence in str(refused.value)


def test_a_decks_mistakes_are_the_plans():
    assert [m.line for m in read(PLAN, b"prefix;rate\n7;0.5\n7;0.6\n").mistakes] == [3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("plan = ", "not a TOML file"),
        ("tarif = 1", "'tarif' means nothing"),
        ('valid_from = "1 марта"', "a day is written as"),
        ("[[fees]]\ncode = 'a'\nname = 'b'", "lacks 'amount'"),
        ("[[fees]]\ncode = 'a'\nname = 'b'\namount = 3.5", "money is written in quotes"),
        ("[[fees]]\ncode = 'a'\nname = 'b'\namount = '0.005'", "no parts of a kopeck"),
        ("[[fees]]\ncode = 'a'\nname = 'b'\namount = '1'\nper = 'month'", "per"),
        ("[[packages]]\ncode = 'a'\nminutes = '5'", "whole number"),
        ("[[hours]]\ndays = ['caturday']\nprices = {}", "no day 'caturday'"),
        ("[[hours]]\ndays = []\nfrom = '20:00'\nto = '08:00'\nprices = {}", "over midnight"),
        ("[[hours]]\ndays = []\nfrom = '8'\nprices = {}", "a time is written as"),
        ("[[rates]]\nprefix = '37x'", "prefix"),
        ("[[rates]]\nprefix = '375'\nprice = '1'\nincrements = '0/1'", "increments|step"),
        ("[[rates]]\nprefix = '375'\nprice = 'x'", "no amount"),
        ("rounding = {mode = 'sideways'}", "no rounding 'sideways'"),
        ("rounding = {places = 9}", "places"),
        ("fees = 1", "list of tables"),
    ],
)
def test_a_mistake_is_one_sentence(text, sentence):
    with pytest.raises(InvalidValue, match=sentence):
        read(text)
