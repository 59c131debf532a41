"""`flask instalment`: goods that clients pay by and by."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from commands.money import DAY, SIGNED, by_command, sum_text
from commands.refusals import content_of, on_database
from domain.billing.instalments import PlanEnd
from domain.money import read_kopecks
from models_billing import Instalment, InstalmentPlan
from services import accounts, clock, instalment_files, instalments, subscribers
from services.instalment_files import Imported, PlansRefused
from services.instalments import Purchase
from texts import instalment_mistake_text, language

WAYS = {str(how).replace("_", "-"): how for how in PlanEnd}
group = AppGroup("instalment", help="Goods that clients pay by and by.")


@group.command("add", context_settings=SIGNED)
@click.argument("account")
@click.option("--contract", required=True, help="Number of the contract.")
@click.option("--goods", required=True, help="What is sold.")
@click.option("--serial", default="", help="Serial number, IMEI.")
@click.option("--price", required=True, help="With VAT.")
@click.option("--months", type=int, required=True, help="How many parts.")
@click.option("--from", "first", type=DAY, required=True, help="The day of the first part.")
@click.option("--first", "first_payment", default="0", help="Paid at once, on no invoice.")
@click.option("--number", help="One number of the client.  [default: the client as a whole]")
@click.option("--payer", type=click.Choice(instalments.PAYERS), default="client")
@on_database
def add_instalments(account: str, **told: object) -> None:
    """Let the client with ACCOUNT pay for goods month by month."""
    client = accounts.find_client(account)
    number = told["number"]
    plan = instalments.add(
        client,
        Purchase(
            contract_no=str(told["contract"]),
            goods=str(told["goods"]),
            serial_no=str(told["serial"]),
            price=read_kopecks(str(told["price"])),
            months=int(str(told["months"])),
            starts_on=told["first"].date(),
            first_payment=read_kopecks(str(told["first_payment"])),
            payer=str(told["payer"]),
            subscriber=subscribers.find_subscriber(client, str(number)) if number else None,
        ),
        by=by_command(),
    )
    for part in instalments.parts_of(plan):
        click.echo(f"{part.ordinal}\t{part.due_on}\t{sum_text(part.amount)}")


@group.command("list")
@click.argument("account")
@on_database
def list_instalments(account: str) -> None:
    """What the client with ACCOUNT pays by and by, part by part."""
    for plan in instalments.of_client(accounts.find_client(account)):
        cells = [plan.contract_no, plan.goods, sum_text(plan.price)]
        if plan.closed_on:
            cells.append(f"{plan.closed_as or 'closed'} {plan.closed_on}")
        click.echo("\t".join(cells))
        for part in instalments.parts_of(plan):
            state = _state(plan, part)
            click.echo(f"\t{part.ordinal}\t{part.due_on}\t{sum_text(part.amount)}\t{state}")


def _state(plan: InstalmentPlan, part: Instalment) -> str:
    if part.invoice_id:
        return "on an invoice"
    is_off = plan.closed_on and plan.closed_as != PlanEnd.REPAID
    if is_off and instalments.is_ahead(plan, part, plan.closed_on):
        return "called off"
    return "the employee's" if plan.payer == instalments.EMPLOYEE else "open"


@group.command("end")
@click.argument("account")
@click.argument("contract")
@click.option("--as", "how", type=click.Choice(list(WAYS)), required=True)
@click.option("--on", "day", type=DAY, help="Its last day.  [default: today]")
@on_database
def end_instalments(account: str, contract: str, how: str, day: datetime | None) -> None:
    """End a plan of the client with ACCOUNT: repaid, what stands on no invoice is one sum on the
    next one; called off, it is never billed. Invoices that are there stay as they are.
    """
    client = accounts.find_client(account)
    plan = instalments.find(client, contract)
    on = day.date() if day else clock.now().date()
    parts = instalments.end(client, plan.id, WAYS[how], on, by=by_command())
    total = sum_text(sum(part.amount for part in parts))
    fate = "never billed" if how != "repaid" else f"due {parts[0].due_on}"
    click.echo(f"{plan.contract_no}: {total} {fate}")


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what would be stored.")
@on_database
def import_instalments(file: Path, dry_run: bool) -> None:  # noqa: FBT001 - an option
    """Read many plans (CSV with titles). Safe to repeat: a contract of a client is one plan.

    Exit status 2 for a file with a mistake in it: each is listed, nothing is stored.
    """
    try:
        told = instalment_files.take(content_of(file), dry_run=dry_run, by=by_command())
    except PlansRefused as refused:
        with language("en"):
            for mistake in refused.mistakes:
                click.echo(f"line {mistake.line}: {instalment_mistake_text(mistake)}", err=True)
        raise
    _tell(told)
    if dry_run:
        click.echo("Nothing was stored.")


def _tell(told: Imported) -> None:
    for client, purchase in told.added:
        cells = (client.account_no, purchase.contract_no, f"{purchase.months}")
        click.echo("\t".join((*cells, sum_text(purchase.price))))
    total = sum_text(sum(purchase.price for _client, purchase in told.added))
    click.echo(f"{len(told.added)} added, {total}; {told.known} known already")
