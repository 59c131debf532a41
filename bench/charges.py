"""«Начисления за текущий период» of a client with 50 000 numbers and a month of their sums, beside
a bare page of the same size. `bin/bench charges --database postgresql`.

How to read it: processor time of one request through the application, without a server between,
in one process, median of many. The bare page is Flask, Jinja and sqlite3 with the same table: it
reads the same rows of the same two tables, sets them out in as many cells, adds up the client's
month, counts the numbers and fills up to as many bytes; it knows no users, sessions, fees,
packages, VAT or menu, and is on SQLite always. «first» is the
page after something has changed, when the sheet is made anew; the others are those that follow.
"""

import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

from flask import Flask, request

from bench.measuring import chosen, options, peak_mb, print_table
from bench.measuring.calls import add_client, new_config, opened
from models import Client, Subscriber, db
from models_billing import UsageDay, UsageMonth
from services import bulk, charge_keeping, charge_making, clock, tariffs, usage
from services.demo import TARIFFS
from services.transactions import write_tx
from tests import databases, factories
from tests.page import Browser

NUMBERS = 50_000
ROWS = (20, 200)
RUNS = 40
GROUPS = {"in": 0, "local": 40_000, "mobile": 130_000, "international": 500_000}  # micros a call
CALLS = 12  # of a number and group
NOW = datetime(2026, 11, 23, 12, tzinfo=clock.zone())
TODAY = NOW.date()
PAGE = """<!doctype html><html lang="ru"><head><title>Начисления</title></head><body>
<nav>{{ filler }}</nav><p>{{ found }} {{ total }}</p><table>
{%- for id, number, name, out, international, calls, seconds, package_s, unrated in rows %}
<tr><th data-l="Номер телефона"><a href="{{ url_for('page', n=id) }}">{{ number }}</a>
<br>{{ name }}</th>
{%- for title, value, small in (("Абонплата", 3500000, ""), ("Исходящие", out, calls),
  ("Международные", international, ""), ("Входящие", 0, calls), ("Из пакетов", package_s, seconds),
  ("Разовые", 0, ""), ("Рассрочка", 0, ""), ("Без НДС", out + 3500000, ""),
  ("НДС", out / 4, ""), ("Всего", out * 1.25, ""), ("Прогноз", out * 1.4, "")) %}
<td class="num" data-l="{{ title }}">{{ "%.2f"|format(value / 1000000) }}
{%- if small %}<small>{{ small }}</small>{% endif %}</td>
{%- endfor %}</tr>
{%- endfor %}
</table></body></html>"""
SUMS = """SELECT s.id, s.number, s.full_name,
 sum(CASE WHEN u.destination_group <> 'in' THEN u.micros END),
 sum(CASE WHEN u.destination_group = 'international' THEN u.micros END),
 sum(u.calls), sum(u.seconds), sum(u.package_s), sum(u.unrated)
 FROM (SELECT * FROM subscriber WHERE client_id = ? ORDER BY number, id LIMIT ? OFFSET ?) s
 LEFT JOIN usage_month u ON u.subscriber_id = s.id AND u.month = ?
 GROUP BY s.id, s.number, s.full_name ORDER BY s.number"""


def fill(client: Client, numbers: list[Subscriber], today: date = TODAY) -> None:
    """The sums of a month up to yesterday, as imports keep them."""
    with write_tx():
        month = usage.month_number(today)
        columns = ("subscriber_id", "month", "destination_group", *usage.SUMS)
        rows = (
            (
                number.id,
                month,
                group,
                CALLS,
                900,
                960,
                60 if group == "local" else 0,
                CALLS * each,
                0,
            )
            for number in numbers
            for group, each in GROUPS.items()
        )
        bulk.insert_rows(db.obj, UsageMonth, columns, rows)
        share = len(numbers) / max(1, today.day - 1)
        columns = ("client_id", "day", "destination_group", *usage.SUMS)
        bulk.insert_rows(
            db.obj,
            UsageDay,
            columns,
            (
                (
                    *(client.id, today.replace(day=day).toordinal(), group, int(CALLS * share)),
                    *(int(900 * share), int(960 * share), 60, int(CALLS * each * share), 0),
                )
                for day in range(1, today.day)
                for group, each in GROUPS.items()
            ),
        )


