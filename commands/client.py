"""`flask client add`: companies served by the operator."""

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from services import accounts, clock

group = AppGroup("client", help="Companies served by the operator.")


@group.command("add")
@click.argument("name")
@click.option("--account", required=True, help="Account number (лицевой счёт).")
@click.option("--unp", required=True, help="УНП, nine digits.")
@click.option("--email", required=True, help="Where invoices go.")
@click.option("--detail-email", help="Where call details go: the connection application's address.")
@on_database
def add(name: str, account: str, unp: str, email: str, detail_email: str | None) -> None:
    """Add a client by NAME."""
    client = accounts.add_client(
        name=name,
        account_no=account,
        unp=unp,
        invoice_email=email,
        detail_email=detail_email,
        now=clock.now(),
    )
    click.echo(f"client: {client.account_no}")
