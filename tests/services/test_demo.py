"""The demo: what is loaded is what the generator says is true."""

import csv
from collections import Counter
from datetime import datetime, timedelta

import pytest

from domain.billing.settlement import PaymentState, payment_state
from domain.demo.calls import World
from domain.demo.population import Sizes, make_clients
from domain.periods import month_start
from models import Call, Client, ImportRun, Order, Subscriber, User
from models_billing import BillingFailure, Invoice, InvoiceLine, Payment
from services import charges, clock, demo, invoice_list, payments, reports, verify
from services.charge_making import make
from tests import factories
from tests.factories import NOON

SMALL = Sizes(clients=4, subscribers=40, calls=900, seed=7)


@pytest.fixture
def own_config(config, tmp_path):
    """Settings with a data dir for this test alone; the database is the common one."""
    return type(config)(DATA_DIR=str(tmp_path), TESTING=True, DEMO_PASSWORD="correct horse")


@pytest.fixture
def loaded(base, own_config):
    return demo.ensure(now=NOON, sizes=SMALL, config=own_config)


def truth_rows(config):
    with (config.data_dir / "demo" / "truth.csv").open(encoding="utf-8", newline="") as file:
        return Counter(tuple(row.values()) for row in csv.DictReader(file))


def table_rows():
    accounts = {row.id: row.client.account_no for row in Subscriber.across_clients().join(Client)}
    return Counter(
        (
            call.uid,
            accounts[call.subscriber_id],
            call.number,
            ("out", "in")[call.direction],
            call.peer,
            f"{clock.from_epoch(call.started_at):%Y-%m-%dT%H:%M:%SZ}",
            str(call.billable_s),
        )
        for call in Call.select()
    )


def test_the_table_holds_the_truth_and_nothing_else(loaded, own_config):
    rows = truth_rows(own_config)
    assert sum(rows.values()) > 500
    assert table_rows() == rows
    assert verify.run() == []


def test_files_bring_every_kind_of_trouble(base, own_config):
    counts = Counter()
    many = Sizes(clients=3, subscribers=20, calls=6000)
    loaded = demo.ensure(now=NOON, sizes=many, config=own_config)
    for outcome in loaded:
        counts.update(outcome.counts)
        assert outcome.lines == sum(outcome.counts.values())
    assert counts["duplicates"]
    assert counts["rejected"]
    assert counts["unmatched"]
    assert {outcome.format for outcome in loaded} == {"asterisk-csv", "asterisk-custom"}
    several = [call for call in Call.select() if "],[" in call.legs]
    assert several
    assert Call.select().where(Call.on_net).exists()


def test_a_later_run_tops_up_to_today(loaded, own_config):
    before = truth_rows(own_config)
    later = NOON + timedelta(days=2, hours=3)
    outcomes = demo.ensure(now=later, config=own_config)
    after = truth_rows(own_config)
    assert sum(outcome.counts["accepted"] for outcome in outcomes)
    assert before < after
    assert table_rows() == after
    last = max(row[5] for row in after)
    assert last <= f"{later:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_calls_topped_up_are_those_of_one_load(base, own_config, hour):
    midnight = NOON.replace(hour=0)
    for moment in (midnight + timedelta(minutes=3), midnight + timedelta(days=1, hours=hour)):
        demo.ensure(now=moment, sizes=SMALL, config=own_config)
    later = NOON + timedelta(days=2)
    demo.ensure(now=later, config=own_config)
    clients = make_clients(SMALL, 0)
    world = World(clients, SMALL, clock.zone())
    first = datetime(2026, 2, 1).date()  # noqa: DTZ001 - a day
    calls = (
        call
        for n in range((later.date() - first).days + 1)
        for client in clients
        for call in world.calls(client, first + timedelta(days=n))
        if call.ended <= clock.epoch(later)
    )
    assert sum(len(call.truth) for call in calls) == sum(truth_rows(own_config).values())


def test_repeating_it_changes_nothing(loaded, own_config):
    runs = ImportRun.select().count()
    assert demo.ensure(now=NOON, config=own_config) == []
    assert demo.ensure(now=NOON, sizes=SMALL, config=own_config) == []
    assert ImportRun.select().count() == runs
    assert demo.is_loaded(own_config)


def test_what_was_cut_off_is_made_whole(loaded, own_config):
    before = table_rows()
    (own_config.data_dir / "demo" / "state.json").unlink()
    (own_config.data_dir / "demo" / "truth.csv").unlink()
    demo.ensure(now=NOON, sizes=SMALL, config=own_config)
    assert table_rows() == before == truth_rows(own_config)
    assert User.across_clients().count() == 5


def test_other_sizes_make_one_more_world_beside_the_first(loaded, own_config):
    rows = truth_rows(own_config)
    demo.ensure(now=NOON, sizes=Sizes(clients=2, subscribers=9, calls=100), config=own_config)
    both = truth_rows(own_config)
    assert rows < both
    assert table_rows() == both
    assert verify.run() == []


def test_a_world_without_calls_is_a_world(base, own_config):
    assert demo.ensure(now=NOON, sizes=Sizes(calls=0, clients=1), config=own_config) == []
    assert demo.is_loaded(own_config)
    assert truth_rows(own_config) == Counter()


