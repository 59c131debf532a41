"""Short lives on one data dir: children forked from the tests' process, each with the application
and a connection of its own. They start in milliseconds, and may be killed, stopped and woken.
"""

import os
import signal
import time
import traceback
from contextlib import contextmanager
from dataclasses import replace

from app import create_app
from config import Config
from domain.demo.population import Sizes
from domain.orders import Direction, FileFormat, OrderKind
from domain.periods import DateRange, month_start
from jobs import orders as job
from models import Client, DraftSubscriber, Order, OrderDraft, Subscriber, User, db
from services import (
    billing,
    call_detail_words,
    claims,
    clock,
    database,
    demo,
    drafts,
    invoices,
    orders,
    reconcile,
    verify,
)
from tests import databases
from tests.factories import make_client, make_invoice_order

WAIT_S = 60
SMALL = Sizes(clients=2, subscribers=8, calls=400)
KILLED, STOPPED, DONE = "killed", "stopped", "done"


class Life:
    """One child."""

    def __init__(self, pid):
        self.pid = pid

    def wait(self, within_s=WAIT_S):
        """Wait until it has died, stopped or done its work: `KILLED`, `STOPPED` or `DONE`."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            if pid:
                return _fate(status)
            time.sleep(0.002)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError(f"a child was still at work after {within_s} s")

    def kill(self):
        """Kill -9, unless it is over; tell which: `KILLED` or `DONE`."""
        os.kill(self.pid, signal.SIGKILL)
        return _fate(os.waitpid(self.pid, 0)[1])

    def has_ended(self):
        """Whether it is over; whoever waits for it still learns how."""
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, how) is not None

    def go_on(self):
        """Wake a stopped one, and wait."""
        os.kill(self.pid, signal.SIGCONT)
        return self.wait()


def _fate(status):
    if os.WIFSTOPPED(status):
        return STOPPED
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        return KILLED
    assert os.WEXITSTATUS(status) == 0, "a child failed: its traceback is in the captured output"
    return DONE


class Lives:
    """A data dir with the demo in it, and what its processes do. The tests' own process must hold
    no connection while it forks: everything here opens one for the moment.
    """

    def __init__(self, app):
        self.app = app
        self.config = app.config["CABINET"]

    @contextmanager
    def here(self):
        """In the tests' own process: the application and a connection, for a moment."""
        with self.app.app_context(), db.connection_context():
            yield

    def begin(self, work, *, crash_at="", ahead_s=0, **settings):
        """Fork a child that does `work()`; `crash_at` as CABINET_CRASH_AT, and once more even if
        another one came by before. `ahead_s` moves its clock.
        """
        assert db.is_closed(), "a fork must not inherit a connection"
        if crash_at:
            self._rearm()
        pid = os.fork()
        if pid:
            return Life(pid)
        status = 1
        try:
            os.environ |= {"CABINET_TESTING": "1", "CABINET_CLOCK": f"+{ahead_s}"}
            settings = {"TESTING": True, "CRASH_AT": crash_at, **settings}
            self.app.config["CABINET"] = replace(self.config, **settings)
            with self.here():
                work()
            status = 0
        except BaseException:  # noqa: BLE001 - nothing of the tests' process may run on in here
            traceback.print_exc()
        finally:
            os._exit(status)

    def run(self, work, **how):
        """One child from its beginning to its end."""
        return self.begin(work, **how).wait()

    def _rearm(self):
        for path in (self.config.data_dir / "faults").glob("*"):
            path.unlink()

    def make_draft(self, numbers=2, login="demo"):
        """A finished wizard of a client's user, and its key."""
        with self.here():
            user = User.across_clients().where(User.login == login).get()
            draft = drafts.start(
                user.client, user, OrderKind.CALL_DETAIL, "period", {}, now=clock.now()
            )
            for row in Subscriber.of(user.client).order_by(Subscriber.id).limit(numbers):
                DraftSubscriber.create(draft=draft, subscriber=row)
            return draft.key

    def make_order(self, file_format="csv", *, numbers=2, **values):
        """An order placed as a person does it, without a hint; its key."""
        draft_key = self.make_draft(numbers)
        with self.here():
            key = place(draft_key, file_format).key
            if values:
                Order.update(values).where(Order.key == key).execute()
        return key

    def make_link_order(self):
        """An order of an invoice that is fetched and not mailed; its key."""
        with self.here():
            client, now = make_client(), clock.now()
            billing.form_month(month_start(now.date(), 1), client=client, now=now)
            [invoice] = invoices.of_client(client)
            return make_invoice_order(invoice, OrderKind.INVOICE_LINK, number=1).key

    def order(self, key):
        """The row as it is now."""
        with self.here():
            return Order.across_clients().where(Order.key == key).get()

    def breaches(self):
        """What `flask verify` finds."""
        with self.here():
            return verify.run()


def place(draft_key, file_format="csv"):
    """What the last button of the wizard does."""
    draft = OrderDraft.across_clients().where(OrderDraft.key == draft_key).get()
    now = clock.now()
    period = DateRange(now.date().replace(day=1), now.date())
    request = orders.CallDetailRequest(period, Direction.BOTH, FileFormat(file_format))
    client, user = (
        Client.get_by_id(draft.client_id),
        User.across_clients().where(User.id == draft.user_id).get(),
    )
    return orders.place(draft, request, client=client, user=user, now=now)


def carry():
    """What a worker does when it is woken."""
    job.carry(0)


def recover():
    """What the reconciler and a worker do after a death: free the order and carry it."""
    claims.release_dead(now=clock.now())
    carry()


def look_after():
    """A round of the reconciler."""
    assert not reconcile.tick(now=clock.now()).failed


@contextmanager
def living_on(folder, **settings):
    """A `Lives` on a data dir of its own."""
    settings = {"DATABASE_URL": databases.new_url(), "TESTING": True, **settings}
    with loaded(Config(DATA_DIR=str(folder), DEMO=True, **settings)) as app:
        yield Lives(app)


def warm_up(app):
    """Load here what every child would load anew: it is half of a short life."""
    for name in app.jinja_env.list_templates(filter_func=lambda each: each.startswith("mail/")):
        app.jinja_env.get_template(name)
    with app.app_context():
        call_detail_words.direction_text(Direction.OUT)  # any word: that loads the catalogue


@contextmanager
def loaded(config, sizes=SMALL):
    """The application of a data dir with a demo of that size in it; holds no connection."""
    before = db.obj
    try:
        app = create_app(config)
        with app.app_context(), db.connection_context():
            database.upgrade()
            demo.ensure(now=clock.now(), sizes=sizes)
        warm_up(app)
        yield app
    finally:
        db.initialize(before)
