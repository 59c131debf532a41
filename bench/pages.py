"""Pages under load: the home page of a client with 50 000 numbers, step 1 of the wizard and the
list of the numbers, each beside a bare page of the same size (`bench/measuring/bare.py`).
`bin/bench pages --database postgresql`.

How to read it: both are served by granian with the cabinet's own settings and asked in turns, the
cheapest of three, by eight connections that stay open. «per s» and latencies suffer from whatever
else the machine does, and from the asking itself; «CPU ms» is the server's processor time for one
request, and «ratio» compares it with the bare page's. The bare page knows no users, sessions,
drafts or menu, opens its database for each request, and is on SQLite always. A PostgreSQL server's
own time is not in «CPU ms».
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from bench import charges
from bench.measuring import chosen, options, peak_mb, print_table
from bench.measuring.calls import add_client, new_config, opened
from commands import serve
from config import Config
from domain.orders import OrderKind
from domain.periods import month_of
from models import Client, OrderDraft, Subscriber, User
from models_billing import Invoice
from services import clock, drafts, processes
from tests import databases, factories
from tests.page import Browser
from tests.run.conftest import free_port

NUMBERS = 50_000
CONNECTIONS, REQUESTS, WARM, TURNS = 8, 400, 16, 3
BILLS, ORDERS = 3, 5
ROWS_AT_HOME = 20  # of orders, bills, destinations and numbers; days are drawn and listed besides
BILL = {
    **dict.fromkeys(("series", "content_hash", "previous_hash"), ""),
    **dict.fromkeys(("opening", "paid", "until_run"), 0),
    **dict.fromkeys(("total", "closing"), 125_000),
    "net": 100_000,
    "vat": 25_000,
    "content": "{}",
    "delivery_method": "email",
    "delivery_email": "a@example.by",
}
TICKS_S = os.sysconf("SC_CLK_TCK")


class Load(NamedTuple):
    """What a server did under load."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    peak_mb: float
    size: int  # bytes of a page


class Site(NamedTuple):
    """A cabinet's addresses to ask, and the session of somebody who may."""

    config: Config
    client_id: int
    token: str
    pages: dict[str, tuple[str, int]]  # name → (path, rows in its table)


def fill(folder: str) -> Site:
    """A client with its numbers, somebody signed in, and a draft."""
    config = new_config(folder)
    with opened(config) as app:
        client, numbers = add_client(NUMBERS)
        browser = Browser(app, factories.make_user(client))
        draft = _draft(client, browser.user)
        _lay_out_home(client, numbers, browser.user)
        cookie = browser.client.get_cookie(app.session_interface.cookies.name)
        list_path = browser.url("bills.call_detail.subscribers", key=draft.key)
        pages = {
            "home": (browser.url("home.show"), ROWS_AT_HOME),
            "step 1": (browser.url("bills.call_detail.start"), 0),
            "numbers, page 1": (f"{list_path}?per_page=20", 20),
            "numbers, page 1000": (f"{list_path}?page=1000&per_page=20", 20),
        }
        return Site(config, client.id, cookie.value, pages)


def _lay_out_home(client: Client, numbers: list[Subscriber], user: User) -> None:
    """What the home page shows: two months of sums, bills, orders."""
    now = clock.local(clock.now())
    months = [month_of(now.date(), back) for back in range(BILLS, 0, -1)]
    for today in (now.date(), months[-1].end):
        charges.fill(client, numbers, today)
    for _ in range(ORDERS):
        factories.make_order(client, user=user, state="sent", closed_at=now)
    factories.make_import_run(last_at=int(now.timestamp()))
    for place, month in enumerate(months, 1):
        Invoice.create(
            client=client,
            period=month.start,
            year=month.start.year,
            number=place,
            key=f"key{place}",
            issued_on=month.end,
            issued_at=now,
            due_on=now.date(),
            **BILL,
        )


def _draft(client: Client, user: User) -> OrderDraft:
    now = clock.now()
    answers = {
        "start": [month_of(now.date()).start.isoformat()],
        "end": [now.date().isoformat()],
        "direction": ["both"],
        "file_format": ["xlsx"],
    }
    return drafts.start(client, user, OrderKind.CALL_DETAIL, "period", answers, now=now)


