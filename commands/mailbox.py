"""`flask mailbox`: the try-out mail server."""

import asyncio
import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from config import Config
from services import mailbox


@click.command("mailbox")
@with_appcontext
def command() -> None:
    """Keep every message sent to it as <data dir>/mail/000001.eml, on loopback only."""
    config: Config = current_app.config["CABINET"]
    folder = config.data_dir / "mail"
    click.echo(f"keeping mail sent to {mailbox.ADDRESS}:{config.mail_port} in {folder}")
    try:
        asyncio.run(mailbox.serve(folder, config.mail_port))
    except OSError as error:
        click.echo(f"Cannot listen on port {config.mail_port}: {error.strerror}", err=True)
        sys.exit(1)
