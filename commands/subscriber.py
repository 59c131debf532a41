"""`flask subscriber add` and `end`: numbers of clients."""

from datetime import datetime, time

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.subscribers import NUMBER_PLAN
from services import accounts, clock, subscribers

DAY = click.DateTime(["%Y-%m-%d", "%d.%m.%Y"])
group = AppGroup("subscriber", help="Numbers of clients.")


@group.command("add")
@click.argument("account")
@click.argument("number")
@click.option("--name", default="", help="Ф.И.О.")
@click.option("--plan", default=NUMBER_PLAN, show_default=True, help="Plan of the number.")
@click.option("--connection", help="The client's «SIP-соединение» that the number belongs to.")
@click.option("--from", "first_day", type=DAY, help="First day; without it, it always was theirs.")
@on_database
def add(
    account: str,
    number: str,
    name: str,
    plan: str,
    connection: str | None,
    first_day: datetime | None,
) -> None:
    """Give the client with ACCOUNT a NUMBER, written in any way."""
    client = accounts.find_client(account)
    owner = subscribers.find_subscriber(client, connection) if connection else None
    added = subscribers.add_subscriber(
        client,
        number,
        full_name=name,
        plan=plan,
        connection=owner,
        valid_from=first_day and _midnight(first_day),
        now=clock.now(),
    )
    click.echo(f"{added.number} is a number of {client.name}")


@group.command("end")
@click.argument("account")
@click.argument("number")
@click.option(
    "--on", "day", type=DAY, help="First day on which it is not theirs; today if left out."
)
@on_database
def end(account: str, number: str, day: datetime | None) -> None:
    """Take NUMBER from the client with ACCOUNT: from that day on it may be somebody else's."""
    client = accounts.find_client(account)
    subscriber = subscribers.find_subscriber(client, number)
    at = _midnight(day or clock.now())
    subscribers.end_subscriber(subscriber, at, now=clock.now())
    click.echo(f"{subscriber.number} is not a number of {client.name} from {at:%Y-%m-%d} on")


def _midnight(day: datetime) -> datetime:
    """The first moment of a day in the operator's zone."""
    return datetime.combine(day.date(), time(), clock.zone())
