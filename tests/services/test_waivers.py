"""Calls without a price: how they are grouped, waived, and what that holds against."""

from datetime import timedelta

import pytest

from domain.errors import InvalidValue, NothingSelected, OnInvoice
from domain.rating.states import CallRating
from models import AuditEvent, Call, ImportRun
from models_billing import BillingFailure, TariffRate, TariffVersion, UsageMonth, Waiver
from services import import_turns, imports, invoices, rating, rollback, unrated, verify, waivers
from tests.domain.cdr.dialects import row, text
from tests.factories import NOON, make_import_run, make_subscriber, numbers_of
from tests.services.test_billing import APRIL, LATER, MARCH, MAY, NOW, client, form, lines, talk

__all__ = ["client"]  # the fixture
POLAND, AUSTRIA = "48221112233", "43111222333"


def breaches():
    """Of what is kept beside calls. (Calls made by tests have no legs.)"""
    return [each for each in verify.run() if each.check != "a_call_is_the_sum_of_its_legs"]


def price(prefix):
    steps = [[0, 60_000, 60, 60]]
    TariffRate.create(
        version=TariffVersion.get(), prefix=prefix, destination_group="far", steps=steps
    )


def waive(group, reason="Проба линии", **values):
    return waivers.waive(group, reason, now=NOW, **values)


def test_calls_are_grouped_by_client_month_reason_and_destination(client):
    talk(client, peer=POLAND, seconds=60)
    talk(client, NOON + timedelta(minutes=1), peer="48599112233", seconds=30)
    talk(client, NOON + timedelta(days=40), peer=POLAND, seconds=1)
    talk(client, peer="112", seconds=7, which=1)
    talk(client, peer="375291112233")
    stranger = make_subscriber(plan="без тарифа")
    talk(stranger.client, peer=POLAND)
    rating.rerun(MARCH, MAY)
    found = [
        (g.client, g.month, g.rating, g.destination, g.calls, g.seconds) for g in unrated.groups()
    ]
    assert found == [
        (client, APRIL, CallRating.NO_RATE, "48*", 1, 1),
        (client, MARCH, CallRating.NO_RATE, "48*", 2, 90),
        (client, MARCH, CallRating.NO_RATE, "112", 1, 7),
        (stranger.client, MARCH, CallRating.NO_PLAN, "48*", 1, 61),
    ]
    assert unrated.groups(client=stranger.client, month=APRIL) == []
    group = unrated.groups(client=client, month=MARCH)[0]
    calls, count = unrated.page_of(group, 1, 50)
    assert ([call.peer for call in calls], count) == (["48599112233", POLAND], 2)


def test_a_waived_call_costs_nothing_and_no_longer_blocks_the_invoice(client):
    talk(client, peer=POLAND)
    talk(client, NOON + timedelta(minutes=1))
    assert form().failed == 1
    [group] = unrated.groups()
    waiver = waive(group, "  Проба \n линии ")
    call = Call.get(Call.peer == POLAND)
    assert (call.rating, call.price, call.billed_s) == (CallRating.WAIVED, 0, 0)
    assert (waiver.reason, waiver.calls, waiver.seconds) == ("Проба линии", 1, 61)
    assert AuditEvent.get().event == "calls_waived"
    assert unrated.groups() == []
    assert sum(row.unrated for row in UsageMonth.select()) == 0
    assert breaches() == []
    assert form().formed == 1
    assert not BillingFailure.across_clients().exists()
    assert [line[:2] for line in lines(invoices.of_client(client)[0])] == [
        ("fee", "number"),
        ("calls", "local"),
    ]


def test_pricing_again_keeps_what_was_waived_even_when_there_is_a_price_by_now(client):
    talk(client, peer=POLAND)
    talk(client, NOON + timedelta(minutes=1), peer=AUSTRIA)
    rating.rerun(MARCH, MAY)
    waive(unrated.groups()[1])
    price("4")
    done = rating.rerun(MARCH, MAY)
    assert (done.changed, done.unrated) == (1, 0)
    assert sorted(call.rating for call in Call.select()) == [CallRating.PRICED, CallRating.WAIVED]
    assert breaches() == []


def test_single_calls_can_be_waived_and_the_rest_stays(client):
    one = talk(client, peer=POLAND)
    talk(client, NOON + timedelta(minutes=1), peer=POLAND)
    rating.rerun(MARCH, MAY)
    [group] = unrated.groups()
    waive(group, only=[(one.subscriber_id, one.started_at, one.seq), (1, 2, 3)])
    [left] = unrated.groups()
    assert (left.calls, Waiver.across_clients().get().calls) == (1, 1)
    with pytest.raises(NothingSelected):
        waive(left, only=[(one.subscriber_id, one.started_at, one.seq)])
    assert form().failed == 1


