"""Prices and sums follow the calls: through imports, joined legs, rollbacks and rematches."""

from datetime import UTC, date, datetime

import pytest

from domain.rating.states import CallRating
from models import Call, ImportRun
from models_billing import TariffPackage, TariffPlan, TariffRate, TariffVersion, UsageMonth
from services import rating, rollback, verify
from services.imports import ImportRequest, import_file
from services.rematch import rematch
from tests.domain.cdr.dialects import text
from tests.factories import NOON, make_client, make_subscriber
from tests.services.test_imports import later

NOW = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def version(base):
    """Sixty kopecks a started minute to whatever number."""
    plan = TariffPlan.create(name="Офис", created_at=NOW)
    version = TariffVersion.create(
        plan=plan, valid_from=date(2026, 1, 1), state="published", created_at=NOW
    )
    TariffRate.create(
        version=version, prefix="", destination_group="local", steps=[[0, 600_000, 60, 60]]
    )
    return version


@pytest.fixture
def own(version):
    return make_subscriber(make_client(), number="375171234567", plan="Офис")


@pytest.fixture
def bring(base, tmp_path):
    """Import rows as a file; the run."""

    def import_rows(*rows, name="Master.csv"):
        path = tmp_path / name
        path.write_text(text(*rows), encoding="utf-8")
        import_file(ImportRequest(path=path, zone="UTC"), now=NOON)
        return ImportRun.select().order_by(ImportRun.id.desc()).first()

    return import_rows


def prices():
    rows = Call.select(Call.rating, Call.price, Call.billed_s, Call.package_s)
    return list(rows.order_by(Call.started_at).tuples())


def kept():
    rows = UsageMonth.select(UsageMonth.destination_group, UsageMonth.calls, UsageMonth.micros)
    return sorted(row for row in rows.tuples() if any(row[1:]))


def test_an_import_prices_what_it_stores(bring, own):
    bring(later(0), later(1))
    assert prices() == [(CallRating.PRICED, 600_000, 60, 0)] * 2
    assert kept() == [("local", 2, 1_200_000)]
    assert verify.run() == []


def test_a_joined_leg_changes_the_price_and_its_rollback_changes_it_back(bring, own):
    bring(later(0), name="a.csv")
    second = bring(later(5, uniqueid="1773144000.1"), name="b.csv")
    assert [price for _r, price, *_ in prices()] == [1_200_000]
    assert kept() == [("local", 1, 1_200_000)]
    rollback.roll_back(second, now=NOON)
    assert kept() == [("local", 1, 600_000)]
    assert verify.run() == []


def test_what_a_rollback_takes_out_is_counted_no_more(bring, own):
    run = bring(later(0), later(1))
    rollback.roll_back(run, now=NOON)
    assert kept() == []
    assert verify.run() == []


def test_calls_that_find_their_owner_later_are_priced_then(bring, version):
    bring(later(0))
    assert kept() == []
    make_subscriber(make_client(), number="375171234567", plan="Офис")
    rematch(now=NOON)
    assert kept() == [("local", 1, 600_000)]


def test_packages_are_used_in_the_order_of_the_calls_whatever_file_comes_first(bring, own, version):
    TariffPackage.create(version=version, ordinal=1, code="home", quota_s=60, is_shared=True)
    bring(later(5), name="b.csv")
    assert [package_s for *_, package_s in prices()] == [60]
    late = bring(later(1), name="a.csv")
    assert [package_s for *_, package_s in prices()] == [60, 0]
    rollback.roll_back(late, now=NOON)
    assert [package_s for *_, package_s in prices()] == [60]
    assert verify.run() == []
    assert rating.rerun(date(2026, 3, 1), date(2026, 3, 1)).changed == 0
