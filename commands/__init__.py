"""The `flask …` commands: thin, like views. One module per group, listed here."""

from flask import Flask

from commands import (
    backup,
    billing,
    call_centre,
    cdr_runs,
    client,
    demo,
    instalments,
    mailbox,
    money,
    rate,
    reconcile,
    routes,
    serve,
    subscriber,
    tariff,
    user,
    vat,
    verify,
    worker,
)
from commands import db as db_group

GROUPS = (
    db_group.group,
    client.group,
    subscriber.group,
    user.group,
    call_centre.group,
    cdr_runs.group,  # that of cdr.py, with all its commands
    tariff.group,
    rate.group,
    billing.group,
    vat.group,
    *money.GROUPS,
    instalments.group,
    backup.make,
    backup.restore,
    demo.command,
    verify.command,
    mailbox.command,
    reconcile.command,
    worker.command,
    serve.command,
    routes.command,
)


def init_app(app: Flask) -> None:
    """Add every group to `flask`."""
    for group in GROUPS:
        app.cli.add_command(group)
