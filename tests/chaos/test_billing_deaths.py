"""A billing run that dies, is repeated, and meets another one: each client has one invoice and one
letter, and the numbers run without a gap.
"""

import pytest

from domain.orders import OrderKind
from domain.periods import month_start
from models import Client, Order
from models_billing import Invoice, InvoiceSeries
from services import billing, clock, import_turns
from tests.chaos.kill_points import BILLED
from tests.chaos.lives import DONE, KILLED
from tests.factories import make_client

CLIENTS = 6
POINTS = [f"{point}:{n}" for point in BILLED for n in (1, 4)]
MONTHS_BACK = 8  # the first month; each test forms the one after


def run(lives, months_back):
    """Form the invoices of a month, as the command does it."""

    def work():
        now = clock.now()
        with import_turns.one_at_a_time(lives.config.data_dir):
            billing.form_month(month_start(now.date(), months_back), mail=True, now=now)

    return work


@pytest.fixture(scope="module")
def clients(lives):
    """Some clients beside the demo's: how many there are."""
    with lives.here():
        for _ in range(CLIENTS):
            make_client()
        return Client.select().count()


def check(lives, clients, months):
    """So many months are formed: each once for each client, numbers and letters alike."""
    with lives.here():
        pairs = [(row.client_id, row.period) for row in Invoice.across_clients()]
        assert len(pairs) == len(set(pairs)) == clients * months
        numbers = sorted(row.number for row in Invoice.across_clients())
        assert numbers == list(range(1, clients * months + 1))
        assert InvoiceSeries.get().last_number == len(numbers)
        letters = Order.across_clients().where(Order.kind == OrderKind.INVOICE_REGULAR)
        assert letters.count() == len(numbers)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_died_is_finished_by_the_next(lives, clients, point):
    months = POINTS.index(point)
    back = MONTHS_BACK - months
    assert lives.run(run(lives, back), crash_at=point) == KILLED
    assert lives.run(run(lives, back)) == DONE
    check(lives, clients, months + 1)
    assert lives.run(run(lives, back)) == DONE
    check(lives, clients, months + 1)


def test_two_runs_at_once_and_one_killed_make_what_one_makes(lives, clients):
    months = len(POINTS)
    work = run(lives, MONTHS_BACK - months)
    first, second = lives.begin(work), lives.begin(work)
    first.kill()
    assert second.wait() == DONE
    assert lives.run(work) == DONE
    check(lives, clients, months + 1)


def test_behind_the_runs_every_invariant_holds(lives):
    assert lives.breaches() == []
