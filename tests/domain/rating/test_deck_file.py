"""Rate decks under the headers of several systems, and what is wrong with some."""

import os
from datetime import date
from pathlib import Path

import pytest

from domain.errors import InvalidValue
from domain.money import read_micros
from domain.rating.deck_file import read_deck
from domain.rating.tariff import Step

SAMPLES = os.environ.get("CABINET_SAMPLES")


def deck(*lines, encoding="utf-8"):
    return read_deck("\r\n".join(lines).encode(encoding))


def only(*lines):
    found = deck(*lines)
    assert found.mistakes == []
    [rate] = found.rates.values()
    return rate


@pytest.mark.parametrize(
    ("header", "row", "wanted"),
    [
        (
            "Country,Country Code,Destination Prefix,Voice in USD,Voice Unit in Seconds",
            "Belarus,375,37529,0.55,60",
            {"prefix": "37529", "steps": (Step(0, 550_000),), "name": "Belarus"},
        ),
        (
            "Code,Destination,Connect Cost,Included Seconds,Per Minute Cost,Increment,Precedence",
            "37529,Mobile,0.1,30,0.60,1,0",
            {"connect_fee": 100_000, "free_s": 30, "steps": (Step(0, 600_000, 60, 1),)},
        ),
        (
            "Code,Destination,Connect Cost,Grace Time,Per Minute Cost,Initial Increment,Increment",
            "37529,Mobile,0,3,0.60,60,1",
            {"grace_s": 3, "steps": (Step(0, 600_000, 60, 60), Step(60, 600_000, 60, 1))},
        ),
        (
            "Prefix;Destination;ppm;ppc;minimal;resolution;grace;multiplier;addition",
            "37529;Mobile;0,6;0,05;30;6;0;1;0",
            {"connect_fee": 50_000, "minimum_s": 30, "steps": (Step(0, 600_000, 60, 6),)},
        ),
        (
            '"rate_cost","description","name","prefix","rate_minimum","rate_surcharge"',
            '"0.6","GOLD","GOLD","37529","60","0.2"',
            {"connect_fee": 200_000, "minimum_s": 60, "steps": (Step(0, 600_000),)},
        ),
        (
            "dialprefix;destination;rate;initial;increment",
            "0037529;Mobile;0.6;60;1",
            {"prefix": "37529", "steps": (Step(0, 600_000, 60, 60), Step(60, 600_000, 60, 1))},
        ),
        (
            "Префикс\tНаправление\tГруппа\tЦена за минуту\tТарификация\tДействует с",
            "37529\tМТС\tmobile\t0,1627\t60/1\t01.03.2026",
            {
                "group": "mobile",
                "valid_from": date(2026, 3, 1),
                "steps": (Step(0, 162_700, 60, 60), Step(60, 162_700, 60, 1)),
            },
        ),
        (
            "prefix,price per second",
            "37529,0.01",
            {"steps": (Step(0, 10_000, 1, 60),)},
        ),
        ("prefix,connect fee", "37529,0.5", {"connect_fee": 500_000, "steps": (Step(0, 0),)}),
    ],
)
def test_a_line_is_read_under_each_header(header, row, wanted):
    rate = only(header, row)
    assert {name: getattr(rate, name) for name in wanted} == wanted


def test_several_prefixes_in_a_row():
    found = deck("prefix,rate", '"52 33,39",0.1', '"7495,7499",0.2')
    assert [key[0] for key in found.rates] == ["5233", "5239", "7495", "7499"]


def test_windows_1251_and_a_line_of_one_space():
    found = deck("Префикс;Направление;Цена", "37529;МТС;0,1", " ", encoding="cp1251")
    assert [rate.name for rate in found.rates.values()] == ["МТС"]
    assert found.is_good


def test_a_contradiction_names_both_lines():
    found = deck("prefix,rate", "213,0.09", "7495,0.1", "213,0.0998")
    assert [(m.line, m.code, m.value, m.other) for m in found.mistakes] == [
        (4, "contradiction", "213", 2)
    ]
    assert not found.is_good


def test_the_same_price_once_more_is_no_contradiction():
    found = deck("prefix,destination,rate", "213,Algeria,0.09", "213,Alger,0.09")
    assert (found.is_good, found.repeated) == (True, 1)


def test_the_same_prefix_from_another_day_is_another_price():
    found = deck("prefix,rate,effective date", "213,0.09,", "213,0.1,2026-03-01")
    assert len(found.rates) == 2


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("37529,24.9999,0.6,60", "shifted"),
        ("Mobile,37529,0.6,60", "bad_prefix"),
        ("37529,Mobile,x,60", "bad_price"),
        ("37529,Mobile,-1,60", "bad_price"),
        ("37529,Mobile,0.1234567,60", "bad_price"),
        ("37529,Mobile,,60", "no_price"),
        ("37529,Mobile,0.6,1.5", "bad_seconds"),
        ("37529,Mobile,0.6,0", "bad_seconds"),
        ("37529,Mobile,0.6,60,7,8", "too_many_columns"),
        ("+375 29x,Mobile,0.6,60", "bad_prefix"),
        ("1234567890123456,Mobile,0.6,60", "bad_prefix"),
    ],
)
def test_a_mistake_has_its_line(row, code):
    found = deck("prefix,destination,rate,increment", "7,Russia,0.1,60", row)
    assert [(m.line, m.code) for m in found.mistakes] == [(3, code)]


@pytest.mark.parametrize("header", ["destination,rate", "prefix,destination", ""])
def test_a_deck_without_a_prefix_or_a_price_is_none(header):
    with pytest.raises(InvalidValue):
        deck(header, "375,0.1")


def test_a_field_without_an_end_is_told_with_its_line():
    with pytest.raises(InvalidValue, match="line 2: field larger"):
        deck("prefix,rate", '7,"' + "1" * 200_000)


@pytest.mark.parametrize("price", ["1e999999", "1_0", "1e30", "nan", "٣", "1" * 5_000])
def test_what_only_python_takes_for_a_number_is_no_price(price):
    (mistake,) = deck("prefix,rate", f"7,{price}").mistakes
    assert (mistake.line, mistake.code) == (2, "bad_price")
    with pytest.raises(InvalidValue, match="is no amount"):
        read_micros(price)


def test_what_changes_a_price_in_an_unknown_way_is_refused():
    found = deck("prefix,ppm,multiplier", "375,0.1,1.2")
    assert [m.code for m in found.mistakes] == ["not_understood"]


def test_columns_without_a_meaning_are_named():
    assert deck("prefix,rate,Precedence,", "375,0.1,5,").ignored == ["Precedence"]


@pytest.mark.skipif(not SAMPLES, reason="CABINET_SAMPLES is not set: no decks of carriers")
def test_a_real_deck_is_refused_for_its_contradictions():
    path = Path(SAMPLES) / "rates_telecmi_2021" / "Rates.2021-06-15.csv"
    found = read_deck(path.read_bytes())
    contradicting = {mistake.value for mistake in found.mistakes}
    assert {mistake.code for mistake in found.mistakes} == {"contradiction"}
    assert {"213", "3931", "3935", "2135", "4872"} <= contradicting
    assert found.repeated + len(found.mistakes) == 21  # of 21 repeated prefixes
    assert len(found.rates) + 21 >= 5744


@pytest.mark.skipif(not SAMPLES, reason="CABINET_SAMPLES is not set: no decks of carriers")
def test_a_real_export_is_read():
    found = read_deck((Path(SAMPLES) / "rates_samples" / "kazoo_simple_rates.csv").read_bytes())
    assert [rate.prefix for rate in found.rates.values()] == ["1503", "150", "15", "1"]
