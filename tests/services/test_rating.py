"""Prices of the calls in the table, and the sums kept beside them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.cdr.record import CallDirection, Disposition
from domain.rating.states import CallRating
from models import Call
from models_billing import (
    TariffPackage,
    TariffPlan,
    TariffRate,
    TariffVersion,
    UsageDay,
    UsageMonth,
)
from services import price_questions, rating, usage
from tests.factories import NOON, make_call, make_client, make_subscriber

MARCH = date(2026, 3, 1)
NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)


@pytest.fixture
def make_version(base):
    """A published version: prices of a minute by prefix, packages in minutes."""

    def make(valid_from=date(2026, 1, 1), plan="Офис", packages=(), **prices):
        plan, _ = TariffPlan.get_or_create(name=plan, defaults={"created_at": NOW})
        version = TariffVersion.create(
            plan=plan, valid_from=valid_from, state="published", created_at=NOW
        )
        for prefix, price in prices.items():
            TariffRate.create(
                version=version,
                prefix=prefix.removeprefix("_"),
                destination_group="abroad" if prefix == "_7" else "local",
                steps=[[0, price, 60, 60]],
            )
        for ordinal, (code, minutes, is_shared) in enumerate(packages):
            TariffPackage.create(
                version=version,
                ordinal=ordinal,
                code=code,
                quota_s=minutes * 60,
                is_shared=is_shared,
            )
        return version

    return make


@pytest.fixture
def subscriber(base):
    return make_subscriber(make_client(), plan="Офис")


def talk(subscriber, started=NOON, billable_s=60, **values):
    answered = int(started.timestamp())
    return make_call(subscriber, started, billable_s=billable_s, answered_at=answered, **values)


def prices():
    rows = Call.select(Call.rating, Call.price, Call.billed_s, Call.package_s)
    return list(rows.order_by(Call.started_at, Call.seq).tuples())


def rerun():
    return rating.rerun(MARCH, MARCH)


def sums_of(subscriber):
    rows = UsageMonth.select().where(UsageMonth.subscriber_id == subscriber.id)
    return {
        row.destination_group: (row.calls, row.billed_s, row.micros, row.unrated)
        for row in rows
        if row.calls
    }


def kept_sums():
    """What the tables of sums say, rows of nothing left out."""
    columns = [getattr(UsageMonth, name) for name in usage.MONTH_KEY]
    months = UsageMonth.select(*columns, *(getattr(UsageMonth, name) for name in usage.SUMS))
    days = UsageDay.select(
        UsageDay.client,
        UsageDay.day,
        UsageDay.destination_group,
        *(getattr(UsageDay, name) for name in usage.SUMS),
    )
    return [sorted(row for row in table.tuples() if any(row[3:])) for table in (months, days)]


def is_in_order():
    """Whether the sums are those of the calls."""
    kept = kept_sums()
    usage.make_anew()
    return kept == kept_sums()


def test_calls_get_their_prices_and_the_reason_when_they_have_none(make_version, subscriber):
    make_version(_375=600_000)
    talk(subscriber, billable_s=61)
    talk(subscriber, NOON + timedelta(seconds=1), peer="7495")
    talk(subscriber, NOON + timedelta(seconds=2), direction=CallDirection.IN)
    make_call(subscriber, NOON + timedelta(seconds=3), disposition=Disposition.BUSY)
    stranger = make_subscriber(make_client(), number="375290000001", plan="unknown")
    talk(stranger, NOON + timedelta(seconds=4))
    done = rerun()
    assert (done.calls, done.unrated) == (5, 2)
    assert prices() == [
        (CallRating.PRICED, 1_200_000, 120, 0),
        (CallRating.NO_RATE, None, None, None),
        (CallRating.FREE, 0, 0, 0),
        (CallRating.FREE, 0, 0, 0),
        (CallRating.NO_PLAN, None, None, None),
    ]


def test_pricing_again_changes_nothing(make_version, subscriber):
    make_version(_375=600_000)
    talk(subscriber)
    assert rerun().changed == 1
    before = sums_of(subscriber)
    assert rerun().changed == 0
    assert sums_of(subscriber) == before == {"local": (1, 60, 600_000, 0)}


def test_the_version_in_force_when_the_call_was_answered_decides(make_version, subscriber):
    make_version(_375=600_000)
    make_version(valid_from=date(2026, 3, 10), _375=700_000)
    border = datetime(2026, 3, 9, 21, tzinfo=UTC)  # midnight of the 10th in Minsk
    talk(subscriber, border - timedelta(seconds=1))
    talk(subscriber, border)
    rerun()
    assert [price for _rating, price, *_ in prices()] == [600_000, 700_000]


def test_a_shared_package_is_used_in_the_order_of_the_calls(make_version, subscriber):
    make_version(_375=600_000, packages=[("home", 3, True)])
    other = make_subscriber(subscriber.client, number="375290000001", plan="Офис")
    talk(other, NOON + timedelta(minutes=10), 120)
    talk(subscriber, NOON, 120)
    talk(subscriber, NOON + timedelta(minutes=20), 60)
    rerun()
    assert [(price, package_s) for _r, price, _b, package_s in prices()] == [
        (0, 120),
        (600_000, 60),
        (600_000, 0),
    ]
    talk(other, NOON - timedelta(minutes=1), 60)  # a late record takes its place
    assert rerun().changed == 2
    assert [package_s for *_, package_s in prices()] == [60, 120, 0, 0]
    assert is_in_order()


def test_a_package_begins_anew_each_month(make_version, subscriber):
    make_version(_375=600_000, packages=[("home", 1, False)])
    february = datetime(2026, 2, 28, 20, 59, 59, tzinfo=UTC)
    for started in (february, february + timedelta(seconds=1)):
        talk(subscriber, started)
    rating.rerun(date(2026, 2, 1), MARCH)
    assert [package_s for *_, package_s in prices()] == [60, 60]


def test_sums_follow_the_prices(make_version, subscriber):
    version = make_version(_375=600_000, _7=1_000_000)
    talk(subscriber, peer="375291112233")
    talk(subscriber, NOON + timedelta(days=1), peer="74951112233")
    talk(subscriber, NOON + timedelta(days=1, seconds=1), peer="48221112233")
    talk(subscriber, NOON + timedelta(days=2), direction=CallDirection.IN)
    rerun()
    assert sums_of(subscriber) == {
        "local": (1, 60, 600_000, 0),
        "abroad": (1, 60, 1_000_000, 0),
        usage.UNKNOWN: (1, 0, 0, 1),
        usage.INCOMING: (1, 0, 0, 0),
    }
    month = usage.month_number(MARCH)
    assert usage.of_client(subscriber.client_id, month)["abroad"][:2] == (1, 60)
    assert is_in_order()
    TariffRate.create(
        version=version, prefix="48", destination_group="abroad", steps=[[0, 700_000, 60, 60]]
    )
    assert rerun().unrated == 0
    assert sums_of(subscriber)["abroad"] == (2, 120, 1_700_000, 0)
    assert is_in_order()


def test_one_client_is_priced_without_the_others(make_version, subscriber):
    make_version(_375=600_000)
    other = make_subscriber(make_client(), number="375290000001", plan="Офис")
    talk(subscriber)
    talk(other)
    done = rating.rerun(MARCH, MARCH, client=subscriber.client)
    assert (done.calls, done.changed) == (1, 1)


def test_a_price_in_the_table_explains_itself(make_version, subscriber):
    make_version(_375=600_000, packages=[("home", 3, False)])
    talk(subscriber, NOON, 120)
    call = talk(subscriber, NOON + timedelta(minutes=5), 120)
    incoming = talk(subscriber, NOON + timedelta(minutes=9), direction=CallDirection.IN)
    rerun()
    found = {row.seq: row for row in Call.select()}
    told = price_questions.why(subscriber.client, found[call.seq])
    assert told.packages == (("home", 60),)
    assert [(part.increments, str(part.price)) for part in told.parts] == [(1, "0.6")]
    assert (str(told.price), str(told.vat), str(told.total)) == ("0.6", "0.15", "0.75")
    assert found[call.seq].price == 600_000
    assert price_questions.why(subscriber.client, found[incoming.seq]) is None
