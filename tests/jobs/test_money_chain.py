"""From the switch's file to the bill in a letter, as an operator and an accountant go: the figures
of the table, the PDF and the workbook against a truth that is counted here, in decimals, from the
list of calls and the tariff alone. Nothing of the product's arithmetic is used for it.
"""

import csv
import email
import email.policy
import io
import random
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from domain.billing.reconciliation import Reason
from domain.orders import OrderState
from jobs import orders as job
from models import Call, Client, Order
from models_billing import InvoiceLine, UsageMonth
from services import clock, invoice_calls, invoices
from tests.apps import another_app
from tests.blueprints.bills.bill_page import send
from tests.factories import make_user
from tests.page import Browser
from tests.pdf import lines_of, open_pdf
from tests.smtp_sink import SmtpSink

MINSK = ZoneInfo("Europe/Minsk")
OWN = ("375171230001", "375171230002", "375171230003")
TOLD = {  # group → words of the bill
    "local": "Звонки на стационарные номера Беларуси",
    "onnet": "Звонки внутри сети",
    "mobile": "Звонки на мобильные номера Беларуси",
    "international": "Международные звонки",
}
PLAN = """
plan = "Офис"
valid_from = 2026-01-01
rounding = {mode = "half_up", places = 4}

[[fees]]
code = "number"
name = "Плата за номер"
amount = "3.50"

[[fees]]
code = "company"
name = "Плата за подключение офиса"
amount = "12.34"
per = "client"

[[rates]]
prefix = "onnet"
name = "Внутри сети"
group = "onnet"
price = "0"
increments = "60/60"

[[rates]]
prefix = "375"
name = "Беларусь"
group = "local"
price = "0.0421"
increments = "60/60"

[[rates]]
prefix = "37529"
name = "Беларусь, мобильные"
group = "mobile"
price = "0.1277"
increments = "60/1"

[[rates]]
prefix = "7"
name = "Россия"
group = "international"
price = "0.8123"
increments = "60/1"
connect_fee = "0.05"

[[rates]]
prefix = "7495"
name = "Россия, Москва"
group = "international"
price = "0.4579"
increments = "30/6"
"""
PRICES = {  # prefix → group, a minute, first and next increment, for the connection
    "onnet": ("onnet", "0", 60, 60, "0"),
    "375": ("local", "0.0421", 60, 60, "0"),
    "37529": ("mobile", "0.1277", 60, 1, "0"),
    "7": ("international", "0.8123", 60, 1, "0.05"),
    "7495": ("international", "0.4579", 30, 6, "0"),
}
PEERS = ("375172223344", "375291112233", "375297654321", "78121112233", "74951112233", OWN[0])


class Told(NamedTuple):
    """A call as the switch tells it."""

    caller: str
    called: str
    started: datetime  # of Minsk
    seconds: int  # 0: nobody answered


# --- The truth ------------------------------------------------------------------------------------


