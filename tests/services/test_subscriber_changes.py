"""Changing what is known of a number, and giving an ended one back."""

import pytest

from domain.errors import (
    AlreadyExists,
    ConnectionUnfit,
    InvalidValue,
    NotFound,
    NumberEnded,
    NumberHasNoBreak,
    NumberPassedOn,
)
from models import AuditEvent, Subscriber
from services.audit import By
from services.matching import Matcher
from services.subscriber_changes import change_subscriber, find_ended, reopen_subscriber
from services.subscribers import add_subscriber, end_subscriber, held_by
from tests.factories import NOON, make_client, make_subscriber, make_user

BY = By(now=NOON)
NUMBER = "375171234567"


def day(number):
    return NOON.replace(day=number)


def epoch(number):
    return int(day(number).timestamp())


def kept(subscriber):
    return Subscriber.across_clients().where(Subscriber.id == subscriber.id).get()


def test_a_number_that_has_ended_is_not_ended_later(client_row):
    """Somebody else may have it since."""
    row = make_subscriber(client_row, number=NUMBER, valid_from=day(1))
    with pytest.raises(InvalidValue):
        end_subscriber(row, day(1), now=NOON)
    end_subscriber(row, day(5), now=NOON)
    other = add_subscriber(make_client(), NUMBER, valid_from=day(5), now=NOON)
    with pytest.raises(NumberEnded):
        end_subscriber(row, day(8), now=NOON)
    assert held_by(NUMBER) == [other]
    end_subscriber(row, day(4), now=NOON)
    assert kept(row).valid_to == day(4)


def test_what_is_given_is_changed_and_written_down(client_row):
    row, user = make_subscriber(client_row, number=NUMBER), make_user()
    by = By(now=NOON, user=user, ip="::1")
    changes = {"full_name": " Ёлкина Анна ", "status": "blocked", "status_reason": "Неуплата"}
    assert change_subscriber(row, by=by, **changes) == ["full_name", "status", "status_reason"]
    found = kept(row)
    assert (found.full_name, found.name_folded) == ("Ёлкина Анна", "елкина анна")
    assert (found.status, found.status_reason, found.plan) == ("blocked", "Неуплата", row.plan)
    assert change_subscriber(row, by=by, **changes) == []
    (event,) = AuditEvent.select().where(AuditEvent.event == "subscriber_changed")
    assert (event.user, event.client, event.subject) == (user, client_row, f"subscriber:{row.id}")


def test_who_becomes_active_has_no_reason_unless_one_is_given(client_row):
    row = make_subscriber(client_row, status="blocked", status_reason="Неуплата")
    assert change_subscriber(row, by=BY, status="active") == ["status", "status_reason"]
    assert kept(row).status_reason == ""
    change_subscriber(row, by=BY, status="blocked", status_reason="Долг")
    change_subscriber(row, by=BY, status="active", status_reason="До 1 мая")
    assert kept(row).status_reason == "До 1 мая"


@pytest.mark.parametrize(
    "change", [{"full_name": "a\nb"}, {"status": "x"}, {"full_name": "я" * 256}]
)
def test_what_cannot_be_stored_is_refused(client_row, change):
    row = make_subscriber(client_row)
    with pytest.raises(InvalidValue):
        change_subscriber(row, by=BY, **change)


def test_an_ended_number_stays_closed_and_can_be_named(client_row):
    row = make_subscriber(client_row)
    end_subscriber(row, day(5), now=NOON)
    with pytest.raises(NumberEnded):
        change_subscriber(row, by=BY, status="active")
    assert change_subscriber(row, by=BY, full_name="Анна", status="closed") == ["full_name"]


def test_a_number_belongs_to_a_connection_that_belongs_to_none(client_row):
    connection, other, number = (make_subscriber(client_row) for _ in range(3))
    assert change_subscriber(number, by=BY, connection=connection) == ["connection"]
    assert kept(number).connection == connection
    for row, to in ((other, number), (connection, other), (other, other)):
        with pytest.raises(ConnectionUnfit):
            change_subscriber(row, by=BY, connection=to)
    with pytest.raises(NotFound):
        change_subscriber(other, by=BY, connection=make_subscriber())
    end_subscriber(connection, day(5), now=NOON)
    with pytest.raises(ConnectionUnfit):
        change_subscriber(other, by=BY, connection=kept(connection))
    assert change_subscriber(number, by=BY, connection=kept(connection), full_name="А") == [
        "full_name"
    ]
    assert change_subscriber(number, by=BY, connection=None) == ["connection"]


# --- Giving back ----------------------------------------------------------------------------------


@pytest.fixture
def ended(client_row):
    row = make_subscriber(client_row, number=NUMBER, status="blocked", status_reason="Неуплата")
    end_subscriber(row, day(5), now=NOON)
    return row


def test_an_ended_number_comes_back_as_if_it_had_not_ended(client_row, ended):
    matcher = Matcher(only=None, extensions_of=None)
    assert [matcher.owner(NUMBER, epoch(n)) for n in (4, 6)] == [ended.id, None]
    found = find_ended(client_row, "8 017 123-45-67")
    assert reopen_subscriber(found, by=BY, full_name="Анна") == day(5)
    row = kept(ended)
    assert (row.valid_to, row.status, row.status_reason) == (None, "active", "")
    assert row.full_name == "Анна"
    matcher = Matcher(only=None, extensions_of=None)
    assert [matcher.owner(NUMBER, epoch(n)) for n in (4, 6, 20)] == [ended.id] * 3
    events = [row.event for row in AuditEvent.select().order_by(AuditEvent.id)]
    assert events == ["subscriber_ended", "subscriber_reopened", "subscriber_changed"]
    assert find_ended(client_row, NUMBER) is None
    with pytest.raises(AlreadyExists):
        reopen_subscriber(row, by=BY)


def test_it_comes_back_without_a_break_only(ended):
    with pytest.raises(NumberHasNoBreak):
        reopen_subscriber(ended, first_day=day(7), by=BY)
    assert kept(ended).valid_to == day(5)
    reopen_subscriber(ended, first_day=day(5), by=BY)
    assert kept(ended).valid_to is None


def test_what_another_client_had_since_does_not_come_back(client_row, ended):
    other = add_subscriber(make_client(), NUMBER, valid_from=day(6), now=NOON)
    for _ in range(2):
        with pytest.raises(NumberPassedOn) as refused:
            reopen_subscriber(ended, by=BY)
        assert refused.value.values["day"] == day(6).date()
        end_subscriber(other, day(8), now=NOON)
    matcher = Matcher(only=None, extensions_of=None)
    assert [matcher.owner(NUMBER, epoch(n)) for n in (5, 7, 9)] == [None, other.id, None]


def test_who_had_it_before_or_has_such_an_extension_is_in_nobodys_way(client_row):
    make_subscriber(number=NUMBER, valid_to=day(2))
    full = make_subscriber(client_row, number=NUMBER, valid_from=day(2), valid_to=day(5))
    make_subscriber(number="101")
    short = make_subscriber(client_row, number="101", valid_to=day(5))
    for row in (full, short):
        reopen_subscriber(row, by=BY)
        assert kept(row).valid_to is None
