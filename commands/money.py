"""`flask payment`, `charge`, `discount`: what clients pay and owe beside their calls. Sums
are written as people write them: `1 234,56`.
"""

import sys
from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from commands.refusals import content_of, on_database
from domain.billing.methods import METHODS, TRANSFER
from domain.billing.vat import TELECOM
from domain.formats import NBSP, format_money, format_percent
from domain.money import read_kopecks
from services import accounts, clock, discounts, one_offs, payments, subscribers
from services.audit import By
from services.payments import Imported, StatementRefused
from texts import language, statement_mistake_text, stray_line_text

DAY = click.DateTime(["%Y-%m-%d", "%d.%m.%Y"])
SIGNED = {"ignore_unknown_options": True}  # so that -5 is a sum and no option

payment = AppGroup("payment", help="What clients have paid.")
charge = AppGroup("charge", help="What clients pay once.")
discount = AppGroup("discount", help="Discounts of clients.")
GROUPS = (payment, charge, discount)


def by_command() -> By:
    """Nobody that is known does it, now."""
    return By(now=clock.now())


def sum_text(kopecks: int) -> str:
    """A sum as commands print it."""
    return f"{format_money(kopecks).replace(NBSP, '')} BYN"


# --- Payments -------------------------------------------------------------------------------------


@payment.command("add", context_settings=SIGNED)
@click.argument("account")
@click.argument("amount", metavar="SUM")
@click.option("--on", "day", type=DAY, required=True, help="The day on which it was paid.")
@click.option("--document", default="", help="Number of the payment order.")
@click.option("--document-on", type=DAY, help="Date of the payment order.")
@click.option("--method", type=click.Choice(METHODS), default=TRANSFER, show_default=True)
@click.option("--note", default="", help="What it is for.")
@on_database
def add_payment(
    account: str,
    amount: str,
    day: datetime,
    document: str,
    document_on: datetime | None,
    method: str,
    note: str,
) -> None:
    """Put down that the client with ACCOUNT has paid SUM; less than nothing was given back."""
    client = accounts.find_client(account)
    added = payments.add(
        client,
        read_kopecks(amount),
        paid_on=day.date(),
        document_no=document,
        document_on=document_on.date() if document_on else None,
        method=method,
        purpose=note,
        by=by_command(),
    )
    owed = payments.balance(client).owed
    click.echo(
        f"payment {added.id}: {sum_text(added.amount)}; {client.account_no} owes {sum_text(owed)}"
    )


@payment.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what would be stored.")
@on_database
def import_payments(file: Path, dry_run: bool) -> None:  # noqa: FBT001 - an option
    """Read a bank's statement (CSV with titles). Safe to repeat.

    Exit status 1 when there is a payer that is no client, or may be several: each is listed, the
    others are stored. A file with a mistake in it is refused whole.
    """
    try:
        told = payments.import_statement(content_of(file), dry_run=dry_run, by=by_command())
    except StatementRefused as refused:
        with language("en"):
            for mistake in refused.mistakes:
                click.echo(f"line {mistake.line}: {statement_mistake_text(mistake)}", err=True)
        raise
    _tell(told)
    if dry_run:
        click.echo("Nothing was stored.")
    if told.stray:
        sys.exit(1)


def _tell(told: Imported) -> None:
    for client, line in told.taken:
        number = line.document_no or "-"
        click.echo(f"{client.account_no}\t{line.paid_on}\t{number}\t{sum_text(line.amount)}")
    for line, why in told.stray:
        payer = ", ".join(filter(None, (line.account, line.unp, line.payer))) or "–"
        with language("en"):
            reason = stray_line_text(why)
        click.echo(f"line {line.line}: {reason}: {payer}, {sum_text(line.amount)}", err=True)
    click.echo(
        f"{len(told.taken)} payments, {sum_text(told.total)}; {len(told.repeated)} there already,"
        f" {len(told.stray)} of unknown payers, {told.outgoing} outgoing"
    )


# --- Charges --------------------------------------------------------------------------------------


@charge.command("add", context_settings=SIGNED)
@click.argument("account")
@click.argument("amount", metavar="SUM")
@click.option("--name", required=True, help="What stands on the invoice.")
@click.option("--on", "day", type=DAY, help="Its day.  [default: today]")
@click.option("--service", default=TELECOM, show_default=True, help="telecom, goods: for the VAT.")
@click.option("--number", help="One number of the client.  [default: the client as a whole]")
@on_database
def add_charge(
    account: str, amount: str, name: str, day: datetime | None, service: str, number: str | None
) -> None:
    """Let the client with ACCOUNT pay SUM (without VAT) once."""
    client = accounts.find_client(account)
    added = one_offs.add(
        client,
        name,
        read_kopecks(amount),
        day=day.date() if day else clock.now().date(),
        service=service,
        subscriber=subscribers.find_subscriber(client, number) if number else None,
        by=by_command(),
    )
    click.echo(f"charge {added.id}: {sum_text(added.amount)} without VAT")


@charge.command("list")
@click.argument("account")
@on_database
def list_charges(account: str) -> None:
    """What the client with ACCOUNT pays once, the latest first."""
    for row in one_offs.of_client(accounts.find_client(account)):
        state = "on an invoice" if row.invoice_id else "open"
        click.echo(
            f"{row.id}\t{row.day}\t{sum_text(row.amount)}\t{row.service}\t{state}\t{row.name}"
        )


@charge.command("cancel")
@click.argument("account")
@click.argument("charge_id", metavar="ID", type=int)
@on_database
def cancel_charge(account: str, charge_id: int) -> None:
    """Call a charge off that stands on no invoice yet."""
    one_offs.cancel(accounts.find_client(account), charge_id, by=by_command())
    click.echo("Done.")


# --- Discounts ------------------------------------------------------------------------------------


@discount.command("add")
@click.argument("account")
@click.argument("percent")
@click.option("--name", required=True, help="What stands on the invoice.")
@click.option("--from", "first", type=DAY, required=True, help="Months that begin from this day on")
@click.option("--to", "last", type=DAY, help="… up to this one.  [default: no end]")
@on_database
def add_discount(
    account: str, percent: str, name: str, first: datetime, last: datetime | None
) -> None:
    """Give the client with ACCOUNT so many PERCENT less."""
    added = discounts.add(
        accounts.find_client(account),
        name,
        read_kopecks(percent.removesuffix("%")),
        valid_from=first.date(),
        valid_to=last and last.date(),
        by=by_command(),
    )
    click.echo(f"discount {added.id}: {format_percent(added.percent).replace(NBSP, ' ')}")


@discount.command("list")
@click.argument("account")
@on_database
def list_discounts(account: str) -> None:
    """Discounts of the client with ACCOUNT, the latest first."""
    for row in discounts.of_client(accounts.find_client(account)):
        percent = format_percent(row.percent).replace(NBSP, " ")
        click.echo(f"{row.id}\t{percent}\t{row.valid_from}\t{row.valid_to or '-'}\t{row.name}")


@discount.command("end")
@click.argument("account")
@click.argument("discount_id", metavar="ID", type=int)
@click.option("--on", "day", type=DAY, required=True, help="The last day.")
@on_database
def end_discount(account: str, discount_id: int, day: datetime) -> None:
    """Let a discount end; invoices that are there stay as they are."""
    discounts.end(accounts.find_client(account), discount_id, day.date(), by=by_command())
    click.echo("Done.")
