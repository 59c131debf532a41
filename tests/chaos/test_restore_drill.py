"""The drill: a backup made while people order and records come in, put back on a blank machine."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chaos.site import Site
from tests.chaos.test_job_time import write_calls

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
BACKUPS, ORDERS, IMPORTS, CALLS = 5, 60, 6, 15_000
FORMATS = ("csv", "xlsx")  # a PDF of so many calls is refused


def typed(cabinet, *words):
    """A command on the cabinet's data dir that ends well; what it says."""
    process = cabinet.flask(*map(str, words))
    output, _ = process.communicate(timeout=900)
    assert process.returncode == 0, output
    return output


def import_records(site, folder):
    """One file after another, each of other calls."""
    account, number = site.ask(
        "SELECT c.account_no, s.number FROM subscriber s JOIN client c ON c.id = s.client_id"
        " JOIN cabinet_user u ON u.client_id = c.id WHERE u.login = 'demo' ORDER BY s.number"
    )[0]
    for n in range(IMPORTS):
        path = folder / f"Master{n}.csv"
        write_calls(path, number, CALLS + n)
        typed(site, "cdr", "import", path, "--client", account)


@pytest.fixture
def under_load(make_site, mail, tmp_path, figure):
    """A cabinet that has gone through a busy hour, and the backups made meanwhile."""
    site, backups = make_site(WORKERS=2), []
    with ThreadPoolExecutor(2) as pool:
        busy = [
            pool.submit(site.place_many, ORDERS, FORMATS, pause_s=0.3),
            pool.submit(import_records, site, tmp_path),
        ]
        while not all(each.done() for each in busy) and len(backups) < BACKUPS:
            time.sleep(1)
            began = time.monotonic()
            backups.append(tmp_path / f"{len(backups)}.tar")
            typed(site, "backup", backups[-1])
            figure("a backup, s", round(time.monotonic() - began, 1))
        for each in busy:
            each.result()
    site.wait_until_over(ORDERS)
    site.verify()
    site.stop()
    return site, backups


def test_a_backup_made_under_load_is_a_whole_cabinet(under_load, mail, sink, tmp_path, figure):
    site, backups = under_load
    sent_before = set(site.letters())
    assert len(sent_before) == ORDERS
    for n, file in enumerate(backups):
        again = Site(tmp_path / f"again{n}", sink)
        began = time.monotonic()
        output = typed(again, "restore", file)
        figure("restored, s", round(time.monotonic() - began, 1))
        held = int(re.search(r"^(\d+) letters held$", output, re.MULTILINE)[1])
        assert "restored, 0 breaches" in output
        mail.taken.clear()
        try:
            again.start()
            figure("held, orders", f"{held} of {again.states().total()}")
            check_what_it_sends(again, sent_before, held)
            again.verify()
        finally:
            again.clear()


def check_what_it_sends(cabinet, sent_before, held):
    """A new order goes out at once; what was held goes when the operator says so, and once."""
    key = cabinet.place(cabinet.person())
    wait_until_sent(cabinet, key)
    [mine] = cabinet.letters().items()
    assert mine[0] not in sent_before
    assert mine[1] == 1
    keys = [key for (key,) in cabinet.ask(
        "SELECT key FROM customer_order WHERE state = 'unconfirmed'"
    )]  # fmt: skip
    assert len(keys) <= held
    operator = cabinet.person("operator")
    for key in keys:
        operator.open(f"/operator/orders/{key}")
        operator.press("Повторить")
    for key in keys:
        wait_until_sent(cabinet, key)
    letters = cabinet.letters()
    assert len(letters) == 1 + len(keys)
    assert set(letters.values()) == {1}


def wait_until_sent(cabinet, key, within_s=120):
    deadline = time.monotonic() + within_s
    while cabinet.ask("SELECT state FROM customer_order WHERE key = ?", key) != [("sent",)]:
        assert time.monotonic() < deadline, cabinet.states()
        time.sleep(0.1)
