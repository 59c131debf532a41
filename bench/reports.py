"""What an order's file costs, beside its floor: the library alone, fed with the rows as they come
from the database. `bin/bench reports --database postgresql`.

How to read it: each line is a process of its own, the cheapest of three. «ratio» compares processor
time with that of the floor: seconds on the clock tell as much about what else the machine does. The
floor writes raw values (numbers, not dates and durations) and adds nothing up; peak memory has the
whole application in it, «base» is that alone. On PostgreSQL the server's own time is in neither
column of processor time.
"""

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from rustpy_xlsxwriter import write_worksheet

from bench.measuring import Cost, chosen, cost_of, options, print_table
from bench.measuring.calls import (
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
from domain.writers.pdf_tables import LEFT, LINE, PAGE, TOP
from domain.writers.pdf_texts import PLAIN, load_fonts
from models import Order
from services import reports
from services.transactions import read_tx
from tests import databases

NUMBERS = 1500
ROWS = {FileFormat.CSV: 1_000_000, FileFormat.XLSX: 1_000_000, FileFormat.PDF: 10_000}
COLUMNS = ("started", "direction", "number", "name", "peer", "result", "lasted", "billed", "id")
COLUMNS += ("rating", "price", "paid", "package", "rate")
LEFT_EDGES = (0, 55, 75, 145, 270, 350, 375, 415, 455, 580, 600, 650, 690, 730)


def ours(config: Config, order_id: int) -> Iterator[int]:
    """The file as a worker makes it, without claim and mail."""
    with opened(config):
        order = Order.get_by_id(order_id)
        yield 0
        yield reports.render(order, made_at=MADE_AT, progress=lambda *_: None).size


def floor(config: Config, order_id: int) -> Iterator[int]:
    """The same rows, put by the bare library into a file of the same kind."""
    with opened(config):
        order = Order.get_by_id(order_id)
        path = config.data_dir / "floor"
        write = FLOORS[FileFormat(order.params["format"])]
        yield 0
        with read_tx(), reports.raw_rows(order) as rows:
            write(path, rows)
        yield path.stat().st_size


def only_base(config: Config, order_id: int) -> Iterator[int]:
    """Nothing: how large the process is before."""
    with opened(config):
        Order.get_by_id(order_id)
        yield 0


def bare_csv(path: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    """csv.writer over the cursor."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)


def bare_xlsx(path: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    """The writer of workbooks, which takes a dict a row."""
    write_worksheet((dict(zip(COLUMNS, row, strict=True)) for row in rows), str(path))


def bare_pdf(path: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    """A canvas, each cell drawn where its column begins."""
    load_fonts()
    canvas = Canvas(str(path), pagesize=PAGE, pageCompression=1)
    y = 0.0
    for row in rows:
        if y < LINE * 4:
            if y:
                canvas.showPage()
            canvas.setFont(PLAIN, 7.5)
            y = TOP
        for value, x in zip(row, LEFT_EDGES, strict=True):
            canvas.drawString(LEFT + x, y, str(value))
        y -= LINE
    canvas.save()


FLOORS = {FileFormat.CSV: bare_csv, FileFormat.XLSX: bare_xlsx, FileFormat.PDF: bare_pdf}


def fill(config: Config, rows: dict[FileFormat, int]) -> dict[FileFormat, int]:
    """A client for each number of rows, and an order for each form; its ids."""
    made, orders = {}, {}
    with opened(config):
        for file_format, count in rows.items():
            if count not in made:
                made[count] = add_client(max(1, NUMBERS * count // 1_000_000))
                add_calls(made[count][1], count, MONTH, LAST)
            orders[file_format] = make_order(*made[count], file_format).id
    return orders


def main() -> None:
    """Print the table."""
    parser = options(__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the rows: 0.1 for a tenth")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--formats", default=",".join(ROWS))
    given = chosen(parser)
    wanted = {
        form: int(ROWS[form] * given.scale) for form in map(FileFormat, given.formats.split(","))
    }
    folder = tempfile.mkdtemp(prefix="cabinet-bench-")
    try:
        config = new_config(folder)
        orders = fill(config, wanted)
        base = cost_of(only_base, config, next(iter(orders.values())))
        lines = []
        for form, order_id in orders.items():
            bare, whole = _turns(config, order_id, given.turns)
            lines += [
                _line(f"{form} {wanted[form]}: floor", bare, None),
                _line(f"{form}", whole, bare),
            ]
    finally:
        databases.stop()
        shutil.rmtree(folder)
    heads = ("file", "CPU s", "ratio", "wall s", "peak MB", "size MB")
    print_table(f"Files of orders on {given.database}; base {base.peak_mb:.0f} MB", heads, lines)


def _turns(config: Config, order_id: int, turns: int) -> tuple[Cost, Cost]:
    """The cheapest of a few turns each, taken alternately."""
    found = [[cost_of(work, config, order_id) for work in (floor, ours)] for _ in range(turns)]
    bare, whole = (min(costs, key=lambda cost: cost.cpu_s) for costs in zip(*found, strict=True))
    return bare, whole


def _line(name: str, cost: Cost, bare: Cost | None) -> tuple[str, ...]:
    ratio = "" if bare is None else f"{cost.cpu_s / bare.cpu_s:.2f}"
    size = f"{cost.result / 2**20:.1f}"
    return (name, f"{cost.cpu_s:.2f}", ratio, f"{cost.wall_s:.2f}", f"{cost.peak_mb:.0f}", size)


if __name__ == "__main__":
    main()