def bare(path: Path, client_id: int, size: int) -> Flask:
    """The page as the tutorials of these write it."""
    app = Flask("bare")
    app.jinja_env.autoescape = True
    template, filler = app.jinja_env.from_string(PAGE), ""

    @app.route("/<int:n>")
    def page(n: int) -> str:
        nonlocal filler
        base = sqlite3.connect(path)
        (found,) = base.execute(
            "SELECT count(*) FROM subscriber WHERE client_id = ?", (client_id,)
        ).fetchone()
        total = base.execute(
            "SELECT sum(micros) FROM usage_day WHERE client_id = ?", (client_id,)
        ).fetchone()[0]
        number = request.args.get("page", 1, type=int)
        values = (client_id, n, (number - 1) * n, usage.month_number(NOW.date()))
        rows = base.execute(SUMS, values).fetchall()
        base.close()
        text = template.render(found=found, total=total, rows=rows, filler=filler)
        if not filler:
            filler = "." * max(1, size - len(text.encode()))
        return text

    return app


def cpu_ms(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median of processor milliseconds."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


def measure(app: Flask, sqlite: Path) -> Iterator[tuple[str, ...]]:
    """Each page of ours, and the bare one of its size."""
    client, numbers = add_client(NUMBERS)
    fill(client, numbers)
    for path in TARIFFS:
        told = tariffs.import_file(path, now=NOW)
        tariffs.publish(told.plan, told.valid_from, now=NOW)
    clock.now = lambda: NOW
    browser = Browser(app, factories.make_user(client))
    address = browser.url("bills.charges.show")

    def get(query: str) -> bytes:
        response = browser.client.get(f"{address}?{query}")
        assert response.status_code == 200, response.status
        return response.data

    yield (
        "first (sheet made)",
        f"{cpu_ms(lambda: charge_making.make(client, NOW), 3):.0f}",
        "",
        "",
        "",
    )
    asked = charge_keeping._made_of
    yield "is it still true?", f"{cpu_ms(lambda: asked(client, NOW.date())):.2f}", "", "", ""
    for rows in ROWS:
        for name, query in (
            ("page 1", ""),
            ("last page", f"&page={NUMBERS // rows}"),
            ("by total", "&sort=total&desc=1"),
        ):
            asked_for = f"per_page={rows}{query}"
            size = len(get(asked_for))
            ours = cpu_ms(lambda asked_for=asked_for: get(asked_for))
            other = bare(sqlite, client.id, size).test_client()
            page = NUMBERS // rows if name == "last page" else 1
            url = f"/{rows}?page={page}"
            other.get(url)
            floor = cpu_ms(lambda other=other, url=url: other.get(url))
            yield (
                f"{name}, {rows} rows", f"{ours:.2f}", f"{floor:.2f}", f"{ours / floor:.2f}",
                str(size),
            )  # fmt: skip
    yield "search", f"{cpu_ms(lambda: get('q=' + numbers[777].number[-5:])):.2f}", "", "", ""
    yield "charts", f"{cpu_ms(lambda: browser.client.get(f'{address}charts/')):.2f}", "", "", ""


def main() -> None:
    """Print the table."""
    chosen(options(__doc__))
    folder = tempfile.mkdtemp(prefix="cabinet-bench-")
    try:
        config = new_config(folder)
        with opened(config) as app:
            lines = list(measure(app, Path(folder) / "cabinet.db"))
    finally:
        databases.stop()
        shutil.rmtree(folder)
    heads = ("page", "CPU ms", "bare, CPU ms", "ratio", "bytes")
    print_table(f"Charges of {NUMBERS} numbers; memory {peak_mb():.0f} MB", heads, lines)


if __name__ == "__main__":
    main()
