"""The fast paths of reading give what the plain ones give."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.cdr import asterisk, source
from domain.cdr.asterisk_usual import Unusual
from domain.cdr.record import Leg
from tests.domain.cdr.dialects import CSV, CSV_NEW, CUSTOM, FIELDS, read, row, text

# --- Lines into fields ----------------------------------------------------------------------------


LINES = st.lists(
    st.text(st.sampled_from('""",,a ;\t'), max_size=14).map(lambda line: line + "\n"), min_size=1
)


@given(lines=LINES, last_is_cut=st.booleans())
@example(lines=['"\n'], last_is_cut=False)
@example(lines=['"",""\n', '"a"",b"\n', '"\n'], last_is_cut=False)
@example(lines=['"a\n', 'b","c"\n'], last_is_cut=False)
def test_a_line_is_cut_into_fields_as_csv_does_it(lines, last_is_cut):
    if last_is_cut:
        lines[-1] = lines[-1][:-1] or "a"
    fast = list(source.read_rows(iter(lines)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "_plain_fields", lambda _line, _delimiter: None)
        assert fast == list(source.read_rows(iter(lines)))


def test_usual_lines_do_not_need_csv(monkeypatch):
    def fail(*_arguments):
        raise AssertionError

    monkeypatch.setattr(source, "_rows_without_quotes", fail)
    monkeypatch.setattr(source.csv, "reader", lambda *_, **__: iter(fail, None))
    lines = ['"","1","""Anna"" <1>"\n', "\n", "a;b,c\n", '""\n']
    fields = [["", "1", '"Anna" <1>'], [], ["a;b", "c"], [""]]
    assert list(source.read_rows(iter(lines))) == fields


# --- Rows into legs -------------------------------------------------------------------------------


OTHERS = {  # what else stands in a field now and then
    "src": [
        "",
        "NULL",
        " 101",
        "101",
        "8 (017) 200-12-34",
        "+375291234567",
        "\u0661\u0662",
        "x" * 99,
    ],
    "dst": ["", "null", "s", "80291234567", "00375291234567", "x" * 150],
    "accountcode": ["", "\\N", "1 "],
    "dcontext": [" default", "NULL"],
    "channel": ["Local/101@x-0001;2", "Local/101@x-0001;1", "SIP/a-1 ", "", "NULL"],
    "dstchannel": ["", "NULL", " SIP/a-1", "SIP/a-1;2"],
    "lastapp": ["", "dial", "Queue", "VoiceMail"],
    "start": [
        *("", "2026-03-10", "2026-03-10T12:00:00", "2026-03-10 12:00:00.5", "2026-03-10 24:00:00"),
        *(
            "2026-03-10 11:59:58",
            "2026-02-30 12:00:00",
            "2026-10-25 02:30:00",
            "1999-01-01 00:00:00",
        ),
    ],
    "answer": ["", "NULL", "0000-00-00 00:00:00", "2026-03-10 11:00:00", "2026-03-10 12:00:11 "],
    "end": ["", "2026-03-10 12:00:00", "2026-03-10 12:01:12", "2026-05-10 12:01:10"],
    "duration": ["", "71", "0070", "70.4", "-1", "1e3", "\u0667", "999999999999"],
    "billsec": ["", "0", "59", "62", "70", "-1", "x"],
    "disposition": ["NO ANSWER", "BUSY", "answered", "ANSWERED ", "", "MAYBE"],
    "uniqueid": ["", "NULL", " 1773144000.1", "x" * 180, "pbx-1773144000.9"],
    "linkedid": ["", "NULL", "1773143999.7"],
}
CHANGES = st.dictionaries(st.sampled_from(sorted(OTHERS)), st.integers(0, 8), max_size=4)


@pytest.mark.parametrize("columns", [CSV, CSV_NEW, CUSTOM, CUSTOM[:-1]])
@given(st.lists(CHANGES, min_size=1, max_size=6))
def test_a_usual_row_is_what_the_plain_path_makes_of_it(columns, changes):
    rows = [
        row(columns, **{name: OTHERS[name][n % len(OTHERS[name])] for name, n in each.items()})
        for each in changes
    ]
    content = text(row(columns), *rows, row(columns))
    name = "asterisk-custom" if columns[0] == "clid" else "asterisk-csv"
    fast = read(content, name=name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asterisk.UsualRows, "leg", never)
        assert fast == read(content, name=name)


def never(_self, _row):
    """No row is usual."""
    raise Unusual


@pytest.mark.parametrize("columns", [CSV, CSV_NEW, CUSTOM])
def test_usual_rows_do_not_need_the_plain_path(columns, monkeypatch):
    plain, seen = asterisk.read_leg, []
    monkeypatch.setattr(
        asterisk, "read_leg", lambda *arguments: seen.append(arguments) or plain(*arguments)
    )
    no_answer = row(columns, disposition="NO ANSWER", answer="", billsec="0")
    name = "asterisk-custom" if columns[0] == "clid" else "asterisk-csv"
    events = read(text(*[row(columns), no_answer] * 5), name=name)
    assert all(isinstance(event, Leg) for event in events)
    assert len(seen) == 1  # the day of the first row was not known yet


def test_every_field_has_other_values():
    assert set(OTHERS) <= set(FIELDS)
