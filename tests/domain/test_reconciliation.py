"""Invoice, call detail and charges side by side: 0,00 or a difference with its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.reconciliation import Figures, Reason, compare, total_of


@pytest.mark.parametrize(
    ("figures", "difference", "reasons"),
    [
        (Figures("local", 12, 120_000, 0, 120_000), 0, []),
        (Figures("local", 12, 124_999, 0, 124_999), 0, []),
        (Figures("local", 12, 120_000, 60_000, 180_000), 6, [(Reason.LATER, 6)]),
        (Figures("local", 12, 60_000, 0, 60_000), -6, [(Reason.CHANGED, -6)]),
        # 0,124 and 0,004 are 0,12 and 0,00, together 0,13
        (Figures("local", 12, 124_000, 4_000, 128_000), 1, [(Reason.ROUNDING, 1)]),
        (Figures("local", 12, 120_000, 0, 90_000), 0, [(Reason.ROLL_UP, -3)]),
        (Figures("local", 12, 120_000, 0, None), 0, []),
    ],
)
def test_a_difference_has_its_reason(figures, difference, reasons):
    found = compare(figures)
    assert (found.difference, list(found.reasons)) == (difference, reasons)


micros = st.integers(0, 10_000_000)


@given(
    st.lists(
        st.builds(Figures, st.just("g"), st.integers(0, 1000), micros, micros, st.none() | micros),
        max_size=5,
    )
)
def test_the_reasons_make_the_difference_in_each_row_and_in_all(rows):
    found = [compare(row) for row in rows]
    for row in (*found, total_of(found)):
        reasons = dict(row.reasons)
        roll_up = reasons.pop(Reason.ROLL_UP, 0)
        assert sum(reasons.values()) == row.difference
        assert row.charges is None or row.charges - row.detail == roll_up
