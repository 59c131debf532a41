"""`flask billing run`: the invoices of a month."""

import sys
from datetime import date, datetime

import click
from flask import current_app
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.formats import NBSP, format_money
from services import accounts, billing, clock, import_turns
from services.billing import Outcome
from texts import billing_failure_text, language

group = AppGroup("billing", help="Invoices.")


@group.command("run")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.option("--client", "account", help="One client's account number.  [default: everybody]")
@click.option("--dry-run", is_flag=True, help="Only tell what would be formed.")
@click.option("--no-mail", is_flag=True, help="Form them, but send no letters.")
@on_database
def run(
    month: datetime,
    account: str | None,
    dry_run: bool,  # noqa: FBT001 - options
    no_mail: bool,  # noqa: FBT001
) -> None:
    """Form the invoices of a month that has ended, for those who have none yet.

    Safe to repeat and to interrupt. Exit status 1 when a client could not be billed: each is named
    with the reason, and stops nobody else.
    """
    client = accounts.find_client(account) if account else None
    data_dir = current_app.config["CABINET"].data_dir
    with import_turns.one_at_a_time(data_dir, lambda: click.echo("Waiting for an import.")):
        done = billing.form_month(
            date(month.year, month.month, 1),
            client=client,
            dry_run=dry_run,
            mail=not no_mail,
            now=clock.now(),
            on_client=_tell,
        )
    click.echo(f"{done.formed} formed, {done.known} there already, {done.failed} not formed")
    if dry_run:
        click.echo("Nothing was stored.")
    if done.failed:
        sys.exit(1)


def _tell(outcome: Outcome) -> None:
    account = outcome.client.account_no
    if outcome.reason:
        with language("en"):
            reason = billing_failure_text(outcome.reason, outcome.count)
        click.echo(f"{account}: {reason}", err=True)
    elif outcome.content is not None and not outcome.is_known:
        total = format_money(outcome.content.total).replace(NBSP, "")
        click.echo(f"{account}: {outcome.content.number or 'no number yet'}, {total} BYN")
