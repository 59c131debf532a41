"""A tariff plan in one file, and each mistake in it as one sentence."""

from datetime import date

import pytest

from domain.errors import InvalidValue
from domain.money import Rounding
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
