"""Orders carried by real workers: how many a minute by the number of workers, how long one takes
from the hint to the accepted letter, and where that time goes.
`bin/bench orders --database postgresql`.

How to read it: the mail server answers at once, so its own time is not in the figures. «One order»
has a single worker to itself and is measured from the hint on: Redis, the fork and the claim are in
it. «Inside the job» is the same work in children forked as a worker forks them; what its steps
leave of «job» is opening the database and looking rows up.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from flask import Flask

from app import create_app
from bench.measuring import chosen, options, print_table
from bench.measuring.calls import LAST, MONTH, add_calls, add_client, make_order, new_config, opened
from config import Config
from domain.orders import FileFormat
from jobs import orders as job
from jobs.worker import warm_up
from models import Client, Subscriber, db
from services import artefacts, claims, ledger, queue, reports, smtp, valkey
from tests import databases
from tests.smtp_sink import SmtpSink

ROOT = Path(__file__).parent.parent
WORKERS = (1, 2, 4)
FORMATS = (FileFormat.CSV, FileFormat.XLSX)
ROWS = (100, 10_000)
RUNS = 7
STEPS: tuple[tuple[str, Any, str], ...] = (  # in the order in which they follow one another
    ("claim", claims, "claim_next"),
    ("file", reports, "render"),
    ("record", artefacts, "_record"),
    ("letter", ledger, "_find_or_freeze"),
    ("mark", ledger, "_mark_sending"),
    ("SMTP", smtp, "submit"),
    ("close", ledger, "_close_as_sent"),
)

Owner = tuple[Client, list[Subscriber]]


@contextmanager
def redis_server(config: Config) -> Iterator[None]:
    """A Valkey as the cabinet starts it."""
    part = valkey.part(config.valkey_socket)
    with subprocess.Popen(  # noqa: S603 - our own command
        part.command, stdout=subprocess.DEVNULL, pass_fds=part.pass_fds
    ) as process:
        os.close(part.pass_fds[0])
        while not valkey.answers(config.valkey_socket):
            time.sleep(0.02)
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def workers(config: Config, number: int) -> Iterator[None]:
    """So many `flask worker`, at work."""
    settings = {
        "DATA_DIR": config.DATA_DIR,
        "DATABASE_URL": config.DATABASE_URL,
        "MAIL_SERVER": config.MAIL_SERVER,
        "MAIL_PORT": config.MAIL_PORT,
    }
    env = {**os.environ, **{f"CABINET_{name}": str(value) for name, value in settings.items()}}
    log = (config.data_dir / "workers.log").open("ab")
    running = [
        subprocess.Popen(
            (sys.executable, "-m", "flask", "worker"), cwd=ROOT, env=env, stdout=log, stderr=log
        )
        for _ in range(number)
    ]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
        log.close()


def carry(app: Flask, sink: SmtpSink, owners: Sequence[Owner], form: FileFormat) -> float:
    """Order once for each of `owners`; seconds from the first hint to the last accepted letter."""
    with app.app_context(), db.connection_context():
        orders = [make_order(*owner, form) for owner in owners]
        wanted = len(sink.accepted) + len(orders)
        began = time.perf_counter()
        for order in orders:
            queue.hint(order.id)
    while len(sink.accepted) < wanted:
        time.sleep(0.001)
    return time.perf_counter() - began


def orders_a_minute(
    app: Flask, sink: SmtpSink, owners: Sequence[Owner], count: int
) -> Iterator[list[str]]:
    """A line for each number of workers."""
    for number in WORKERS:
        with workers(app.config["CABINET"], number):
            turns = [owners[n % len(owners)] for n in range(count)]
            carry(app, sink, turns[: 4 * number], FileFormat.CSV)  # all of them are up by now
            taken = {form: carry(app, sink, turns, form) for form in FORMATS}
        yield [str(number), *(f"{60 * count / seconds:.0f}" for seconds in taken.values())]


def one_order(app: Flask, sink: SmtpSink, owner: Owner, form: FileFormat) -> list[float]:
    """Seconds of each of some orders that a worker carries one by one."""
    carry(app, sink, [owner], form)
    return [carry(app, sink, [owner], form) for _ in range(RUNS)]


def inside(app: Flask, owner: Owner, form: FileFormat) -> dict[str, float]:
    """Milliseconds of processor time by step of a job, the median of some children."""
    found = []
    for _ in range(RUNS):
        with app.app_context(), db.connection_context():
            make_order(*owner, form)
        receive, send = get_context("fork").Pipe(duplex=False)
        if not (pid := os.fork()):
            try:
                send.send(_timed_job(app))
            finally:
                os._exit(0)
        found.append(receive.recv())
        os.waitpid(pid, 0)
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


def _timed_job(app: Flask) -> dict[str, float]:
    """In the child: the work of a worker's, with a stopwatch around each step."""
    spent = {name: 0.0 for name, _, _ in STEPS}

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            try:
                return work(*args, **kwargs)
            finally:
                spent[name] += (time.process_time() - began) * 1000

        return run

    for name, module, function in STEPS:
        setattr(module, function, timed(name, getattr(module, function)))
    began, used = time.perf_counter(), time.process_time()
    db.dispose()
    with app.app_context(), db.connection_context():
        job.carry(0)
    passed = {"job": time.process_time() - used, "on the clock": time.perf_counter() - began}
    return {**spent, **{name: seconds * 1000 for name, seconds in passed.items()}}


