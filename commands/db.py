"""`flask db upgrade|copy`: migrations, and moving to another database."""

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from commands.refusals import on_database
from models import db
from services import clock, database, import_turns, moving, processes, usage

group = AppGroup("db", help="Tables of the database.")


@group.command("upgrade")
def upgrade() -> None:
    """Bring the tables up to date."""
    with db.connection_context():
        names = database.upgrade()
        usage.make_if_missing()
    click.echo(f"applied: {', '.join(names)}" if names else "up to date")


@group.command("copy")
@click.argument("url")
@on_database
def copy(url: str) -> None:
    """Copy all data into the empty database at URL: postgresql://… or sqlite:////path.

    All of it or nothing: after a failure the target holds empty tables, and the command can be
    repeated. The cabinet must stand still, and goes on using its present database until
    CABINET_DATABASE_URL names the other.
    """
    data_dir = current_app.config["CABINET"].data_dir
    lock = processes.hold_lock(data_dir / "run.lock")
    if lock is None:
        raise click.ClickException(
            f"The cabinet runs on {data_dir}: stop it first, or what is written meanwhile is lost."
        )
    try:
        with lock, import_turns.one_at_a_time(data_dir), moving.opened(url) as target:
            counts = moving.copy_all(target, now=clock.now(), on_table=_say_table)
            breaches = moving.breaches_in(target)
    except moving.CannotCopy as error:
        raise click.ClickException(f"Nothing was copied: {error}.") from error
    for breach in breaches:
        click.echo(f"{breach.check.replace('_', ' ')}: {breach.detail}")
    click.echo(f"{sum(counts.values())} rows copied and counted, {len(breaches)} breaches")
    if breaches:
        sys.exit(1)


def _say_table(name: str, count: int) -> None:
    click.echo(f"{name}: {count}")
