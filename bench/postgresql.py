"""Calls on PostgreSQL: by month against one table, COPY against a statement per row. Times are of
one run, so that only ratios within it mean something. `ROWS=2000000 bin/bench postgresql`.
"""

import os
import random
import shutil
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime

from app import create_app
from config import Config
from domain.cdr.joining import Part
from models import Call, Exchange, ImportRun, db
from services import bulk, call_months, call_store, clock, database
from services.call_book import CallBook
from services.call_store import Sighting
from services.matching import Seen
from services.transactions import write_tx
from tests import databases

ROWS = int(os.environ.get("ROWS", "600000"))
SUBSCRIBERS, MONTHS, BATCH = 1000, 12, 5000
FOLDER = tempfile.mkdtemp(prefix="cabinet-bench-")
END = datetime(2026, 11, 1, tzinfo=UTC)
ONE_TABLE = """
    ALTER TABLE "call" RENAME TO divided;
    CREATE TABLE one (LIKE divided INCLUDING ALL);
    ALTER TABLE one ADD FOREIGN KEY (exchange_id) REFERENCES exchange (id);
    ALTER TABLE one ADD FOREIGN KEY (import_run_id) REFERENCES import_run (id);
    CREATE UNIQUE INDEX one_once ON one (exchange_id, uid, subscriber_id, direction);
    DROP TABLE divided;
    ALTER TABLE one RENAME TO "call";"""


def sightings():
    """Batches of legs in the order of time, over a year."""
    rng = random.Random(1)  # noqa: S311 - made-up data
    first = clock.epoch(END) - MONTHS * 30 * 86_400
    step = MONTHS * 30 * 86_400 / ROWS
    for start in range(0, ROWS, BATCH):
        batch = []
        for n in range(start, min(start + BATCH, ROWS)):
            at = int(first + n * step)
            part = Part(at, at + 65, n, at + 5, 60, 1, "375291234567", 0)
            seen = Seen(1 + rng.randrange(SUBSCRIBERS), n % 2, "375171234567", part)
            batch.append(Sighting(f"{at}.{n}", [seen]))
        yield batch


@contextmanager
def timed(name, found):
    """Seconds of the block, by name."""
    began = time.perf_counter()
    yield
    found[name] = time.perf_counter() - began


def measure(*, one_table, insert):
    """Seconds of each piece of work on a new database."""
    found = {}
    app = create_app(Config(DATA_DIR=FOLDER, DATABASE_URL=databases.new_url()))
    make_for, insert_rows = call_months.make_for, bulk.insert_rows
    bulk.insert_rows = insert
    with app.app_context(), db.connection_context():
        database.upgrade()
        if one_table:
            db.execute_sql(ONE_TABLE)
            call_months.make_for = lambda *_, **__: 0
        exchange = Exchange.create(name="x")
        run = ImportRun.create(
            exchange=exchange, file_name="", file_sha256="", format="", zone="", started_at=END
        )
        book = CallBook()
        for name in ("import", "import again"):
            with timed(name, found):
                for batch in sightings():
                    with write_tx():
                        call_store.store_calls(exchange, run.id, batch, book=book)
        db.execute_sql("VACUUM ANALYZE")
        ask(found)
        with timed("drop the oldest month", found):
            drop_month(one_table=one_table)
    call_months.make_for, bulk.insert_rows = make_for, insert_rows
    return found


def ask(found):
    """A report of 50 numbers, and the sums of a whole month: best of five."""
    last = clock.epoch(END) - 30 * 86_400
    month = (Call.started_at >= last) & (Call.started_at < clock.epoch(END))
    fifty = Call.subscriber_id.in_(range(1, 51))
    fields = (Call.subscriber_id, Call.started_at, Call.peer, Call.billable_s)
    report = Call.select(*fields).where(fifty, month).order_by(Call.subscriber_id, Call.started_at)
    sums = Call.select(Call.subscriber_id).where(month).group_by(Call.subscriber_id)
    for name, query in (("report of 50 numbers", report), ("sums of a month", sums)):
        times = []
        for _ in range(5):
            began = time.perf_counter()
            db.execute(query).fetchall()
            times.append(time.perf_counter() - began)
        found[name] = min(times)
    size = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relname ~ '^call(_|$)' AND relkind = 'r'"
    )
    found["size, GB"] = float(db.execute_sql(size).fetchone()[0]) / 2**30


def drop_month(*, one_table):
    """Take the second month out, as a retention rule would."""
    if one_table:
        start = clock.epoch(datetime(2025, 12, 1, tzinfo=UTC))
        Call.delete().where(
            Call.started_at >= start, Call.started_at < start + 31 * 86_400
        ).execute()
        db.execute_sql('VACUUM "call"')
    else:
        db.execute_sql("DROP TABLE call_2025_12")


def main():
    """Print a table of seconds."""
    databases.choose("postgresql")
    plain, copied = bulk.insert_plainly, bulk.insert_rows
    cases = {
        "one table, statements": {"one_table": True, "insert": plain},
        "one table, COPY": {"one_table": True, "insert": copied},
        "by month, COPY": {"one_table": False, "insert": copied},
    }
    print(f"{ROWS} calls, {MONTHS} months, seconds")
    for name, case in cases.items():
        found = measure(**case)
        print(
            name,
            *(f"{what} {seconds:.3f}" for what, seconds in found.items()),
            sep="; ",
            flush=True,
        )
    databases.stop()
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
