"""Numbers as written by exchanges and people, and the lists they type."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.msisdn import Hint, Problem, Verdict, is_full, normalise, read_list

SAMPLES = os.environ.get("CABINET_SAMPLES")


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("+375 (17) 123-45-67", "375171234567"),
        ("80171234567", "375171234567"),
        ("8 (017) 123-45-67", "375171234567"),
        ("8\u00a0017\u00a0123‑45‑67", "375171234567"),
        ("0171234567", "375171234567"),
        ("171234567", "375171234567"),
        ("00375171234567", "375171234567"),
        ("810375171234567", "375171234567"),
        ("8~10 375 17 1234567", "375171234567"),
        ("375171234567", "375171234567"),
        ("3750171234567", "375171234567"),
        ("'375171234567", "375171234567"),
        ("375.29.123.45.67", "375291234567"),
        ("+7 495 123-45-67", "74951234567"),
        ("84951234567", "84951234567"),
        ("0048221234567", "48221234567"),
        ("81048221234567", "48221234567"),
        ("01112125550146", "01112125550146"),  # another country's way of dialling abroad
        ("0328041633", "0328041633"),  # no such code at home
        ("101", "101"),
        ("8001", "8001"),
        ("001", "001"),
        ("client1", "client1"),
        ("*60", "*60"),
        ("anonymous", "anonymous"),
        ("", ""),
    ],
)
def test_every_way_of_writing_a_number_has_one_normal_form(raw, number):
    assert normalise(raw) == number
    assert normalise(number) == number


@given(st.from_regex(r"(\+375|8?0|00375|810375|375)?(17|29|33)[0-9]{7}", fullmatch=True))
def test_whatever_stands_before_it_the_number_is_the_same(raw):
    number = normalise(raw)
    assert is_full(number)
    assert number[3:] == raw[-9:]
    assert normalise(number) == number


@pytest.mark.parametrize(
    ("number", "full"),
    [
        ("375291234567", True),
        ("37529123456", False),
        ("3752912345678", False),
        ("٣٧٥٢٩١٢٣٤٥٦٧", False),
    ],
)
def test_a_full_number_is_375_and_nine_digits(number, full):
    assert is_full(number) is full


@pytest.mark.skipif(not SAMPLES, reason="CABINET_SAMPLES is not set: no reference numbers")
def test_reference_numbers_of_the_country_agree():
    """Those the reference takes for valid Belarusian numbers; toll-free ones by 8 are dialled."""
    path = Path(SAMPLES) / "numbering_by" / "by_numbers.json"
    cases = [case for case in json.loads(path.read_text("utf-8"))["cases"] if case["valid"]]
    home = [case for case in cases if case["country_code"] == 375 and case["digits"] == 9]
    assert home
    for case in home:
        assert "+" + normalise(case["input"]) == case["e164"], case["input"]


def typed(text):
    return [entry.typed for entry in read_list(text)]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        (" ;, \n", []),
        ("375291234567;375291234568", ["375291234567", "375291234568"]),
        ("375291234567, 375291234568", ["375291234567", "375291234568"]),
        ("375291234567 375291234568", ["375291234567", "375291234568"]),
        ("375291234567\r\n375291234568\r\n", ["375291234567", "375291234568"]),
        ("375291234567\t375291234568", ["375291234567", "375291234568"]),
        ("+375 29 123-45-67", ["+375 29 123-45-67"]),
        ("+375 29 123-45-67 +375 29 123-45-68", ["+375 29 123-45-67", "+375 29 123-45-68"]),
        ("8 (017) 200-12-34 8 (017) 200-12-35", ["8 (017) 200-12-34", "8 (017) 200-12-35"]),
        ("8\u00a0(017)\u00a0200-12-34", ["8 (017) 200-12-34"]),
        ("101 102 103", ["101", "102", "103"]),
        ("101 375291234567 client1", ["101", "375291234567", "client1"]),
        ("37529123456 375291234568", ["37529123456", "375291234568"]),
        ("375 29 123 45 6", ["375 29 123 45 6"]),
        ("+375 29 123-45-6 +375 29 123-45-67", ["+375 29 123-45-6", "+375 29 123-45-67"]),
        ("'375291234567", ["375291234567"]),
    ],
)
def test_entries_are_parted_where_a_person_would_part_them(text, entries):
    assert typed(text) == entries


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("37529123456", Hint(Problem.TOO_SHORT, 11, 12)),
        ("+375 29 123-45-678", Hint(Problem.TOO_LONG, 13, 12)),
        ("8029123456", Hint(Problem.TOO_SHORT, 10, 11)),
        ("029123456", Hint(Problem.TOO_SHORT, 9, 10)),
        ("1234567890123456", Hint(Problem.TOO_LONG, 16, 15)),
        ("37529<b>", Hint(Problem.CHARACTERS, 0, 0)),
        ("Иванов Иван!", None),
    ],
)
def test_a_malformed_entry_says_what_is_wrong(text, hint):
    entry = read_list(text)[-1]
    assert entry.verdict is Verdict.MALFORMED
    if hint:
        assert entry.hint == hint


def test_a_repeat_is_found_in_whatever_form_it_is_written():
    entries = read_list("80291234567; +375 29 123-45-67; 101; 101; 17185550173")
    assert [entry.verdict for entry in entries] == ["ok", "repeated", "ok", "repeated", "ok"]
    assert [entry.ordinal for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[1].typed == "+375 29 123-45-67"


def test_fifty_thousand_entries_are_read():
    entries = read_list(" ".join(str(375290000000 + n) for n in range(50000)))
    assert len(entries) == 50000
    assert {entry.verdict for entry in entries} == {Verdict.OK}


@given(
    st.lists(st.integers(0, 9999999), unique=True, max_size=20), st.sampled_from(["; ", "\n", " "])
)
def test_numbers_written_with_spaces_come_back_one_by_one(tails, separator):
    numbers = [f"37529{tail:07}" for tail in tails]
    shown = [f"+{n[:3]} {n[3:5]} {n[5:8]}-{n[8:10]}-{n[10:]}" for n in numbers]
    assert [entry.number for entry in read_list(separator.join(shown))] == numbers
