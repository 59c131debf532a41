"""Orders placed through the web server of a running cabinet while a large file of call records is
imported beside it: how long the last button of the wizard takes, how long an import's transaction
keeps writers out, and how far SQLite's log grows. `bin/bench import_under_orders --rows 1000000`

How to read it: the person orders without a pause, by real HTTP, from drawing step 1 to the answer
to the last button, which alone is timed. «quiet» is the same person before the import. A worker
carries the orders meanwhile. «held» is a transaction of the import, the pricing by packages at its
end included, from having its lock to the end of its commit; what it waited for the lock is in the
time of the import alone. On a busy machine look at its processor time, and at «quiet» beside
«under import».
"""

import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from bench.importing import write_master
from bench.measuring import chosen, options, print_table
from bench.measuring.calls import opened
from config import Config
from services import clock, imports, rating
from services.imports import ImportRequest, import_file
from tests.run.conftest import Cabinet
from tests.run.person import Person

PASSWORD = "bench-pass"  # noqa: S105 - of a cabinet that is thrown away
QUIET_ORDERS = 100
NUMBERS = 1000
LAST_BUTTON = "Сформировать детализацию"
MB = 1 << 20


def order_once(person: Person) -> float:
    """Walk the wizard; seconds of its last POST."""
    person.open("/bills/call-detail/")
    person.press("Далее")
    ticks = [box["value"] for box in person.page.select("input[name=tick]")]
    button = next(b for b in person.page.select("button") if b.text.strip() == LAST_BUTTON)
    form = button.find_parent("form")
    data = [(field["name"], field["value"]) for field in form.select("input[type=hidden][name]")]
    data += [("tick", each) for each in ticks] + [(button["name"], button["value"])]
    began = time.perf_counter()
    person.post(form["action"], data)
    return time.perf_counter() - began


def read_in(settings: dict[str, str], path: Path, told: Connection) -> None:
    """The import, in a process of its own; sends how long it took and each transaction held."""
    held: list[float] = []
    worked: list[float] = []
    real = imports.write_tx

    @contextmanager
    def timed() -> Iterator[None]:
        inside = real()
        with inside:
            began, cpu = time.perf_counter(), time.process_time()
            yield
        held.append(time.perf_counter() - began)
        worked.append(time.process_time() - cpu)

    imports.write_tx = rating.write_tx = timed
    with opened(Config.from_env(settings)):
        began = time.perf_counter()
        outcome = import_file(
            ImportRequest(path=path, zone="UTC", exchange_name="bench"), now=clock.now()
        )
        told.send((time.perf_counter() - began, held, outcome.counts, worked))


def largest(path: Path, stop: threading.Event, found: list[int]) -> None:
    """The size of a file at its highest, looked at ten times a second."""
    while not stop.wait(0.1):
        if path.exists():
            found.append(path.stat().st_size)


def figures(name: str, times: list[float]) -> tuple[str, ...]:
    """A row of the table, in milliseconds."""
    times = sorted(times)
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    values = (times[len(times) // 2], p99, times[-1])
    return (name, str(len(times)), *(f"{value * 1000:.0f}" for value in values))


def measure(cabinet: Cabinet, path: Path) -> None:
    """Order in quiet, then under an import, and print the table."""
    person = Person(f"http://127.0.0.1:{cabinet.port}/")
    person.sign_in("demo", PASSWORD)
    quiet = [order_once(person) for _ in range(QUIET_ORDERS)]
    stop, sizes = threading.Event(), [0]
    wal = cabinet.data_dir / "cabinet.db-wal"
    looking = threading.Thread(target=largest, args=(wal, stop, sizes))
    looking.start()
    told, telling = multiprocessing.Pipe(duplex=False)
    settings = {name: value for name, value in cabinet.env.items() if name.startswith("CABINET_")}
    process = multiprocessing.get_context("spawn").Process(
        target=read_in, args=(settings, path, telling)
    )
    process.start()
    telling.close()  # so that its death is noticed
    under = []
    while not told.poll() and process.is_alive():
        under.append(order_once(person))
    took_s, held, counts, worked = told.recv()
    process.join()
    stop.set()
    looking.join()
    print_table(
        f"orders beside an import of {took_s:.0f} s: {counts}",
        ("", "number", "median, ms", "p99, ms", "longest, ms"),
        [
            figures("POST of an order, quiet", quiet),
            figures("POST of an order, under import", under),
            figures("transaction of the import, held", held),
            figures("the same, processor time", worked),
        ],
    )
    print(f"\nSQLite's log at its largest: {max(sizes) / MB:.0f} MB")
    print(cabinet.flask("verify").communicate()[0].strip())


def own_numbers(cabinet: Cabinet) -> list[str]:
    """Some of the demo's numbers, as exchanges write them."""
    asked = (
        cabinet.query("SELECT number FROM subscriber WHERE id = ?", n) for n in range(1, NUMBERS)
    )
    return [f"80{row[0][3:]}" for row in asked if row and len(row[0]) == 12]


def main() -> None:
    """Build a cabinet and a file, and measure."""
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = chosen(parser)
    with tempfile.TemporaryDirectory() as folder:
        limits = {"ORDERS_PER_HOUR": 0, "OPEN_ORDERS": 0, "DEMO_PASSWORD": PASSWORD}
        cabinet = Cabinet(Path(folder) / "var", **limits)
        try:
            cabinet.start()
            rows = [
                cabinet.query("SELECT number FROM subscriber WHERE id = ?", n)
                for n in range(1, 1001)
            ]
            numbers = [f"80{row[0][3:]}" for row in rows if row and len(row[0]) == 12]
            path = Path(folder) / "Master.csv"
            write_master(path, given.rows, numbers)
            print(f"{given.rows} rows on {given.database}, {os.cpu_count()} cores", flush=True)
            measure(cabinet, path)
        finally:
            cabinet.clear()


if __name__ == "__main__":
    main()
