"""Invariants of choices and call centres: each is broken once, and told."""

import pytest

from domain.call_centre import MemberKind
from domain.cdr.record import CallDirection, Disposition
from domain.periods import DateRange
from models import Call
from models_subscribers import CentreDay, CentreNumber, SubscriberChoice
from services import call_centre, call_centre_days, subscriber_choice, verify
from tests.factories import NOON, make_call, make_subscriber, make_user

TODAY = DateRange(NOON.date(), NOON.date())


@pytest.fixture
def line(client_row):
    """A number of a call centre with a missed call, and somebody who looks at it."""
    row = make_subscriber(client_row)
    call_centre.add(client_row, row, MemberKind.LINE, now=NOON)
    missed = {"direction": CallDirection.IN, "disposition": Disposition.NO_ANSWER}
    make_call(row, NOON, peer="375447654321", **missed)
    call_centre_days.make_missing(client_row, [row.id], TODAY)
    subscriber_choice.choose(client_row, make_user(client_row), row.id, ip="", now=NOON)
    assert list(breaches()) == []
    return row


def breaches():
    ours = verify.subscribers.__name__
    return [
        breach.detail for breach in verify.run() if verify.CHECKS[breach.check].__module__ == ours
    ]


def test_another_clients_subscriber_is_told(line):
    foreign = make_subscriber()
    SubscriberChoice.update(subscriber=foreign).execute()
    CentreNumber.update(subscriber=foreign).execute()
    CentreDay.delete().execute()
    choice, number = breaches()
    assert "of another client's subscriber" in choice
    assert "is another client's" in number


def test_the_choice_of_another_clients_user_is_told(line):
    SubscriberChoice.update(user=make_user()).execute()
    [told] = breaches()
    assert "subscriber or user" in told


def test_a_kept_day_that_says_something_else_is_told(line, client_row):
    Call.update(peer="375290000000").execute()
    [told] = breaches()
    assert told.endswith("has other figures for 2026-03-10")
    CentreDay.update(stamp="old").execute()  # it would be made anew
    assert breaches() == []
