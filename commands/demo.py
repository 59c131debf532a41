"""`flask demo`: made-up clients and calls."""

import click

from commands.refusals import on_database
from domain.demo.population import Sizes
from services import clock
from services import demo as demo_service


@click.command("demo")
@click.option("--clients", type=click.IntRange(1, 5000), help="How many clients.")
@click.option("--subscribers", type=click.IntRange(1, 600_000), help="Numbers of them all.")
@click.option("--calls", type=click.IntRange(0), help="Calls in two months, about.")
@click.option("--seed", type=int, help="Another seed makes other people.")
@on_database
def command(**sizes: int | None) -> None:
    """Load the demo, or top it up to today. Repeating it changes nothing that is there.

    Without options: the demo as it was loaded first. With options that differ from that: one more
    set of clients beside it.
    """
    given = {name: value for name, value in sizes.items() if value is not None}
    outcomes = demo_service.ensure(now=clock.now(), sizes=Sizes(**given) if given else None)
    for outcome in outcomes:
        counts = ", ".join(f"{name} {count}" for name, count in outcome.counts.items())
        click.echo(f"{outcome.file}: {outcome.format}, {outcome.lines} lines, {counts}")
    if not outcomes:
        click.echo("the demo is up to date")
    for line in demo_service.sign_in_lines():
        click.echo(line)
