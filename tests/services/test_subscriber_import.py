"""Names, connections and statuses of many numbers from a file."""

import pytest

from domain.errors import InvalidValue
from models import AuditEvent, Subscriber
from services.audit import By
from services.subscriber_import import SubscribersRefused, import_subscribers
from services.subscribers import end_subscriber
from tests.factories import NOON, make_client, make_subscriber

BY = By(now=NOON)
RUSSIAN = """Номер телефона;Ф.И.О.;SIP-соединение;Статус;Причина статуса;Отдел
+375 17 123-45-67;Ёлкина Анна;375171234500;Активный;;Склад
8 017 123 45 68;Борис  Котов;-;Заблокированный;Неуплата;
;;;;;
101;;;;;
"""


def read(client, text, *, dry_run=False, coding="utf-8"):
    return import_subscribers(client, text.encode(coding), dry_run=dry_run, by=BY)


def mistakes(client, text):
    with pytest.raises(SubscribersRefused) as refused:
        read(client, text)
    return [tuple(each) for each in refused.value.mistakes]


def rows(client):
    found = Subscriber.of(client).order_by(Subscriber.number)
    return {
        row.number: (row.full_name, row.connection and row.connection.number, row.status)
        for row in found
    }


@pytest.mark.parametrize("coding", ["utf-8-sig", "cp1251"])
def test_what_is_new_is_added_and_what_differs_is_changed(client_row, coding):
    trunk = make_subscriber(client_row, number="375171234500", full_name="АТС")
    make_subscriber(client_row, number="375171234568", full_name="x", connection=trunk, plan="Свой")
    make_subscriber(client_row, number="101", full_name="Вера", status="blocked")
    before = rows(client_row)
    told = read(client_row, RUSSIAN, coding=coding, dry_run=True)
    assert told.ignored == ["Отдел"]
    assert rows(client_row) == before
    assert not AuditEvent.select().exists()
    assert [new.number for new in told.added] == ["375171234567"]
    names = ["full_name", "connection", "status", "status_reason"]
    ((number, changed),) = told.changed
    assert (number, sorted(changed), told.same) == ("375171234568", sorted(names), 1)
    read(client_row, RUSSIAN, coding=coding)
    assert rows(client_row) == {
        "101": ("Вера", None, "blocked"),
        "375171234500": ("АТС", None, "active"),
        "375171234567": ("Ёлкина Анна", "375171234500", "active"),
        "375171234568": ("Борис Котов", None, "blocked"),
    }
    boris = Subscriber.of(client_row).where(Subscriber.number == "375171234568").get()
    assert (boris.name_folded, boris.status_reason) == ("борис котов", "Неуплата")
    assert boris.plan == "Свой"
    events = sorted(row.event for row in AuditEvent.select())
    assert events == ["subscriber_added", "subscriber_changed"]


def test_the_same_file_again_changes_nothing(client_row):
    make_subscriber(client_row, number="375171234500")
    read(client_row, RUSSIAN)
    before = AuditEvent.select().count()
    told = read(client_row, RUSSIAN)
    assert (told.added, told.changed, told.same) == ([], [], 3)
    assert AuditEvent.select().count() == before


def test_every_wrong_line_is_named_and_nothing_is_stored(client_row):
    ended = make_subscriber(client_row, number="111")
    end_subscriber(ended, NOON, now=NOON)
    trunk = make_subscriber(client_row, number="100")
    make_subscriber(client_row, number="102", connection=trunk)
    make_subscriber(number="375171234567")
    before = rows(client_row)
    text = (
        "number,name,connection,status,reason\n"
        "999,New,,,\n"
        ",Nobody,,,\n"
        '998,"two\nlines",,,\n'
        "999,Again,,,\n"
        "997,A,,odd,\n"
        "996,A,,,,,more\n"
        f"995,{'x' * 256},,,\n"
        "375171234567,A,,,\n"
        "111,A,,active,\n"
        "994,A,888,,\n"
        "993,A,102,,\n"
        "100,A,999,,\n"
    )
    assert mistakes(client_row, text) == [
        (3, "no_number", ""),
        (6, "repeated", "2"),
        (7, "unknown_status", "odd"),
        (8, "too_many_cells", "7"),
        (9, "too_long", "x" * 40 + "…"),
        (10, "number_taken", "375171234567"),
        (11, "number_ended", "10.03.2026"),
        (12, "no_connection", "888"),
        (13, "connection_unfit", "102"),
        (14, "no_connection", "999"),
    ]
    assert rows(client_row) == before


def test_connections_are_looked_at_as_the_file_leaves_them(client_row):
    old, new = (make_subscriber(client_row, number=number) for number in ("100", "200"))
    make_subscriber(client_row, number="101", connection=old)
    make_subscriber(client_row, number="201", connection=new)
    read(client_row, "number;connection\n101;200\n100;200\n")
    assert rows(client_row)["100"][1] == rows(client_row)["101"][1] == "200"
    line = (2, "connection_unfit", "101")
    assert mistakes(client_row, "number;connection\n200;101\n") == [line]
    assert mistakes(client_row, "number;connection\n201;201\n") == [(2, "connection_unfit", "201")]


def test_who_becomes_active_loses_the_reason(client_row):
    make_subscriber(client_row, number="101", status="blocked", status_reason="Неуплата")
    read(client_row, "Номер;Статус\n101;активен\n")
    assert Subscriber.of(client_row).get().status_reason == ""


def test_an_ended_number_that_is_told_as_it_is_is_no_mistake(client_row):
    row = make_subscriber(client_row, number="101")
    end_subscriber(row, NOON, now=NOON)
    told = read(client_row, "number;name;status\n101;Anna;closed\n")
    assert told.changed == [("101", ["full_name"])]


def test_other_clients_numbers_are_not_touched(client_row):
    strange = make_subscriber(make_client(), number="101", full_name="Стас")
    read(client_row, "number;name\n101;Anna\n")
    assert rows(client_row) == {"101": ("Anna", None, "active")}
    assert rows(strange.client)["101"][0] == "Стас"


@pytest.mark.parametrize("text", ["", "name;status\nAnna;active\n", "number;name\n1\0;A\n"])
def test_what_is_no_list_of_numbers_is_refused(client_row, text):
    with pytest.raises(InvalidValue):
        read(client_row, text)
