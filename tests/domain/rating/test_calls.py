"""The price of a call: borders of steps and hours, parts and wholes, the fast path and an oracle
that counts second by second.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidValue
from domain.money import ROUBLE, Rounding
from domain.rating.calendar import Calendar
from domain.rating.calls import price_call
from domain.rating.deck import Deck
from domain.rating.flat import FlatPricer
from domain.rating.tariff import (
    HOLIDAY,
    Package,
    Rate,
    RoundingRule,
    Step,
    Version,
    Window,
    check_rate,
)
from domain.rating.usage import Rater, Usage

MINSK = ZoneInfo("Europe/Minsk")
CALENDAR = Calendar(MINSK)
MINUTE = (Step(0, 600_000),)  # 60 kopecks a started minute
SECOND = (Step(0, 600_000, 60, 1),)
EVERY_DAY = frozenset(range(7))


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=MINSK).timestamp())


@pytest.mark.parametrize(
    ("changes", "duration", "micros", "billed"),
    [
        ({}, 0, 0, 0),
        ({}, -5, 0, 0),
        ({}, 1, 600_000, 60),
        ({}, 60, 600_000, 60),
        ({}, 61, 1_200_000, 120),
        ({"steps": SECOND}, 61, 610_000, 61),
        ({"connect_fee": 300_000}, 0, 0, 0),
        ({"connect_fee": 300_000}, 1, 900_000, 60),
        ({"grace_s": 3}, 3, 0, 0),
        ({"grace_s": 3}, 4, 600_000, 60),
        ({"steps": SECOND, "free_s": 10}, 15, 50_000, 15),
        ({"steps": SECOND, "minimum_s": 30}, 5, 300_000, 30),
        ({"cap": 1_000_000}, 3600, 1_000_000, 3600),
        ({"steps": (Step(0, 600_000), Step(60, 600_000, 60, 1))}, 61, 610_000, 61),
        ({"steps": (Step(0, 0, 1, 60), Step(60, 6000, 1, 1))}, 70, 60_000, 70),
    ],
)
def test_a_call_costs(changes, duration, micros, billed):
    price = price_call(Rate("375", **{"steps": MINUTE, **changes}), duration)
    assert (price.micros, price.billed_s) == (micros, billed)
    assert price.is_capped == ("cap" in changes)


EVENING = Window(EVERY_DAY, 18 * 3600, 24 * 3600, (Step(0, 300_000, 60, 1),), "evening")
HOLIDAYS = Window(frozenset({HOLIDAY}), 0, 24 * 3600, (Step(0, 60_000, 60, 1),), "holiday")


@pytest.mark.parametrize(
    ("started", "duration", "micros"),
    [
        ("2026-06-15T17:59:30", 60, 300_000 + 150_000),  # split at the border
        ("2026-06-15T23:59:00", 120, 300_000 + 600_000),  # over midnight
        ("2026-07-03T12:00:00", 60, 60_000),  # a holiday
        ("2026-07-02T23:59:30", 60, 150_000 + 30_000),  # into a holiday
        ("2026-07-03T23:59:30", 60, 30_000 + 300_000),  # out of it
    ],
)
def test_a_call_across_hours_is_split(started, duration, micros):
    rate = Rate("375", SECOND, windows=(HOLIDAYS, EVENING))
    price = price_call(rate, duration, started_at=at(started), calendar=CALENDAR)
    assert price.micros == micros


def test_a_started_minute_is_paid_at_the_price_of_its_start():
    rate = Rate("375", MINUTE, windows=(Window(EVERY_DAY, 64_800, 86_400, (Step(0, 300_000),)),))
    price = price_call(rate, 90, started_at=at("2026-06-15T17:59:30"), calendar=CALENDAR)
    assert [(part.increments, part.step.price) for part in price.parts] == [
        (1, 600_000),
        (1, 300_000),
    ]


def test_hours_on_a_day_with_a_changed_clock_are_those_of_the_wall():
    berlin = Calendar(ZoneInfo("Europe/Berlin"), lambda _day: False)
    start = int(datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp())  # 01:30, then 03:00
    night = Window(EVERY_DAY, 0, 4 * 3600, (Step(0, 60, 60, 1),))
    price = price_call(
        Rate("", (Step(0, 600, 60, 1),), windows=(night,)),
        2 * 3600,
        started_at=start,
        calendar=berlin,
    )
    assert [part.increments for part in price.parts] == [90 * 60, 30 * 60]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", date(2026, 10, 25)),  # 02:00 to 03:00 come twice
        ("Europe/Berlin", date(2026, 3, 29)),  # and here not at all
        ("Europe/Minsk", date(2010, 10, 31)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
        ("America/Havana", date(2026, 3, 8)),  # there is no midnight
    ],
)
def test_a_window_holds_until_the_next_moment_that_is_told(zone, day):
    calendar = Calendar(ZoneInfo(zone), lambda _day: False)
    hours = ((0, 5_400), (6_300, 9_900), (9_900, 13_000))
    windows = [Window(EVERY_DAY, *each, (Step(0, 1),)) for each in hours]
    midnight = datetime.combine(day, time(), ZoneInfo(zone))
    start = int(midnight.timestamp()) - 3_600
    at_minutes = {at: calendar.window_at(windows, at) for at in range(start, start + 21_600, 60)}
    for at_, (window, until) in at_minutes.items():
        assert until > at_
        same = [at_minutes[each][0] for each in range(at_, until, 60) if each in at_minutes]
        assert same == [window] * len(same)


def test_a_call_in_the_hour_that_comes_twice_ends():
    berlin = Calendar(ZoneInfo("Europe/Berlin"), lambda _day: False)
    start = int(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp())  # 02:30 for the second time
    late = Window(EVERY_DAY, 9_900, 86_400, (Step(0, 60, 60, 1),))  # from 02:45
    rate = Rate("", (Step(0, 600, 60, 1),), windows=(late,))
    price = price_call(rate, 1_800, started_at=start, calendar=berlin)
    assert [part.increments for part in price.parts] == [900, 900]


def test_a_rate_by_the_hour_cannot_be_counted_without_a_calendar():
    with pytest.raises(ValueError, match="calendar"):
        price_call(Rate("", MINUTE, windows=(EVENING,)), 60)


@pytest.mark.parametrize(
    "rate",
    [
        Rate("375", ()),
        Rate("375", (Step(10, 1),)),
        Rate("375", (Step(0, 1, 60, 60), Step(90, 1))),
        Rate("375", (Step(0, 1, 60, 0),)),
        Rate("37x", MINUTE),
        Rate("375", MINUTE, windows=(Window(EVERY_DAY, 10, 10, MINUTE),)),
        Rate("375", MINUTE, windows=(Window(frozenset({9}), 0, 10, MINUTE),)),
    ],
)
def test_what_cannot_be_meant_is_refused(rate):
    with pytest.raises(InvalidValue):
        check_rate(rate)


# --- Any rate against an oracle that counts second by second --------------------------------------

increments = st.sampled_from([1, 6, 30, 60])
prices = st.integers(0, 3_000_000)


@st.composite
def rates(draw):
    """Rates with one to three steps and whatever else there is."""
    steps, start = [], 0
    for _ in range(draw(st.integers(1, 3))):
        step = Step(start, draw(prices), draw(st.sampled_from([1, 60])), draw(increments))
        steps.append(step)
        start += step.increment_s * draw(st.integers(1, 5))
    return Rate(
        "",
        tuple(steps),
        connect_fee=draw(st.sampled_from([0, 500_000])),
        free_s=draw(st.sampled_from([0, 0, 60])),
        grace_s=draw(st.sampled_from([0, 0, 3])),
        minimum_s=draw(st.sampled_from([0, 0, 30])),
        cap=draw(st.sampled_from([None, None, 2_000_000])),
        windows=draw(st.sampled_from([(), (EVENING,), (HOLIDAYS, EVENING)])),
    )


def slow_price(rate, duration, started_at, rule):
    """The rule once more, in decimals, an increment at a time. Sixtieths are put off to the end:
    no decimal holds them.
    """
    if duration <= max(0, rate.grace_s):
        return Decimal(0)
    total, second, needed = Decimal(rate.connect_fee) * 60, 0, max(duration, rate.minimum_s)
    while second < needed:
        local = datetime.fromtimestamp(started_at + second, MINSK)
        step = step_for(rate, local, second)
        if second >= rate.free_s:
            total += Decimal(step.price) * step.increment_s * (60 // step.per_s)
        second += step.increment_s
    total = total if rate.cap is None else min(total, Decimal(rate.cap) * 60)
    grain = Decimal(1).scaleb(6 - rule.places)
    return (total / (60 * grain)).quantize(Decimal(1), ROUND_HALF_UP) * grain


def step_for(rate, local, second):
    steps = rate.steps
    hours = [w for w in rate.windows if w.name == "evening" and local.hour >= 18]
    if local.date() == date(2026, 7, 3) and HOLIDAYS in rate.windows:
        hours = [HOLIDAYS]
    if hours:
        steps = hours[0].steps
    return [step for step in steps if step.from_s <= second][-1]


@given(
    rates(),
    st.integers(0, 4000),
    st.sampled_from(["2026-07-02T17:30:00", "2026-07-02T23:40:00", "2026-07-03T23:40:00"]),
    st.sampled_from([2, 4, 6]),
)
def test_the_engine_agrees_with_counting_second_by_second(rate, duration, started, places):
    rule = RoundingRule(Rounding.HALF_UP, places)
    begun = at(started)
    price = price_call(rate, duration, started_at=begun, calendar=CALENDAR, rounding=rule)
    assert price.micros == slow_price(rate, duration, begun, rule)


@given(rates(), st.integers(1, 4000))
def test_the_parts_of_a_price_make_the_whole(rate, duration):
    begun = at("2026-07-02T17:30:00")
    price = price_call(rate, duration, started_at=begun, calendar=CALENDAR)
    if not price.billed_s:
        return
    assert sum((part.exact for part in price.parts), Fraction(price.connect_fee)) == price.exact
    assert sum(part.seconds for part in price.parts) == price.billed_s >= duration
    edges = [part.from_s for part in price.parts] + [price.billed_s]
    assert edges[0] == 0
    assert all(
        start + part.seconds == end
        for part, start, end in zip(price.parts, edges[:-1], edges[1:], strict=True)
    )


@given(rates(), st.integers(0, 4000), st.integers(0, 4000))
def test_a_longer_call_never_costs_less(rate, one, other):
    rate = Rate(rate.prefix, rate.steps, connect_fee=rate.connect_fee, cap=rate.cap)
    short, long = sorted((one, other))
    assert price_call(rate, short).micros <= price_call(rate, long).micros


@given(
    st.lists(rates(), min_size=1, max_size=5),
    st.lists(
        st.tuples(st.sampled_from(["375291", "37529", "48", "4822", "7"]), st.integers(0, 999))
    ),
    st.sampled_from([2, 4, 6]),
)
def test_the_fast_path_says_what_the_plain_one_says(found, calls, places):
    prefixes = ["375", "37529", "48", "482", ""]
    deck = tuple(
        Rate(
            prefix, rate.steps, connect_fee=rate.connect_fee, minimum_s=rate.minimum_s, cap=rate.cap
        )
        for prefix, rate in zip(prefixes, found, strict=False)
    )
    version = Version("plan", date(2026, 1, 1), deck, rounding=RoundingRule(places=places))
    fast, plain = FlatPricer(version), Rater(version)
    for number, duration in calls:
        priced, slow = fast.price(number, duration), plain.price(number, duration)
        if priced:
            assert priced == (slow.rate, slow.micros, slow.billed_s)


def test_plain_rates_take_the_fast_path():
    version = Version("plan", date(2026, 1, 1), (Rate("375", MINUTE), Rate("48", SECOND)))
    fast = FlatPricer(version)
    assert fast.price("375291234567", 61)[1:] == (1_200_000, 120)
    assert fast.price("48221234567", 61)[1:] == (610_000, 61)
    assert fast.price("7495", 61) is None


# --- Decks ----------------------------------------------------------------------------------------


def test_the_longest_prefix_that_holds_decides():
    march, april = at("2026-03-01T00:00:00"), at("2026-04-01T00:00:00")
    deck = Deck(
        [
            Rate("375", MINUTE, name="country"),
            Rate("37529", MINUTE, name="network", valid_to=april),
            Rate("37529", MINUTE, name="network, new price", valid_from=april),
            Rate("375291", MINUTE, name="only in March", valid_from=march, valid_to=april),
        ]
    )
    found = [deck.find("375291234567", at=when).name for when in (march - 1, march, april)]
    assert found == ["network", "only in March", "network, new price"]
    assert deck.find("37", at=march) is None
    assert deck.find("375", at=march).name == "country"


@given(
    st.lists(st.text("0123", max_size=4), unique=True),
    st.lists(st.text("0123", max_size=6)),
)
def test_the_deck_finds_what_a_search_through_all_finds(prefixes, numbers):
    deck = Deck(Rate(prefix, MINUTE) for prefix in prefixes)
    for number in numbers:
        fitting = sorted((p for p in prefixes if number.startswith(p)), key=len)
        found = deck.find(number)
        assert (found.prefix if found else None) == (fitting[-1] if fitting else None)


# --- Packages -------------------------------------------------------------------------------------


def rater(*packages):
    rates_ = (
        Rate("375", MINUTE, group="local", connect_fee=100_000),
        Rate("7", MINUTE, group="abroad"),
    )
    return Rater(Version("plan", date(2026, 1, 1), rates_, packages))


def test_a_package_pays_until_it_is_used_up():
    plan, usage = rater(Package("m", 180, groups=frozenset({"local"}))), Usage()
    prices = [
        plan.price("375291", 100, subscriber_id=1, usage=usage),
        plan.price("375291", 100, subscriber_id=1, usage=usage),
        plan.price("375291", 100, subscriber_id=1, usage=usage),
        plan.price("375291", 100, subscriber_id=2, usage=usage),
        plan.price("7495", 100, subscriber_id=2, usage=usage),
    ]
    assert [(price.micros, price.package_s) for price in prices] == [
        (0, 120),  # two started minutes
        (700_000, 60),  # one inside, one beyond with its connect fee
        (1_300_000, 0),
        (0, 120),  # each number has its own
        (1_200_000, 0),  # another group
    ]


def test_a_shared_package_is_used_by_all_numbers():
    plan, usage = rater(Package("m", 180, is_shared=True)), Usage()
    seconds = [plan.price("375291", 100, subscriber_id=n, usage=usage).package_s for n in (1, 2, 3)]
    assert seconds == [120, 60, 0]


def test_a_call_goes_on_into_the_next_package():
    plan, usage = rater(Package("a", 60), Package("b", 600)), Usage()
    price = plan.price("7495", 170, subscriber_id=1, usage=usage)
    assert [(use.package.code, use.seconds) for use in price.uses] == [("a", 60), ("b", 120)]
    assert price.micros == 0


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 900)), max_size=12), st.booleans())
def test_packages_pay_no_more_than_they_hold(calls, is_shared):
    package = Package("m", 600, is_shared=is_shared)
    plan, usage = rater(package), Usage()
    used = {1: 0, 2: 0}
    for subscriber, duration in calls:
        price = plan.price("7495", duration, subscriber_id=subscriber, usage=usage)
        used[subscriber] += price.package_s
        whole = plan.price("7495", duration)
        assert price.micros + (price.package_s * 10_000) == whole.micros  # 60 kopecks a minute
    assert (sum(used.values()) if is_shared else max(used.values())) <= package.quota_s


def test_months_are_long():
    """A call of a month is as right as one of a minute."""
    month = timedelta(days=31)
    price = price_call(
        Rate("", SECOND, windows=(EVENING,)),
        int(month.total_seconds()),
        started_at=at("2026-08-01T00:00:00"),
        calendar=CALENDAR,
    )
    assert price.micros == 31 * (18 * 3600 * 10_000 + 6 * 3600 * 5_000)
    assert price.micros < 10**6 * ROUBLE
