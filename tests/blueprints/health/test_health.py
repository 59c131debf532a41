"""What machines are told about us. With workers that really work: tests/run."""

import os
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis
from rq import Queue, Worker
from rq.utils import now, utcformat

from models import db
from services import demo, queue, valkey
from tests.run.conftest import wait_for


@pytest.fixture(scope="module")
def socket(tmp_path_factory):
    """A Valkey as the cabinet starts it."""
    socket = tmp_path_factory.mktemp("valkey") / "valkey.sock"
    part = valkey.part(socket)
    with subprocess.Popen(  # noqa: S603
        part.command, stdout=subprocess.DEVNULL, pass_fds=part.pass_fds
    ) as process:
        wait_for(lambda: valkey.answers(socket), "Valkey")
        yield socket
        process.kill()  # it has nothing to save
    os.close(part.pass_fds[0])


@pytest.fixture
def redis(socket):
    """A connection to it, which has forgotten the test before."""
    with Redis(unix_socket_path=str(socket)) as connection:
        connection.flushdb()
        yield connection
        connection.config_set("maxmemory-policy", "noeviction")
        connection.config_set("appendonly", "yes")


@pytest.fixture
def site(app, config, anonymous, redis, socket, monkeypatch):
    """A cabinet with its demo loaded, on that Valkey, and no worker."""
    monkeypatch.setitem(app.config, "CABINET", replace(config, REDIS_URL=f"unix://{socket}"))
    monkeypatch.setattr(demo, "is_loaded", lambda: True)
    return anonymous.client


@pytest.fixture
def worker(redis):
    """A worker that has reported for work."""
    worker = Worker([Queue(queue.QUEUE_NAME, connection=redis)], connection=redis)
    worker.register_birth()
    return worker


def test_a_process_that_answers_lives(site):
    assert site.get("/healthz").status_code == 200


def test_without_a_worker_it_is_not_ready(site):
    answer = site.get("/readyz")
    assert (answer.status_code, answer.json["missing"]) == (503, ["no worker is up"])


def test_with_a_worker_it_is_ready(site, worker):
    answer = site.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")


def test_a_worker_that_has_been_silent_does_not_count(site, worker, redis):
    redis.hset(worker.key, "last_heartbeat", utcformat(now() - timedelta(minutes=5)))
    assert site.get("/readyz").json["missing"] == ["no worker is up"]


def test_without_redis_it_is_not_ready_but_lives(app, config, site, tmp_path, monkeypatch):
    nowhere = replace(config, REDIS_URL=f"unix://{tmp_path}/none.sock")
    monkeypatch.setitem(app.config, "CABINET", nowhere)
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert "Redis does not answer" in answer.json["missing"][0]
    assert site.get("/healthz").status_code == 200


def test_before_the_demo_is_loaded_it_is_not_ready(app, config, site, worker, socket, monkeypatch):
    monkeypatch.setattr(demo, "is_loaded", lambda: False)
    assert site.get("/readyz").json["missing"] == ["the demo is not loaded: flask demo"]
    real = replace(config, REDIS_URL=f"unix://{socket}", DEMO=False)
    monkeypatch.setitem(app.config, "CABINET", real)
    assert site.get("/readyz").status_code == 200


def test_with_a_migration_to_run_it_is_not_ready(site, worker, base):
    db.execute_sql("DELETE FROM schema_migration")
    answer = site.get("/readyz")
    assert (answer.status_code, len(answer.json["missing"])) == (503, 1)
    assert "flask db upgrade" in answer.json["missing"][0]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy is allkeys-lru"),
        ("appendonly", "no", "appendonly is off"),
    ],
)
def test_a_redis_that_may_lose_jobs_is_said(site, worker, redis, setting, value, said):
    redis.config_set(setting, value)
    answer = site.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert said in answer.json["degraded"][0]
