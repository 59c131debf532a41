"""Real processes killed, stopped and ended at random while orders are placed and carried: each
order ends as one letter. With --long at full length: 5 times 100 orders and 20 kills.
"""

import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chaos.site import is_alive
from tests.run.conftest import wait_for

CONVERGES_S = 150  # generous: the figure is what is measured


def count(site):
    """How many orders there are."""
    return site.query("SELECT count(*) FROM customer_order")[0]


def kill_somebody(site, chance):
    """Kill -9 of one kind, chosen at random; which it was."""
    kind = chance.choice(("parent", "horse", "both", "reconciler"))
    if kind == "reconciler":
        site.kill(*site.part("flask reconcile"))
        return kind
    deadline = time.monotonic() + 5  # worker after worker is killed: soon none is left for a while
    while not (horses := site.horses()) and time.monotonic() < deadline:
        time.sleep(0.01)
    if not horses:
        site.kill(*site.part("flask worker")[:1])
        return "idle parent"
    time.sleep(chance.uniform(0, 0.15))  # anywhere in a job, not at its beginning alone
    parent, horse = chance.choice(sorted(horses.items()))
    site.kill(*{"parent": [parent], "horse": [horse], "both": [parent, horse]}[kind])
    return kind


def check_letters(site, before, number):
    """Every order went out under its one Message-ID; what came twice is flagged. How many did."""
    assert site.states() == {"sent": before + number}
    flags = site.rows("SELECT message_id, unknown_count FROM mail")
    letters = site.letters()
    assert set(letters) <= set(flags)
    assert len(letters) == number
    doubled = {name: times for name, times in letters.items() if times > 1}
    assert all(flags[name] >= times - 1 for name, times in doubled.items())
    return sum(times - 1 for times in doubled.values())


SEEDS = [1, *(pytest.param(n, marks=pytest.mark.long) for n in (2, 3, 4, 5))]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_kills_lose_no_order_and_make_no_second_letter(site, mail, length, figure, seed):
    number, kills = length(short=10, long=100), length(short=4, long=20)
    chance = random.Random(seed)  # noqa: S311
    before, whom = count(site), []
    with ThreadPoolExecutor(1) as pool:
        placed = pool.submit(site.place_many, number, pause_s=length(short=0.1, long=0.3))
        for _ in range(kills):
            time.sleep(chance.uniform(0, length(short=0.6, long=1.6)))
            whom.append(kill_somebody(site, chance))
        last_kill = time.monotonic()
        assert len(placed.result()) == number
    site.wait_until_over(before + number, CONVERGES_S)
    figure("killed", " ".join(whom))
    figure("converged after the last kill, s", round(time.monotonic() - last_kill, 1))
    figure("raw duplicates", check_letters(site, before, number))


@pytest.mark.timeout(1200)
def test_an_orphan_dies_with_its_worker(site, mail, length, figure):
    """Killing the parent alone leaves no child that goes on beside the next worker."""
    before, runs, lived = count(site), length(short=1, long=20), []
    chance = random.Random(8)  # noqa: S311
    for _ in range(runs):
        site.place(site.person(), chance.choice(("csv", "xlsx", "pdf")))
        parent, horse = site.wait_for_horse()
        time.sleep(chance.uniform(0, 0.2))
        site.kill(parent)
        began = time.monotonic()
        wait_for(lambda horse=horse: not is_alive(horse), "the orphan to die")
        lived.append(time.monotonic() - began)
        site.wait_until_over(count(site), CONVERGES_S)
    figure("longest life of an orphan, s", round(max(lived), 2))
    figure("raw duplicates", check_letters(site, before, runs))


@pytest.mark.timeout(1800)
def test_a_worker_stopped_past_its_lease_sends_nothing_when_it_wakes(site, mail, length, figure):
    """Stopped inside a transaction it keeps everybody waiting until it wakes, and is the only one;
    stopped elsewhere it finds its order carried by another one.
    """
    before, runs, ahead_s, stopped = count(site), length(short=1, long=20), 0, Counter()
    chance = random.Random(9)  # noqa: S311
    for _ in range(runs):
        key = site.place(site.person(), "xlsx")
        _, horse = site.wait_for_horse()
        time.sleep(chance.uniform(0, 0.2))
        site.kill(horse, number=signal.SIGSTOP)
        ahead_s += 130  # past the lease
        site.move_clock(ahead_s)
        try:
            site.wait_until_over(count(site), length(short=6, long=15))
            where = "in the middle" if is_alive(horse) else "too late"
        except AssertionError:
            where = "inside a transaction"
        stopped[where] += 1
        row = site.query("SELECT * FROM customer_order WHERE key = ?", key)
        site.kill(horse, number=signal.SIGCONT)
        site.wait_until_over(count(site), CONVERGES_S)
        wait_for(lambda: not site.horses(), "the workers to be idle")
        if where != "inside a transaction":
            assert site.query("SELECT * FROM customer_order WHERE key = ?", key) == row
    figure("stopped", dict(stopped))
    figure("raw duplicates", check_letters(site, before, runs))


@pytest.mark.timeout(600)
def test_an_order_goes_on_when_its_worker_is_killed_in_the_middle_of_the_file(site, mail, figure):
    before = count(site)
    site.tell("stop order.writing_rows")
    site.place(site.person(), "xlsx")
    parent, horse = site.wait_for_horse(states="T")
    site.tell("")
    site.kill(parent, horse)
    began = time.monotonic()
    site.wait_until_over(before + 1, CONVERGES_S)
    figure("from the kill to the sent letter, s", round(time.monotonic() - began, 1))
    assert check_letters(site, before, 1) == 0
    assert site.query("SELECT max(attempts) FROM customer_order WHERE number > ?", before) == (2,)


@pytest.mark.timeout(600)
def test_workers_told_to_end_finish_what_they_are_at(site, mail, length, figure):
    number, times, took = length(short=6, long=20), length(short=1, long=4), []
    before = count(site)
    with ThreadPoolExecutor(1) as pool:
        placed = pool.submit(site.place_many, number)
        for _ in range(times):
            site.wait_for_horse()
            began, workers = time.monotonic(), site.part("flask worker")
            site.kill(*workers, number=signal.SIGTERM)
            wait_for(lambda gone=workers: not any(map(is_alive, gone)), "the workers to end")
            took.append(time.monotonic() - began)
        placed.result()
    site.wait_until_over(before + number, CONVERGES_S)
    figure("longest end, s", round(max(took), 1))
    assert check_letters(site, before, number) == 0
    tried = "SELECT max(attempts) FROM customer_order WHERE number > ?"
    assert site.query(tried, before)[0] == 1  # nobody was interrupted


def test_a_workers_parent_holds_no_connection(site):
    """What is opened in the parent would be shared with every child."""
    if site.env["CABINET_DATABASE_URL"]:
        pytest.skip("only a file's handle can be seen from outside")
    for pid in site.part("flask worker"):
        held = [entry.path for entry in os.scandir(f"/proc/{pid}/fd")]
        assert not [name for name in map(os.path.realpath, held) if "cabinet.db" in name]


def test_after_all_kills_every_invariant_holds(site):
    site.verify()
