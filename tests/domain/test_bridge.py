"""«Что изменилось»: the parts make the difference, whatever the two invoices are."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from domain.billing.bridge import NumberFees, PartKind, bridge, compare_numbers
from domain.billing.forming import vat_totals
from domain.billing.invoice import InvoiceContent, Line, LineKind, Party

SIDE = Party(name="ООО «Ромашка»", unp="190000001")
EMPTY = InvoiceContent(
    number="2026-000001", key="k", period=date(2026, 3, 1), issued_on=date(2026, 4, 2),
    due_on=date(2026, 4, 25), operator=SIDE, client=SIDE, account_no="1", lines=(), vat=(),
    opening=0,
)  # fmt: skip


def content(*lines):
    made = tuple(
        Line(
            ordinal=n, kind=kind, name=code, code=code, quantity=quantity, seconds=seconds,
            net=net, vat_percent=2000 if kind is LineKind.INSTALMENT else 2500,
            gross=net + net // 5 if kind is LineKind.INSTALMENT else 0,
        )
        for n, (kind, code, quantity, seconds, net) in enumerate(lines, 1)
    )  # fmt: skip
    return replace(EMPTY, lines=made, vat=vat_totals(made))


def told(before, after, old=(), new=()):
    numbers = compare_numbers(
        [NumberFees(*each) for each in old], [NumberFees(*each) for each in new]
    )
    found = bridge(before, after, numbers)
    return [(part.kind.value, part.code, part.amount, part.count) for part in found.parts]


def test_fees_are_told_by_what_became_of_the_numbers():
    before = content((LineKind.FEE, "number", 4, 0, 1400), (LineKind.FEE, "line", 1, 0, 5000))
    after = content((LineKind.FEE, "number", 4, 0, 1790), (LineKind.FEE, "line", 1, 0, 5500))
    old = [(1, "A", 350), (2, "A", 350), (3, "A", 350), (4, "A", 350)]
    new = [(1, "A", 350), (3, "B", 900), (4, "A", 190), (7, "A", 350)]
    assert told(before, after, old, new) == [
        ("added", "", 350, 1),
        ("removed", "", -350, 1),
        ("plan", "", 550, 1),
        ("fee", "", -160, 1),
        ("company", "", 500, 0),
        ("vat", "", 223, 0),
    ]


def test_calls_are_told_by_volume_and_price():
    before = content(
        (LineKind.CALLS, "local", 10, 600, 100),
        (LineKind.CALLS, "onnet", 3, 0, 30),
        (LineKind.CALLS, "mobile", 1, 60, 15),
    )
    after = content(
        (LineKind.CALLS, "local", 12, 900, 180),
        (LineKind.CALLS, "onnet", 4, 0, 36),
        (LineKind.CALLS, "international", 1, 60, 50),
    )
    assert told(before, after) == [
        ("volume", "local", 50, 0),
        ("volume", "onnet", 10, 0),
        ("volume", "mobile", -15, 0),
        ("volume", "international", 50, 0),
        ("price", "local", 30, 0),
        ("price", "onnet", -4, 0),
        ("vat", "", 31, 0),
    ]


def test_a_part_names_the_lines_of_both_months():
    before = content((LineKind.FEE, "n", 1, 0, 350), (LineKind.ONE_OFF, "", 1, 0, 1000))
    after = content((LineKind.ONE_OFF, "", 1, 0, 300), (LineKind.ONE_OFF, "", 1, 0, 500))
    found = bridge(before, after, compare_numbers([], []))
    (part,) = (part for part in found.parts if part.kind is PartKind.ONE_OFF)
    assert (part.amount, part.before.lines, part.after.lines) == (-200, (2,), (1, 2))


def test_months_that_are_alike_have_no_parts():
    same = content((LineKind.FEE, "number", 1, 0, 350), (LineKind.CALLS, "local", 1, 60, 6))
    assert told(same, same, [(1, "A", 350)], [(1, "A", 350)]) == []


lines = st.lists(
    st.tuples(
        st.sampled_from(list(LineKind)),
        st.sampled_from(["local", "mobile", ""]),
        st.integers(0, 1000),
        st.integers(0, 100_000),
        st.integers(-100_000, 1_000_000),
    ),
    max_size=8,
)
numbers = st.lists(
    st.tuples(st.integers(1, 30), st.sampled_from("AB"), st.integers(0, 5000)),
    unique_by=lambda row: row[0],
    max_size=12,
).map(sorted)


@given(lines, lines, numbers, numbers)
def test_the_parts_make_the_difference_to_the_kopeck(was, now, old, new):
    before, after = content(*was), content(*now)
    parts = told(before, after, old, new)
    assert sum(amount for _kind, _code, amount, _count in parts) == after.total - before.total