def fill(config: Config) -> tuple[list[Owner], dict[int, Owner]]:
    """Clients of a hundred calls each, and one for each size of order."""
    with opened(config):
        many = [add_client(4) for _ in range(10)]
        sizes = {rows: add_client(20) for rows in ROWS}
        for _client, numbers in many:
            add_calls(numbers, 100, MONTH, LAST)
        for rows, (_, numbers) in sizes.items():
            add_calls(numbers, rows, MONTH, LAST)
    return many, sizes


def report(app: Flask, sink: SmtpSink, count: int) -> None:
    """Measure all and print the tables."""
    many, sizes = fill(app.config["CABINET"])
    warm_up(app)
    lines = {(rows, form): inside(app, sizes[rows], form) for rows in ROWS for form in FORMATS}
    heads = ["rows", "form", *next(iter(lines.values()))]
    print_table(
        f"Inside the job, ms of processor time, median of {RUNS} ({databases.kind})",
        heads,
        (
            [str(rows), form, *(f"{ms:.1f}" for ms in line.values())]
            for (rows, form), line in lines.items()
        ),
    )
    with redis_server(app.config["CABINET"]):
        with workers(app.config["CABINET"], 1):
            taken = {key: one_order(app, sink, sizes[key[0]], key[1]) for key in lines}
        print_table(
            f"One order, from the hint to the accepted letter, ms ({databases.kind})",
            ["rows", "form", "median", "longest"],
            (
                [
                    str(rows),
                    form,
                    f"{statistics.median(all_) * 1000:.0f}",
                    f"{max(all_) * 1000:.0f}",
                ]
                for (rows, form), all_ in taken.items()
            ),
        )
        print_table(
            f"Orders a minute, {count} orders of 100 rows of {len(many)} clients ({databases.kind},"
            f" {os.cpu_count()} cores)",
            ["workers", *FORMATS],
            orders_a_minute(app, sink, many, count),
        )


def main() -> None:
    """Measure on a database and a data dir that are thrown away."""
    parser = options(__doc__)
    parser.add_argument("--orders", type=int, default=120, help="to be carried by all workers")
    given = chosen(parser)
    try:
        with tempfile.TemporaryDirectory(prefix="cabinet-bench-") as folder, SmtpSink() as sink:
            config = new_config(folder)
            report(
                create_app(replace(config, MAIL_SERVER="127.0.0.1", MAIL_PORT=sink.port)),
                sink,
                given.orders,
            )
    finally:
        databases.stop()


if __name__ == "__main__":
    main()
