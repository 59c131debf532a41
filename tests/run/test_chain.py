"""The whole chain on real processes: an order in the pages, a job, one letter; and the same with
each of its processes killed in between.
"""

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from itertools import chain as chained

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from domain.periods import month_start
from services import clock
from tests import smtp_sink
from tests.run.conftest import wait_for
from tests.run.person import Person, fields
from tests.smtp_sink import SmtpSink
from texts import month_text

PASSWORD = "chain-tests-2026"
DEMO = "100000000001"  # account of the client of the login `demo`
BY_MAIL = "SELECT key FROM customer_order WHERE kind = ? ORDER BY number"


@pytest.fixture(scope="module")
def sink():
    with SmtpSink() as server:
        yield server


@pytest.fixture(scope="module")
def chain(tmp_path_factory, sink):
    """A cabinet whose mail goes to a server that misbehaves on demand."""
    from tests.run.conftest import Cabinet  # noqa: PLC0415 - after the fixtures of its module

    cabinet = Cabinet(
        tmp_path_factory.mktemp("chain") / "var",
        DEMO_PASSWORD=PASSWORD,
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=sink.port,
        ORDERS_PER_HOUR=0,
        RECONCILE_EVERY_S=1,
        CLOSED_DAYS="",  # whatever day it is when the tests run
    ).start()
    yield cabinet
    cabinet.stop()
    cabinet.clear()


@pytest.fixture
def person(chain, sink):
    sink.mode = smtp_sink.OK
    someone = Person(f"http://127.0.0.1:{chain.port}")
    someone.sign_in("demo", PASSWORD)
    return someone


def to_second_step(person):
    person.open("/bills/call-detail/")
    person.press("Далее")


def order(person):
    """Order the first number; returns the key."""
    ticks = [box["value"] for box in person.page.select("input[name=tick]")]
    person.press("Сформировать детализацию", tick=ticks[:1])
    assert "будет выслана на адрес" in person.page.text
    return person.url.rpartition("/")[2]


def letters(sink, key):
    """Acknowledged letters of one order."""
    found = [message_from_bytes(each.content, policy=policy.default) for each in sink.accepted]
    return [letter for letter in found if key in letter["Message-ID"]]


def state(chain, key):
    return chain.query("SELECT state FROM customer_order WHERE key = ?", key)[0]


def wait_until_sent(chain, key):
    wait_for(lambda: state(chain, key) == "sent", f"order {key}")


def kill(chain, words):
    """kill -9 every process of the cabinet with `words` in its command line."""
    victims = chain.pids(words)
    assert victims, words
    chain.kill(*victims)


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


def test_an_order_becomes_one_letter(chain, sink, person):
    to_second_step(person)
    key = order(person)
    wait_until_sent(chain, key)
    assert len(letters(sink, key)) == 1


def test_a_bill_by_e_mail_and_by_a_link_are_the_same_bytes(chain, sink, person):
    months = [month_start(clock.now().date(), back) for back in (2, 1)]
    for month in months:
        run = chain.flask("billing", "run", f"{month:%Y-%m}", "--client", DEMO, "--no-mail")
        # The demo has brought the bills of the months that are over.
        assert run.communicate()[0].endswith("0 formed, 1 there already, 0 not formed\n")
    person.open("/")
    person.follow("Счета")
    person.follow("Заказать счет на E-mail")
    labels = {each.text: each["for"] for each in person.page.select("main label")}
    ticks = [person.page.find(id=labels[month_text(month)])["value"] for month in months]
    person.press("Заказать", documents=ticks)
    assert person.url.endswith("/orders/")
    keys = [key for (key,) in chain.ask(BY_MAIL, "invoice_email")]
    wait_for(lambda: all(letters(sink, key) for key in keys), "two letters")
    sent = [part.get_content() for key in keys for part in letters(sink, key)[0].iter_attachments()]
    assert len(sent) == len(months)

    person.follow("Загрузить счет по ссылке")
    person.press("Сформировать")  # the first on the page: that of the last month
    told = person.page.find(id="documents").text
    assert "дождитесь окончания процесса" in told or "Скачать" in told  # a worker may be as fast
    wait_for(lambda: state_of_kind(chain, "invoice_link") == "available", "the file")
    person.open("/bills/download/")
    (link,) = person.page.select("main a[download]")
    assert link.text == "Скачать"
    with person.fetch(link["href"]) as answer:
        fetched = answer.read()
    assert fetched == sent[1]
    assert hashlib.sha256(fetched).hexdigest() in person.page.text
    assert all(len(letters(sink, key)) == 1 for key in keys)


