"""Money is whole numbers in every table: what the databases hold, not what the models say."""

from datetime import date, timedelta

import pytest
from peewee import DecimalField, DoubleField, FloatField, IntegerField

from models import db
from models_billing import (
    ALL_MODELS,
    Discount,
    OneOffCharge,
    Payment,
    TariffPackage,
    TariffVersion,
    VatRate,
)
from services import billing, corrections, instalments, rating, tariffs
from services.audit import By
from tests import databases
from tests.factories import NOON
from tests.services.test_billing import LATER, MARCH, MAY, NOW, client, talk

__all__ = ["client"]  # the fixture
# Columns that hold money, or what it is made of: prices, percentages, seconds that are paid.
MONEY = {
    "billing_request": {"total"},
    "call": {"price", "billed_s", "package_s"},
    "discount": {"percent"},
    "instalment": {"amount"},
    "instalment_plan": {"price", "first_payment"},
    "invoice": {"net", "vat", "total", "opening", "paid", "closing"},
    "invoice_line": {"net", "vat_percent", "quantity", "seconds"},
    "invoice_subscriber": {"net"},
    "one_off_charge": {"amount"},
    "payment": {"amount"},
    "tariff_fee": {"amount"},
    "tariff_package": {"quota_s"},
    "tariff_rate": {"connect_fee", "cap", "free_s", "grace_s", "minimum_s"},
    "usage_day": {"micros", "seconds", "billed_s", "package_s"},
    "usage_month": {"micros", "seconds", "billed_s", "package_s"},
    "vat_rate": {"percent"},
    "waiver": {"seconds"},
}
WORDS = ("amount", "price", "net", "vat", "total", "paid", "micros", "percent", "fee", "cap")
NOT_MONEY = {("customer_order", "total")}
EMPTY = {("tariff_rate", "cap"), ("billing_request", "total"), ("waiver", "seconds")}


@pytest.fixture
def full(client):
    """A row with money in each of those tables."""
    talk(client)
    talk(client, NOON + timedelta(minutes=1), peer="74951112233")
    by = By(now=NOON)
    OneOffCharge.create(client=client, day=NOON.date(), name="x", amount=-105, created_at=NOON)
    Discount.create(client=client, name="x", percent=1250, valid_from=date(2026, 1, 1))
    Payment.create(client=client, paid_on=NOON.date(), amount=77, key="a", created_at=NOON)
    VatRate.create(service="x", valid_from=NOON.date(), percent=1)
    TariffPackage.create(version=TariffVersion.get(), ordinal=1, code="p", quota_s=600)
    purchase = instalments.Purchase(
        contract_no="1", goods="x", price=10_000, months=3, starts_on=NOON.date()
    )
    instalments.add(client, purchase, by=by)
    rating.rerun(MARCH, MAY)
    billing.form_month(MARCH, now=NOW)
    [invoice] = client.invoices
    corrections.correct(invoice, [corrections.Correction(1, 1)], reason="x", now=LATER)


def test_no_model_has_a_column_that_rounds():
    for model in ALL_MODELS:
        for field in model._meta.sorted_fields:
            assert not isinstance(field, FloatField | DoubleField | DecimalField), field


def test_every_column_that_sounds_like_money_is_known_here():
    for model in ALL_MODELS:
        table = model._meta.table_name
        for column, field in model._meta.columns.items():
            if not isinstance(field, IntegerField):
                continue
            known = column in MONEY.get(table, ()) or (table, column) in NOT_MONEY
            sounds = any(word in column.split("_") for word in WORDS)
            assert known or not sounds, (table, column)


def test_the_columns_are_of_whole_numbers(base):
    for table, columns in MONEY.items():
        types = {each.name: each.data_type.lower() for each in db.get_columns(table)}
        assert {types[column] for column in columns} <= {"integer", "bigint"}, table


def test_what_is_stored_are_whole_numbers(full):
    for table, columns in MONEY.items():
        for column in columns:
            name = f'"{table}"'
            if databases.kind == "sqlite":
                kind = f"SELECT DISTINCT typeof({column}) FROM {name}"  # noqa: S608
                assert {row[0] for row in db.execute_sql(kind)} <= {"integer", "null"}, table
            filled = f"SELECT count({column}) FROM {name}"  # noqa: S608
            if (table, column) not in EMPTY:
                assert db.execute_sql(filled).fetchone()[0], (table, column)


def test_a_price_too_fine_for_a_whole_number_is_refused_not_rounded(client, tmp_path):
    path = tmp_path / "deck.csv"
    path.write_text("prefix;price\n375;0,0000001\n", encoding="utf-8")
    with pytest.raises(tariffs.DeckRefused):
        tariffs.import_file(path, plan_name="x", valid_from=MARCH, now=NOW)
