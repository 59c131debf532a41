"""Numbers of clients and whose they are when."""

from datetime import datetime

import pytest

from domain.cdr.record import CallDirection
from domain.errors import AlreadyExists, InvalidValue, NotFound, NumberTaken
from models import AuditEvent, Subscriber
from services import subscribers
from services.matching import Matcher
from services.subscribers import NewSubscriber, add_subscriber, add_subscribers
from tests.domain.cdr.dialects import leg
from tests.factories import NOON, make_client, make_subscriber


def day(number):
    return NOON.replace(day=number)


def test_a_number_is_kept_in_its_normal_form(client_row):
    added = add_subscriber(client_row, "8 (017) 123-45-67", full_name="Ёлкина  Анна", now=NOON)
    assert added.number == "375171234567"
    assert added.name_folded == "елкина анна"
    assert AuditEvent.select().where(AuditEvent.event == "subscriber_added").count() == 1


def test_a_client_has_a_number_once(client_row):
    add_subscriber(client_row, "101", now=NOON)
    with pytest.raises(AlreadyExists):
        add_subscriber(client_row, "101", now=NOON)


def test_a_full_number_has_one_owner_at_a_time(client_row):
    add_subscriber(make_client(), "375171234567", now=NOON)
    with pytest.raises(NumberTaken):
        add_subscriber(client_row, "80171234567", now=NOON)
    assert not Subscriber.of(client_row).exists()


def test_a_full_number_may_pass_from_one_to_the_other(client_row):
    make_subscriber(number="375171234567", valid_to=day(5))
    with pytest.raises(NumberTaken):
        add_subscriber(client_row, "375171234567", valid_from=day(4), now=NOON)
    added = add_subscriber(client_row, "375171234567", valid_from=day(5), now=NOON)
    matcher = Matcher(only=None, extensions_of=None)
    assert matcher.owner("375171234567", int(day(5).timestamp())) == added.id
    assert matcher.owner("375171234567", int(day(5).timestamp()) - 1) not in (None, added.id)


def test_extensions_are_free_to_every_client(client_row):
    add_subscriber(make_client(), "101", now=NOON)
    assert add_subscriber(client_row, "101", now=NOON).client == client_row


def test_a_connection_must_be_the_clients_own(client_row):
    with pytest.raises(NotFound):
        add_subscriber(client_row, "101", connection=make_subscriber(), now=NOON)
    connection = add_subscriber(client_row, "100", plan="SIP-соединение", now=NOON)
    assert (
        add_subscriber(client_row, "101", connection=connection, now=NOON).connection == connection
    )
    assert subscribers.find_subscriber(client_row, " 100") == connection


@pytest.mark.parametrize("number", ["", "  ", "9" * 65])
def test_what_is_no_number_is_refused(client_row, number):
    with pytest.raises(InvalidValue):
        add_subscriber(client_row, number, now=NOON)


def test_many_are_added_whole_or_not_at_all(client_row):
    make_subscriber(number="375171234567")
    news = [NewSubscriber(f"37517{n:07}") for n in range(2000)]
    with pytest.raises(NumberTaken):
        add_subscribers(client_row, [*news, NewSubscriber("375171234567")], now=NOON)
    assert not Subscriber.of(client_row).exists()
    add_subscribers(client_row, news, now=NOON)
    assert Subscriber.of(client_row).count() == 2000


def test_full_numbers_are_anybodys_and_extensions_those_of_the_exchange(client_row):
    stranger = make_subscriber(number="375171234567")
    own = make_subscriber(client_row, number="101")
    make_subscriber(number="101")
    at = int(datetime.timestamp(NOON))
    everybody = Matcher(only=None, extensions_of=None)
    assert everybody.owner("375171234567", at) == stranger.id
    assert everybody.owner("101", at) is None
    theirs = Matcher(only=None, extensions_of=client_row)
    assert theirs.owner("101", at) == own.id
    assert theirs.owner("375171234567", at) == stranger.id
    alone = Matcher(only=client_row, extensions_of=client_row)
    assert alone.owner("375171234567", at) is None


def test_a_call_between_two_own_numbers_is_seen_twice(client_row):
    caller = make_subscriber(client_row, number="375171234567")
    callee = make_subscriber(number="375291234567")
    out, into = Matcher(only=None, extensions_of=None).see(leg())
    assert (out.subscriber_id, out.direction) == (caller.id, CallDirection.OUT)
    assert (out.part.peer, out.part.on_net) == ("375291234567", 1)
    assert (into.subscriber_id, into.direction) == (callee.id, CallDirection.IN)
    assert (into.part.peer, into.part.on_net) == ("375171234567", 1)
    (alone,) = Matcher(only=client_row, extensions_of=client_row).see(leg())
    assert alone.part.on_net == 0