def made_calls(count, seed):
    """Calls of March, some at its borders, some incoming, some that nobody answered."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    first = datetime(2026, 3, 1, 0, 0, 5, tzinfo=MINSK)
    calls = [
        Told(OWN[0], PEERS[1], first, 61),
        Told(OWN[1], PEERS[3], datetime(2026, 3, 31, 23, 59, 50, tzinfo=MINSK), 125),
        Told(OWN[0], PEERS[0], datetime(2026, 4, 1, 0, 0, 3, tzinfo=MINSK), 300),
    ]
    for n in range(count):
        started = first + timedelta(minutes=97 * n + chance.randrange(90))
        own, peer = chance.choice(OWN[1:]), chance.choice(PEERS)
        seconds = chance.choice((0, 1, 29, 30, 31, 59, 60, 61, chance.randrange(2_000)))
        if chance.random() < 0.2 and peer != OWN[0]:
            own, peer = peer, own
        calls.append(Told(own, peer, started, seconds))
    return calls


def kopecks(amount):
    return int(amount.quantize(Decimal("0.01"), ROUND_HALF_UP) * 100)


def price_of(call):
    """Group, paid seconds and price of an outgoing call."""
    fitting = [prefix for prefix in PRICES if call.called.startswith(prefix)]
    prefix = "onnet" if call.called in OWN else max(fitting, key=len)
    group, minute, first, following, connection = PRICES[prefix]
    over = max(0, call.seconds - first)
    paid = first + -(-over // following) * following
    amount = Decimal(minute) * paid / 60 + Decimal(connection)
    return group, paid, amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)


class Truth:
    """What a month's bill must say."""

    def __init__(self, calls, month, fees):
        self.fees = fees
        self.groups = defaultdict(lambda: [0, 0, Decimal(0)])
        self.by_number = defaultdict(Decimal)
        for call in calls:
            if call.caller in OWN and call.seconds and call.started.month == month:
                group, paid, amount = price_of(call)
                sums = self.groups[group]
                sums[0], sums[1], sums[2] = sums[0] + 1, sums[1] + paid, sums[2] + amount
                self.by_number[call.caller] += amount

    @property
    def lines(self):
        """Name → quantity, paid seconds, kopecks."""
        groups = [group for group in TOLD if group in self.groups]
        calls = {
            TOLD[group]: (*self.groups[group][:2], kopecks(self.groups[group][2]))
            for group in groups
        }
        return {**self.fees, **calls}

    @property
    def net(self):
        return sum(net for _n, _s, net in self.lines.values())

    @property
    def vat(self):
        return kopecks(Decimal(self.net) / 100 * Decimal("0.25"))


def fees(first, rest):
    """The third number came on the 16th of March."""
    return {
        "Плата за номер": (3, 0, first),
        "Плата за подключение офиса": (1, 0, rest),
    }


MARCH_FEES = fees(350 + 350 + kopecks(Decimal("3.50") * 16 / 31), 1234)


def write_records(path, calls):
    """The file of the switch."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for n, call in enumerate(calls):
            answered = call.started + timedelta(seconds=4) if call.seconds else None
            end = call.started + timedelta(seconds=4 + call.seconds)
            moments = [f"{each:%Y-%m-%d %H:%M:%S}" if each else "" for each in
                       (call.started, answered, end)]  # fmt: skip
            writer.writerow(
                ["", call.caller, call.called, "office", call.caller,
                 f"PJSIP/a-{n:08x}", f"PJSIP/b-{n:08x}", "Dial", "x", *moments,
                 4 + call.seconds, call.seconds, "ANSWERED" if call.seconds else "NO ANSWER",
                 "DOCUMENTATION", f"{call.started.timestamp():.0f}.{n}", ""]
            )  # fmt: skip
    return path


# --- The way --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def records():
    return made_calls(400, seed=5)


class Office:
    """A cabinet of its own: what is typed, what is clicked, what arrives."""

    def __init__(self, app, sink, folder):
        self.app, self.sink, self.folder = app, sink, folder
        self.runner = app.test_cli_runner()

    def type_in(self, *args):
        """A command that must succeed; what it says."""
        result = self.runner.invoke(args=[str(each) for each in args])
        assert result.exit_code == 0, (args, result.output, result.exception)
        return result.output

    def load(self, name, calls):
        """Import a file of the switch."""
        path = write_records(self.folder / name, calls)
        return self.type_in("cdr", "import", path, "--zone", "Europe/Minsk")

    @property
    def client(self):
        return Client.get()

    def carry(self):
        """Carry out what is due, as a worker does."""
        with self.app.app_context():
            for order in list(Order.of(self.client).where(Order.closed_at.is_null())):
                job.carry(order.id)

    def attached(self):
        """Name and content of the file of each letter, the last first."""
        letters = [
            email.message_from_bytes(each.content, policy=email.policy.default)
            for each in self.sink.accepted
        ]
        for letter in reversed(letters):
            (part,) = letter.iter_attachments()
            yield part.get_filename(), part.get_content()


@pytest.fixture
def office(tmp_path, monkeypatch, records):
    """A tariff, a client with three numbers, March imported and rated."""
    moment = datetime(2026, 4, 10, 9, tzinfo=MINSK)
    monkeypatch.setattr(clock, "now", lambda: moment)
    with SmtpSink() as sink:
        settings = {"MAIL_SERVER": "localhost", "MAIL_PORT": sink.port}
        with another_app(tmp_path / "var", **settings) as app:
            made = Office(app, sink, tmp_path)
            (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
            made.type_in("tariff", "import", tmp_path / "plan.toml", "--publish")
            made.type_in("client", "add", "ООО «Ромашка»", "--account", "100", "--unp",
                         "190000001", "--email", "buh@romashka.by")  # fmt: skip
            for number, since in zip(OWN, ("2025-01-01", "2025-01-01", "2026-03-16"), strict=True):
                made.type_in("subscriber", "add", "100", number, "--plan", "Офис",
                             "--from", since)  # fmt: skip
            made.load("march.csv", records)
            yield made


def of_march(records):
    """Calls of the third number before it came to the client are nobody's."""
    since = datetime(2026, 3, 16, tzinfo=MINSK)
    return [call for call in records if call.caller != OWN[2] or call.started >= since]


