"""A month becomes an invoice: every kopeck on a line is somebody's, and none is lost or made."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.billing.forming import (
    CallSum,
    DiscountRule,
    Extra,
    Month,
    Number,
    PlanDays,
    form,
    vat_totals,
)
from domain.billing.invoice import LineKind
from domain.rating.plan_file import Fee

FEE = Fee("number", "Абонентская плата", 350)
ONCE = Fee("start", "Подключение", 1000, is_monthly=False)
COMPANY = Fee("office", "Виртуальная АТС", 9900, is_per_client=True)
GROUPS = {"local": "Местные", "mobile": "Мобильные", "international": "Международные"}


def days_of(plan, fees, days, *, begins=False):
    return PlanDays(plan, fees, days, begins)


def vat_of(service):
    return {"telecom": 2500, "goods": 2000}[service]


def number(n, *plans):
    return Number(n, f"37517000000{n}", f"Имя {n}", plans or (days_of("Офис", (FEE,), 30),))


def formed(month):
    return form(month, vat_of=vat_of, group_names=GROUPS)


def lines(result):
    return [(line.kind, line.name, line.quantity, line.net) for line in result.lines]


def test_fees_are_paid_by_number_by_day_and_once():
    result = formed(
        Month(
            30,
            [
                number(1),
                number(2, days_of("Офис", (FEE,), 7, begins=True)),
                number(3, days_of("Новый", (FEE, ONCE, COMPANY), 30, begins=True)),
                number(4, days_of("Новый", (FEE, ONCE, COMPANY), 15)),
            ],
        )
    )
    assert lines(result) == [
        (LineKind.FEE, "Абонентская плата", 2, 350 + 82),  # 7/30 of 3,50 is 0,81(6)
        (LineKind.FEE, "Абонентская плата", 2, 350 + 175),
        (LineKind.FEE, "Подключение", 1, 1000),
        (LineKind.FEE, "Виртуальная АТС", 1, 9900),
    ]
    assert [row.net for row in result.annex] == [350, 82, 1350, 175]


def test_a_fee_by_quantity_is_parted_over_the_numbers():
    fee = Fee("n", "Номера", 0, ranges=((2, 1_000_000, 0), (None, 500_000, 0)))
    result = formed(Month(30, [number(n, days_of("Офис", (fee,), 30)) for n in (1, 2, 3)]))
    assert [line.net for line in result.lines] == [250]
    assert [row.net for row in result.annex] == [84, 83, 83]


def test_calls_are_rounded_once_a_line_and_parted_to_the_kopeck():
    calls = [CallSum(n, "local", 1, 60, 3_333) for n in (1, 2, 3)]  # a third of a kopeck each
    result = formed(Month(30, [number(n, days_of("", (), 30)) for n in (1, 2, 3)], calls))
    assert lines(result) == [(LineKind.CALLS, "Местные", 3, 1)]
    assert [row.sums for row in result.annex] == [
        {1: (1, 60, 1)},
        {1: (1, 60, 0)},
        {1: (1, 60, 0)},
    ]


def test_late_calls_have_lines_of_their_own():
    calls = [
        CallSum(1, "mobile", 2, 120, 250_000, is_late=True),
        CallSum(1, "international", 1, 60, 500_000),
        CallSum(1, "mobile", 1, 60, 120_000),
    ]
    result = formed(Month(30, [number(1, days_of("", (), 30))], calls))
    assert lines(result) == [
        (LineKind.CALLS, "Мобильные", 1, 12),
        (LineKind.CALLS, "Международные", 1, 50),
        (LineKind.LATE_CALLS, "Мобильные", 2, 25),
    ]


def test_an_instalment_costs_what_the_contract_says():
    extras = [Extra(1, "Телефон", 9_999, "goods"), Extra(None, "Шлюз", 12_345, "goods")]
    result = formed(Month(30, [number(1, days_of("", (), 30))], instalments=extras))
    [vat] = result.vat
    assert vat.net + vat.vat == 9_999 + 12_345
    assert [line.gross for line in result.lines] == [9_999, 12_345]


def test_a_discount_is_taken_of_each_service():
    month = Month(
        30,
        [number(1)],
        one_offs=[Extra(None, "Шлюз", 10_000, "goods"), Extra(1, "Выезд", 5_000, "telecom")],
        instalments=[Extra(1, "Телефон", 1_200, "goods")],
        discounts=[DiscountRule("Скидка 10 %", 1000)],
    )
    result = formed(month)
    assert lines(result)[-2:] == [
        (LineKind.DISCOUNT, "Скидка 10 %", 1, -535),
        (LineKind.DISCOUNT, "Скидка 10 %", 1, -1000),
    ]
    assert [(v.percent, v.net, v.vat) for v in result.vat] == [
        (2500, 350 + 5_000 - 535, 1204),
        (2000, 10_000 - 1_000 + 1_000, 1_800 + 200),
    ]


def test_a_month_of_nothing_has_no_lines():
    result = formed(Month(30, [number(1, days_of("", (), 30))]))
    assert (result.lines, result.vat) == ((), ())
    assert [row.net for row in result.annex] == [0]


amounts = st.integers(-100_000, 1_000_000)


@given(
    st.lists(
        st.builds(
            CallSum,
            st.integers(1, 4),
            st.sampled_from(list(GROUPS)),
            st.just(1),
            st.integers(0, 3600),
            st.integers(0, 10**9),
            st.booleans(),
        ),
        unique_by=lambda c: (c.subscriber_id, c.group, c.is_late),
    ),
    st.lists(st.integers(1, 30), min_size=4, max_size=4),
    st.lists(st.tuples(st.sampled_from([None, 1, 2]), amounts), max_size=3),
    st.lists(st.integers(1, 10**7), max_size=3),
    st.integers(0, 3000),
)
def test_numbers_make_lines_and_lines_make_the_invoice(calls, days, one_offs, parts, percent):
    month = Month(
        30,
        [number(n, days_of("Офис", (FEE,), d)) for n, d in enumerate(days, 1)],
        calls,
        [Extra(whose, "x", amount, "telecom") for whose, amount in one_offs],
        [Extra(1, "y", amount, "goods") for amount in parts],
        [DiscountRule("z", percent)] if percent else [],
    )
    result = formed(month)
    by_line = defaultdict(int)
    for row in result.annex:
        for ordinal, (_quantity, _seconds, net) in row.sums.items():
            by_line[ordinal] += net
    for line in result.lines:
        if line.kind in {LineKind.FEE, LineKind.CALLS, LineKind.LATE_CALLS}:
            assert by_line[line.ordinal] == line.net
    assert sum(v.net for v in result.vat) == sum(line.net for line in result.lines)
    telecom = sum(line.net for line in result.lines if line.vat_percent == 2500)
    oracle = (Decimal(telecom) / 4).quantize(Decimal(1), ROUND_HALF_UP)
    assert sum(v.vat for v in result.vat if v.percent == 2500) == oracle
    for micros, line in (
        (sum(c.micros for c in calls if (c.group, c.is_late) == (each.code, late)), each)
        for each in result.lines
        for late in [each.kind is LineKind.LATE_CALLS]
        if each.kind in {LineKind.CALLS, LineKind.LATE_CALLS}
    ):
        assert line.net == (Decimal(micros) / 10_000).quantize(Decimal(1), ROUND_HALF_UP)
    assert vat_totals(result.lines) == result.vat
