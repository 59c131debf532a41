"""Money in call details: the sums of a report are those of the charges, of the invoice and of the
calls as they lie in the database.
"""

import random
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest

from domain.billing.invoice import LineKind
from domain.call_costs import Cost
from domain.money import to_kopecks
from domain.orders import Direction
from models import Call
from models_billing import TariffPackage
from services import billing, call_costs, charges, clock, invoices, reports
from services.charge_making import make
from tests.factories import make_call, make_order, make_subscriber
from tests.services.conftest import FREE, MINSK, at, make_rate, paid
from tests.services.test_charges import LAST, client, full_month, price  # noqa: F401 - a fixture

MARCH = {"start": "2026-03-01", "end": "2026-03-31"}
NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)


def silent(*_):
    """Nobody listens to the progress."""


def totals_of(order):
    return reports._totals(order, silent)


@pytest.mark.parametrize("seed", range(3))
def test_a_report_of_all_numbers_says_what_charges_and_invoice_say(client, seed):  # noqa: F811
    own = full_month(client, random.Random(seed))  # noqa: S311 - to be repeated
    price()
    sheet = make(client, LAST)
    totals = totals_of(make_order(client, own, params=MARCH))
    lines = [(n.group, n.calls, n.billed_s, n.net) for n in totals.costs.lines]
    assert lines == [
        (n.code, n.quantity, n.seconds, n.net) for n in sheet.lines if n.kind is LineKind.CALLS
    ]
    assert lines
    assert totals.costs.whole.net == sheet.sum("out")
    by_number = {one.number: charges.row_of(sheet, one).sums["out"] for one in own}
    assert {n.number: n.cost.net for n in totals.numbers} == by_number
    billing.form_month(date(2026, 3, 1), now=NOW)
    content = invoices.content_of(invoices.of_client(client)[0])
    assert lines == [
        (n.code, n.quantity, n.seconds, n.net) for n in content.lines if n.kind is LineKind.CALLS
    ]


def test_sums_are_those_of_the_calls_and_vat_is_counted_once(client_row):
    rates = [make_rate(destination_group=group) for group in ("local", "mobile", "")]
    own = [make_subscriber(client_row) for _ in range(45)]  # more than are asked for together
    rng = random.Random(7)  # noqa: S311 - to be repeated
    groups = {rate.id: rate.destination_group or "?" for rate in rates}
    for _ in range(150):
        micros, seconds = rng.randrange(300_000), rng.randrange(1, 90)
        number, when = rng.choice(own), at(rng.randint(1, 10), 9)
        make_call(number, when, **paid(rng.choice(rates), micros, seconds, seconds // 3))
    totals = totals_of(make_order(client_row, own))
    micros = Counter()
    for call in Call.select():
        micros[groups[call.rate_id]] += call.price
    assert {n.group: n.net for n in totals.costs.lines} == {
        group: to_kopecks(total) for group, total in micros.items()
    }
    whole = totals.costs.whole
    assert whole.net == sum(n.net for n in totals.costs.lines)
    assert whole.vat == round(Decimal(whole.net * 25) / 100 + Decimal("0.000001"))
    assert whole == sum((n.cost for n in totals.numbers), Cost())
    assert whole.calls == 150
    assert totals.costs.micros == sum(micros.values())


def test_months_are_summed_apart_by_the_operators_zone(client_row):
    number, rate = make_subscriber(client_row), make_rate(destination_group="local")
    last_evening = datetime(2026, 2, 28, 23, 59, 59, tzinfo=MINSK)
    for when in (last_evening, at(1)):
        make_call(number, when, **paid(rate, 4_000, 60))
    order = make_order(client_row, [number], params={"start": "2026-02-01"})
    totals = totals_of(order)
    lines = [(n.month, n.calls, n.net) for n in totals.costs.lines]
    assert lines == [(date(2026, 2, 1), 1, 0), (date(2026, 3, 1), 1, 0)]  # not 1 kopeck together
    summary = reports.render(order, made_at=at(10, 14), progress=silent).summary
    assert summary["cost"] == {"billed_s": 120, "net": 0, "vat": 0, "total": 0, "unrated": 0}


def test_answered_calls_without_a_price_are_told_of_and_cost_nothing_known(client_row, config):
    number = make_subscriber(client_row)
    for minute, values in enumerate(
        (
            {"rating": 3},  # no tariff
            {"rating": 4},  # no price for the number
            {"rating": 5},  # done without
            {},  # not looked at
            {**FREE, "billable_s": 0},
            {"billable_s": 0},
            {"direction": 1},
        )
    ):
        make_call(number, at(2, 9, minute), **values)
    order = make_order(client_row, [number])
    assert (totals_of(order).unrated, totals_of(order).costs.whole) == (3, Cost())
    rendered = reports.render(order, made_at=at(10, 14), progress=silent)
    book = openpyxl.load_workbook(config.artefact_dir / rendered.path)
    costs = [row[14] for row in book["Звонки"].iter_rows(min_row=2, values_only=True)]
    assert costs == [
        *("без цены", "без цены", "не оплачивается", "еще не тарифицирован"),
        *(0, 0, 0),
    ]


def test_incoming_calls_alone_have_no_costs(client_row, config):
    number = make_subscriber(client_row)
    make_call(number, at(2), direction=1, **FREE)
    make_call(number, at(3), **paid(make_rate(), 60_000, 60))
    order = make_order(client_row, [number], params={"direction": Direction.IN})
    rendered = reports.render(order, made_at=at(10, 14), progress=silent)
    assert "cost" not in rendered.summary
    book = openpyxl.load_workbook(config.artefact_dir / rendered.path)
    assert book.sheetnames == ["Сводка", "Звонки"]
    assert rendered.rows == 1


@pytest.mark.parametrize(
    ("values", "package", "minute"),
    [
        ({}, None, 60_000),
        ({"steps": [[0, 1_000, 1, 1]]}, None, 60_000),
        ({"steps": [[0, 100, 7, 7]]}, None, None),  # no whole number of micros
        ({"steps": [[0, 60_000, 60, 60], [60, 50_000, 60, 1]]}, None, None),
        ({"windows": [[[0], 0, 3600, [[0, 1, 60, 60]], "ночь"]]}, None, None),
        ({"destination_group": "local"}, {"overage": [[0, 5, 60, 60]]}, None),
        ({"destination_group": "local"}, {"overage": [[0, 5, 60, 60]], "groups": ["b"]}, 60_000),
        ({"destination_group": "local"}, {"groups": ["local"]}, 60_000),
    ],
)
def test_a_minute_has_a_price_when_it_is_one_for_all(base, values, package, minute):
    rate = make_rate(name="Минск", **values)
    if package is not None:
        TariffPackage.create(version=rate.version, ordinal=1, code="p", quota_s=60, **package)
    assert call_costs.destination_of(rate.id) == ("Минск", minute)
    assert call_costs.destination_of(10**6) == ("", None)
    assert clock.zone() == MINSK
