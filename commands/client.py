"""`flask client add|change`: companies served by the operator."""

from collections.abc import Callable
from datetime import datetime

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.languages import LANGUAGES
from services import accounts, clock

group = AppGroup("client", help="Companies served by the operator.")
DETAILS = (
    click.option("--contract-no", help="Number of the contract."),
    click.option(
        "--contract-date", type=click.DateTime(["%Y-%m-%d", "%d.%m.%Y"]), help="Its date."
    ),
    click.option("--address", help="The company's address."),
    click.option("--bank", help="The bank of its account, as bills name it."),
    click.option("--iban", help="The account's number; its check digits are looked at."),
    click.option("--bic", help="The bank's code."),
    click.option(
        "--download/--no-download",
        "may_download",
        default=None,
        help="Whether files can be fetched in the cabinet too.  [default: no]",
    ),
    click.option(
        "--hide-incoming/--show-incoming",
        "hide_incoming_peers",
        default=None,
        help="Whether reports hide the last 3 digits of who called.  [default: show]",
    ),
    click.option(
        "--language",
        type=click.Choice(LANGUAGES),
        help="Of letters to the company, and of people who have not chosen theirs.  [default: ru]",
    ),
)


def details(command: Callable[..., None]) -> Callable[..., None]:
    """Options that `add` and `change` share."""
    for option in reversed(DETAILS):
        command = option(command)
    return command


def _given(options: dict[str, object]) -> dict[str, object]:
    """Those options that were typed."""
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(day := given.get("contract_date"), datetime):
        given["contract_date"] = day.date()
    return given


@group.command("add")
@click.argument("name")
@click.option("--account", required=True, help="Account number (лицевой счёт).")
@click.option("--unp", required=True, help="УНП, nine digits.")
@click.option("--email", required=True, help="Where invoices go.")
@click.option(
    "--detail-email",
    help="Where call details go: the connection application's address.  [default: --email]",
)
@details
@on_database
def add(
    name: str, account: str, unp: str, email: str, detail_email: str | None, **more: object
) -> None:
    """Add a client by NAME."""
    client = accounts.add_client(
        name=name,
        account_no=account,
        unp=unp,
        invoice_email=email,
        detail_email=detail_email,
        now=clock.now(),
        **_given(more),
    )
    click.echo(f"client: {client.account_no}")


@group.command("change")
@click.argument("account")
@click.option("--name", help="The company's name.")
@click.option("--email", "invoice_email", help="Where invoices go.")
@click.option("--detail-email", help="Where call details go, of orders placed from now on.")
@details
@on_database
def change(account: str, **options: object) -> None:
    """Change what is given of the client with the account number ACCOUNT."""
    changes = _given(options)
    if not changes:
        raise click.UsageError("Nothing to change: give at least one option.")
    changed = accounts.change_client(accounts.find_client(account), now=clock.now(), **changes)
    words = ", ".join(name.replace("_", " ") for name in changed) or "nothing, it was so already"
    click.echo(f"changed: {words}")
