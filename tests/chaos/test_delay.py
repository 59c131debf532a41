"""«По истечении суток»: nothing goes out early, and when the time has come everything does,
whatever Redis remembers. The clock is moved.
"""

import time

import pytest
from redis import Redis

from models import Order
from tests.chaos.lives import DONE, carry, look_after, place

DAY_S = 24 * 3600
ROUNDS_S = 2  # so long the reconciler has to do something wrong in: it looks every second


def untouched(site):
    """How many orders no worker has ever taken."""
    return site.ask(
        "SELECT count(*) FROM customer_order WHERE attempts = 0 AND heartbeat_at IS NULL"
    )[0][0]


def test_a_worker_leaves_an_order_alone_until_its_day_is_over(lives, mail):
    key = lives.make_draft()
    assert lives.run(lambda: place(key), CALL_DETAIL_DELAY_HOURS=24) == DONE
    with lives.here():
        key = Order.across_clients().get().key
    for ahead_s in (0, 3600, DAY_S - 60):
        assert lives.run(look_after, ahead_s=ahead_s) == DONE
        assert lives.run(carry, ahead_s=ahead_s) == DONE
        assert (lives.order(key).state, lives.order(key).attempts) == ("accepted", 0)
    assert not mail.taken
    assert lives.run(carry, ahead_s=DAY_S) == DONE
    assert lives.order(key).state == "sent"
    assert len(mail.accepted) == 1
    assert lives.breaches() == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_is_ordered_goes_out_after_a_day_and_not_before(make_site, mail, figure):
    """In running processes, and Redis forgets everything just before."""
    site = make_site(CALL_DETAIL_DELAY_HOURS=24, WORKERS=1)
    number = 100
    began = time.monotonic()
    site.place_many(number, formats=("csv", "xlsx"))
    placing_s = time.monotonic() - began
    for ahead_s in (0, 3600, DAY_S / 2, DAY_S - 600 - placing_s, DAY_S - 60 - placing_s):
        site.move_clock(ahead_s)
        time.sleep(ROUNDS_S)
        assert untouched(site) == number
    assert not mail.taken
    with Redis(unix_socket_path=str(site.data_dir / "valkey" / "valkey.sock")) as connection:
        connection.flushall()
    site.move_clock(DAY_S)
    figure("all sent, s after their time", round(site.wait_until_over(number), 1))
    assert set(site.letters().values()) == {1}
    assert len(site.letters()) == number
    early = "SELECT count(*) FROM mail m JOIN customer_order o ON o.id = m.order_id"
    assert site.ask(f"{early} WHERE m.sent_at < o.due_at") == [(0,)]
    site.verify()
