"""Elements of an XML file, one by one, and what an attacker would write into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cdr import xml_records
from domain.cdr.xml_records import BrokenXml, ForbiddenXml, read_elements

RECORD = "<r><m><a>{}</a><b>x &amp; y</b></m></r>"


def found(text, size=5):
    """The field a of each record, "!" for broken ones, the text coming in pieces."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return [
        "!" if isinstance(r, BrokenXml) else r.get(("m", "a"), "")
        for r in read_elements(pieces, "r")
    ]


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_each_element_is_found_in_pieces_of_any_size(size):
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?><x>{RECORD.format(1)}{RECORD.format(2)}</x>'
    assert found(text, size) == ["1", "2"]


def test_a_bare_doctype_is_passed_over():
    assert found(f"<!DOCTYPE x><x>{RECORD.format(1)}</x>") == ["1"]
    assert found(f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x>{RECORD.format(1)}</x>') == ["1"]


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "b">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1/x.dtd"> %a;',
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ATTLIST r x CDATA "much">',
        "<!ELEMENT r ANY>",
        " ",
    ],
)
def test_a_document_that_declares_anything_is_refused(declared):
    with pytest.raises(ForbiddenXml):
        found(f"<!DOCTYPE x [{declared}]><x>{RECORD.format('&a;')}</x>")


def test_an_entity_declared_elsewhere_is_never_looked_for():
    doctype = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'
    assert found(f"{doctype}<x>{RECORD.format('&a;')}{RECORD.format(2)}</x>") == ["!", "2"]
    assert found(f"<x>{RECORD.format('&a;')}{RECORD.format(2)}</x>") == ["!", "2"]


def test_a_doctype_in_the_middle_is_an_error_of_its_place():
    evil = '<!DOCTYPE x [<!ENTITY a "b">]>'
    assert found(f"<x>{RECORD.format(1)}<r>{evil}</r>{RECORD.format(2)}</x>") == ["1", "!", "2"]


@pytest.mark.parametrize(
    "broken",
    ["<r><m><a>9</m></r>", "<r><m><a>9</a></r>", "<r><m a=b></m></r>", "<r>&</r>", "<r>\x01</r>"],
)
def test_a_broken_element_spoils_no_other(broken):
    assert found(f"<x>{RECORD.format(1)}{broken}{RECORD.format(2)}</x>") == ["1", "!", "2"]


def test_documents_one_after_another_are_read_as_one():
    document = f'<?xml version="1.0"?><!DOCTYPE x><x>{RECORD.format(1)}</x>'
    assert found(document * 3) == ["1", "1", "1"]


def test_a_file_cut_off_in_a_record_says_so():
    assert found(f"<x>{RECORD.format(1)}<r><m><a>2") == ["1", "!"]
    assert found(f"<x>{RECORD.format(1)}") == ["1"]


def test_a_record_that_another_begins_in_is_broken():
    assert found(f"<x><r><m><a>1</a></m>{RECORD.format(2)}</x>") == ["!", "2", "!"]


def test_what_has_no_measure_is_broken(monkeypatch):
    assert found(f"<x>{RECORD.format('9' * 5000)}{RECORD.format(2)}</x>", 10**6) == ["!", "2"]
    deep = "<d>" * 50 + "</d>" * 50
    assert found(f"<x><r>{deep}</r>{RECORD.format(2)}</x>", 10**6) == ["!", "2"]
    with pytest.raises(ForbiddenXml):
        found("<d>" * 100_000, 10**6)
    monkeypatch.setattr(xml_records, "MOST_FIELDS", 10)
    many = "".join(f"<f{n}>x</f{n}>" for n in range(50))
    assert found(f"<x><r>{many}</r>{RECORD.format(2)}</x>", 10**6) == ["!", "2"]


@given(st.text(alphabet="<>/r&;!x[] ", max_size=60))
def test_no_text_at_all_stops_the_reading(junk):
    records = found(f"<x>{RECORD.format(1)}{junk}</x>")
    assert records[0] == "1"
