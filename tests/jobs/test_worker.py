"""The worker's own part, on a real Valkey that goes away and forgets. Whole cabinets are in
tests/chaos.
"""

import threading
import time
from dataclasses import replace

import pytest
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from jobs.worker import AllowedJob, CabinetWorker, make_worker, wait_for_redis
from services import health, queue
from tests.chaos.valkey_server import ValkeyServer


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    yield server.start()
    server.clear()


@pytest.fixture
def on_valkey(config, valkey):
    """Settings of a cabinet that uses it."""
    return replace(config, REDIS_URL=valkey.url)


@pytest.fixture
def worker(app, on_valkey):
    """One that has reported for work."""
    worker = make_worker(app, on_valkey)
    worker.register_birth()
    with worker.connection as connection:
        yield worker
        connection.flushall()


def test_a_worker_listens_to_one_queue(worker):
    assert worker.queue_names() == [queue.QUEUE_NAME]


@pytest.mark.parametrize("names", [["orders", "imports"], ["imports"]])
def test_a_worker_of_other_queues_does_not_begin(app, valkey, names):
    with valkey.connect() as connection:
        queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in names]
        worker = CabinetWorker(queues, connection=connection, job_class=AllowedJob)
        worker.flask_app = app
        with pytest.raises(RuntimeError, match="a worker has one queue, orders"):
            worker.work(burst=True)
        assert not Worker.all(connection=connection)


def test_a_worker_is_known_again_to_a_redis_that_forgot_it(worker, on_valkey, valkey, base):
    assert "no worker is up" not in health.readiness(on_valkey, now=worker.last_heartbeat).missing
    valkey.flush()
    assert "no worker is up" in health.readiness(on_valkey, now=worker.last_heartbeat).missing
    worker.heartbeat()
    assert "no worker is up" not in health.readiness(on_valkey, now=worker.last_heartbeat).missing


def test_a_job_is_not_ended_because_redis_is_away(worker, valkey):
    job = worker.queues[0].enqueue(queue.CARRY_ORDER, 1)
    execution = worker.prepare_execution(job)
    worker.maintain_heartbeats(job, execution)
    valkey.kill()
    try:
        worker.maintain_heartbeats(job, execution)
    finally:
        valkey.start()


def test_a_worker_waits_for_a_redis_that_is_not_up_yet(on_valkey, valkey):
    valkey.kill()
    began, is_back = time.monotonic(), threading.Event()

    def start():
        time.sleep(0.3)
        is_back.set()
        valkey.start()

    starting = threading.Thread(target=start)
    starting.start()
    wait_for_redis(on_valkey)
    starting.join()
    assert is_back.is_set()
    assert time.monotonic() - began > 0.3
