"""The `flask …` commands: thin, like views. One module per group, listed here."""

from flask import Flask

from commands import db as db_group
from commands import mailbox, reconcile, worker

GROUPS = (db_group.group, mailbox.command, reconcile.command, worker.command)


def init_app(app: Flask) -> None:
    """Add every group to `flask`."""
    for group in GROUPS:
        app.cli.add_command(group)