def state_of_kind(chain, kind):
    return chain.query("SELECT state FROM customer_order WHERE kind = ?", kind)[0]


def test_fifty_clicks_at_once_are_one_order_and_one_letter(chain, sink, person):
    to_second_step(person)
    form = person.page.select_one("#picker")
    tick = person.page.select_one("input[name=tick]")["value"]
    data = [*fields(form), ("tick", tick), ("go", "submit")]
    before = chain.query("SELECT count(*) FROM customer_order")[0]
    with ThreadPoolExecutor(50) as pool:
        addresses = set(pool.map(lambda _: person.post(form["action"], data), range(50)))
    (address,) = addresses
    assert chain.query("SELECT count(*) FROM customer_order")[0] == before + 1
    key = address.rpartition("/")[2]
    wait_until_sent(chain, key)
    assert len(letters(sink, key)) == 1


def test_fifty_clicks_in_two_tabs_are_one_order_of_one_of_them(chain, person):
    """Half of them with other ticks than the rest: no mixture of both becomes the order."""
    to_second_step(person)
    form = person.page.select_one("#picker")
    ticks = [box["value"] for box in person.page.select("input[name=tick]")]
    bodies = [[*fields(form), ("tick", tick), ("go", "submit")] for tick in ticks[:2]]
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(lambda n: person.post(form["action"], bodies[n % 2]), range(50))
        (address,) = set(answers)
    numbers = chain.ask(
        "SELECT s.subscriber_id FROM order_subscriber s JOIN customer_order o ON o.id = s.order_id"
        " WHERE o.key = ?",
        address.rpartition("/")[2],
    )
    assert len(numbers) == 1
    assert str(numbers[0][0]) in ticks[:2]


def test_a_killed_worker_costs_no_letter_and_makes_no_second_one(chain, sink, person):
    sink.mode = smtp_sink.HANG_BANNER
    to_second_step(person)
    key = order(person)
    wait_for(lambda: state(chain, key) == "sending", "the worker to be in the middle")
    kill(chain, "flask worker")
    sink.mode = smtp_sink.OK
    wait_until_sent(chain, key)
    assert len(letters(sink, key)) == 1


def test_an_order_placed_while_valkey_is_dead_is_carried_out(chain, sink, person):
    to_second_step(person)
    kill(chain, "valkey-server")
    key = order(person)
    wait_until_sent(chain, key)
    assert len(letters(sink, key)) == 1


def test_a_killed_web_server_comes_back_and_the_draft_is_still_there(chain, sink, person):
    to_second_step(person)
    before = person.page
    kill(chain, "granian")

    def is_back():
        try:
            return person.open(person.url)
        except OSError:
            return None

    wait_for(is_back, "the web server")
    assert before.select_one("h1").text == person.page.select_one("h1").text
    key = order(person)
    wait_until_sent(chain, key)
    assert len(letters(sink, key)) == 1


def test_what_is_put_into_redis_by_others_is_not_run(chain, tmp_path):
    """JSON alone would not help: RQ imports whatever path a job names."""
    witness = tmp_path / "witness"
    socket = chain.data_dir / "valkey" / "valkey.sock"
    with Redis(unix_socket_path=str(socket)) as connection:
        queue = Queue("orders", connection=connection, serializer=JSONSerializer)
        job = queue.enqueue("os.system", f"touch {witness}")
        wait_for(lambda: job.get_status(refresh=True) == "failed", "the job to be refused")
        everything = b"\n".join(contents(connection))
    assert not witness.exists()
    assert b"@" not in everything
    assert b"37517" not in everything


def test_after_all_that_every_invariant_holds(chain):
    process = chain.flask("verify", "--json")
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 0, output
