"""`flask mailbox`: the try-out mail server."""

import asyncio
import logging
import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from config import Config
from services import log, mailbox


@click.command("mailbox")
@with_appcontext
def command() -> None:
    """Keep every message sent to it as <data dir>/mail/000001.eml, on loopback only."""
    config: Config = current_app.config["CABINET"]
    folder = config.data_dir / "mail"
    log.set_up()
    notes = logging.getLogger(__name__)
    notes.info("keeping mail sent to %s:%s", mailbox.ADDRESS, config.mail_port)
    try:
        asyncio.run(mailbox.serve(folder, config.mail_port))
    except OSError as error:
        notes.error("cannot listen on port %s: %s", config.mail_port, error.strerror)
        sys.exit(1)
