"""A database full of calls for benchmarks: made up, the same every time, and put into the tables
past the import, in the order of time as an import leaves them.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import islice

from flask import Flask

from app import create_app
from config import Config
from domain.cdr.joining import Part, dump
from domain.orders import FileFormat
from domain.rating.states import CallRating, VersionState
from domain.subscribers import fold
from models import Call, Client, Exchange, ImportRun, Order, OrderSubscriber, Subscriber, db
from models_billing import TariffPlan, TariffRate, TariffVersion
from services import bulk, call_months, clock, database
from services.transactions import write_tx
from tests import databases, factories

MONTH = date(2026, 10, 1)  # what is ordered
LAST = date(2026, 10, 31)
MADE_AT = datetime(2026, 11, 5, 12, tzinfo=UTC)
NAMES = ("Иванова Анна Сергеевна", "Приёмная", "Склад № 2", "Ковалевич Пётр", "SIP-номер")
BATCH = 20_000
COLUMNS = (
    *("subscriber_id", "started_at", "seq", "direction", "on_net", "number", "peer"),
    *("answered_at", "duration_s", "billable_s", "disposition", "exchange_id", "uid", "legs"),
    *("import_run_id", "rating", "price", "billed_s", "package_s", "rate_id"),
)
GROUPS = ("local", "mobile", "mobile", "international", "service")  # of RATES prices, in turn
RATES = 200


@contextmanager
def opened(config: Config) -> Iterator[Flask]:
    """The application on `config`, connected."""
    app = create_app(config)
    with app.app_context(), db.connection_context():
        yield app


def new_config(folder: str) -> Config:
    """A data dir in `folder` with a new database of the kind chosen, its tables made."""
    config = Config(DATA_DIR=folder, DATABASE_URL=databases.new_url())
    with opened(config):
        database.upgrade()
    return config


def add_client(numbers: int) -> tuple[Client, list[Subscriber]]:
    """A client with its numbers, which have names."""
    client = factories.make_client(name="ООО «Большой клиент»")
    first = 291_000_000 + 1_000_000 * client.id
    rows = [
        (client.id, f"375{first + n}", NAMES[n % len(NAMES)], fold(NAMES[n % len(NAMES)]))
        for n in range(numbers)
    ]
    columns = ("client_id", "number", "full_name", "name_folded", "plan", "status", "status_reason")
    with write_tx():
        made = ((*row, "SIP-номер", "active", "") for row in rows)
        bulk.insert_rows(db.obj, Subscriber, columns, made)
    return client, list(Subscriber.across_clients().where(Subscriber.client == client))


def add_calls(subscribers: Sequence[Subscriber], count: int, first: date, last: date) -> None:
    """`count` calls of `subscribers` between two days, spread evenly."""
    exchange = Exchange.create(name=f"exchange {Exchange.select().count() + 1}")
    run = ImportRun.create(
        exchange=exchange,
        file_name="",
        file_sha256="",
        format="",
        zone="",
        state="done",
        started_at=MADE_AT,
        finished_at=MADE_AT,
        last_at=clock.epoch(datetime(last.year, last.month, last.day, tzinfo=UTC)),
    )
    start, end = (
        clock.epoch(datetime(d.year, d.month, d.day, 3, tzinfo=UTC)) for d in (first, last)
    )
    call_months.make_for(range(start, end, 86_400), now=MADE_AT)
    own = [(row.id, row.number) for row in subscribers]
    rows = _rows(own, count, start, (end - start) / count, exchange.id, run.id, _rates())
    while batch := list(islice(rows, BATCH)):
        with write_tx():
            bulk.insert_rows(db.obj, Call, COLUMNS, batch)


def _rates() -> list[int]:
    """Prices by which calls are said to have been rated; their ids."""
    with write_tx():
        name = f"plan {TariffPlan.select().count() + 1}"
        plan = TariffPlan.create(name=name, created_at=MADE_AT)
        version = TariffVersion.create(
            plan=plan, valid_from=MONTH, state=VersionState.PUBLISHED, created_at=MADE_AT
        )
        return [
            TariffRate.create(
                version=version,
                prefix=f"37517{n}",
                name=f"Направление {n}",
                destination_group=GROUPS[n % len(GROUPS)],
                steps=[[0, 125_000, 60, 60]],
            ).id
            for n in range(RATES)
        ]


def _rows(
    own: list[tuple[int, str]],
    count: int,
    start: int,
    step: float,
    exchange: int,
    run: int,
    rates: list[int],
) -> Iterator[tuple]:
    rng = random.Random(exchange)  # noqa: S311 - made-up data
    for n in range(count):
        subscriber_id, number = own[rng.randrange(len(own))]
        at = start + int(n * step)
        disposition = 0 if n % 4 else rng.randrange(1, 5)
        duration_s = 5 + int(rng.expovariate(1 / 90))
        billable_s = 0 if disposition else max(1, duration_s - 9)
        answered_at = None if disposition else at + duration_s - billable_s
        peer = f"37517{2_000_000 + int(rng.expovariate(1 / 40_000)):07}"
        part = Part(at, at + duration_s, n, answered_at, billable_s, disposition, peer, 0, run)
        yield (
            *(subscriber_id, at, rng.getrandbits(62), n % 2, False, number, peer),
            *(answered_at, duration_s, billable_s, disposition, exchange),
            *(f"{at}.{n}", dump([part]), run),
            *_price(n, billable_s, rates),
        )


def _price(n: int, billable_s: int, rates: list[int]) -> tuple[int | None, ...]:
    """Every second call is outgoing and answered; of those each tenth is paid by a package, and
    each thousandth has no price.
    """
    if n % 2 or not billable_s:
        return (CallRating.FREE, 0, 0, 0, None)
    if n % 2000 == 0:
        return (CallRating.NO_RATE, None, None, None, None)
    billed_s, rate_id = -(-billable_s // 60) * 60, rates[n // 2 % len(rates)]
    if n % 20 == 0:
        return (CallRating.PRICED, 0, billed_s, billed_s, rate_id)
    return (CallRating.PRICED, billed_s * 125_000 // 60, billed_s, 0, rate_id)


def make_order(client: Client, subscribers: Sequence[Subscriber], file_format: FileFormat) -> Order:
    """An order of the month's calls of `subscribers`."""
    days = {"start": MONTH.isoformat(), "end": LAST.isoformat()}
    order = factories.make_order(client, params={**days, "format": file_format})
    with write_tx():
        rows = [(order.id, row.id) for row in subscribers]
        bulk.insert_rows(db.obj, OrderSubscriber, ("order_id", "subscriber_id"), rows)
    return order
