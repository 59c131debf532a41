"""A death at every durable step of an order's life, before and behind each commit: it is carried
to its end all the same, by one letter.
"""

import ast
import random
from datetime import timedelta
from pathlib import Path

import pytest

from domain.orders import MailState, OrderState
from models import Artefact, Mail, Order
from services import artefacts, clock, faults, orders
from tests import smtp_sink
from tests.chaos import kill_points
from tests.chaos.lives import DONE, KILLED, carry, look_after, place, recover
from tests.chaos.site import message_ids

ROOT = Path(__file__).parent.parent.parent
LINK = {"MAIL_ATTACHMENT_LIMIT_MB": 0}  # every file is too large for a letter
# Where the form of the file or of the letter matters; the other points are the same for each.
FORM_POINTS = {"order.file_written", "order.naming", "order.letter_written", "order.closing"}


def cases():
    """(point, form of the file, settings): all with --long, else all of one form and some."""
    for name, form, settings in (
        ("csv", "csv", {}),
        ("xlsx", "xlsx", {}),
        ("pdf", "pdf", {}),
        ("link", "csv", LINK),
    ):
        for point in kill_points.CARRIED:
            is_short = name == "csv" or point in FORM_POINTS
            marks = () if is_short else pytest.mark.long
            yield pytest.param(point, form, settings, id=f"{name}-{point}", marks=marks)


def copies(mail, key):
    """What the mail server has taken of an order."""
    return [each for each in mail.taken if f"<o{key}.".encode() in each.content]


def ledger(lives, key):
    """The order's row of the ledger."""
    with lives.here():
        return Mail.select().join(Order).where(Order.key == key).get()


def check_sent(lives, mail, key, *, may_double=False, is_flagged=False):
    """Sent, under one Message-ID; a second copy only where nobody could know, and flagged."""
    order, row, taken = lives.order(key), ledger(lives, key), copies(mail, key)
    assert (order.state, order.lease_until, row.state) == ("sent", None, "sent")
    assert set(message_ids(taken)) == {row.message_id}
    assert len({each.content for each in taken}) == 1
    assert len(taken) <= (2 if may_double else 1)
    assert (row.unknown_count > 0) is is_flagged
    with lives.here():
        assert artefacts.is_whole(artefacts.find(order))
        assert Artefact.select().where(Artefact.order == order).count() == 1


