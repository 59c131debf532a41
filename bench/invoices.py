"""What a month's invoices cost: forming them for all clients, then a PDF of each.

How to read it: invoices are formed by one process, as they are numbered one after the other; PDFs
are drawn by two beside each other. «invoices/s» takes both together, on the clock and by processor
time (each process a core of its own). Memory must not grow with the number of clients: the same is
measured with a tenth of them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from bench.measuring import Cost, chosen, cost_of, options, print_table
from bench.measuring.calls import add_calls, new_config, opened
from config import Config
from domain.orders import FileFormat
from domain.subscribers import fold
from models import Client, ImportRun, Subscriber, db
from models_billing import Invoice, TariffFee, TariffPlan, TariffRate, TariffVersion
from services import billing, bulk, invoice_reports, rating
from services.transactions import write_tx
from tests import databases, factories

MONTH, LAST = date(2026, 10, 1), date(2026, 10, 31)
NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
NUMBERS, CALLS = 4, 50  # of a client
PROCESSES = 2


def fill(config: Config, clients: int) -> None:
    """Clients with numbers, a tariff and priced calls."""
    with opened(config):
        with write_tx():
            _add_tariff()
            for _ in range(clients):
                factories.make_client()
            _add_numbers()
        numbers = list(Subscriber.across_clients().order_by(Subscriber.id))
        add_calls(numbers, CALLS * clients, MONTH, LAST)
        rating.rerun(MONTH, LAST + timedelta(days=1))


def _add_tariff() -> None:
    plan = TariffPlan.create(name="SIP-номер", created_at=NOW)
    version = TariffVersion.create(
        plan=plan, valid_from=date(2026, 1, 1), state="published", created_at=NOW
    )
    TariffFee.create(version=version, code="number", name="Абонентская плата", amount=350)
    for n in range(10):
        group = ("local", "mobile", "international")[n % 3]
        TariffRate.create(
            version=version,
            prefix=f"375172{n}",
            destination_group=group,
            steps=[[0, 21_000 * (n + 1), 60, 60]],
        )
    TariffRate.create(
        version=version, prefix="375", destination_group="local", steps=[[0, 21_000, 60, 60]]
    )


def _add_numbers() -> None:
    columns = ("client_id", "number", "full_name", "name_folded", "plan", "status", "status_reason")
    bulk.insert_rows(
        db.obj,
        Subscriber,
        columns,
        (
            (
                client.id,
                f"37529{client.id * 10 + n:07}",
                name,
                fold(name),
                "SIP-номер",
                "active",
                "",
            )
            for client in Client.select()
            for n, name in enumerate(("Приёмная", "Иванова Анна Сергеевна", "Склад", "Касса"))
        ),
    )


def form(config: Config) -> Iterator[int]:
    """All invoices of the month."""
    with opened(config):
        ImportRun.get()
        yield 0
        run = billing.form_month(MONTH, now=NOW)
        assert not run.failed
        yield run.formed


def draw(config: Config, part: int) -> Iterator[int]:
    """A PDF of each invoice whose turn it is."""
    with opened(config):
        folder = Path(config.DATA_DIR) / f"pdf{part}"
        folder.mkdir()
        ids = [row.id for row in Invoice.across_clients(Invoice.id) if row.id % PROCESSES == part]
        yield 0
        for key in ids:
            invoice_reports.write(Invoice.get_by_id(key), FileFormat.PDF, folder / f"{key}.pdf")
        yield len(ids)


def draw_all(config: Config) -> list[Cost]:
    """All PDFs, by processes beside each other."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(cost_of, draw, config, part) for part in range(PROCESSES)]
        return [each.result() for each in waiting]


def measure(clients: int) -> tuple[str, ...]:
    """One line of the table."""
    folder = tempfile.mkdtemp(prefix="cabinet-bench-")
    try:
        config = new_config(folder)
        fill(config, clients)
        formed = cost_of(form, config)
        drawn = draw_all(config)
    finally:
        shutil.rmtree(folder)
    wall_s = formed.wall_s + max(each.wall_s for each in drawn)
    cpu_s = formed.cpu_s + max(each.cpu_s for each in drawn)
    return (
        f"{clients}",
        f"{1000 * formed.cpu_s / clients:.1f}",
        f"{1000 * sum(each.cpu_s for each in drawn) / clients:.1f}",
        f"{clients / wall_s:.0f}",
        f"{clients / cpu_s:.0f}",
        f"{formed.peak_mb:.0f}",
        f"{max(each.peak_mb for each in drawn):.0f}",
    )


def main() -> None:
    """Print the table."""
    parser = options(__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    given = chosen(parser)
    try:
        lines = [measure(count) for count in (max(1, given.clients // 10), given.clients)]
    finally:
        databases.stop()
    heads = (
        "clients",
        "forming, CPU ms each",
        "PDF, CPU ms each",
        "invoices/s by the clock",
        "invoices/s by CPU",
        "peak MB forming",
        "peak MB drawing",
    )
    print_table(f"A month's invoices on {given.database}", heads, lines)


if __name__ == "__main__":
    main()
