"""The queue's server dead, silent, emptied and exchanged while people order: the tables are the
truth, so that nobody is refused, nothing is lost and nothing goes out twice.

Durations are printed by --long; here they are only limits beyond which something hangs.
"""

import json
import re
import threading
import time
import urllib.request
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import chain as chained

import pytest

from tests.chaos.site import Site
from tests.chaos.valkey_server import ValkeyServer
from tests.run.conftest import wait_for
from tests.run.person import fields

pytestmark = pytest.mark.timeout(900)
HANGS_S = 10  # nobody waits so long for a page, however busy the machine is
PEOPLE = 3


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    yield server.start()
    server.clear()


@pytest.fixture(scope="module")
def site(tmp_path_factory, sink, valkey):
    """A running cabinet on that server."""
    cabinet = Site(tmp_path_factory.mktemp("site"), sink, REDIS_URL=valkey.url)
    yield cabinet.start()
    cabinet.clear()


@pytest.fixture
def crowd(site, mail):
    """People who order, each request timed."""
    return Crowd(site)


class Crowd:
    """`order(20)`: so many orders by some people at once, within `over_s` at the least; their keys.
    `waits` has the seconds of the last POST of each, `longest` those of the slowest request of all.
    """

    def __init__(self, site):
        self.site = site
        self.people = [site.person() for _ in range(PEOPLE)]
        self.waits, self.longest = [], 0.0

    def order(self, number, over_s=0):
        shares = [range(n, number, PEOPLE) for n in range(PEOPLE)]
        pause_s = over_s / (number / PEOPLE)
        with ThreadPoolExecutor(PEOPLE) as pool:
            walks = pool.map(
                lambda pair: self._walk(*pair, pause_s), zip(self.people, shares, strict=True)
            )
            return [key for keys in walks for key in keys]

    def _walk(self, person, share, pause_s):
        keys = []
        for _ in share:
            due = time.monotonic() + pause_s
            self._timed(person.open, "/bills/call-detail/")
            self._timed(person.press, "Далее", file_format="csv")
            form = person.page.select_one("#picker")
            tick = person.page.select_one("input[name=tick]")["value"]
            data = [*fields(form), ("tick", tick), ("go", "submit")]
            began = time.monotonic()
            address = self._timed(person.post, form["action"], data)
            self.waits.append(time.monotonic() - began)
            assert "/orders/" in address
            keys.append(address.rpartition("/")[2])
            time.sleep(max(0, due - time.monotonic()))
        return keys

    def _timed(self, work, *args, **kwargs):
        began = time.monotonic()
        try:
            return work(*args, **kwargs)
        finally:
            self.longest = max(self.longest, time.monotonic() - began)

    @property
    def p99_ms(self):
        """Of the POSTs that order, with the order's page to which they lead."""
        return round(1000 * sorted(self.waits)[max(0, int(len(self.waits) * 0.99) - 1)])


def sent_once(site, keys):
    """Wait until all these orders are over; each has been mailed, and once. The seconds it took."""
    began = time.monotonic()

    def states():
        marks = ", ".join("?" * len(keys))
        return site.ask(f"SELECT state FROM customer_order WHERE key IN ({marks})", *keys)  # noqa: S608

    wait_for(lambda: {row[0] for row in states()} == {"sent"}, "all orders to be sent")
    took_s = time.monotonic() - began
    letters = site.letters()
    for key in keys:
        assert sum(count for name, count in letters.items() if f"<o{key}." in name) == 1
    return round(took_s, 1)


def readiness(site):
    """What /readyz says."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/readyz", timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def test_orders_placed_while_valkey_is_dead_are_accepted_and_sent(
    site, crowd, valkey, length, figure
):
    valkey.kill()
    began = time.monotonic()
    keys = crowd.order(length(short=12, long=200), over_s=length(short=3, long=58))
    assert readiness(site)["missing"]
    time.sleep(max(0, length(short=0, long=60) - (time.monotonic() - began)))
    valkey.start()
    figure("all sent, s after it is back", sent_once(site, keys))
    figure("POST p99, ms", crowd.p99_ms)
    assert len(keys) == len(set(keys)) == length(short=12, long=200)


def test_a_silent_valkey_holds_nobody_up(site, crowd, valkey, length, figure):
    valkey.stop()
    try:
        began = time.monotonic()
        keys = crowd.order(length(short=6, long=50), over_s=length(short=1, long=58))
        crowd._timed(readiness, site)
        time.sleep(max(0, length(short=0, long=60) - (time.monotonic() - began)))
    finally:
        valkey.go_on()
    figure("longest request, ms", round(1000 * crowd.longest))
    figure("all sent, s after it goes on", sent_once(site, keys))
    assert crowd.longest < HANGS_S


READ = {
    b"string": lambda connection, name: [connection.get(name)],
    b"hash": lambda connection, name: chained.from_iterable(connection.hgetall(name).items()),
    b"list": lambda connection, name: connection.lrange(name, 0, -1),
    b"set": lambda connection, name: connection.smembers(name),
    b"zset": lambda connection, name: connection.zrange(name, 0, -1),
    b"stream": lambda connection, name: [repr(connection.xrange(name)).encode()],
}


def contents(connection):
    """Every key and value that Redis holds, RQ's compressed ones unpacked."""
    for name in connection.scan_iter("*"):
        yield name
        for value in READ[connection.type(name)](connection, name):
            try:
                yield zlib.decompress(value)
            except zlib.error:
                yield value


def test_what_redis_holds_after_all_that_names_nobody(site, crowd, valkey, mail):
    """Jobs that went well, and one that was refused by the mail server."""
    mail.mode = "554"
    crowd.order(1)
    wait_for(lambda: site.states()["failed"], "an order to fail")
    mail.mode = "ok"
    sent_once(site, crowd.order(1))
    with valkey.connect() as connection:
        everything = list(contents(connection))
    assert any(b"jobs.orders.carry" in each for each in everything)
    for each in everything:
        assert b"@" not in each
        assert not re.search(rb"375\d{9}", each)
    (name,) = site.ask("SELECT name FROM client ORDER BY id LIMIT 1")[0]
    assert not any(name.encode() in each for each in everything)


def test_a_valkey_emptied_again_and_again_loses_and_doubles_nothing(
    site, crowd, valkey, length, figure
):
    is_over = threading.Event()

    def empty():
        while not is_over.wait(0.7):
            valkey.flush()

    emptying = threading.Thread(target=empty)
    emptying.start()
    try:
        keys = crowd.order(length(short=8, long=100))
    finally:
        is_over.set()
        emptying.join()
    valkey.flush()
    figure("all sent, s after the last one", sent_once(site, keys))
    wait_for(lambda: readiness(site)["status"] == "ready", "workers to be known again")


def test_workers_go_on_with_a_valkey_that_is_started_again_empty(
    site, crowd, valkey, length, figure
):
    for _ in range(length(short=1, long=5)):
        before = crowd.order(3)  # some of them at work
        valkey.restart_empty()
        began = time.monotonic()
        (key,) = crowd.order(1)
        sent_once(site, [key])
        figure("an order sent, s after the start", round(time.monotonic() - began, 1))
        sent_once(site, before)
    wait_for(lambda: readiness(site)["status"] == "ready", "workers to be known again")


def test_after_all_that_every_invariant_holds(site):
    site.verify()