def stored(invoice):
    """Name → quantity, paid seconds, kopecks, as the table has it."""
    query = InvoiceLine.select().where(InvoiceLine.invoice == invoice)
    return {
        line.name: (line.quantity, line.seconds, line.net)
        for line in query.order_by(InvoiceLine.ordinal)
    }


def money(amount):
    return f"{amount // 100},{amount % 100:02}"


def clock_time(seconds):
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def check_pdf(content, truth):
    """Every line and every sum stands on the paper."""
    pages = open_pdf(io.BytesIO(content)).pages
    lines = [line.replace("\xa0", " ") for page in pages for line in lines_of(page)]
    for ordinal, (name, (quantity, seconds, net)) in enumerate(truth.lines.items(), 1):
        (line,) = (line for line in lines if line.startswith(f"{ordinal} | {name[:25]}"))
        cells = line.split(" | ")[2:]
        time = [clock_time(seconds)] if name in TOLD.values() else []
        assert cells[: 2 + len(time)] == [str(quantity), *time, money(net)], line
    total = truth.net + truth.vat
    assert f"Всего | {money(truth.net)} | {money(truth.vat)} | {money(total)}" in lines
    assert f"К оплате | {money(total)}" in lines


def check_workbook(content, truth):
    """Cells of both sheets: lines, sums, and what each number has."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    rows = {str(row[0]): row for row in book["Счет"].iter_rows(values_only=True) if row[0]}
    for ordinal, (name, (quantity, _seconds, net)) in enumerate(truth.lines.items(), 1):
        row = rows[f"{ordinal}. {name}"]
        assert (row[1], round(row[3] * 100)) == (quantity, net)
    assert [round(rows["Всего"][n] * 100) for n in (3, 5, 6)] == [
        truth.net, truth.vat, truth.net + truth.vat,
    ]  # fmt: skip
    head, *numbers, _outside, whole = book["Приложение"].iter_rows(values_only=True)
    sums = [n for n, title in enumerate(head) if str(title).endswith(": сумма")]
    assert [row[0] for row in numbers] == list(OWN)
    assert round(whole[-1] * 100) == truth.net
    for row in numbers:
        calls = sum(round((row[n] or 0) * 100) for n in sums)
        exact = truth.by_number[row[0]] * 100
        assert abs(calls - exact) <= len(sums)  # parts of each line, to the kopeck
    for n in sums:
        parts = sum(round((row[n] or 0) * 100) for row in numbers)
        assert parts == round(whole[n] * 100)


def check_tables(invoice, truth, calls):
    """Lines and sums of the invoice, the roll-up, and the price of each call."""
    assert stored(invoice) == truth.lines
    sums = (truth.net, truth.vat, truth.net + truth.vat)
    assert (invoice.net, invoice.vat, invoice.total) == sums
    kept = defaultdict(int)
    for row in UsageMonth.select().where(UsageMonth.month == 2026 * 12 + 2):
        kept[row.destination_group] += row.micros
    for group, (_count, _seconds, amount) in truth.groups.items():
        assert kept[group] == amount * 1_000_000
    priced = {
        (call.number, call.peer, call.started_at): call.price
        for call in Call.select().where(Call.direction == 0)
    }
    for call in calls:
        if call.caller in OWN and call.seconds:
            key = call.caller, call.called, int(call.started.timestamp())
            assert priced[key] == price_of(call)[2] * 1_000_000


def check_page(page, truth):
    """The same stands on the screen."""
    text = " ".join(page.main.get_text(" ").replace("\xa0", " ").split())
    for name, (quantity, _seconds, net) in truth.lines.items():
        assert f"{name} {quantity} " in text
        assert f" {money(net)} 25 % " in text
    assert f"Начислено за период с НДС {money(truth.net + truth.vat)} " in text
    assert "разница 0,00" in text


def test_a_month_of_calls_becomes_a_bill_in_a_letter_and_by_a_link(office, records):
    calls = of_march(records)
    truth = Truth(calls, 3, MARCH_FEES)
    assert "0 prices changed" in office.type_in("rate", "rerun", "--from", "2026-03-01")
    assert "1 formed" in office.type_in("billing", "run", "2026-03", "--no-mail")
    (invoice,) = invoices.of_client(office.client)
    check_tables(invoice, truth, calls)

    person = Browser(office.app, make_user(office.client))
    for form in ("pdf", "xlsx"):
        send(person, "bills.email_bill.show", [invoice.key], file_format=form)
    office.carry()
    (book_name, book), (pdf_name, pdf) = office.attached()
    name = "Счет № 2026-000001 за март 2026"
    assert (pdf_name, book_name) == (f"{name}.pdf", f"{name}.xlsx")
    check_pdf(pdf, truth)
    check_workbook(book, truth)

    for form, sent in (("pdf", pdf), ("xlsx", book)):
        send(person, "bills.download_bill.show", [invoice.key], file_format=form)
        office.carry()
        order = Order.of(office.client).order_by(Order.id.desc()).get()
        assert order.state == OrderState.AVAILABLE
        assert person.get("orders.file", key=order.key).data == sent
    check_page(person.get("bills.invoice.show", key=invoice.key), truth)
    assert office.type_in("verify")


def test_what_comes_late_is_on_the_next_bill_and_nowhere_twice(office, records, monkeypatch):
    office.type_in("billing", "run", "2026-03", "--no-mail")
    (march,) = invoices.of_client(office.client)
    late = [
        Told(OWN[1], PEERS[4], datetime(2026, 3, 20, 10, 0, n, tzinfo=MINSK), 31 + 7 * n)
        for n in range(3)
    ]
    april = [Told(OWN[0], PEERS[1], datetime(2026, 4, 11, 12, tzinfo=MINSK), 600)]
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 5, 10, 9, tzinfo=MINSK))
    office.load("late.csv", [*late, *april])
    office.type_in("billing", "run", "2026-04")

    second, first = invoices.of_client(office.client)
    assert first == march
    truth = Truth([*of_march(records), *april], 4, fees(1050, 1234))
    came_late = kopecks(sum(price_of(call)[2] for call in late))
    lines = [(line.kind, line.name, line.net) for line in invoices.content_of(second).lines]
    assert lines == [
        *(("fee", name, net) for name, (_n, _s, net) in truth.fees.items()),
        *(
            ("calls", name, net)
            for name, (_n, _s, net) in truth.lines.items()
            if name not in truth.fees
        ),
        ("late_calls", TOLD["international"], came_late),
    ]
    assert second.net == truth.net + came_late
    assert second.opening == first.total

    # the bill of March still says what it said; the difference has its name and its bill
    compared = invoice_calls.comparison_of(first)
    assert dict(compared.total.reasons)[Reason.LATER] == came_late
    assert (compared.carriers, compared.waits) == ([second], False)
    assert invoice_calls.comparison_of(second).is_whole

    # its own letter
    office.carry()
    ((name, pdf),) = office.attached()
    assert name == "Счет № 2026-000002 за апрель 2026.pdf"
    text = "\n".join(line for page in open_pdf(io.BytesIO(pdf)).pages for line in lines_of(page))
    assert money(came_late) in text
    assert money(second.closing) in text.replace("\xa0", "")
    assert office.type_in("verify")
