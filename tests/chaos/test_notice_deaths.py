"""Processes that die at a letter that no order asked for: it goes all the same, by one Message-ID,
and a second copy goes only where nobody can know of the first, and is flagged.
"""

import pytest

from domain.orders import MailState
from models import Client, Notice
from services import clock, notice_sending, notices
from services.transactions import write_tx
from tests import smtp_sink
from tests.chaos import kill_points
from tests.chaos.lives import DONE, KILLED
from tests.services.test_notices import WORDS


def post(lives):
    """A letter that is due: its key."""
    with lives.here(), write_tx():
        client = Client.select().get()
        link = notices.Link("/bills/delivery/confirm/", "seed")
        to = "new@romashka.by"
        return notices.post(
            "delivery_confirm", to, WORDS, client=client, link=link, now=clock.now()
        ).key


def send():
    notice_sending.send_due()


def recover():
    """What the reconciler and a worker do after a death."""
    notice_sending.release_dead(now=clock.now())
    notice_sending.send_due()


def row(lives, key):
    with lives.here():
        return Notice.across_clients().where(Notice.key == key).get()


def copies(mail, key):
    return [taken for taken in mail.taken if f"<n{key}.1@".encode() in taken.content]


@pytest.mark.parametrize("point", kill_points.NOTED)
def test_a_death_loses_no_letter_and_doubles_none_unsaid(lives, mail, point):
    key = post(lives)
    assert lives.run(send, crash_at=point) == KILLED
    assert lives.run(recover) == DONE
    after, taken = row(lives, key), copies(mail, key)
    assert after.state == MailState.SENT
    assert (after.unknown_count > 0) is (point in kill_points.NOTED_MARKED)
    doubled = point in {"notice.acknowledged", "notice.closing"}
    assert len(taken) == 1 + doubled
    assert len({each.content for each in taken}) == 1


@pytest.mark.parametrize("point", kill_points.NOTED_BADLY)
def test_a_death_while_no_answer_is_noted_leaves_the_flag(lives, mail, point):
    mail.mode = smtp_sink.DROP_AFTER_DATA
    key = post(lives)
    assert lives.run(send, crash_at=point) == KILLED
    mail.mode = smtp_sink.OK
    assert lives.run(recover, ahead_s=100) == DONE
    after = row(lives, key)
    assert (after.state, after.unknown_count) == (MailState.SENT, 1)
    assert len(copies(mail, key)) == 2


@pytest.mark.parametrize("point", kill_points.RELEASED)
def test_a_death_of_the_reconciler_leaves_it_to_the_next(lives, mail, point):
    key = post(lives)
    assert lives.run(send, crash_at="notice.claimed") == KILLED
    assert lives.run(recover, crash_at=point) == KILLED
    assert lives.run(recover) == DONE
    assert (row(lives, key).state, len(copies(mail, key))) == (MailState.SENT, 1)


def test_behind_the_deaths_every_invariant_holds(lives):
    assert lives.breaches() == []
