"""`flask billing`: the invoices of a month, and credit notes on them."""

import sys
from datetime import date, datetime

import click
from flask import current_app
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.formats import NBSP, format_money
from domain.money import read_kopecks
from services import accounts, billing, clock, corrections, import_turns, invoices
from services.audit import By
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


@group.command("correct")
@click.argument("number")
@click.option("--reason", required=True, help="Stands before the name of each line.")
@click.option("--all", "whole", is_flag=True, help="Give back all that is left of the invoice.")
@click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="N=SUM",
    help="Give back so much of line N, without VAT (of goods whose price holds it: with).",
)
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="PERCENT=SUM",
    help="Give back so much of the lines with that rate of VAT, without VAT, parted over them.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be given out.")
@click.option("--no-mail", is_flag=True, help="Send no letter.")
@on_database
def correct(
    number: str,
    reason: str,
    whole: bool,  # noqa: FBT001 - an option
    lines: tuple[str, ...],
    rates: tuple[str, ...],
    **more: bool,
) -> None:
    """Give out a credit note on the invoice with NUMBER."""
    if [whole, bool(lines), bool(rates)].count(True) != 1:
        raise click.UsageError("Name one of --all, --line and --rate.")
    invoice = invoices.find_by_number(number)
    sums = None if whole else _sums(lines)
    if rates:
        told = {rate * 100: amount for rate, amount in _sums(rates).items()}
        sums = corrections.parted(corrections.left_of(invoice), told)
    wanted = corrections.corrections_of(invoice, sums)
    if more["dry_run"]:
        plain = corrections.check_reason(reason)
        content = corrections.look(invoice, wanted, reason=plain, now=clock.now())
    else:
        by = By(now=clock.now())
        note = corrections.give(invoice, sums, reason=reason, mail=not more["no_mail"], by=by)
        content = invoices.content_of(note)
    for line in content.lines:
        click.echo(f"{line.corrects_line}\t{_money(line.net)}\t{line.name}")
    click.echo(f"{content.number or 'no number yet'}, {_money(content.total)} BYN")
    if more["dry_run"]:
        click.echo("Nothing was stored.")


def _sums(lines: tuple[str, ...]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for text in lines:
        line, _sign, amount = text.partition("=")
        if not (line.isascii() and line.isdigit()) or int(line) in sums:
            raise click.BadParameter(f"{text!r} is no N=SUM, or comes twice")
        sums[int(line)] = read_kopecks(amount)
    return sums


def _money(kopecks: int) -> str:
    return format_money(kopecks).replace(NBSP, "")


def _tell(outcome: Outcome) -> None:
    account = outcome.client.account_no
    if outcome.reason:
        with language("en"):
            reason = billing_failure_text(outcome.reason, outcome.count)
        click.echo(f"{account}: {reason}", err=True)
    elif outcome.content is not None and not outcome.is_known:
        total = format_money(outcome.content.total).replace(NBSP, "")
        click.echo(f"{account}: {outcome.content.number or 'no number yet'}, {total} BYN")
