"""`flask verify`: every invariant over the data."""

import json
import sys

import click

from commands.refusals import on_database
from services import database, verify


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@on_database
def command(*, as_json: bool) -> None:
    """Check every invariant over the data; exit status 1 on a breach."""
    breaches = verify.run()
    if as_json:
        found = [breach._asdict() for breach in breaches]
        click.echo(json.dumps({"ok": not breaches, "breaches": found}, ensure_ascii=False))
    else:
        for breach in breaches:
            click.echo(f"{breach.check.replace('_', ' ')}: {breach.detail}")
        click.echo(f"{len(verify.CHECKS)} invariants, {len(breaches)} breaches")
    if fault := database.sqlite_fault():
        click.echo(f"Note: {fault}", err=True)
    if breaches:
        sys.exit(1)
