"""The same order while the table of calls grows: one client's month of 5 000 calls as CSV, among
0.1, 1 and 10 million calls of others. `bin/bench growth --calls 100000,1000000`.

How to read it: «× smallest» compares with the smallest table of the same run; each figure is the
least of five renderings. The order's calls lie among all others of their month, in the order of
time on PostgreSQL (as imports leave them), by number on SQLite (that is the table's own order).
Time on the clock is shown beside processor time, for a PostgreSQL server's is in the clock only.
Ten million calls take some 3 GB in the folder for temporary files, and some minutes to put there.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import date

from bench.measuring import chosen, cost_of, cpu_seconds, options, print_table
from bench.measuring.calls import (
    COLUMNS,
    LAST,
    MADE_AT,
    MONTH,
    add_calls,
    add_client,
    make_order,
    new_config,
    opened,
)
from config import Config
from domain.orders import FileFormat
from models import Order, Subscriber, db
from services import reports
from services.transactions import write_tx
from tests import databases

CALLS = "100000,1000000,10000000"
OWN_CALLS, OWN_NUMBERS = 5000, 10
YEAR_AGO = date(2025, 11, 1)
COPIED, CALLS_OF_NUMBER = 100_000, 1000  # of others, in a year
STRIDE, MOST_SLICES = 1000, 50
TURNS = 5


def fill(config: Config, calls: int) -> int:
    """The client, its month, and everybody else's year; the id of the order.

    Others' calls are made once and copied for further numbers, and a slice of the client's own is
    put in after each copy, so that they lie among them.
    """
    with opened(config):
        if databases.kind == "sqlite":
            db.execute_sql("PRAGMA synchronous = off")
        client, own = add_client(OWN_NUMBERS)
        _, others = add_client(COPIED // CALLS_OF_NUMBER)
        add_calls(others, COPIED, YEAR_AGO, LAST)
        copies = calls // COPIED
        slices = min(copies, MOST_SLICES)
        for number in range(copies):
            if number:
                _copy(others, number * STRIDE)
            if number % (copies // slices) == 0:
                add_calls(own, OWN_CALLS // slices, MONTH, LAST)
        if databases.kind == "postgresql":
            db.execute_sql("VACUUM ANALYZE")
        return make_order(client, own, FileFormat.CSV).id


def _copy(others: list[Subscriber], distance: int) -> None:
    """The calls of `others` once more, as those of numbers that far away."""
    names = ", ".join(COLUMNS)
    rest = ", ".join(COLUMNS[1:])
    mark = db.param
    with write_tx():
        db.execute_sql(
            f'INSERT INTO "call" ({names}) SELECT subscriber_id + {mark}, {rest} FROM "call"'  # noqa: S608 - names of our own
            f" WHERE subscriber_id BETWEEN {mark} AND {mark}",
            (distance, others[0].id, others[-1].id),
        )


def render(config: Config, order_id: int) -> Iterator[tuple[float, float]]:
    """The least time on the clock and of the processor, in ms, of a few renderings."""
    with opened(config):
        order = Order.get_by_id(order_id)
        yield 0.0, 0.0
        found = []
        for _ in range(TURNS):
            cpu, began = cpu_seconds(), time.perf_counter()
            made = reports.render(order, made_at=MADE_AT, progress=lambda *_: None)
            found.append((time.perf_counter() - began, cpu_seconds() - cpu))
            assert made.rows == OWN_CALLS
        yield min(wall for wall, _ in found) * 1000, min(cpu for _, cpu in found) * 1000


def main() -> None:
    """Print the table, a line as soon as it is measured."""
    parser = options(__doc__)
    parser.add_argument("--calls", default=CALLS)
    given = chosen(parser)
    lines = []
    for calls in map(int, given.calls.split(",")):
        folder = tempfile.mkdtemp(prefix="cabinet-bench-")
        try:
            config = new_config(folder)
            began = time.perf_counter()
            order_id = fill(config, calls)
            filled_s = time.perf_counter() - began
            cost = cost_of(render, config, order_id)
        finally:
            shutil.rmtree(folder)
        lines.append((calls, *cost.result, cost.peak_mb, filled_s))
        print(f"{calls}: {cost.result}", flush=True)
    databases.stop()
    _, wall, cpu, *_ = lines[0]
    print_table(
        f"{OWN_CALLS} calls of one client as CSV, on {given.database}",
        ("calls in all", "ms", "× smallest", "CPU ms", "× smallest", "peak MB", "filled in s"),
        [
            (
                f"{n}",
                f"{w:.0f}",
                f"{w / wall:.2f}",
                f"{c:.0f}",
                f"{c / cpu:.2f}",
                f"{m:.0f}",
                f"{f:.0f}",
            )
            for n, w, c, m, f in lines
        ],
    )


if __name__ == "__main__":
    main()
