"""An import of Asterisk's Master.csv by the whole path (reading, joining of legs, matching, looking
for what is stored, prices by a flat tariff, sums of months and days, counts) beside its floor:
`csv.reader` over the same file, and the finished rows, made beforehand, by executemany (on
PostgreSQL by COPY too) into the same table in as many batches.

Import and floor take turns, each in a process and on a database of its own; ratios are medians of
neighbours. The file: calls of 1 000 numbers, 5 % between two of them, 5 % in two legs, 2 % of
nobody's, in the order in which calls end. `bin/bench importing --rows 100000 --database postgresql`
"""

import csv
import gc
import random
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from bench.measuring import Cost, chosen, cost_of, options, print_table
from bench.measuring.calls import COLUMNS, add_client, new_config, opened
from config import Config
from domain.subscribers import NUMBER_PLAN
from models import Call, Exchange, ImportRun, db
from services import bulk, call_months, clock, imports, tariffs
from services.demo import TARIFFS
from services.imports import ImportRequest, import_file
from services.transactions import write_tx

CLIENTS, NUMBERS_OF_EACH = 20, 50
LINES_A_MONTH = 1_000_000
END = datetime(2026, 11, 1, tzinfo=UTC)
Row = tuple[Any, ...]


# --- The file -------------------------------------------------------------------------------------


def write_master(path: Path, lines: int, numbers: Sequence[str]) -> None:
    """A Master.csv of that many lines."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(islice(_in_order_of_end(lines, numbers), lines))


def _in_order_of_end(lines: int, numbers: Sequence[str]) -> Iterator[str]:
    rng = random.Random(1)  # noqa: S311 - made-up data
    step = 30 * 86_400 / LINES_A_MONTH
    at = clock.epoch(END) - lines * step
    under_way: list[tuple[int, str]] = []
    for n in range(lines):
        at += step
        for leg in _legs(rng, n, int(at), numbers):
            heappush(under_way, leg)
        while under_way[0][0] < at:
            yield heappop(under_way)[1]
    yield from (text for _end, text in sorted(under_way))


def _legs(rng: random.Random, n: int, at: int, numbers: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines of one call, each with its end: a fail-over has two."""
    own, other = rng.choice(numbers), f"8017{2_000_000 + int(rng.expovariate(1 / 40_000)):07}"
    kind = rng.random()
    if kind < 0.05:
        other = rng.choice(numbers)
    elif kind < 0.07:
        own = f"8029{7_000_000 + rng.randrange(900_000)}"
    sides = (own, other) if n % 3 else (other, own)
    talk_s = int(rng.expovariate(1 / 90)) if n % 4 else None
    uid = f"{at}.{n}"
    if rng.random() < 0.05:
        yield _line(sides, at, 20, None, f"SIP/spare-{n:08x}", uid)
        at += 20
    yield _line(sides, at, 12, talk_s, f"SIP/trunk-{n:08x}", uid)


def _line(
    sides: tuple[str, str], at: int, ring_s: int, talk_s: int | None, device: str, uid: str
) -> tuple[int, str]:
    a, b = sides
    end = at + ring_s + (talk_s or 0)
    answer, how = ("", "NO ANSWER") if talk_s is None else (_stamp(at + ring_s), "ANSWERED")
    return end, (
        f'"","{a}","{b}","from-internal","""{a}"" <{a}>","SIP/{a}-{at:08x}","{device}","Dial",'
        f'"SIP/trunk/{b}","{_stamp(at)}","{answer}","{_stamp(end)}","{end - at}","{talk_s or 0}",'
        f'"{how}","DOCUMENTATION","{uid}",""\n'
    )


