"""A worker that sleeps past its lease and wakes: somebody else has carried the order by then, and
nothing the sleeper still writes may count.
"""

from pathlib import Path

import pytest

from models import Artefact, Mail, Order
from services import artefacts
from tests import smtp_sink
from tests.chaos import kill_points
from tests.chaos.lives import DONE, KILLED, STOPPED, carry, recover
from tests.chaos.test_sweep import copies, ledger

# A process that stands still inside a transaction keeps everybody else out of the database, or of
# the row, until it wakes: there is no second worker then, and nothing to fence.
OUTSIDE = [
    point
    for point in kill_points.CARRIED
    if not point.startswith(("order.naming", "order.sent"))
    and point.rpartition(".")[2]
    not in {"claiming", "beginning", "recording", "freezing", "marking", "renewing", "closing"}
]
BEHIND_THE_LAST_LOOK = {"order.before_data", "order.data_sent", "order.acknowledged"}


def everything_about(lives, key):
    """All rows of an order, and its files: their bytes and which they are on the disk."""
    with lives.here():
        order = Order.across_clients().where(Order.key == key).dicts().get()
        rows = [
            model.select().where(model.order == order["id"]).dicts().get()
            for model in (Artefact, Mail)
        ]
        files = {
            path.name: (path.stat().st_ino, path.read_bytes())
            for path in Path(artefacts.folder() / key).iterdir()
        }
    return order, rows, files


@pytest.mark.parametrize("point", OUTSIDE)
def test_a_sleeper_that_wakes_past_its_lease_changes_nothing(lives, mail, point):
    key = lives.make_order()
    sleeper = lives.begin(carry, crash_at=f"stop {point}")
    assert sleeper.wait() == STOPPED
    assert lives.run(carry, ahead_s=lives.config.LEASE_S + 10) == DONE
    assert lives.order(key).state == "sent"
    before = everything_about(lives, key)
    parts = {name for name in before[2] if name.endswith(".part")}
    assert sleeper.go_on() == DONE
    after = everything_about(lives, key)
    assert after[:2] == before[:2]
    assert {n: f for n, f in before[2].items() if n not in parts} == after[2]
    is_late = point in BEHIND_THE_LAST_LOOK
    assert len(copies(mail, key)) == (2 if is_late else 1)
    assert ledger(lives, key).unknown_count == (point in kill_points.MARKED)
    assert len({each.content for each in copies(mail, key)}) == 1


def test_a_refusal_the_sleeper_hears_does_not_hide_what_the_other_one_sent(lives, mail):
    key = lives.make_order()
    mail.mode = smtp_sink.LATER_451
    sleeper = lives.begin(carry, crash_at="stop order.data_sent")
    assert sleeper.wait() == STOPPED
    mail.mode = smtp_sink.OK
    late = {"ahead_s": lives.config.LEASE_S + 10}
    assert lives.run(carry, crash_at="order.acknowledged", **late) == KILLED
    assert sleeper.go_on() == DONE
    row = ledger(lives, key)
    assert (row.state, row.unknown_count) == ("sending", 1)  # not "ready", as the sleeper thinks
    assert lives.run(recover, **late) == DONE
    assert ledger(lives, key).unknown_count == 2


def test_behind_the_sleepers_every_invariant_holds(lives):
    assert lives.breaches() == []
