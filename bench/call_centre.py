"""«Мобильный колл-центр» of a company with a million calls in two months, and «Выбор SIP-абонента»
of one with 50 000 numbers. `bin/bench call_centre --database postgresql --calls 200000`.

How to read it: processor time of one request through the application, without a server between, in
one process, median of several; a PostgreSQL server's own is in the clock only. «first» is the page
when none of its days has been counted yet, which the reconciler sees to before people do; «today
changed» is after an import that brought calls of today.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime

from flask import Flask

from bench.measuring import chosen, options, peak_mb, print_table
from bench.measuring.calls import add_calls, add_client, new_config, opened
from domain.call_centre import MemberKind
from models import Call, Client, db
from models_subscribers import CentreDay
from services import call_centre, clock, usage
from services.transactions import write_tx
from tests import databases, factories
from tests.page import Browser

FIRST, TODAY = date(2026, 10, 1), date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=clock.zone())
COMPANY, CENTRE, MANY = 200, 50, 50_000  # numbers
MISSED = 8  # one in so many incoming calls
RUNS = 7
PERIODS = ("today", "week", "month", "previous")


def fill(calls: int) -> tuple[Client, Client]:
    """The company of many calls, and the one of many numbers."""
    caller, own = add_client(COMPANY)
    add_calls(own, calls, FIRST, TODAY)
    with write_tx():
        values = {Call.answered_at: None, Call.billable_s: 0, Call.disposition: 1}
        Call.update(values).where(Call.direction == 1, Call.seq.bin_and(MISSED - 1) == 0).execute()
        usage.make_anew()
    for row in own[:CENTRE]:
        call_centre.add(caller, row, MemberKind.EMPLOYEE, now=NOW)
    owner, numbers = add_client(MANY)
    add_calls(numbers[:: MANY // 1000], 20_000, FIRST, TODAY)
    if databases.kind == "postgresql":
        db.execute_sql("VACUUM ANALYZE")
    return caller, owner


def measure(app: Flask, caller: Client, owner: Client) -> None:
    """Both pages, cold and warm."""
    browser = Browser(app, factories.make_user(caller))
    rows = []
    for period in PERIODS:
        address = f"/call-centre/?period={period}"
        first = _cost(browser, address, lambda: _forget(caller))
        rows.append((period, first, _cost(browser, address)))
    _forget_day(caller)
    rows.append(("month, today changed", "", _cost(browser, "/call-centre/", once=True)))
    print_table("«Мобильный колл-центр», ms of processor", ("period", "first", "then"), rows)
    browser = Browser(app, factories.make_user(owner))
    pages = {
        "first page": "/subscribers/",
        "last page, 200 rows": "/subscribers/?per_page=200&page=250",
        "by name": "/subscribers/?sort=name&desc=1",
        "search by name": "/subscribers/?q=ковалевич",
        "search by digits": "/subscribers/?q=2920",
    }
    rows = [(name, _cost(browser, address)) for name, address in pages.items()]
    print_table(f"«Выбор SIP-абонента», {MANY} numbers, ms of processor", ("list", "each"), rows)
    print(f"\npeak of memory {peak_mb():.0f} MB")


def _cost(
    browser: Browser,
    address: str,
    before: Callable[[], object] | None = None,
    *,
    once: bool = False,
) -> str:
    costs = []
    if not (before or once):
        browser.client.get(address)
    for _ in range(1 if once else 3 if before else RUNS):
        if before:
            before()
        began = time.process_time()
        assert browser.client.get(address).status_code == 200
        costs.append(time.process_time() - began)
    return f"{1000 * statistics.median(costs):.0f}"


def _forget(client: Client) -> None:
    with write_tx():
        CentreDay.delete().where(CentreDay.client == client).execute()


def _forget_day(client: Client) -> None:
    with write_tx():
        own = CentreDay.client == client
        CentreDay.delete().where(own, CentreDay.day == TODAY.toordinal()).execute()


def main() -> None:
    """Fill, measure, throw away."""
    parser = options(__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    given = chosen(parser)
    folder = tempfile.mkdtemp(prefix="bench")
    clock.now = lambda: NOW
    try:
        with opened(new_config(folder)) as app:
            print(f"{databases.kind}, {given.calls} calls")
            measure(app, *fill(given.calls))
    finally:
        databases.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
