"""Handing work to RQ. The tables are the truth; what is queued here is only a hint to look.

A hint that is lost costs nothing: the reconciler gives another. So a Redis that is down or hangs
must never hold up the person who orders: short timeouts, no retries, and a pause after a failure.
"""

import logging
import time

from flask import Flask, current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from config import Config

log = logging.getLogger(__name__)

QUEUE_NAME = "orders"
CARRY_ORDER = "jobs.orders.carry"  # these are the only paths a worker will run
READ_IMPORT = "jobs.imports.read"
FORM_INVOICES = "jobs.billing.form"
SEND_NOTICES = "jobs.notices.send"
PAUSE_AFTER_FAILURE_S = 10
_EXTENSION = "cabinet-queue"


class HintQueue:
    """Pushes hints, and remembers for a while that Redis did not answer."""

    def __init__(self, config: Config) -> None:
        connection = Redis.from_url(
            config.redis_url, socket_timeout=0.5, socket_connect_timeout=0.3, retry=None
        )
        self._job_timeout_s = config.JOB_TIMEOUT_S
        self._queue = Queue(QUEUE_NAME, connection=connection, serializer=JSONSerializer)
        self._silent_until = 0.0

    def hint(self, row_id: int, job: str = CARRY_ORDER) -> bool:
        """Wake a worker; False when Redis could not be told."""
        if time.monotonic() < self._silent_until:
            return False
        try:
            self._queue.enqueue_call(
                job,
                args=(row_id,),
                timeout=self._job_timeout_s,
                result_ttl=60,
                failure_ttl=86_400,
                description=job,  # RQ's own would repeat the arguments
                at_front=job == SEND_NOTICES,  # short, and somebody waits for their letter
            )
        except (RedisError, OSError) as error:
            self._silent_until = time.monotonic() + PAUSE_AFTER_FAILURE_S
            log.warning("no hint for %s %s: %s", job, row_id, type(error).__name__)
            return False
        return True

    def waiting(self) -> int | None:
        """Hints not taken yet; None when Redis does not answer."""
        try:
            return self._queue.count
        except (RedisError, OSError) as error:
            log.warning("Redis does not answer: %s", type(error).__name__)
            return None


def init_app(app: Flask, config: Config) -> None:
    """Prepare the queue; connects only when first used."""
    app.extensions[_EXTENSION] = HintQueue(config)


def hint(order_id: int) -> bool:
    """Wake a worker for an order that is due. Call it after the commit, never inside."""
    return current_app.extensions[_EXTENSION].hint(order_id)


def hint_import(run_id: int) -> bool:
    """Wake a worker for an import, as `hint` does for an order."""
    return current_app.extensions[_EXTENSION].hint(run_id, READ_IMPORT)


def hint_notices() -> bool:
    """Wake a worker for the letters that no order asked for, as `hint` does for an order."""
    return current_app.extensions[_EXTENSION].hint(0, SEND_NOTICES)


def hint_billing(request_id: int) -> bool:
    """Wake a worker for a month's invoices, as `hint` does for an order."""
    return current_app.extensions[_EXTENSION].hint(request_id, FORM_INVOICES)


def waiting() -> int | None:
    """Hints that no worker has taken yet; None when Redis does not answer."""
    return current_app.extensions[_EXTENSION].waiting()