def test_every_kill_point_is_in_the_list_and_swept():
    """A point in the code that nobody sweeps cannot be, nor one in the list that is nowhere."""
    in_code = set()
    for path in [p for folder in ("services", "jobs") for p in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "faults.reach":
                in_code.add(ast.literal_eval(node.args[0]))
    assert in_code == faults.POINTS
    assert kill_points.SWEPT == faults.POINTS


@pytest.mark.parametrize("point", kill_points.PLACED)
def test_a_death_while_placing_makes_one_order_all_the_same(lives, mail, point):
    draft_key = lives.make_draft()
    assert lives.run(lambda: place(draft_key), crash_at=point) == KILLED
    with lives.here():
        made = Order.across_clients().where(Order.draft_key == draft_key).count()
    assert made == (0 if point == "order.placing" else 1)
    assert lives.run(lambda: place(draft_key)) == DONE  # the person presses the button again
    assert lives.run(recover) == DONE
    with lives.here():
        (order,) = Order.across_clients().where(Order.draft_key == draft_key)
    check_sent(lives, mail, order.key)


@pytest.mark.parametrize(("point", "form", "settings"), list(cases()))
def test_a_death_while_carrying_loses_nothing_and_doubles_nothing(
    lives, mail, point, form, settings
):
    key = lives.make_order(form)
    assert lives.run(carry, crash_at=point, **settings) == KILLED
    if point != "order.sent":
        assert lives.order(key).state != OrderState.SENT
    assert lives.run(recover, **settings) == DONE
    is_flagged = point in kill_points.MARKED
    check_sent(lives, mail, key, may_double=point in kill_points.UNKNOWABLE, is_flagged=is_flagged)
    if point in {"order.acknowledged", "order.closing"}:
        assert len(copies(mail, key)) == 2  # the window is real, and this is it


@pytest.mark.parametrize("point", kill_points.OFFERED)
def test_a_death_while_a_file_is_offered_leaves_it_to_be_fetched(lives, mail, point):
    key = lives.make_link_order()
    assert lives.run(carry, crash_at=point) == KILLED
    assert lives.run(recover) == DONE
    order = lives.order(key)
    assert (order.state, order.lease_until) == (OrderState.AVAILABLE, None)
    assert copies(mail, key) == []
    with lives.here():
        assert artefacts.is_whole(artefacts.find(order))
        assert Artefact.select().where(Artefact.order == order).count() == 1


@pytest.mark.timeout(1200)
def test_deaths_at_two_points_of_one_order(lives, mail, length):
    """The second attempt dies as well, somewhere: often on another road than the first."""
    points = random.Random(2)  # noqa: S311
    for _ in range(length(short=5, long=200)):
        first, second = points.choices(kill_points.CARRIED, k=2)
        key = lives.make_order()
        assert lives.run(carry, crash_at=first) == KILLED
        lives.run(recover, crash_at=second)  # which may do without coming by
        assert lives.run(recover) == DONE
        order, taken = lives.order(key), copies(mail, key)
        assert order.state == OrderState.SENT, (first, second)
        doubles = sum(point in kill_points.UNKNOWABLE for point in (first, second))
        assert 1 <= len(taken) <= 1 + doubles, (first, second)
        assert ledger(lives, key).unknown_count >= len(taken) - 1
        assert len({each.content for each in taken}) == 1


@pytest.mark.parametrize("point", kill_points.REFUSED)
def test_a_death_while_a_refusal_is_noted_costs_no_try(lives, mail, point):
    mail.mode = smtp_sink.LATER_451
    key = lives.make_order()
    assert lives.run(carry, crash_at=point) == KILLED
    mail.mode = smtp_sink.OK
    assert lives.run(recover, ahead_s=100) == DONE  # behind the pause, where there is one
    order, row = lives.order(key), ledger(lives, key)
    assert (order.state, len([t for t in copies(mail, key) if t.acknowledged])) == ("sent", 1)
    assert row.unknown_count == (1 if point == "order.noting_refusal" else 0)


@pytest.mark.parametrize("point", kill_points.UNANSWERED)
def test_a_death_while_an_unknown_fate_is_noted_leaves_the_flag(lives, mail, point):
    mail.mode = smtp_sink.DROP_AFTER_DATA
    key = lives.make_order()
    assert lives.run(carry, crash_at=point) == KILLED
    mail.mode = smtp_sink.OK
    assert lives.run(recover) == DONE
    check_sent(lives, mail, key, may_double=True, is_flagged=True)


@pytest.mark.parametrize("point", kill_points.HELD)
def test_a_death_before_an_order_is_held_holds_it_all_the_same(lives, mail, point):
    """Where the operator wants no second copy, none goes, however often processes die."""
    mail.mode = smtp_sink.DROP_AFTER_DATA
    key = lives.make_order()
    assert lives.run(carry, crash_at=point, MAIL_UNKNOWN="hold") == KILLED
    mail.mode = smtp_sink.OK
    assert lives.run(recover, MAIL_UNKNOWN="hold") == DONE
    assert (lives.order(key).state, len(copies(mail, key))) == ("unconfirmed", 1)
    assert ledger(lives, key).state == MailState.UNKNOWN


@pytest.mark.parametrize("point", kill_points.CANCELLED)
def test_a_death_while_cancelling_leaves_one_end_or_the_other(lives, mail, point):
    key = lives.make_order()

    def cancel():
        order = Order.across_clients().where(Order.key == key).get()
        orders.cancel(order, user=order.user, now=clock.now())

    assert lives.run(cancel, crash_at=point) == KILLED
    assert lives.run(recover) == DONE
    sent = point == "order.cancelling"
    assert lives.order(key).state == ("sent" if sent else "cancelled")
    assert len(copies(mail, key)) == sent


@pytest.mark.parametrize("point", kill_points.RETRIED)
def test_a_death_while_trying_again_leaves_the_order_to_be_tried(lives, mail, point):
    mail.mode = smtp_sink.NO_ADDRESS_550
    key = lives.make_order()
    assert lives.run(carry) == DONE
    assert lives.order(key).state == "failed"
    mail.mode = smtp_sink.OK

    def retry():
        order = Order.across_clients().where(Order.key == key).get()
        orders.retry(order, user=order.user, now=clock.now())

    assert lives.run(retry, crash_at=point) == KILLED
    assert lives.order(key).state == ("failed" if point == "order.retrying" else "accepted")
    assert lives.run(retry) == DONE
    assert lives.run(recover) == DONE
    check_sent(lives, mail, key)


@pytest.mark.parametrize("point", kill_points.ROUND)
def test_a_death_in_a_round_of_the_reconciler_leaves_the_next_one_the_rest(lives, mail, point):
    with lives.here():
        past = clock.now() - timedelta(days=1)
    old = lives.make_order()
    assert lives.run(carry) == DONE
    with lives.here():
        Artefact.update(expires_at=past).execute()
        Mail.update(sent_at=past - timedelta(days=30)).execute()
    left = lives.make_order()
    assert lives.run(carry, crash_at="order.rendering") == KILLED
    assert lives.run(look_after, crash_at=point) == KILLED
    assert lives.run(look_after) == DONE
    assert lives.run(carry) == DONE
    check_sent(lives, mail, left)
    with lives.here():
        gone = artefacts.find(Order.across_clients().where(Order.key == old).get())
        assert gone.removed_at is not None
        assert not (artefacts.folder() / gone.path).exists()
    assert ledger(lives, old).path == ""


def test_after_the_sweep_every_invariant_holds(lives):
    assert lives.breaches() == []
