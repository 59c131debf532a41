"""`flask db upgrade`: migrations."""

import click
from flask.cli import AppGroup

from models import db
from services import database

group = AppGroup("db", help="Tables of the database.")


@group.command("upgrade")
def upgrade() -> None:
    """Bring the tables up to date."""
    with db.connection_context():
        names = database.upgrade()
    click.echo(f"applied: {', '.join(names)}" if names else "up to date")
