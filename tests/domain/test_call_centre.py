"""Working hours of a call centre, and what its calls come to."""

from datetime import date

import pytest

from domain import call_centre
from domain.call_centre import Figures, Hours, Missed, Seen, left_alone, read_hours, sum_up
from domain.errors import InvalidValue

LINE, ANNA, BORIS, OFFICE = 1, 2, 3, 9  # the last one is no member
MEMBERS = (LINE, ANNA, BORIS)
OUT, IN = 0, 1
CALLER, OTHER = "375291112233", "375447654321"


class Slots(dict):
    def __missing__(self, quarter):
        return quarter // 2 % call_centre.SLOTS


def seen(at, who=LINE, peer=CALLER, *, way=IN, wait=None, talk=0, rang=20, uid=None):
    """A call that began at second `at` of the day; `wait` seconds until the answer, or none."""
    answered = None if wait is None else at + wait
    duration = rang if wait is None else wait + talk
    return Seen(who, at, way, peer, answered, duration, talk, (1, uid or f"{at}-{peer}"))


def day(*calls):
    return sum_up(calls, MEMBERS, Slots())


def whole(found):
    return call_centre.total(found.all.values())


@pytest.mark.parametrize(
    ("day_", "slot", "works"),
    [
        (date(2026, 11, 23), 18, True),  # Monday at nine
        (date(2026, 11, 23), 17, False),
        (date(2026, 11, 23), 35, True),
        (date(2026, 11, 23), 36, False),  # at six in the evening
        (date(2026, 11, 22), 20, False),  # Sunday
        (date(2026, 12, 25), 20, False),  # a holiday, a Friday
        (date(2026, 4, 21), 20, False),  # Radunitsa, a Tuesday
    ],
)
def test_usual_hours_leave_out_nights_weekends_and_holidays(day_, slot, works):
    assert call_centre.USUAL_HOURS.are_on(day_, slot) is works


def test_a_centre_may_work_on_holidays():
    hours = read_hours("1-7 0:00-24:00", works_on_holidays=True)
    assert all(hours.are_on(date(2027, 1, 1), slot) for slot in range(call_centre.SLOTS))


@pytest.mark.parametrize(
    "text",
    ["9-18", "1-5 9:00", "8 9:00-18:00", "5-1 9:00-18:00", "1 18:00-9:00", "1 9:10-18:00",
     "1 9:00-25:00", "1-5 9:00-18:00, 6 9:00-13:00"],
)  # fmt: skip
def test_hours_that_make_no_sense_are_refused(text):
    with pytest.raises(InvalidValue):
        read_hours(text)


def test_hours_of_no_days_are_days_off():
    assert read_hours("") == Hours((None,) * 7)


def test_calls_are_counted_by_half_hours_and_numbers():
    found = day(
        seen(1800 * 20, wait=10, talk=60),
        seen(1800 * 20 + 5, ANNA, OTHER, wait=4, talk=30),
        seen(1800 * 21, rang=33),
        seen(1800 * 21, ANNA, OTHER, way=OUT, wait=5, talk=100),
        seen(1800 * 21, ANNA, OTHER, way=OUT, uid="not answered"),
    )
    assert found.all == {20: Figures(2, 2, 14, 90), 21: Figures(1, lost_wait_s=33)}
    assert found.slots[LINE] == {
        20: Figures(1, 1, 10, 60),
        21: Figures(1, lost_wait_s=33),
    }
    assert found.slots[ANNA][21] == Figures(out=2, out_answered=1, out_talk_s=100)
    assert found.members[LINE] == Figures(2, 1, 10, 60, 33)


def test_a_call_passed_on_is_one_call_that_was_taken():
    """The line rings, then an employee's number: each has its own figures, the centre one call."""
    found = day(
        seen(0, LINE, rang=15, uid="a"),
        seen(15, ANNA, wait=7, talk=90, uid="a"),
    )
    assert whole(found) == Figures(1, 1, 22, 90)
    assert found.members[LINE].missed == 1
    assert found.missed == {}


def test_a_call_that_somebody_outside_the_centre_took_was_taken():
    found = day(seen(0, LINE, uid="a"), seen(20, OFFICE, wait=5, talk=9, uid="a"))
    assert whole(found) == Figures(1, 1, 25, 9)
    assert OFFICE not in found.members
    assert found.missed == {}


def test_calls_of_others_are_not_the_centres():
    found = day(seen(0, OFFICE), seen(5, OFFICE, wait=1, talk=1))
    assert found.all == {}
    assert found.missed == {}


def test_who_was_missed_stays_until_somebody_calls_back_or_takes_the_next_call():
    missed = seen(100), seen(200, ANNA)
    left = Missed(CALLER, 100, 200, 2, ANNA)
    assert day(*missed).missed == {CALLER: left}
    assert day(*missed, seen(300, OFFICE, way=OUT)).missed == {}
    assert day(*missed, seen(300, OFFICE, way=OUT, wait=3, talk=60)).missed == {}
    assert day(*missed, seen(300, wait=3, talk=60)).missed == {}
    assert day(*missed, seen(300, peer=OTHER, way=OUT)).missed == {CALLER: left}
    assert day(seen(50, way=OUT), *missed).missed == {CALLER: left}  # before, not after
    again = day(seen(100), seen(150, way=OUT), seen(200, ANNA)).missed
    assert again == {CALLER: Missed(CALLER, 200, 200, 1, ANNA)}


def test_the_order_in_which_calls_are_read_does_not_matter():
    calls = [seen(100), seen(150, way=OUT), seen(200, ANNA), seen(210, BORIS, OTHER)]
    assert day(*calls) == day(*reversed(calls))


def test_callers_without_a_number_are_counted_and_not_listed():
    found = day(seen(0, peer="anonymous"), seen(5, peer=""), seen(9, peer="anonymous", wait=1))
    assert (found.nameless, found.missed, found.spoken_to) == (2, {}, set())
    assert whole(found).missed == 2


def test_callers_of_earlier_days_are_left_alone_until_a_later_day():
    first, again = day(seen(100), seen(110, peer=OTHER)), day(seen(90_000, ANNA))
    quiet, back = day(), day(seen(200_000, way=OUT))
    other = Missed(OTHER, 110, 110, 1, LINE)
    assert left_alone([first, again], 2) == [Missed(CALLER, 100, 90_000, 2, ANNA), other]
    assert left_alone([first, again, quiet, back], 2) == [other]
    assert left_alone([back, first], 2) == [other, Missed(CALLER, 100, 100, 1, LINE)]


def test_only_callers_of_the_days_asked_for_are_told_of():
    first, later = day(seen(100)), day(seen(90_000), seen(90_001, peer=OTHER))
    assert left_alone([first, later], 1) == [Missed(CALLER, 100, 90_000, 2, LINE)]
