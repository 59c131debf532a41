"""Writers killed while they place orders: what was acknowledged is there, no number is given
twice, and the database is whole.
"""

import random
import time
from pathlib import Path

import pytest

from models import Order, db
from tests import databases
from tests.chaos.lives import KILLED, place
from tests.run.conftest import wait_for

WRITERS = 4


@pytest.fixture
def drafts(lives):
    """Finished wizards, made beforehand: only the last step is the writers' work."""
    return lambda number: [lives.make_draft(numbers=1) for _ in range(number)]


def write(draft_keys, path):
    """Place order after order, and say of each that it is there once it is."""
    with path.open("ab", buffering=0) as acknowledged:
        for draft_key in draft_keys:
            order = place(draft_key)
            acknowledged.write(f"{order.key} {order.number}\n".encode())
    time.sleep(60)  # done early: wait for the kill


@pytest.mark.timeout(900)
def test_killed_writers_lose_no_acknowledged_order_and_no_number_is_used_twice(
    lives, drafts, length, figure, tmp_path
):
    chance, promised = random.Random(23), {}  # noqa: S311
    rounds = length(short=2, long=25)
    for n in range(rounds):
        shares = [drafts(length(short=6, long=12)) for _ in range(WRITERS)]
        paths = [tmp_path / f"{n}-{who}" for who in range(WRITERS)]
        writers = [
            lives.begin(lambda share=share, path=path: write(share, path))
            for share, path in zip(shares, paths, strict=True)
        ]
        wait_for(lambda paths=paths: any(map(Path.exists, paths)), "the first order")
        time.sleep(chance.uniform(0, 0.5))
        assert {writer.kill() for writer in writers} == {KILLED}
        for path in paths:
            lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
            promised |= dict(line.split() for line in lines)
        check_numbers(lives, promised)
    figure("rounds, acknowledged", f"{rounds}, {len(promised)}")
    assert promised


def check_numbers(lives, promised):
    with lives.here():
        if databases.kind == "sqlite":
            assert db.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = dict(Order.across_clients(Order.key, Order.number).tuples())
    assert {key: int(number) for key, number in promised.items()}.items() <= stored.items()
    assert sorted(stored.values()) == list(range(1, len(stored) + 1))


def test_behind_the_writers_every_invariant_holds(lives):
    assert lives.breaches() == []
