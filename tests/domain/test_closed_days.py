"""Days on which invoices are not ordered, and the months that can be fetched by a link."""

from datetime import date

import pytest

from domain.closed_days import ClosedDays
from domain.periods import bill_link_months


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", set()),
        ("  ", set()),
        ("2", {2}),
        ("1-3", {1, 2, 3}),
        ("1-3, 28-31", {1, 2, 3, 28, 29, 30, 31}),
        ("5-5,1,1-2", {1, 2, 5}),
    ],
)
def test_ranges_of_days_are_read(text, days):
    assert ClosedDays.parse(text).days == days


@pytest.mark.parametrize(
    "text",
    ["0", "32", "3-1", "1-", "-3", "1-3;5", "a", "1,,2", "1-31", "1-15,16-31", "1-3-5", "01"],
)
def test_what_is_no_list_of_days_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        ClosedDays.parse(text)


@pytest.mark.parametrize(
    ("text", "day", "opens", "stretch"),
    [
        ("1-3", date(2026, 12, 1), date(2026, 12, 4), (1, 3)),
        ("1-3", date(2026, 12, 3), date(2026, 12, 4), (1, 3)),
        ("1-2,3", date(2026, 12, 2), date(2026, 12, 4), (1, 3)),
        ("28-31,1-3", date(2026, 11, 30), date(2026, 12, 4), (28, 31)),
        ("29-31", date(2028, 2, 29), date(2028, 3, 1), (29, 31)),
        ("31", date(2026, 12, 31), date(2027, 1, 1), (31, 31)),
        ("1-30", date(2026, 2, 1), date(2026, 3, 31), (1, 30)),
        ("15", date(2026, 2, 15), date(2026, 2, 16), (15, 15)),
    ],
)
def test_a_closed_day_tells_when_it_opens(text, day, opens, stretch):
    days = ClosedDays.parse(text)
    assert day in days
    assert days.opens_on(day) == opens
    assert days.stretch(day) == stretch


def test_days_that_a_month_does_not_have_do_not_matter():
    assert date(2026, 2, 28) not in ClosedDays.parse("29-31")


@pytest.mark.parametrize(
    ("today", "months", "wanted"),
    [
        (date(2026, 3, 1), 2, [(2026, 2), (2026, 1)]),
        (date(2026, 1, 31), 2, [(2025, 12), (2025, 11)]),
        (date(2028, 2, 29), 1, [(2028, 1)]),
        (date(2026, 3, 1), 0, []),
        (date(2026, 3, 31), 14, [(2026, 2), (2026, 1)]),
    ],
)
def test_months_by_a_link_are_those_before_this_one(today, months, wanted):
    found = bill_link_months(today, months)
    assert [(day.year, day.month) for day in found][:2] == wanted[:2]
    assert len(found) == months
    assert all(day.day == 1 for day in found)
