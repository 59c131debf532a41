"""Days of call centres: kept, told to be out of date, and what they are made of."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.call_centre import Hours, MemberKind, read_hours
from domain.cdr.record import CallDirection, Disposition
from domain.errors import AlreadyExists, NotFound
from domain.periods import QUARTER_S, DateRange
from models import AuditEvent, Call
from models_subscribers import CentreDay
from services import call_centre, call_centre_days, clock, usage
from services.call_centre import Period
from services.transactions import DiskFull, write_tx
from tests.factories import NOON, make_call, make_import_run, make_subscriber

TODAY = NOON.date()  # a Tuesday
CALLER = "375447654321"


@pytest.fixture
def line(client_row):
    row = make_subscriber(client_row, number="375172000001")
    call_centre.add(client_row, row, MemberKind.LINE, now=NOON)
    return row


def call(subscriber, at, *, out=False, wait=None, peer=CALLER, **values):
    """A call of a minute; `wait` seconds until the answer, or missed after 65."""
    answered = wait is not None
    return make_call(
        subscriber,
        at,
        direction=CallDirection.OUT if out else CallDirection.IN,
        peer=peer,
        disposition=Disposition.ANSWERED if answered else Disposition.NO_ANSWER,
        answered_at=int(at.timestamp()) + wait if answered else None,
        **values,
    )


def report(client, period=Period.TODAY, **more):
    days = call_centre.days_of(period, TODAY)
    return call_centre.report(
        client,
        call_centre.members_of(client),
        call_centre.hours_of(client),
        days,
        today=TODAY,
        **more,
    )


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Asia/Kolkata"])  # +05:45, +05:30
def test_days_begin_at_midnight_of_every_zone(zone, monkeypatch):
    monkeypatch.setattr(clock, "_zone", ZoneInfo(zone))
    midnight = datetime(2026, 3, 10, tzinfo=ZoneInfo(zone))
    days, slots = usage.Days(), call_centre_days.Slots()
    for minutes, ordinal, slot in ((-1, -1, 47), (0, 0, 0), (14, 0, 0), (29, 0, 0), (30, 0, 1)):
        moment = int(midnight.timestamp()) + 60 * minutes
        assert days.of(moment)[0] == slots.day_of(moment) == TODAY.toordinal() + ordinal
        assert slots[moment // QUARTER_S] == slot


def test_periods_are_days_up_to_today_or_the_month_before():
    def days(period):
        return call_centre.days_of(period, TODAY)

    assert days(Period.TODAY) == DateRange(TODAY, TODAY)
    assert days(Period.WEEK).start.isoformat() == "2026-03-09"
    assert days(Period.MONTH).start.isoformat() == "2026-03-01"
    assert days(Period.PREVIOUS).end.isoformat() == "2026-02-28"


def test_calls_within_working_hours_and_outside_are_told_apart(client_row, line):
    call(line, NOON, wait=10)
    call(line, NOON.replace(hour=22))
    call(line, NOON - timedelta(days=2), wait=4)  # a Sunday
    call(line, NOON - timedelta(days=1, hours=-1))
    call(line, datetime(2026, 3, 8, 11, tzinfo=NOON.tzinfo), wait=1)  # a holiday and a Sunday
    month = report(client_row, Period.MONTH)
    assert (month.open_hours.calls, month.open_hours.answered) == (2, 1)
    assert (month.closed_hours.calls, month.closed_hours.answered) == (3, 2)
    assert month.all.calls == 5
    assert [hour for hour, figures in enumerate(month.by_hour) if figures.calls] == [11, 12, 13, 22]
    call_centre.set_hours(client_row, read_hours("1-7 0:00-24:00"), now=NOON)
    assert report(client_row, Period.MONTH).closed_hours.calls == 2  # the holiday
    everything = read_hours("1-7 0:00-24:00", works_on_holidays=True)
    call_centre.set_hours(client_row, everything, now=NOON)
    assert report(client_row, Period.MONTH).closed_hours.calls == 0


def test_a_day_is_counted_by_the_operators_midnight(client_row, line):
    call(line, NOON.replace(hour=0, minute=5), wait=1)  # 21:05 of the day before in UTC
    call(line, NOON.replace(hour=0, minute=5) - timedelta(minutes=10), wait=1)
    assert report(client_row).all.calls == 1
    assert report(client_row, Period.WEEK).all.calls == 2


def test_who_was_missed_in_the_period_is_looked_for_up_to_today(client_row, line):
    other = make_subscriber(client_row)
    in_february = NOON - timedelta(days=20)
    call(line, in_february)
    assert [m.peer for m in report(client_row, Period.PREVIOUS).left_alone] == [CALLER]
    call(other, NOON, out=True)
    assert report(client_row, Period.PREVIOUS).left_alone == []
    assert report(client_row, Period.PREVIOUS).all.missed == 1


def test_calls_of_another_client_do_not_count_as_called_back(client_row, line):
    call(line, NOON)
    call(make_subscriber(), NOON + timedelta(minutes=5), out=True)
    assert len(report(client_row).left_alone) == 1


def test_a_kept_day_holds_until_its_calls_or_the_numbers_change(client_row, line, monkeypatch):
    made = []
    real = call_centre_days._make
    monkeypatch.setattr(call_centre_days, "_make", lambda *a: made.append(a[2]) or real(*a))
    call(line, NOON, wait=10)
    call(line, NOON - timedelta(days=1))
    first = report(client_row, Period.MONTH)
    assert made == [DateRange(TODAY - timedelta(days=1), TODAY)]
    assert report(client_row, Period.MONTH) == first
    assert len(made) == 1
    call(line, NOON + timedelta(minutes=1), wait=3)
    assert report(client_row, Period.MONTH).all.answered == 2
    assert made[1:] == [DateRange(TODAY, TODAY)]
    call_centre.add(client_row, make_subscriber(client_row), MemberKind.EMPLOYEE, now=NOON)
    report(client_row, Period.MONTH)
    assert made[2:] == [DateRange(TODAY - timedelta(days=1), TODAY)]


def test_calls_that_are_taken_out_again_are_not_counted(client_row, line):
    one = call(line, NOON, wait=10)
    assert report(client_row).all.calls == 1
    with write_tx():
        change = usage.Change({line.id: client_row.id})
        change.add(usage.of_row(one), -1)
        change.save()
        Call.delete().where(Call.subscriber_id == line.id).execute()
    assert report(client_row).all.calls == 0


def test_only_some_numbers_can_be_counted(client_row, line):
    anna = make_subscriber(client_row)
    call_centre.add(client_row, anna, MemberKind.EMPLOYEE, "Продажи", now=NOON)
    run = make_import_run()
    call(line, NOON, uid="a", import_run=run)
    call(anna, NOON + timedelta(seconds=20), wait=5, uid="a", import_run=run)
    call(line, NOON + timedelta(hours=1), peer="375291110000")
    whole = report(client_row)
    assert (whole.all.calls, whole.all.answered, whole.all.wait_s) == (2, 1, 25)
    assert [m.peer for m in whole.left_alone] == ["375291110000"]
    hers = report(client_row, only=frozenset({anna.id}))
    assert (hers.all.calls, hers.all.missed, hers.left_alone) == (1, 0, [])
    assert list(hers.by_member) == [anna.id]


def test_rounds_count_days_before_somebody_asks(client_row, line, monkeypatch):
    monkeypatch.setattr(call_centre_days, "_done", {})
    for n in range(7):
        call(line, NOON - timedelta(days=n), wait=1)
    assert call_centre_days.keep_up(now=NOON) == 5
    assert call_centre_days.keep_up(now=NOON) == 2
    assert CentreDay.of(client_row).count() == 7
    assert call_centre_days.keep_up(now=NOON) == 0
    call(line, NOON, wait=1)
    assert call_centre_days.keep_up(now=NOON) == 1  # another import
    assert call_centre_days.keep_up(now=NOON + timedelta(days=60)) == 7  # none asks for them
    assert not CentreDay.of(client_row).exists()


def test_numbers_are_put_in_and_taken_out_and_both_is_written_down(client_row, line):
    with pytest.raises(AlreadyExists):
        call_centre.add(client_row, line, MemberKind.LINE, now=NOON)
    call_centre.remove(client_row, line, now=NOON)
    with pytest.raises(NotFound):
        call_centre.remove(client_row, line, now=NOON)
    assert call_centre.members_of(client_row) == []
    events = [row.event for row in AuditEvent.select().order_by(AuditEvent.id)]
    assert events == ["centre_number_added", "centre_number_removed"]


def test_hours_are_kept_as_they_were_set(client_row):
    hours = read_hours("1-5 8:30-17:00; 7 10:00-14:00", works_on_holidays=True)
    call_centre.set_hours(client_row, hours, now=NOON)
    call_centre.set_hours(client_row, hours, now=NOON)
    assert call_centre.hours_of(client_row) == hours
    assert call_centre.hours_of(client_row) != Hours(hours.week)


def test_holidays_ahead_are_those_of_the_next_weeks():
    days = call_centre.holidays_ahead(datetime(2026, 11, 23, tzinfo=clock.zone()).date())
    assert [day.isoformat() for day in days] == [
        "2026-12-25", "2027-01-01", "2027-01-02", "2027-01-07",
    ]  # fmt: skip


def test_a_day_that_changes_while_a_page_is_made_is_counted_from_its_calls(
    client_row, line, monkeypatch
):
    call(line, NOON, wait=10)
    report(client_row)
    real = call_centre_days._kept

    def late(*arguments):
        CentreDay.update(stamp="another import").execute()
        yield from real(*arguments)

    monkeypatch.setattr(call_centre_days, "_kept", late)
    assert report(client_row).all.answered == 1


def test_a_full_disk_keeps_nobody_from_reading(client_row, line, monkeypatch):
    call(line, NOON, wait=10)

    def full():
        raise DiskFull

    monkeypatch.setattr(call_centre_days, "write_tx", full)
    assert report(client_row).all.answered == 1
    assert not CentreDay.of(client_row).exists()
