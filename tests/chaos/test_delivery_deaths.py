"""Deaths while a change of delivery is asked for, confirmed or cancelled: the step and its letters
are there both, or neither.
"""

from contextlib import suppress

import pytest

from domain.billing.delivery import DeliveryMethod
from domain.errors import DeliveryChangePending
from models import Notice, User
from models_billing import DeliverySetting
from services import clock, delivery_changes, delivery_letters, notice_sending
from services.delivery_changes import Wish
from tests.chaos import kill_points
from tests.chaos.lives import DONE, KILLED


def ask():
    user = User.across_clients().where(User.login == "demo").get()
    wish = Wish(DeliveryMethod.EMAIL, "new@romashka.by")
    delivery_changes.ask(user.client, wish, user=user, now=clock.now())


def confirm():
    token = delivery_letters.confirm_token(last())
    delivery_changes.confirm(token, now=clock.now())


def cancel():
    delivery_changes.cancel(last(), now=clock.now())


def last():
    return DeliverySetting.across_clients().order_by(DeliverySetting.id.desc()).first()


STEPS = {"asking": ask, "confirming": confirm, "cancelling": cancel}
LETTERS = {"asking": 2, "confirming": 1, "cancelling": 0}


def state(lives):
    """(state of the newest change, letters told to go so far)"""
    with lives.here():
        row = last()
        return row and row.state, Notice.across_clients().count()


@pytest.mark.parametrize("step", STEPS)
def test_a_death_leaves_a_step_with_its_letters_or_neither(lives, mail, step):
    inside, behind = [
        point
        for point in kill_points.DELIVERED_ELSEWHERE
        if point.startswith(f"delivery.{step[:-3]}")
    ]
    before = state(lives)
    assert lives.run(STEPS[step], crash_at=inside) == KILLED
    assert state(lives) == before
    assert lives.run(STEPS[step], crash_at=behind) == KILLED
    after = state(lives)
    assert after[0] != before[0]
    assert after[1] == before[1] + LETTERS[step]
    assert lives.run(notice_sending.send_due) == DONE  # hinted at by nobody
    with lives.here():
        assert {row.state for row in Notice.across_clients()} == {"sent"}


def test_two_who_ask_at_once_make_one_change(lives, mail):
    """Each sees none under way until the other has ended."""

    def ask_or_be_told():
        with suppress(DeliveryChangePending):
            ask()

    with lives.here():
        before = DeliverySetting.across_clients().count()
    children = [lives.begin(ask_or_be_told) for _ in range(4)]
    assert {child.wait() for child in children} == {DONE}
    with lives.here():
        assert DeliverySetting.across_clients().count() == before + 1


def test_behind_the_deaths_every_invariant_holds(lives):
    assert lives.breaches() == []