@contextmanager
def served(config: Config, app: str, **environment: str) -> Iterator[tuple[int, int]]:
    """Granian as `flask serve` starts it: (port, process that answers)."""
    port = free_port()
    ours = {"DATA_DIR": config.DATA_DIR, "DATABASE_URL": config.DATABASE_URL, "PORT": str(port)}
    env = {**os.environ, **{f"CABINET_{name}": text for name, text in ours.items()}, **environment}
    command = list(serve._web_server(Config(DATA_DIR=config.DATA_DIR, PORT=port)))
    command[command.index("app:create_app")] = app
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, env=env, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        while not _answers(port):
            assert process.poll() is None
            time.sleep(0.1)
        (worker,) = set(processes.session_members(process.pid)) - {process.pid, *_trackers(process)}
        yield port, worker
    finally:
        process.terminate()
        process.wait(20)


def _trackers(process: subprocess.Popen) -> Iterator[int]:
    """Helpers of multiprocessing among the processes of granian."""
    for pid in processes.session_members(process.pid):
        if b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            yield pid


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def ask(port: int, path: str, token: str, requests: int) -> tuple[list[float], int]:
    """Ask one after the other over one connection: milliseconds of each, bytes of the last."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken, body = [], b""
    for _ in range(requests):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"cab-{port}={token}"})
        response = connection.getresponse()
        body = response.read()
        taken.append((time.perf_counter() - began) * 1000)
        assert response.status == 200, (response.status, path)
    connection.close()
    return taken, len(body)


def load(port: int, worker: int, path: str, token: str) -> Load:
    """Ask by many connections at once, after warming up."""
    ask(port, path, token, WARM)
    cpu, began = cpu_s(worker), time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        share = REQUESTS // CONNECTIONS
        parts = list(pool.map(lambda _: ask(port, path, token, share), range(CONNECTIONS)))
    passed, used = time.perf_counter() - began, cpu_s(worker) - cpu
    taken = sorted(one for part, _ in parts for one in part)
    return Load(
        per_s=len(taken) / passed,
        p50_ms=statistics.median(taken),
        p99_ms=taken[int(len(taken) * 0.99)],
        cpu_ms=used * 1000 / len(taken),
        peak_mb=peak_mb(worker),
        size=parts[0][1],
    )


def measure(site: Site) -> Iterator[tuple[str, Load, Load]]:
    """Each page by the cabinet, and the bare one of its size: in turns, the cheapest of each."""
    with served(site.config, "app:create_app") as ours:
        for name, (path, rows) in site.pages.items():
            size = ask(ours[0], path, site.token, WARM)[1]
            given = {"database": str(_sqlite(site)), "client": site.client_id, "rows": rows}
            bare_page = json.dumps({**given, "bytes": size})
            bare_app = "bench.measuring.bare:create_app"
            with served(site.config, bare_app, BARE=bare_page) as bare:
                turns = [
                    [load(*server, path, site.token) for server in (ours, bare)]
                    for _ in range(TURNS)
                ]
            yield name, *(min(each, key=attrgetter("cpu_ms")) for each in zip(*turns, strict=True))


def _sqlite(site: Site) -> Path:
    """The database the bare page reads: the cabinet's own, or on PostgreSQL one filled alike."""
    path = Path(site.config.DATA_DIR) / "cabinet.db"
    if not path.exists():
        kind, databases.kind = databases.kind, "sqlite"
        with opened(new_config(site.config.DATA_DIR)):
            while add_client(NUMBERS)[0].id < site.client_id:
                pass
        databases.kind = kind
    return path


def main() -> None:
    """Print the table."""
    given = chosen(options(__doc__))
    folder = tempfile.mkdtemp(prefix="cabinet-bench-")
    try:
        lines = [line for found in measure(fill(folder)) for line in _lines(*found)]
    finally:
        databases.stop()
        shutil.rmtree(folder)
    print_table(
        f"Pages on {given.database}, {CONNECTIONS} connections, {NUMBERS} numbers",
        ("page", "per s", "p50 ms", "p99 ms", "CPU ms", "ratio", "peak MB", "bytes"),
        lines,
    )


def _lines(name: str, ours: Load, bare: Load) -> Iterator[tuple[str, ...]]:
    ratio = f"{ours.cpu_ms / bare.cpu_ms:.2f}"
    for title, each, shown in ((name, ours, ratio), ("  bare", bare, "")):
        yield (
            title,
            f"{each.per_s:.0f}",
            *(f"{value:.1f}" for value in (each.p50_ms, each.p99_ms)),
            f"{each.cpu_ms:.2f}",
            shown,
            f"{each.peak_mb:.0f}",
            str(each.size),
        )


if __name__ == "__main__":
    main()