def _stamp(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


# --- The work, each piece in a process of its own -------------------------------------------------


def prepare(config: Config) -> list[str]:
    """A tariff, and clients with their numbers, which are given back."""
    with opened(config):
        now = clock.now()
        told = tariffs.import_file(TARIFFS[1], plan_name=NUMBER_PLAN, now=now)
        tariffs.publish(told.plan, told.valid_from, now=now)
        return [row.number for _ in range(CLIENTS) for row in add_client(NUMBERS_OF_EACH)[1]]


class Watch:
    """Looks at the transactions of an import."""

    def __init__(self, wal: Path) -> None:
        self._wal = wal
        self.transactions, self.longest_s, self.wal_mb = 0, 0.0, 0.0

    @contextmanager
    def write_tx(self) -> Iterator[None]:
        """`write_tx` with a clock beside it."""
        began = time.perf_counter()
        with write_tx():
            yield
        self.transactions += 1
        self.longest_s = max(self.longest_s, time.perf_counter() - began)

    def progress(self, _lines: int) -> None:
        """After each batch."""
        if self._wal.exists():
            self.wal_mb = max(self.wal_mb, self._wal.stat().st_size / 2**20)


def bring_in(config: Config, path: Path, least: int) -> Iterator[Any]:
    """The import as the command does it, in batches of at least so many lines."""
    imports.LEAST_BATCH = least
    with opened(config):
        watch = Watch(config.data_dir / "cabinet.db-wal")
        imports.write_tx = watch.write_tx
        request = ImportRequest(path=path, zone="UTC", format_name="asterisk-csv")
        yield
        outcome = import_file(request, now=END, on_progress=watch.progress)
        counts = {**outcome.counts, "calls": outcome.calls}
        yield watch.transactions, watch.longest_s, watch.wal_mb, counts


def throw_in(config: Config, path: Path, source: Config, batches: int, how: str) -> Iterator[None]:
    """The floor: lines read and dropped, the rows of `source` stored."""
    insert = bulk.insert_plainly if how == "executemany" else bulk.insert_rows
    rows = _finished_rows(source)
    size, lines = -(-len(rows) // batches), sum(1 for _ in path.open("rb"))
    of_batch = [sorted(rows[start : start + size]) for start in range(0, len(rows), size)]
    with opened(config):
        _make_owners(rows)
        gc.freeze()  # the rows made beforehand must not be walked over again and again
        yield
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            for batch in of_batch:
                list(islice(reader, -(-lines // batches)))
                with write_tx():
                    insert(db.obj, Call, COLUMNS, batch)
        yield


def _finished_rows(source: Config) -> list[Row]:
    """What an import has made of the file, in the order of its lines."""
    with opened(source):
        names = ", ".join(COLUMNS)
        order = "started_at + duration_s, uid, direction"
        return db.execute_sql(f'SELECT {names} FROM "call" ORDER BY {order}').fetchall()  # noqa: S608


def _make_owners(rows: Sequence[Row]) -> None:
    exchange = Exchange.create(name="main")
    file = {"file_name": "", "file_sha256": "", "format": "", "zone": "", "started_at": END}
    ImportRun.create(exchange=exchange, **file)
    call_months.make_for({row[1] for row in rows}, now=END)


# --- The table ------------------------------------------------------------------------------------


class Bench:
    """Databases in a folder, and what the work on them took."""

    def __init__(self, folder: Path, given: Namespace) -> None:
        self._folder, self._given = folder, given
        self._serial = 0
        self.master = folder / "Master.csv"
        self.last = self.new_database()
        write_master(self.master, given.rows, prepare(self.last))

    def new_database(self) -> Config:
        """An empty one."""
        self._serial += 1
        return new_config(str(self._folder / str(self._serial)))

    def bring_in(self) -> Cost:
        """An import into a new database."""
        self.last = self.new_database()
        prepare(self.last)
        return self.bring_in_again()

    def bring_in_again(self) -> Cost:
        """An import into the last one."""
        least = imports.BATCH if self._given.steady else imports.LEAST_BATCH
        return cost_of(bring_in, self.last, self.master, least)

    def floor(self, how: str, batches: int) -> Cost:
        """The same rows into another one."""
        database = self.new_database()
        prepare(database)
        return cost_of(throw_in, database, self.master, self.last, batches, how)


def measure(bench: Bench, given: Namespace) -> dict[str, list[Cost]]:
    """All pieces of work, in turns."""
    ways = ("executemany",) if given.database == "sqlite" else ("executemany", "COPY")
    found: dict[str, list[Cost]] = {"import": []}
    for _ in range(given.turns):
        found["import"].append(bench.bring_in())
        batches = found["import"][0].result[0]
        for how in ways if given.floor else ():
            found.setdefault(f"floor, {how}", []).append(bench.floor(how, batches))
    found["the same file again"] = [bench.bring_in_again()]
    return found


def _cells(name: str, costs: list[Cost], found: dict[str, list[Cost]], lines: int) -> list[str]:
    wall_s, cpu_s = (median(getattr(c, field) for c in costs) for field in ("wall_s", "cpu_s"))
    cells = [name, f"{lines / wall_s:,.0f}".replace(",", " "), f"{wall_s:.1f}", f"{cpu_s:.1f}"]
    for field in ("wall_s", "cpu_s"):
        floors = next((costs for other, costs in found.items() if "floor" in other), [])
        pairs = zip(costs, floors, strict=False)
        ratios = [getattr(cost, field) / getattr(floor, field) for cost, floor in pairs]
        cells.append(f"{median(ratios):.2f}" if ratios else "")
    cells.append(f"{max(cost.peak_mb for cost in costs):.0f}")
    watched = [cost.result[:3] for cost in costs if cost.result]
    if not watched:
        return [*cells, "", "", ""]
    transactions, longest_s, wal_mb = (max(values) for values in zip(*watched, strict=True))
    return [*cells, str(transactions), f"{longest_s * 1000:.0f}", f"{wal_mb:.0f}"]


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="lines of the file")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steady", action="store_true", help="never make batches smaller")
    parser.add_argument("--no-floor", dest="floor", action="store_false")
    given = chosen(parser)
    with tempfile.TemporaryDirectory(prefix="cabinet-bench-") as folder:
        bench = Bench(Path(folder), given)
        found = measure(bench, given)
    heads = ("", "lines/s", "s", "CPU s", "× floor", "× by CPU")
    counts = found["import"][0].result[3]
    print_table(
        f"{given.rows} lines on {given.database}, medians of {given.turns}: {counts}",
        (*heads, "peak MB", "tx", "longest tx, ms", "WAL, MB"),
        [_cells(name, costs, found, given.rows) for name, costs in found.items()],
    )


if __name__ == "__main__":
    main()
