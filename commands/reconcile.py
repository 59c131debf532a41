"""`flask reconcile`: wakes workers for what is due, and clears away what is over."""

import logging
import signal
import sys
import time

import click
from flask import current_app
from flask.cli import with_appcontext

from commands.refusals import check_tables, refusals
from models import db
from services import clock, log, reconcile
from services.reconcile import Round


@click.command("reconcile")
@click.option("--once", is_flag=True, help="One round, then stop.")
@with_appcontext
def command(*, once: bool) -> None:
    """Look after the orders: due ones are hinted to the workers, dead workers' ones are freed."""
    pause_s = current_app.config["CABINET"].RECONCILE_EVERY_S
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    with refusals(), db.connection_context():
        check_tables()
    if not once:
        log.set_up()
    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        with db.connection_context():
            result = reconcile.tick(now=clock.now())
        if once:
            click.echo(_sentence(result))
        elif result.any():
            logging.getLogger(__name__).info(_sentence(result))
        if once:
            sys.exit(1 if result.failed else 0)
        deadline = time.monotonic() + pause_s
        while not stopping and time.monotonic() < deadline:
            time.sleep(0.2)


def _sentence(done: Round) -> str:
    """What a round did, in words."""
    return (
        f"released {done.released} orders of dead workers, hinted {done.hinted} pieces of work, "
        f"removed {done.removed} files past their time, purged {done.purged} other leftovers, "
        f"made {done.months} months of calls ahead"
        + (f"; {done.failed} parts failed, the log above says why" if done.failed else "")
    )
