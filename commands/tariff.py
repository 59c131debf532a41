"""`flask tariff import|publish|list|assign`: tariff plans."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.errors import InvalidValue
from services import clock, tariffs
from services.tariffs import DeckRefused, Difference
from texts import deck_mistake_text, language

group = AppGroup("tariff", help="Tariff plans.")
DAY = click.DateTime(["%Y-%m-%d", "%d.%m.%Y"])
PREFIXES_SHOWN = 20


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--plan", "plan_name", help="The plan's name.  [default: what a .toml file says]")
@click.option("--valid-from", type=DAY, help="Its first day.  [default: what a .toml file says]")
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option("--publish", is_flag=True, help="Let it price calls at once.")
@on_database
def import_tariff(
    file: Path,
    plan_name: str | None,
    valid_from: datetime | None,
    dry_run: bool,  # noqa: FBT001 - options
    publish: bool,  # noqa: FBT001
) -> None:
    """Read a rate deck (CSV) or a whole plan (.toml) into a draft.

    A draft prices nothing until it is published.
    """
    now = clock.now()
    try:
        told = tariffs.import_file(
            file,
            plan_name=plan_name,
            valid_from=valid_from and valid_from.date(),
            dry_run=dry_run,
            now=now,
        )
    except DeckRefused as refused:
        with language("en"):
            for mistake in refused.mistakes:
                click.echo(f"line {mistake.line}: {deck_mistake_text(mistake)}", err=True)
        raise
    except InvalidValue as error:
        refusal = click.ClickException(str(error))
        refusal.exit_code = 2
        raise refusal from error
    for title in told.ignored:
        click.echo(f"The column {title!r} means nothing here and was not read.")
    click.echo(f"{told.plan} from {told.valid_from}: {told.rates} prices.")
    _tell(told.difference)
    if dry_run:
        click.echo("Nothing was stored.")
    elif publish:
        tariffs.publish(told.plan, told.valid_from, now=now)
        click.echo("Published. Calls that are stored get their new prices by `flask rate rerun`.")
    else:
        click.echo(
            f"A draft. `flask tariff publish {told.plan!r} {told.valid_from}` puts it in force."
        )


def _tell(difference: Difference) -> None:
    if difference.against is None:
        click.echo("No version of this plan is in force on that day.")
        return
    click.echo(f"Against the version from {difference.against}:")
    for name in ("added", "changed", "removed"):
        prefixes = getattr(difference, name)
        shown = ", ".join(prefixes[:PREFIXES_SHOWN])
        more = f" and {len(prefixes) - PREFIXES_SHOWN} more" * (len(prefixes) > PREFIXES_SHOWN)
        click.echo(f"  {name} {len(prefixes)}{': ' * bool(shown)}{shown}{more}")


@group.command("publish")
@click.argument("plan_name", metavar="PLAN")
@click.argument("valid_from", type=DAY)
@on_database
def publish_tariff(plan_name: str, valid_from: datetime) -> None:
    """Put a draft in force from its day on."""
    tariffs.publish(plan_name, valid_from.date(), now=clock.now())
    click.echo("Published. Calls that are stored get their new prices by `flask rate rerun`.")


@group.command("list")
@on_database
def list_tariffs() -> None:
    """Every version of every plan."""
    for version in tariffs.versions():
        click.echo(f"{version.plan.name}\t{version.valid_from}\t{version.state}\t{version.source}")


@group.command("assign")
@click.argument("account")
@click.argument("plan_name", metavar="PLAN")
@click.option("--number", help="One number of the client.  [default: all without a choice]")
@click.option("--from", "valid_from", type=DAY, required=True, help="The first day.")
@on_database
def assign(account: str, plan_name: str, number: str | None, valid_from: datetime) -> None:
    """Give a client, or one of its numbers, a plan from a day on."""
    tariffs.assign(account, plan_name, number=number, valid_from=valid_from.date())
    click.echo("Done. Calls that are stored get their new prices by `flask rate rerun`.")
