"""Which invoices are paid: oldest first, credit notes taken off, nothing lost."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.settlement import (
    Document,
    PaymentState,
    Settled,
    payment_state,
    settle,
)

DUE = date(2026, 4, 25)


def remainders(documents, payments):
    found = settle(documents, payments)
    return [settled.remainder for settled in found.invoices.values()], found.ahead


@pytest.mark.parametrize(
    ("documents", "payments", "left", "ahead"),
    [
        ([(1, 1000)], [], [1000], 0),
        ([(1, 1000)], [400, 100], [500], 0),
        ([(1, 1000), (2, 700)], [1200], [0, 500], 0),
        ([(1, 1000), (2, 700)], [2000], [0, 0], 300),
        # money given back is as if it had not come
        ([(1, 1000), (2, 700)], [1200, -300], [100, 700], 0),
        ([(1, 1000)], [-50], [1000], -50),
        # a credit note is taken off its own invoice, whichever is the oldest
        ([(1, 1000), (2, 700), (3, -200, 2)], [1000], [0, 500], 0),
        # of a paid invoice it is money for the others
        ([(1, 1000), (2, 700), (3, -200, 1)], [1000], [0, 500], 0),
        ([(1, 1000), (3, -1000, 1)], [], [0], 0),
        # an invoice of less than nothing is money too
        ([(1, -300), (2, 700)], [], [0, 400], 0),
        # a correction of a discount makes an invoice dearer
        ([(1, 1000), (3, 100, 1)], [1000], [100], 0),
    ],
)
def test_money_pays_the_oldest_invoice_first(documents, payments, left, ahead):
    assert remainders([Document(*each) for each in documents], payments) == (left, ahead)


amounts = st.integers(-100_000, 1_000_000)


@given(
    st.lists(st.tuples(amounts, st.lists(amounts, max_size=2)), max_size=6),
    st.lists(amounts, max_size=6),
    st.randoms(),
)
def test_nothing_is_lost_whatever_was_given_out_and_paid(bills, payments, chance):
    documents = [Document(n, total) for n, (total, _notes) in enumerate(bills)]
    documents += [
        Document(100 + 10 * n + m, note, n)
        for n, (_total, notes) in enumerate(bills)
        for m, note in enumerate(notes)
    ]
    found = settle(documents, payments)
    balance = sum(each.total for each in documents) - sum(payments)
    assert found.debt - found.ahead == balance
    left = [settled.remainder for settled in found.invoices.values()]
    assert all(each >= 0 for each in left)
    if found.ahead > 0:
        assert found.debt == 0
    # what is paid in part has nothing paid after it
    parts = [n for n, each in enumerate(found.invoices.values()) if each.remainder]
    later = list(found.invoices.values())[parts[0] + 1 :] if parts else []
    assert all(each.paid == 0 for each in later)
    chance.shuffle(payments)
    assert settle(documents, payments) == found


@pytest.mark.parametrize(
    ("settled", "today", "state"),
    [
        (Settled(1000, 0, 0), DUE, PaymentState.OPEN),
        (Settled(1000, 0, 1), DUE, PaymentState.PARTLY),
        (Settled(1000, 0, 0), date(2026, 4, 26), PaymentState.OVERDUE),
        (Settled(1000, 0, 1000), date(2026, 4, 26), PaymentState.PAID),
        (Settled(1000, 400, 600), date(2026, 4, 26), PaymentState.PAID),
        (Settled(1000, 1000, 0), DUE, PaymentState.CREDITED),
        (Settled(0, 0, 0), DUE, PaymentState.NOTHING),
        (Settled(-300, 0, 0), DUE, PaymentState.NOTHING),
    ],
)
def test_the_state_of_an_invoice_on_a_day(settled, today, state):
    assert payment_state(settled, DUE, today) is state
