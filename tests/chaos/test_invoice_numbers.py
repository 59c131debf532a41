"""Eight processes give out numbers of invoices at once; some transactions are thrown away, some
processes are killed: 1, 2, 3 … N in the end, and one chain of hashes.
"""

import random
import time
from datetime import date

import pytest

from domain.billing.invoice import InvoiceContent, Party
from models import Client, db
from models_billing import Invoice, InvoiceSeries
from services import billing, clock
from services.months import Cut
from tests.chaos.lives import DONE, KILLED

PROCESSES = 8
THROWN_AWAY = 0.05  # of the transactions
DAY = date(2026, 4, 2)


def give_out(client, ordinal):
    """One document, as a billing run numbers it."""
    party = Party(name="x", unp="190000001", address="")
    content = InvoiceContent(
        number="",
        key="",
        period=DAY.replace(day=1),
        issued_on=DAY,
        due_on=DAY,
        operator=party,
        client=party,
        account_no=client.account_no,
        contract_no="",
        contract_date=None,
        lines=(),
        vat=(),
        opening=0,
        payments=(),
        subscribers=0,
        annex_sha256="",
    )
    billing.give_out(client, content, cut=Cut(0), run=None, ordinal=ordinal, now=clock.now())


def issue(share, seed, slot):
    """So many documents of a process, each in a transaction; some are thrown away. `slot` keeps
    processes apart that number the same client's documents.
    """
    chance = random.Random(seed)  # noqa: S311
    client = Client.get()
    for n in range(share):
        while not is_issued(client, slot * 1_000_000 + n, chance):
            pass


def is_issued(client, ordinal, chance):
    """Give a document out, or take its number and throw the transaction away."""
    with db.atomic() as transaction:
        give_out(client, ordinal)
        if is_thrown_away := chance.random() < THROWN_AWAY:
            transaction.rollback()
    return not is_thrown_away


def given_out(lives):
    with lives.here():
        return Invoice.across_clients().count()


@pytest.mark.timeout(3600)
def test_eight_processes_leave_no_gap_whoever_dies(lives, length, figure):
    wanted, kills = length(short=120, long=10_000), length(short=3, long=20)
    chance, slots, killed = random.Random(30), iter(range(1, 10_000)), 0  # noqa: S311
    began = time.monotonic()

    def begin(share):
        slot = next(slots)
        return lives.begin(lambda: issue(share, slot, slot))

    at_work = [begin(wanted) for _ in range(PROCESSES)]
    while (have := given_out(lives)) < wanted:
        assert not all(each.has_ended() for each in at_work), "nobody is at work any more"
        time.sleep(chance.uniform(0.01, 0.05))
        if killed < kills and have >= wanted * (killed + 1) // (kills + 2):
            victim = at_work.pop(chance.randrange(PROCESSES))
            assert victim.kill() == KILLED
            killed += 1
            at_work.append(begin(wanted))
    assert {each.kill() for each in at_work} <= {KILLED, DONE}
    took = time.monotonic() - began
    with lives.here():
        numbers = [row.number for row in Invoice.across_clients().order_by(Invoice.number)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert InvoiceSeries.get().last_number == len(numbers) >= wanted
    assert killed == kills
    figure("numbers, kills, seconds", f"{len(numbers)}, {killed} + 8, {took:.0f}")


def test_behind_them_the_chain_holds(lives):
    with lives.here():
        previous = ""
        for invoice in Invoice.across_clients().order_by(Invoice.number):
            assert invoice.previous_hash == previous
            previous = invoice.content_hash