def test_the_demo_client_is_the_one_of_the_source_document(loaded, own_config):
    client = Client.get(Client.account_no == make_clients(SMALL, 0)[0].account_no)
    numbers = list(Subscriber.of(client).order_by(Subscriber.number))
    assert [n.full_name for n in numbers] == [
        "SIP соединение",
        "SIP-номер",
        "SIP-номер",
        "SIP-номер",
    ]
    assert [n.plan for n in numbers] == ["SIP-соединение", "SIP-номер", "SIP-номер", "SIP-номер"]
    assert {n.connection_id for n in numbers[1:]} == {numbers[0].id}
    assert {n.status for n in numbers} == {"active"}
    assert client.detail_email == "buh@romashka.by"
    assert client.may_download
    lines = "\n".join(demo.sign_in_lines(own_config))
    assert client.account_no in lines
    assert "correct horse" in lines


def test_a_changed_password_is_given_to_the_users(loaded, own_config):
    changed = type(own_config)(DATA_DIR=own_config.DATA_DIR, TESTING=True, DEMO_PASSWORD="battery")
    before = User.across_clients().where(User.login == "demo").get().password_hash
    demo.ensure(now=NOON, config=changed)
    assert User.across_clients().where(User.login == "demo").get().password_hash != before
    assert "battery" in "\n".join(demo.sign_in_lines(changed))


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        (Sizes(), [4, 1500]),
        (Sizes(clients=1), [4]),
        (Sizes(clients=1, subscribers=50), [50]),
        (Sizes(clients=2, subscribers=50_000), [4, 49_996]),
        (Sizes(clients=5, subscribers=10), [4, 3]),
    ],
)
def test_sizes_are_kept(sizes, counts):
    clients = make_clients(sizes, 0)
    assert [len(client.numbers) for client in clients][: len(counts)] == counts
    assert len(clients) == sizes.clients
    if sizes.subscribers:
        assert sum(len(client.numbers) for client in clients) == sizes.subscribers


def test_numbers_of_different_worlds_never_meet():
    numbers = [
        number.number
        for world in range(4)
        for client in make_clients(Sizes(clients=30), world)
        for number in client.numbers
    ]
    assert len(numbers) == len(set(numbers))


def test_call_detail_and_charges_of_the_demo_agree(loaded):
    """Outgoing calls of each client's present month: the same kopecks in both, number by number."""
    paid = 0
    for client in Client.select():
        own = list(Subscriber.of(client))
        month = {"start": f"{NOON:%Y-%m-01}", "end": f"{NOON:%Y-%m-%d}"}
        order = factories.make_order(client, own, params=month)
        totals = reports._totals(order, lambda *_: None)
        sheet = make(client, NOON)
        assert totals.costs.whole.net == sheet.sum("out"), client.name
        assert totals.unrated == sheet.sum("unrated")
        by_number = {number.number: number.cost.net for number in totals.numbers}
        for one in own:
            row = charges.row_of(sheet, one)
            assert by_number[one.number] == (row.sums["out"] if row else 0)
        paid += totals.costs.whole.net
    assert paid


def bills_of(index=0):
    client = Client.select().order_by(Client.id).offset(index).get()
    settlement = invoice_list.settlement_of(client)
    return client, settlement, list(Invoice.of(client).order_by(Invoice.period))


def test_months_that_are_over_are_billed_and_in_part_paid_without_letters(loaded):
    client, settlement, bills = bills_of()
    today = NOON.date()
    states = [payment_state(settlement.invoices[each.id], each.due_on, today) for each in bills]
    assert len(bills) == 3
    assert states[0] is PaymentState.PAID
    assert [each.opening for each in bills[1:]] == [each.closing for each in bills[:-1]]
    owed = payments.balance(client).owed
    assert owed == settlement.debt - settlement.ahead > 0
    kinds = {line.kind for line in InvoiceLine.select().where(InvoiceLine.invoice == bills[-1])}
    assert kinds == {"fee", "calls", "one_off", "instalment", "discount"}
    assert Invoice.across_clients().where(Invoice.period == bills[-1].period).count() == 4
    assert not Order.across_clients().exists()
    assert not BillingFailure.across_clients().exists()


def test_a_month_later_the_next_bills_are_formed_and_nothing_is_paid_twice(loaded, own_config):
    later = NOON + timedelta(days=35)
    _client, _settlement, before = bills_of()
    for moment in (later, later + timedelta(hours=1)):
        demo.ensure(now=moment, config=own_config)
    _client, settlement, bills = bills_of()
    assert bills[:-1] == before
    assert bills[-1].period == month_start(later.date(), 1)
    assert not settlement.invoices[bills[1].id].remainder
    orders = Payment.across_clients(Payment.client, Payment.document_no).tuples()
    assert len(set(orders)) == len(orders)
    assert verify.run() == []


def test_a_strangers_client_is_not_billed(base, own_config):
    stranger = factories.make_client()
    demo.ensure(now=NOON, sizes=SMALL, config=own_config)
    assert not Invoice.of(stranger).exists()
