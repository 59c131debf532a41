"""`flask backup` and `flask restore`: everything into one file, and back."""

import os
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from commands.refusals import check_tables
from models import db
from services import backup, clock, processes, restoring, usage, verify
from services.backup import CannotBackUp, Contents

MB = 1 << 20


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only look whether FILE is a whole backup.")
@with_appcontext
def make(file: Path, *, check: bool) -> None:
    """Write everything into the new FILE, while the cabinet runs or stands still.

    FILE holds everybody's calls and the secret: keep it as closely as the data dir.
    """
    os.umask(0o077)
    try:
        if check:
            contents = backup.check(file)
        else:
            with db.connection_context():
                check_tables()
                contents = backup.make(file.absolute(), now=clock.now())
    except CannotBackUp as error:
        raise click.ClickException(f"{error}.") from error
    click.echo(_told(file, contents))


@click.command("restore")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def restore(file: Path) -> None:
    """Put a backup into an empty data dir and an empty database, and run `flask verify`.

    Letters that were still to go when it was made are held until the operator sends them.
    """
    os.umask(0o077)
    data_dir = current_app.config["CABINET"].data_dir
    lock = processes.hold_lock(data_dir / "run.lock")
    if lock is None:
        raise click.ClickException(f"The cabinet runs on {data_dir}: stop it first.")
    try:
        with lock:
            contents, held = restoring.restore(file, now=clock.now())
            with db.connection_context():
                usage.make_if_missing()
                breaches = verify.run()
    except CannotBackUp as error:
        raise click.ClickException(f"Nothing was restored: {error}.") from error
    click.echo(_told(file, contents))
    click.echo(f"{held} letters held")
    for breach in breaches:
        click.echo(f"{breach.check.replace('_', ' ')}: {breach.detail}")
    click.echo(f"restored, {len(breaches)} breaches")
    if breaches:
        sys.exit(1)


def _told(file: Path, contents: Contents) -> str:
    size = f"{contents.size / MB:.1f} MB"
    return f"{file}: made {contents.made_at}, {len(contents.members)} files, {size}"
