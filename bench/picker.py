"""The picker with 50 000 numbers: pages, search, «выбрать все найденные», the typed list.

Prints milliseconds (median of five) of each step, and of the whole page through the application.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask

from app import create_app
from config import Config
from domain.orders import OrderKind
from domain.periods import month_of
from domain.subscribers import fold
from models import Client, Subscriber, db
from services import clock, database, drafts, selection
from services.selection import Filters
from tests.factories import make_user
from tests.page import Browser

NUMBERS = 50_000
RUNS = 5


def milliseconds(work: Callable[[], object]) -> float:
    """Median of a few runs."""
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def fill() -> Client:
    """A client with its numbers."""
    client = Client.create(
        name="Большой клиент",
        unp="190000001",
        account_no="1",
        invoice_email="a@example.by",
        detail_email="a@example.by",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    rows = [
        (client.id, f"3752900{n:05}", f"Сотрудник {n}", fold(f"Сотрудник {n}"), "SIP-номер")
        for n in range(NUMBERS)
    ]
    fields = (
        Subscriber.client,
        Subscriber.number,
        Subscriber.full_name,
        Subscriber.name_folded,
        Subscriber.plan,
    )
    with db.atomic():
        for start in range(0, NUMBERS, 5000):
            Subscriber.insert_many(rows[start : start + 5000], fields).execute()
    return client


def measure(app: Flask, client: Client) -> list[tuple[str, float]]:
    """All steps, as (name, milliseconds)."""
    user = make_user(client)
    now = clock.now()
    period = month_of(now.date())
    answers = {
        "start": [period.start.isoformat()],
        "end": [now.date().isoformat()],
        "direction": ["both"],
        "file_format": ["xlsx"],
    }
    draft = drafts.start(client, user, OrderKind.CALL_DETAIL, "period", answers, now=now)
    everything = selection.eligible(client, *period.bounds(clock.zone()))
    typed = ";".join(f"3752900{n:05}" for n in range(NUMBERS))

    def page(number: int, **filters: object) -> object:
        return selection.find_page(draft, everything, Filters(**filters), number, 50)

    steps = [
        ("page 1", lambda: page(1)),
        ("page 1000", lambda: page(1000)),
        ("search by name", lambda: page(1, text="сотрудник 499")),
        ("search by digits", lambda: page(1, text="29 004")),
        ("select all found", lambda: selection.tick_found(draft, everything)),
        ("show selected", lambda: page(1, selected_only=True)),
        ("count", lambda: selection.count(draft)),
        ("check 50 000 typed", lambda: selection.check_list(everything, typed)),
        ("clear", lambda: selection.clear(draft)),
    ]
    figures = [(name, milliseconds(work)) for name, work in steps]
    browser = Browser(app, user)
    address = browser.url("bills.call_detail.subscribers", key=draft.key)
    request = lambda: browser.client.get(address)  # noqa: E731
    form = {"typed": typed, "go": "check", "csrf_token": browser.token()}
    post = lambda: browser.client.post(address, data=form)  # noqa: E731
    return [
        *figures,
        ("whole page by HTTP", milliseconds(request)),
        ("POST of 50 000", milliseconds(post)),
    ]


def main() -> None:
    """Measure on SQLite in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Config(DATA_DIR=folder))
        with app.app_context(), db.connection_context():
            database.upgrade()
            figures = measure(app, fill())
    print(f"picker with {NUMBERS} numbers, median of {RUNS}, ms")
    for name, value in figures:
        print(f"  {name:<20} {value:8.1f}")


if __name__ == "__main__":
    main()
