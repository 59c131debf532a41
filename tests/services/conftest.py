"""What tests of the report's forms share."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.cdr.record import CallDirection, Disposition
from services import clock
from tests import factories
from tests.factories import make_call, make_import_run, make_order, make_subscriber

MINSK = ZoneInfo("Europe/Minsk")


def at(day, *time, zone=MINSK):
    """A moment of March 2026."""
    return datetime(2026, 3, day, *time, tzinfo=zone)


@pytest.fixture
def written_down(base):
    """An order of two numbers whose values are all written down here."""
    client = factories.make_client(name="ООО «Ромашка»", account_no="00001234")
    run = make_import_run(last_at=clock.epoch(at(10, 13, 59)))
    first = make_subscriber(client, number="375291112233", full_name="Иванов Иван Иванович")
    second = make_subscriber(client, number="375291112244", full_name="=1+1")
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
        )
    make_call(second, at(3, 23, 59, 59), import_run=run, peer="+375 17", uid="1772581199.9")
    excluded = ["375299999999", "80291112255"]
    return make_order(client, [first, second], number=12, params={"excluded": excluded})