def test_a_waiver_taken_back_leaves_the_call_with_the_price_there_is_by_now(client):
    talk(client, peer=POLAND)
    rating.rerun(MARCH, MAY)
    waiver = waive(unrated.groups()[0])
    assert waivers.undo(waiver, now=NOW)
    assert Call.get().rating == CallRating.NO_RATE
    again = waive(unrated.groups()[0])
    price("48")
    assert waivers.undo(again, now=NOW)
    assert not waivers.undo(again, now=NOW)
    assert (Call.get().rating, Call.get().price) == (CallRating.PRICED, 120_000)
    assert breaches() == []
    assert {row.undone_at for row in Waiver.across_clients()} == {NOW}


def test_what_stands_on_an_invoice_stays_waived(client):
    talk(client, peer=POLAND)
    rating.rerun(MARCH, MAY)
    waiver = waive(unrated.groups()[0])
    assert waivers.can_undo(waiver)
    form()
    assert not waivers.can_undo(waiver)
    with pytest.raises(OnInvoice):
        waivers.undo(waiver, now=NOW)
    assert Call.get().rating == CallRating.WAIVED


def test_late_calls_without_a_price_block_the_next_invoice_until_they_are_waived(client):
    form()
    late = make_import_run()
    talk(client, peer=POLAND, import_run=late)
    assert form(APRIL, LATER).failed == 1
    assert BillingFailure.across_clients().get().count == 1
    waive(unrated.groups()[0])
    assert form(APRIL, LATER).formed == 1


def test_late_calls_keep_the_price_with_which_they_stand_on_an_invoice(client):
    form()
    late = make_import_run()
    talk(client, import_run=late)
    form(APRIL, LATER)
    before = Call.get().price
    TariffRate.update(steps=[[0, 1, 60, 60]]).execute()
    assert rating.rerun(MARCH, MAY).changed == 0
    assert Call.get().price == before > 0


@pytest.mark.parametrize("reason", ["", " \n", "x" * 201])
def test_a_waiver_has_a_reason(client, reason):
    talk(client, peer=POLAND)
    rating.rerun(MARCH, MAY)
    with pytest.raises(InvalidValue):
        waive(unrated.groups()[0], reason)
    assert not Waiver.across_clients().exists()


def test_nobody_waives_while_records_are_read_in(app, client):
    talk(client, peer=POLAND)
    rating.rerun(MARCH, MAY)
    [group] = unrated.groups()
    with (
        import_turns.one_at_a_time(app.config["CABINET"].data_dir),
        pytest.raises(import_turns.ImportsBusy),
    ):
        waive(group)


def read(tmp_path, *rows):
    path = tmp_path / "Master.csv"
    path.write_text(text(*rows), encoding="utf-8")
    request = imports.ImportRequest(path=path, zone="UTC")
    return imports.import_file(request, now=NOON)


def test_a_call_stays_waived_when_its_record_is_read_anew(client, tmp_path):
    number = numbers_of(client)[0].number
    record = row(src=number, dst=POLAND, clid=number)
    assert read(tmp_path, record).accepted == 1
    [group] = unrated.groups()
    waive(group)
    rollback.roll_back(ImportRun.select().order_by(ImportRun.id.desc()).get(), now=NOON)
    assert not Call.select().exists()
    price("48")
    assert read(tmp_path, record).accepted == 1
    assert Call.get().rating == CallRating.WAIVED
    assert breaches() == []


def test_verify_tells_waivers_and_calls_that_part(client):
    talk(client, peer=POLAND)
    rating.rerun(MARCH, MAY)
    waive(unrated.groups()[0])
    Call.update(rating=CallRating.NO_RATE, price=None).execute()
    assert "waived_calls_are_those_of_the_waivers" in {each.check for each in verify.run()}


def test_a_large_group_is_waived_and_given_back_batch_by_batch(client, monkeypatch):
    monkeypatch.setattr(waivers, "BATCH", 3)
    for n in range(8):
        talk(client, NOON + timedelta(minutes=n), peer=POLAND, seconds=60, which=n % 2)
    rating.rerun(MARCH, MAY)
    read = []
    load = waivers._key
    monkeypatch.setattr(waivers, "_key", lambda call: read.append(call) or load(call))
    [group] = unrated.groups()
    waiver = waive(group)
    assert (waiver.calls, waiver.seconds) == (8, 480)
    assert unrated.groups() == []
    assert not read[0].__data__.keys() & {"legs"}, "the largest column is not read"
    assert not breaches()
    assert waivers.undo(waiver, now=NOW)
    [group] = unrated.groups()
    assert group.calls == 8
    assert not breaches()
