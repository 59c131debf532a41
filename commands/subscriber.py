"""`flask subscriber add`: numbers of clients."""

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.subscribers import NUMBER_PLAN
from services import accounts, clock, subscribers

group = AppGroup("subscriber", help="Numbers of clients.")


@group.command("add")
@click.argument("account")
@click.argument("number")
@click.option("--name", default="", help="Ф.И.О.")
@click.option("--plan", default=NUMBER_PLAN, show_default=True, help="Plan of the number.")
@click.option("--connection", help="The client's «SIP-соединение» that the number belongs to.")
@on_database
def add(account: str, number: str, name: str, plan: str, connection: str | None) -> None:
    """Give the client with ACCOUNT a NUMBER, written in any way."""
    client = accounts.find_client(account)
    owner = subscribers.find_subscriber(client, connection) if connection else None
    added = subscribers.add_subscriber(
        client, number, full_name=name, plan=plan, connection=owner, now=clock.now()
    )
    click.echo(f"{added.number} is a number of {client.name}")
