"""`flask cdr runs|rollback`: what was read in, and taking it out again."""

import click
from flask import current_app

from commands.cdr import group
from commands.refusals import on_database
from models import ImportRun
from services import clock, import_turns, overview, rollback
from services.rollback import RolledBack


@group.command("runs")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many, newest first.",
)
@on_database
def runs(last: int) -> None:
    """The last imports with their ids, one a line."""
    for run in overview.last_imports(last):
        click.echo(_line(run))


def _line(run: ImportRun) -> str:
    names = ("accepted", "duplicates", "rejected", "unmatched", "skipped")
    counts = ", ".join(f"{name} {getattr(run, name)}" for name in names)
    client = f", client {run.client.account_no}" if run.client else ""
    started = clock.local(run.started_at)
    return (
        f"{run.id}  {started:%Y-%m-%d %H:%M}  {run.state}  {run.file_name}: {run.format}, "
        f"exchange {run.exchange.name}{client}, zone {run.zone}, {run.lines} lines: {counts}"
    )


@group.command("rollback")
@click.argument("run_id", metavar="RUN", type=int)
@on_database
def rollback_run(run_id: int) -> None:
    """Take the import RUN (`cdr runs` lists them) out again, as if its file had never been read.

    The cure for a file that was read in a wrong zone, or for another exchange's.
    """
    with import_turns.one_at_a_time(current_app.config["CABINET"].data_dir, _say_waiting):
        done = rollback.roll_back(rollback.find_run(run_id), now=clock.now())
    click.echo(
        f"rolled back {run_id}: {done.removed} calls removed, {done.changed} computed anew, "
        f"{done.unmatched} unmatched legs removed"
    )
    _say_repeated(done)


def _say_repeated(done: RolledBack) -> None:
    if done.repeated:
        files = ", ".join(f"{run.id} {run.file_name} ({run.duplicates})" for run in done.repeated)
        click.echo(
            f"later imports with repeated lines: {files}. What such a file told again went with "
            "the first: import it once more to bring it back."
        )


def _say_waiting() -> None:
    click.echo("another import is at work, waiting for its end", err=True)
