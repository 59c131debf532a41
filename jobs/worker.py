"""The RQ worker of the cabinet: a fresh connection for every job, an allow-list of jobs, and no
outage of Redis that it does not come back from by itself.
"""

import gc
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import TimeoutError as RedisSilent
from rq import Queue, Worker, worker_registration
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from config import Config
from domain.orders import Direction
from models import db
from services import call_detail_words, liveness, queue
from services.log import trace_text

ALLOWED_JOBS = frozenset(
    {queue.CARRY_ORDER, queue.READ_IMPORT, queue.FORM_INVOICES, queue.SEND_NOTICES}
)
BEAT_EVERY_S = 15  # of an idle worker: so soon it is known again to a Redis that forgot it
LOOK_AGAIN_S = 2  # at most, between two tries to reach a Redis that is gone

log = logging.getLogger(__name__)


class JobRefused(Exception):
    """Something in Redis asked for a function that is not a job of ours."""


class AllowedJob(Job):
    """A job that runs only what is on the list: whoever can write to Redis cannot run code.

    JSON alone does not do that: RQ imports whatever path stands in the job, callbacks included.
    """

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name not in ALLOWED_JOBS or self.instance is not None:
            raise JobRefused(self.func_name)
        return super().func

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None


class CabinetWorker(Worker):
    """Runs each job in a child with the application's context and a connection of its own."""

    flask_app: Flask
    max_connection_wait_time = LOOK_AGAIN_S  # RQ's own pauses grow to a minute

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        """Begin work. From two queues RQ takes jobs by BLPOP, which loses one in a crash."""
        if self.queue_names() != [queue.QUEUE_NAME]:
            raise RuntimeError(f"a worker has one queue, {queue.QUEUE_NAME}")
        warm_up(self.flask_app)
        super().bootstrap(*args, **kwargs)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """A sign of life; a Redis that was emptied is told anew who we are."""
        if pipeline is None and not self.connection.sismember(self.redis_workers_keys, self.key):
            with self.connection.pipeline() as whole:
                whole.hset(self.key, mapping=self.serialize())
                worker_registration.register(self, whole)
                whole.execute()
        super().heartbeat(timeout, pipeline)

    def maintain_heartbeats(self, *args: Any, **kwargs: Any) -> None:
        """While a job runs. It needs no Redis: one that is away is no reason to end it."""
        try:
            super().maintain_heartbeats(*args, **kwargs)
        except (RedisGone, RedisSilent) as error:
            log.warning("a job goes on without Redis: %s", type(error).__name__)

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:  # differs between RQ versions
        liveness.die_with_parent()
        db.dispose()  # nothing of the parent's connection crosses the fork
        with self.flask_app.app_context(), db.connection_context():
            return super().perform_job(*args, **kwargs)

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: Any = None,
        exc_string: str = "",
        **kwargs: Any,
    ) -> None:
        """RQ keeps the trace in Redis, with whatever the error's message repeats: keep its place
        and type.
        """
        error = sys.exc_info()[1]
        told = exc_string if error is None else trace_text(error)
        super().handle_job_failure(job, queue, started_job_registry, told, **kwargs)


def warm_up(app: Flask) -> None:
    """Load before the fork what each job would load anew: its code, templates and words."""
    for path in ALLOWED_JOBS:
        import_attribute(path)
    for name in app.jinja_env.list_templates(filter_func=lambda each: each.startswith("mail/")):
        app.jinja_env.get_template(name)
    call_detail_words.direction_text(Direction.OUT)  # any word: that loads the catalogue
    liveness.own_mark()  # knows this machine from then on
    gc.collect()
    gc.freeze()  # what is there now need not be looked through, nor copied, in any child


def wait_for_redis(config: Config) -> None:
    """Return when Redis answers. A worker that ended instead would be started again and again,
    after ever longer pauses.
    """
    connection = Redis.from_url(config.redis_url, socket_timeout=LOOK_AGAIN_S, retry=None)
    is_told = False
    with connection:
        while True:
            try:
                connection.ping()
            except (RedisGone, RedisSilent) as error:
                if not is_told:  # its kind, and not its address, which may hold a password
                    log.warning("Redis does not answer: %s", type(error).__name__)
                is_told = True
                time.sleep(LOOK_AGAIN_S / 2)
            else:
                return


def make_worker(app: Flask, config: Config) -> CabinetWorker:
    """A worker on the one queue: with two, RQ uses BLPOP, which loses jobs in a crash."""
    connection = Redis.from_url(config.redis_url)
    orders = Queue(queue.QUEUE_NAME, connection=connection, serializer=JSONSerializer)
    worker = CabinetWorker(
        [orders],
        connection=connection,
        job_class=AllowedJob,
        serializer=JSONSerializer,
        worker_ttl=BEAT_EVERY_S + 15,  # RQ wakes a quarter of a minute before it is over
        maintenance_interval=60,
        log_job_description=False,
    )
    worker.flask_app = app
    return worker
