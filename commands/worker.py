"""`flask worker`: carries orders until it is told to stop."""

import logging
import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from redis.exceptions import RedisError

from jobs.worker import make_worker, wait_for_redis
from services import log


@click.command("worker")
@with_appcontext
def command() -> None:
    """Make the files of due orders and mail them, one order at a time."""
    app = current_app._get_current_object()
    config = app.config["CABINET"]
    log.set_up()
    try:
        wait_for_redis(config)
        worker = make_worker(app, config)
        worker.work(logging_level="INFO")
    except RedisError as error:
        kind = type(error).__name__  # not its address, which may hold a password
        logging.getLogger(__name__).error("Redis does not answer: %s", kind)  # noqa: TRY400
        sys.exit(1)
