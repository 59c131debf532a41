"""JSON objects of a file, one by one, however it is laid out and wherever it is broken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr import json_records
from domain.cdr.json_records import Broken, parse_records, sample_records, text_of
from tests.domain.cdr.dialects import source

ONE, TWO, THREE = {"n": 1, "s": 'a "quoted" } {'}, {"n": 2, "in": [{"x": [1]}]}, {"n": 3}
ALL = [ONE, TWO, THREE]


def found(text, wrapper="", size=7):
    """What is read, the text coming in pieces; broken ones as "!"."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return ["!" if isinstance(r, Broken) else r for r in parse_records(pieces, wrapper)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(map(json.dumps, ALL)),
        "\r\n".join(map(json.dumps, ALL)) + "\r\n",
        "".join(map(json.dumps, ALL)),
        json.dumps(ALL),
        json.dumps(ALL, indent=2),
        "\n\n".join(json.dumps(one, indent=4) for one in ALL),
        json.dumps({"root": ALL}),
        json.dumps({"root": ALL}, indent=2),
        "\n".join(json.dumps({"root": [one]}) for one in ALL),
    ],
)
def test_objects_are_found_in_every_layout(text):
    assert found(text, "root") == ALL
    assert found(text, "root", size=10**6) == ALL


@pytest.mark.parametrize(
    "broken",
    [
        '{"n": 9',
        '{"n": 9,',
        '{"n": "no end}',
        '{"n": NaN}',
        '{"n": -Infinity}',
        '{"n": 9}}',
        '{"n": ' + "9" * 5000 + "}",
        "{'n': 9}",
        '{"n": 9,}',
        '{"a":' * 50 + "1" + "}" * 50,
        '{"a":' * 100_000,
        '{"a":[' * 3000 + "]}" * 3000,
        "hello",
        '"text"',
    ],
)
def test_a_broken_line_spoils_no_other(broken):
    before, after = json.dumps(ONE), json.dumps(THREE)
    records = found(f"{before}\n{broken}\n{after}\n{before}\n", size=10**6)
    assert [r for r in records if r != "!"] in ([ONE, THREE, ONE], [ONE, {"n": 9}, THREE, ONE])
    assert records.count("!") <= 1


@pytest.mark.parametrize("broken", ['{"n": NaN}', "{'n': 9}", '{"n": 9,}', '{"s": "\\q"}'])
def test_a_broken_element_of_an_array_spoils_no_other(broken):
    array = ",".join(["[" + json.dumps(ONE), broken, json.dumps(THREE) + "]"])
    assert found(array) == [ONE, "!", THREE]


def test_a_file_cut_off_in_a_record_says_so():
    assert found(json.dumps(ALL)[:-5]) == [ONE, TWO, "!"]


def test_a_record_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(json_records, "LONGEST_RECORD", 1000)
    long = json.dumps({"n": "x" * 1500})
    assert found(f"{json.dumps(ONE)}\n{long}\n{json.dumps(THREE)}") == [ONE, "!", THREE]
    assert found("[" + '{"a":1,' * 300 + "\n" + json.dumps(THREE))[-1] == THREE


def test_what_is_no_object_is_no_record():
    assert found('[1, "two", {"n": 3}, null]') == ["!", "!", THREE, "!"]


def test_of_a_key_that_comes_twice_one_is_taken():
    assert found('{"n": 1, "n": 2}') == [{"n": 2}]


def test_texts_are_clean():
    (record,) = found(r'{"a": "\u0000x\ud800 ", "b": true, "c": null, "d": 7, "e": [1], "f": " "}')
    assert text_of(record, "a") == "x?"
    assert [text_of(record, key) for key in "bcdefg"] == ["", "", "7", "", "", ""]
    assert text_of(record, "f", "d") == "7"


def test_a_sample_is_taken_of_json_alone():
    assert sample_records(source("a,b\n1,2\n")) == []
    assert sample_records(source(json.dumps(ALL))) == ALL


@given(
    st.lists(
        st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text(), max_size=2)),
        max_size=5,
    ),
    st.sampled_from([None, 2]),
    st.integers(1, 40),
    st.booleans(),
)
def test_what_json_writes_is_read_back(records, indent, size, in_array):
    text = (
        json.dumps(records, indent=indent)
        if in_array
        else "\n".join(json.dumps(record, indent=indent) for record in records)
    )
    assert found(text, size=size) == records


@given(st.text(alphabet='{}[]",:\\ \n1aN', max_size=60))
def test_no_text_at_all_stops_the_reading(junk):
    records = found(junk + "\n" + json.dumps(ONE) + "\n" + json.dumps(THREE))
    assert records[-1] == THREE
