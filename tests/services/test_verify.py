"""Invariants: each of them is broken once, and told."""

import json

import pytest

from domain.cdr.record import Disposition
from models import Call, ImportRun, Subscriber, UnmatchedLeg
from services import verify
from services.call_store import load_leg
from services.imports import ImportRequest, import_file
from tests.domain.cdr.dialects import row, text
from tests.factories import NOON, make_subscriber


@pytest.fixture
def data(client_row, tmp_path):
    """An on-net call and an unmatched one."""
    make_subscriber(client_row, number="375171234567")
    make_subscriber(number="375291234567")
    path = tmp_path / "Master.csv"
    path.write_text(text(row(), row(src="1", dst="2", uniqueid="1773144060.1")), "utf-8")
    import_file(ImportRequest(path=path, zone="UTC"), now=NOON)
    assert verify.run() == []


def out_row():
    return Call.select().where(Call.direction == 0).get()


def change(**values):
    def breach():
        Call.update(**values).where(Call.direction == 0).execute()

    return breach


def remove_other_side():
    Call.delete().where(Call.direction == 1).execute()


def give_number_away():
    Subscriber.update(valid_from=NOON.replace(day=20)).where(
        Subscriber.number == "375171234567"
    ).execute()


def own_twice():
    make_subscriber(number="375171234567")


def lose_a_line():
    ImportRun.update(lines=ImportRun.lines + 1).execute()


def keep_what_is_stored():
    call = out_row()
    kept = load_leg(UnmatchedLeg.get().record)._replace(a_number=call.number, b_number=call.peer)
    leg = int(call.legs.split(",")[2])
    UnmatchedLeg.update(uid=call.uid, leg=leg, record=json.dumps(kept)).execute()


@pytest.mark.parametrize(
    ("breach", "check"),
    [
        (change(billable_s=1), "a_call_is_the_sum_of_its_legs"),
        (change(legs="[]"), "a_call_is_the_sum_of_its_legs"),
        (change(seq=1), "a_call_is_the_sum_of_its_legs"),
        (change(disposition=int(Disposition.BUSY)), "only_answered_calls_are_billable"),
        (change(duration_s=-1), "only_answered_calls_are_billable"),
        (change(number="101"), "a_call_is_of_the_owner_of_its_number"),
        (give_number_away, "a_call_is_of_the_owner_of_its_number"),
        (remove_other_side, "both_sides_of_an_on_net_call_are_there"),
        (own_twice, "a_full_number_has_one_owner_at_a_time"),
        (lose_a_line, "a_run_accounts_for_every_line"),
        (keep_what_is_stored, "an_unmatched_leg_is_in_no_call"),
    ],
)
def test_a_breach_is_found(data, breach, check):
    breach()
    assert check in {found.check for found in verify.run()}
