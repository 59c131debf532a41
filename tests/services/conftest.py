"""What tests of the report's forms share."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.cdr.record import CallDirection, Disposition
from domain.rating.states import CallRating
from models_billing import TariffPlan, TariffRate, TariffVersion
from services import clock
from tests import factories
from tests.factories import make_call, make_import_run, make_order, make_subscriber

MINSK = ZoneInfo("Europe/Minsk")


def at(day, *time, zone=MINSK):
    """A moment of March 2026."""
    return datetime(2026, 3, day, *time, tzinfo=zone)


FREE = {"rating": CallRating.FREE, "price": 0, "billed_s": 0, "package_s": 0}


def make_rate(**values):
    """A price of a published tariff."""
    at_once = {"created_at": at(1)}
    plan = TariffPlan.create(name=f"Тариф {TariffPlan.select().count() + 1}", **at_once)
    version = TariffVersion.create(
        plan=plan, valid_from=date(2026, 1, 1), state="published", **at_once
    )
    steps = [[0, 60_000, 60, 1]]
    return TariffRate.create(version=version, **{"prefix": "37517", "steps": steps, **values})


def paid(rate, micros, billed_s, package_s=0):
    """What the row of a priced call holds of its price."""
    return {
        "rating": CallRating.PRICED,
        "price": micros,
        "billed_s": billed_s,
        "package_s": package_s,
        "rate_id": rate.id,
    }


@pytest.fixture
def written_down(base):
    """An order of two numbers whose values are all written down here."""
    client = factories.make_client(name="ООО «Ромашка»", account_no="00001234")
    run = make_import_run(last_at=clock.epoch(at(10, 13, 59)))
    first = make_subscriber(client, number="375291112233", full_name="Иванов Иван Иванович")
    second = make_subscriber(client, number="375291112244", full_name="=1+1")
    rate = make_rate(name="Минск", destination_group="local", steps=[[0, 62_500, 60, 60]])
    for n, disposition in enumerate(Disposition):
        make_call(
            first,
            at(2, 9, n, 30 + n),
            import_run=run,
            disposition=disposition,
            direction=CallDirection(n % 2),
            peer=f"37517200102{n}",
            uid=f"1772434800.{n}",
            duration_s=7 + n * 1000,
            **(FREE if n else paid(rate, 125_000, 120)),
        )
    make_call(second, at(3, 23, 59, 59), import_run=run, peer="+375 17", uid="1772581199.9")
    by_package = paid(rate, 0, 60, package_s=60)
    make_call(
        second, at(4, 9), import_run=run, peer="375172001029", uid="1772604000.1", **by_package
    )
    excluded = ["375299999999", "80291112255"]
    return make_order(client, [first, second], number=12, params={"excluded": excluded})
