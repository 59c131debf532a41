"""A billing run that dies, is repeated, and meets another one: each client has one invoice and one
letter, and the numbers run without a gap. So it is with one that was asked for on a page.
"""

import random
import time

import pytest

from domain.orders import OrderKind
from domain.periods import month_start
from domain.roles import Role
from jobs import billing as job
from models import Client, Order
from models_billing import BillingRequest, Invoice, InvoiceLine, InvoiceSeries, InvoiceSubscriber
from services import billing, billing_requests, clock, demo_money, import_turns
from tests.chaos.kill_points import BILLED, BILLING_ASKED
from tests.chaos.lives import DONE, KILLED, living_on
from tests.factories import make_client, make_user

CLIENTS = 6
LONG = pytest.mark.long
SHORT, REST = (1, 4), (2, 3, 5)  # the n-th invoice of a run
POINTS = [
    *(f"{point}:{n}" for point in BILLED for n in SHORT),
    *(pytest.param(f"{p}:{n}", marks=LONG) for p in BILLED for n in REST),
]
MONTHS_BACK = 30  # the first month; each test forms the one after


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    """A demo without bills of its own: months are formed here from the first one on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(demo_money, "add", lambda *_, **__: None)
        with living_on(tmp_path_factory.mktemp("billed")) as all_of_them:
            yield all_of_them


@pytest.fixture(scope="module")
def clients(lives):
    """Some clients beside the demo's: how many there are."""
    with lives.here():
        for _ in range(CLIENTS):
            make_client()
        return Client.select().count()


@pytest.fixture
def month(lives, clients):
    """The first month that has no invoices yet."""
    with lives.here():
        formed = Invoice.across_clients(Invoice.period).distinct().count()
        return month_start(clock.now().date(), MONTHS_BACK - formed)


def run(lives, month, told=None):
    """Form the invoices of a month, as the command does it; `told` is given a dry run's totals."""

    def work():
        with import_turns.one_at_a_time(lives.config.data_dir):
            billing.form_month(month, mail=True, now=clock.now())

    def look():
        with lives.here(), import_turns.one_at_a_time(lives.config.data_dir):
            billing.form_month(
                month,
                dry_run=True,
                now=clock.now(),
                on_client=lambda each: told.update({each.client.id: each.content.total}),
            )

    return work if told is None else look


def given_out(lives):
    """Everything that stands on invoices."""
    with lives.here():
        return [
            sorted(model.select().tuples(), key=repr)
            for model in (Invoice, InvoiceLine, InvoiceSubscriber)
        ]


def check(lives, clients, month, totals=None):
    """The months up to this are formed: each once for each client, numbers and letters alike."""
    with lives.here():
        first = month_start(clock.now().date(), MONTHS_BACK)
        months = (month.year - first.year) * 12 + month.month - first.month + 1
        pairs = [(row.client_id, row.period) for row in Invoice.across_clients()]
        assert len(pairs) == len(set(pairs)) == clients * months
        numbers = sorted(row.number for row in Invoice.across_clients())
        assert numbers == list(range(1, clients * months + 1))
        assert InvoiceSeries.get().last_number == len(numbers)
        letters = Order.across_clients().where(Order.kind == OrderKind.INVOICE_REGULAR)
        assert letters.count() == len(numbers)
        if totals is not None:
            rows = Invoice.across_clients().where(Invoice.period == month)
            assert {row.client_id: row.total for row in rows} == totals


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_died_is_finished_by_the_next(lives, clients, month, point):
    totals = {}
    run(lives, month, totals)()
    assert lives.run(run(lives, month), crash_at=point) == KILLED
    assert lives.run(run(lives, month)) == DONE
    check(lives, clients, month, totals)
    before = given_out(lives)
    assert lives.run(run(lives, month)) == DONE
    assert given_out(lives) == before


def test_two_runs_at_once_and_one_killed_make_what_one_makes(lives, clients, month):
    work = run(lives, month)
    first, second = lives.begin(work), lives.begin(work)
    first.kill()
    assert second.wait() == DONE
    assert lives.run(work) == DONE
    check(lives, clients, month)


def test_runs_over_a_formed_month_change_nothing_however_they_end(lives, clients, month, length):
    """Three in a row, two at once, and some that are killed at any moment."""
    work, chance = run(lives, month), random.Random(32)  # noqa: S311
    assert lives.run(work) == DONE
    before = given_out(lives)
    assert [lives.run(work) for _ in range(3)] == [DONE] * 3
    both = [lives.begin(work), lives.begin(work)]
    assert [each.wait() for each in both] == [DONE] * 2
    for _ in range(length(short=2, long=10)):
        life = lives.begin(work)
        time.sleep(chance.uniform(0, 0.1))
        life.kill()
    assert given_out(lives) == before
    check(lives, clients, month)


@pytest.mark.parametrize(
    "point", [*BILLING_ASKED, f"{BILLED[0]}:3", pytest.param(f"{BILLED[1]}:3", marks=LONG)]
)
def test_a_request_whose_process_died_is_carried_out(lives, clients, month, point):
    """What was asked on the page stands in a row: jobs go on with it, whoever has died."""
    with lives.here():
        user = make_user(role=Role.OPERATOR_ADMINISTRATOR)

    def ask():
        billing_requests.ask(month, is_dry=False, user=user, now=clock.now())

    def work():
        for request in billing_requests.due():
            job.form(request.id)

    if point in BILLING_ASKED:
        assert lives.run(ask, crash_at=point) == KILLED
        assert lives.run(ask) == DONE, "a second click asks for the same"
    else:
        assert lives.run(ask) == DONE
        assert lives.run(work, crash_at=point) == KILLED
    assert lives.run(work) == DONE
    check(lives, clients, month)
    with lives.here():
        [request] = BillingRequest.select().where(BillingRequest.period == month)
        assert (request.state, request.formed, request.known) == ("done", clients, 0)


def test_behind_the_runs_every_invariant_holds(lives):
    assert lives.breaches() == []
