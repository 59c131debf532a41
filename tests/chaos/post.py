"""An operator's whole post in one process: orders, the job that carries them, a mail server that
misbehaves, and a clock that is moved by hand.
"""

from dataclasses import replace

from domain.orders import OrderState
from jobs import orders as job
from models import Mail, Order
from services import clock, reconcile
from tests import smtp_sink
from tests.factories import NOON, make_client, make_order, make_subscriber, make_user

PATIENCE_S = 10  # other work may keep the machine busy
REFUSING = {smtp_sink.LATER_451, smtp_sink.TOO_LARGE_552, smtp_sink.REFUSED_554}


class Post:
    """Orders go to `sink`, one after the other; `now` stands still until it is moved."""

    def __init__(self, app, sink, monkeypatch):
        self.app, self.sink, self._monkeypatch = app, sink, monkeypatch
        self.now = NOON
        monkeypatch.setattr(clock, "now", lambda: self.now)
        self.change(MAIL_SERVER="localhost", MAIL_PORT=sink.port, MAIL_TIMEOUT_S=PATIENCE_S)

    def change(self, **settings):
        """Change settings until the test is over."""
        config = replace(self.app.config["CABINET"], **settings)
        self._monkeypatch.setitem(self.app.config, "CABINET", config)

    def place(self, *, client=None, number=1, **values):
        """An order that is due now, of a client of its own unless given."""
        client = client or make_client()
        user = make_user(client)
        return make_order(client, [make_subscriber(client)], number=number, user=user, **values)

    def carry(self, order=None):
        """One job; the row of `order` as it stands then."""
        job.carry(0)
        return order and Order.get_by_id(order.id)

    def wait(self, order):
        """Let the time come at which the order is tried again."""
        self.now = max(self.now, Order.get_by_id(order.id).next_try_at)

    def rounds(self, until):
        """What happens by itself up to a moment: the clock goes from one due order to the next, the
        reconciler looks, jobs run as long as any order is due.
        """
        while True:
            coming = Order.across_clients(Order.next_try_at).where(Order.is_open_condition())
            moment = min((row.next_try_at for row in coming), default=None)
            if moment is None or moment > until:
                self.now = until
                return
            self.now = max(self.now, moment)
            reconcile.tick(now=self.now)
            job.carry(0)

    def copies(self, order):
        """How many letters of this order may have arrived: read to the end and not refused."""
        mark = f"<o{order.key}.".encode()
        return sum(mark in taken.content for taken in self.sink.taken if taken.mode not in REFUSING)

    def check_nothing_is_lost(self):
        """Each order says truly what became of its letter, and no copy of one goes unsaid."""
        kept = b"".join(taken.content for taken in self.sink.accepted)
        for order in Order.across_clients():
            mail = Mail.get_or_none(Mail.order == order)
            if order.state == OrderState.SENT:
                assert f"<o{order.key}.1@".encode() in kept, "said to be sent, never accepted"
            else:
                assert order.reason, "not sent, and no reason is shown"
            flagged = mail.unknown_count if mail else 0
            assert self.copies(order) <= 1 + flagged, "a copy nobody is told of"
