"""`flask worker`: carries orders until it is told to stop."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from redis.exceptions import RedisError

from jobs.worker import make_worker


@click.command("worker")
@with_appcontext
def command() -> None:
    """Make the files of due orders and mail them, one order at a time."""
    app = current_app._get_current_object()
    config = app.config["CABINET"]
    try:
        worker = make_worker(app, config)
        worker.work(logging_level="INFO")
    except RedisError as error:
        click.echo(f"Redis at {config.redis_url} does not answer: {error}", err=True)
        sys.exit(1)
