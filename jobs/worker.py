"""The RQ worker of the cabinet: a fresh connection for every job, and an allow-list of jobs."""

import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from redis import Redis
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from config import Config
from models import db
from services import liveness, queue
from services.log import trace_text

ALLOWED_JOBS = frozenset({queue.CARRY_ORDER, queue.READ_IMPORT})


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


def make_worker(app: Flask, config: Config) -> CabinetWorker:
    """A worker on the one queue: with two, RQ uses BLPOP, which loses jobs in a crash."""
    connection = Redis.from_url(config.redis_url)
    orders = Queue(queue.QUEUE_NAME, connection=connection, serializer=JSONSerializer)
    worker = CabinetWorker(
        [orders],
        connection=connection,
        job_class=AllowedJob,
        serializer=JSONSerializer,
        worker_ttl=60,  # with the next one: how soon an abandoned job is noticed
        maintenance_interval=60,
        log_job_description=False,
    )
    worker.flask_app = app
    return worker
