"""The sheet of a client's present month: it says what the invoice would say, number by number."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from models_billing import (
    Discount,
    Instalment,
    InstalmentPlan,
    OneOffCharge,
    TariffFee,
    TariffPackage,
    TariffPlan,
    TariffRate,
    TariffVersion,
    UsageMonth,
)
from services import billing, charge_keeping, charges, clock, invoices, rating, tariffs, usage
from services.audit import By
from services.charge_making import make
from services.subscriber_changes import change_subscriber
from services.transactions import write_tx
from tests.factories import make_call, make_client, make_import_run, make_subscriber

LAST = datetime(2026, 3, 31, 21, tzinfo=clock.zone())
TENTH = datetime(2026, 3, 10, 12, tzinfo=clock.zone())
NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)
PEERS = ("375171112233", "375291112233", "74951112233")


def make_plan(name, **fee):
    plan = TariffPlan.create(name=name, created_at=NOW)
    version = TariffVersion.create(
        plan=plan, valid_from=date(2026, 1, 1), state="published", created_at=NOW
    )
    TariffFee.create(
        version=version, code="number", name="Абонентская плата", **{"amount": 350, **fee}
    )
    for prefix, group, price in (
        ("37517", "local", 60_000),
        ("375", "mobile", 125_000),
        ("7", "international", 520_000),
    ):
        TariffRate.create(
            version=version, prefix=prefix, destination_group=group, steps=[[0, price, 60, 1]]
        )
    return version


@pytest.fixture
def client(base):
    make_plan("Офис")
    return make_client(name="ООО «Ромашка»")


def talk(subscriber, at, peer=PEERS[0], seconds=60, **values):
    return make_call(
        subscriber,
        at,
        billable_s=seconds,
        answered_at=int(at.timestamp()),
        peer=peer,
        **values,
    )


def say_read(until):
    """Files have been read whose last call began at `until`."""
    return make_import_run(last_at=int(until.timestamp()))


def price():
    """Price the calls, and count them as an import does."""
    rating.rerun(TENTH.date(), TENTH.date())
    with write_tx():
        usage.make_anew()


def row(sheet, subscriber):
    return charges.row_of(sheet, subscriber).sums


def full_month(client, rng, numbers=7):
    """A month with everything in it."""
    version = make_plan("По количеству", amount=0, ranges=[[3, 1_000_000, 0], [None, 500_000, 0]])
    TariffFee.create(version=version, code="pbx", name="АТС", amount=1999, is_per_client=True)
    TariffPackage.create(
        version=version, ordinal=1, code="home", quota_s=900, is_shared=True, groups=["local"]
    )
    run = say_read(LAST)
    own = []
    for n in range(numbers):
        begins = datetime(2026, 3, 5 + n, tzinfo=clock.zone()) if n % 3 == 0 else None
        plan = "Офис" if n % 2 else "По количеству"
        own.append(make_subscriber(client, plan=plan, valid_from=begins))
    tariffs.assign(client.account_no, "Офис", number=own[0].number, valid_from=date(2026, 3, 20))
    for _ in range(60):
        subscriber = rng.choice(own)
        at = datetime(2026, 3, rng.randint(12, 30), 10, tzinfo=clock.zone())
        at += timedelta(seconds=rng.randrange(20_000))
        talk(subscriber, at, rng.choice(PEERS), rng.randint(1, 700), import_run=run)
    for whose, amount in ((own[1], 1234), (None, -99)):
        OneOffCharge.create(
            client=client, subscriber=whose, day=TENTH.date(), name="Выезд", amount=amount,
            created_at=NOW,
        )  # fmt: skip
    plan = InstalmentPlan.create(
        client=client, subscriber=own[2], contract_no="R-1", goods="Телефон",
        starts_on=date(2026, 1, 1), price=30_000, created_at=NOW,
    )  # fmt: skip
    Instalment.create(plan=plan, ordinal=1, due_on=date(2026, 3, 15), amount=2571)
    Discount.create(client=client, name="Скидка", percent=725, valid_from=date(2026, 1, 1))
    return own


@pytest.mark.parametrize("seed", range(4))
def test_on_the_last_evening_the_sheet_is_the_invoice(client, seed):
    own = full_month(client, random.Random(seed))  # noqa: S311 - to be repeated
    price()
    sheet = make(client, LAST)
    billing.form_month(date(2026, 3, 1), now=NOW)
    [invoice] = invoices.of_client(client)
    content = invoices.content_of(invoice)
    assert [(n.kind, n.code, n.net, n.gross) for n in sheet.lines] == [
        (n.kind, n.code, n.net, n.gross) for n in content.lines
    ]
    assert (sheet.vat, sheet.sum("total")) == (content.vat, content.total)
    annex = {one.subscriber_id: one.net for one in invoices.annex_of(invoice)}
    assert {one.id: row(sheet, one)["net"] for one in own} == annex
    assert sheet.columns["fee_month"] == sheet.columns["fee"]
    for name in ("net", "vat", "total", "forecast", "out", "fee"):
        rows = sum(row(sheet, one)[name] for one in own)
        assert rows + sheet.rest(name) == sheet.sum(name), name


def test_a_fee_counts_the_days_so_far_and_the_forecast_the_whole_month(client):
    number = make_subscriber(client, plan="Офис")
    sheet = make(client, TENTH)
    sums = row(sheet, number)
    assert (sums["fee"], sums["fee_month"]) == (113, 350)  # 10 days of 31
    assert (sums["total"], sums["forecast"]) == (141, 438)  # with 25 % on each


def test_vat_is_parted_over_the_numbers_to_the_last_kopeck(client):
    own = [make_subscriber(client, plan="Офис") for _ in range(3)]
    sheet = make(client, TENTH)
    assert [row(sheet, one)["vat"] for one in own] == [29, 28, 28]  # 85 of 339, not 3 × 28
    assert [sheet.rest(name) for name in ("net", "vat", "total", "forecast")] == [0, 0, 0, 0]


def test_calls_of_a_number_that_is_no_longer_the_clients_are_in_its_sums(client):
    gone = make_subscriber(client, plan="Офис", valid_to=datetime(2026, 2, 1, tzinfo=UTC))
    talk(gone, TENTH, import_run=say_read(TENTH))
    price()
    sheet = make(client, TENTH)
    assert charges.row_of(sheet, gone) is None
    assert (sheet.rest("out"), sheet.sum("out"), sheet.lines[0].net) == (6, 6, 6)


def test_calls_go_on_as_they_have_working_days_and_days_off_apart(client):
    number = make_subscriber(client, plan="Офис")
    run = say_read(TENTH)
    for day in (2, 3, 4, 5, 6):  # Monday to Friday
        talk(number, datetime(2026, 3, day, 9, tzinfo=clock.zone()), seconds=600, import_run=run)
    price()
    sheet = make(client, TENTH)
    assert row(sheet, number)["out"] == 300
    whole = sum(line.net for line in sheet.forecast_lines if line.kind == "calls")
    # Known: five working days at 0.60, four days off (the 1st, 7th, 8th; the 9th worked: nothing).
    assert sheet.known_days == 9
    assert whole == 300 + 16 * 50  # sixteen working days are left, of a mean of 3.00 / 6


def test_without_calls_of_a_whole_day_the_forecast_has_what_there_is(client):
    number = make_subscriber(client, plan="Офис")
    first = datetime(2026, 3, 1, 12, tzinfo=clock.zone())
    talk(number, first, import_run=say_read(first))
    price()
    sheet = make(client, first + timedelta(hours=1))
    assert sheet.known_days == 0
    assert [n.net for n in sheet.forecast_lines] == [350, 6]


def test_outgoing_incoming_international_and_calls_without_a_price(client):
    number = make_subscriber(client, plan="Офис")
    run = say_read(TENTH)
    talk(number, TENTH, PEERS[2], 60, import_run=run)
    talk(number, TENTH, PEERS[1], 120, import_run=run)
    talk(number, TENTH, direction=1, seconds=30, import_run=run)
    talk(number, TENTH, peer="48221112233", import_run=run)
    price()
    sums = row(make(client, TENTH), number)
    assert (sums["out"], sums["international"]) == (77, 52)
    assert (sums["out_calls"], sums["out_s"]) == (3, 240)
    assert (sums["in_calls"], sums["in_s"]) == (1, 30)
    assert sums["unrated"] == 1


def test_packages_say_what_is_used_and_left_and_when_they_end(client):
    version = TariffVersion.get()
    TariffPackage.create(version=version, ordinal=1, code="own", quota_s=300, groups=["mobile"])
    TariffPackage.create(
        version=version, ordinal=2, code="home", name="Дом", quota_s=1000, is_shared=True,
        groups=["local"],
    )  # fmt: skip
    one, other = (make_subscriber(client, plan="Офис") for _ in range(2))
    run = say_read(TENTH)
    talk(one, TENTH - timedelta(days=3), PEERS[0], 400, import_run=run)
    talk(other, TENTH - timedelta(days=2), PEERS[0], 200, import_run=run)
    talk(other, TENTH, PEERS[1], 120, import_run=run)
    price()
    sheet = make(client, TENTH)
    assert sheet.left == {one.id: 300, other.id: 180}
    assert row(sheet, other)["package_s"] == 320
    [home] = sheet.packages
    assert (home.name, home.quota_s, home.used_s, home.left_s) == ("Дом", 1000, 600, 400)
    assert home.ends_on == date(2026, 3, 16)  # 600 s in nine days


def test_rows_are_found_sorted_and_paged(client):
    names = ("Яковлева Анна", "Борисов Пётр", "Ёлкина Вера")
    own = [make_subscriber(client, plan="Офис", full_name=name) for name in names]
    run = say_read(TENTH)
    talk(own[1], TENTH, seconds=600, import_run=run)
    price()
    sheet = make(client, TENTH)

    def found(sort="number", *, text="", descending=False, number=1, size=20):
        page = charges.find_page(
            sheet, text=text, sort=sort, descending=descending, number=number, size=size
        )
        return [own.index(each.subscriber) for each in page.rows]

    assert found() == [0, 1, 2]
    assert found("name") == [1, 2, 0]
    assert found("out", descending=True) == [1, 0, 2]
    assert found("total", text="елкина") == [2]
    assert found(text=own[1].number[-5:]) == [1]
    assert found(size=2, number=9) == [2]
    for sort in charges.SORTS:
        assert sorted(found(sort)) == [0, 1, 2]


def test_a_large_clients_sheet_is_kept_until_something_changes(client, monkeypatch):
    monkeypatch.setattr(charge_keeping, "KEPT_FROM", 1)
    monkeypatch.setattr(charge_keeping, "_kept", charge_keeping._Kept())
    number = make_subscriber(client, plan="Офис")
    first = charge_keeping.sheet_of(client, now=TENTH)
    soon, later = TENTH + timedelta(seconds=1), TENTH + timedelta(minutes=1)
    talk(number, TENTH, import_run=say_read(TENTH))
    price()
    assert charge_keeping.sheet_of(client, now=soon) is first
    second = charge_keeping.sheet_of(client, now=later)
    assert row(second, number)["out"] == 6
    assert charge_keeping.sheet_of(client, now=later + timedelta(minutes=1)) is second
    OneOffCharge.create(client=client, day=TENTH.date(), name="Выезд", amount=1, created_at=NOW)
    assert charge_keeping.sheet_of(client, now=later + timedelta(minutes=2)) is not second
    tomorrow = charge_keeping.sheet_of(client, now=later + timedelta(days=1))
    assert row(tomorrow, number)["fee"] == 124


def test_a_kept_sheet_knows_what_went_to_a_bill_and_what_was_called_off(client, monkeypatch):
    monkeypatch.setattr(charge_keeping, "KEPT_FROM", 1)
    monkeypatch.setattr(charge_keeping, "_kept", charge_keeping._Kept())
    make_subscriber(client, plan="Офис")
    charge = {"client": client, "day": TENTH.date(), "name": "Выезд", "created_at": NOW}
    OneOffCharge.create(**charge, amount=1000)
    wrong = OneOffCharge.create(**charge, amount=500)
    first = charge_keeping.sheet_of(client, now=TENTH)
    vat = first.sum("vat")
    wrong.delete_instance()
    charge["created_at"] += timedelta(minutes=1)
    OneOffCharge.create(**charge, amount=500, service="goods")
    second = charge_keeping.sheet_of(client, now=TENTH + timedelta(minutes=1))
    assert (second.sum("one_off"), second.sum("vat")) == (1500, vat - 25)
    OneOffCharge.update(invoice_id=1).where(OneOffCharge.amount == 1000).execute()
    third = charge_keeping.sheet_of(client, now=TENTH + timedelta(minutes=2))
    assert third.sum("one_off") == 500


def test_a_kept_sheet_knows_that_a_discount_has_ended(client, monkeypatch):
    monkeypatch.setattr(charge_keeping, "KEPT_FROM", 1)
    monkeypatch.setattr(charge_keeping, "_kept", charge_keeping._Kept())
    make_subscriber(client, plan="Офис")
    begin = date(2026, 2, 1)
    given = Discount.create(client=client, name="Скидка", percent=1000, valid_from=begin)
    before = charge_keeping.sheet_of(client, now=TENTH).sum("net")
    given.valid_to = date(2026, 2, 28)
    given.save()
    after = charge_keeping.sheet_of(client, now=TENTH + timedelta(minutes=1)).sum("net")
    assert after > before


def test_a_kept_sheet_knows_that_somebody_has_another_name(client, monkeypatch):
    monkeypatch.setattr(charge_keeping, "KEPT_FROM", 1)
    monkeypatch.setattr(charge_keeping, "_kept", charge_keeping._Kept())
    number = make_subscriber(client, plan="Офис")
    before = charge_keeping.sheet_of(client, now=TENTH)
    change_subscriber(number, by=By(now=TENTH), full_name="Анна")
    assert charge_keeping.sheet_of(client, now=TENTH + timedelta(minutes=1)) is not before


def test_one_clients_sheet_holds_nothing_of_another(client):
    own, strange = make_subscriber(client, plan="Офис"), make_subscriber(plan="Офис")
    talk(strange, TENTH, seconds=6000, import_run=say_read(TENTH))
    price()
    sheet = make(client, TENTH)
    assert list(sheet.ids) == [own.id]
    assert sheet.sum("out") == 0
    assert charges.row_of(sheet, strange) is None
    assert charges.find_number(client, strange.id) is None
    assert UsageMonth.select().where(UsageMonth.subscriber_id == strange.id).count() == 1
