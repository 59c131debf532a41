"""`flask rate`: what a call costs and why; `flask rate rerun`: prices of stored calls again."""

import json
from collections.abc import Iterator
from datetime import datetime

import click
from flask import current_app
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.rating.explanation import Explanation
from domain.rating.states import CallRating
from services import accounts, clock, import_turns, price_questions, rating, unrated
from services.unrated import Group

MONTH = click.DateTime(["%Y-%m"])
DAY = click.DateTime(["%Y-%m-%d", "%d.%m.%Y"])
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"])


@click.group("rate", cls=AppGroup, invoke_without_command=True)
@click.option("--plan", "plan_name", help="The tariff plan.")
@click.option("--number", help="The number that is called, however written.")
@click.option("--seconds", type=click.IntRange(min=0), help="The length of the talk.")
@click.option("--at", type=MOMENT, help="When it is answered.  [default: now]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def group(
    context: click.Context,
    plan_name: str | None,
    number: str | None,
    seconds: int | None,
    at: datetime | None,
    as_json: bool,  # noqa: FBT001 - an option
) -> None:
    """Tell what a call costs by a plan, and why: packages are left out of it."""
    if context.invoked_subcommand is not None:
        return
    if plan_name is None or number is None or seconds is None:
        raise click.UsageError("--plan, --number and --seconds are needed")
    _ask(plan_name, number, seconds, at, as_json=as_json)


@on_database
def _ask(plan_name: str, number: str, seconds: int, at: datetime | None, *, as_json: bool) -> None:
    moment = at.replace(tzinfo=clock.zone()) if at else clock.now()
    told = price_questions.ask(plan_name, number, seconds, moment)
    if told is None:
        raise click.ClickException(f"{plan_name} has no price for {number}: the call is unrated.")
    if as_json:
        click.echo(json.dumps(told.as_json(), ensure_ascii=False))
    else:
        click.echo("\n".join(_sentences(told)))


def _sentences(told: Explanation) -> Iterator[str]:
    yield f"{told.plan}, the version from {told.valid_from}"
    yield f"prefix {told.prefix or '(any)'}: {told.destination or '-'}, group {told.group or '-'}"
    yield f"{told.seconds} s talked, {told.billed_s} s paid"
    if told.connect_fee:
        yield f"  {told.connect_fee} for the connection"
    for part in told.parts:
        unit = "min" if part.per_s == 60 else f"{part.per_s} s"
        hours = f", {part.hours}" if part.hours else ""
        free = ", free" if part.is_free else ""
        yield (
            f"  from second {part.from_s}: {part.increments} x {part.increment_s} s"
            f" at {part.price}/{unit}{hours}{free} = {part.sum}"
        )
    if told.is_capped:
        yield "  no call costs more than this"
    yield f"rounded {told.rounding_mode.replace('_', ' ')} to {told.rounding_places} places"
    yield f"{told.price} without VAT, {told.vat} VAT {told.vat_percent} %, {told.total} in all"


@group.command("rerun")
@click.option("--from", "first", type=DAY, required=True, help="The first month, by any day of it.")
@click.option("--to", "last", type=DAY, help="The last one.  [default: this month]")
@click.option("--client", "account", help="One client's account number.  [default: everybody]")
@on_database
def rerun(first: datetime, last: datetime | None, account: str | None) -> None:
    """Price the calls of whole months again. Safe to repeat."""
    client = accounts.find_client(account) if account else None
    end = last.date() if last else clock.now().date()
    if end < first.date():
        raise click.UsageError("--to lies before --from")
    config = current_app.config["CABINET"]
    with import_turns.one_at_a_time(config.data_dir, lambda: click.echo("Waiting for an import.")):
        done = rating.rerun(first.date(), end, client=client)
    click.echo(f"{done.calls} calls, {done.changed} prices changed, {done.unrated} without a price")


@group.command("unrated")
@click.option("--month", type=MONTH, help="Of one month.  [default: of all]")
@click.option("--client", "account", help="One client's account number.  [default: everybody]")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@on_database
def list_unrated(
    month: datetime | None,
    account: str | None,
    as_json: bool,  # noqa: FBT001 - an option
) -> None:
    """Answered outgoing calls that have no price: they keep their clients' invoices back."""
    client = accounts.find_client(account) if account else None
    found = [_told(each) for each in unrated.groups(client=client, month=month and month.date())]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        click.echo("\t".join(map(str, row.values())))


def _told(group: Group) -> dict[str, object]:
    return {
        "month": f"{group.month:%Y-%m}",
        "account": group.client.account_no,
        "reason": CallRating(group.rating).name.lower() if group.rating else "not_looked_at",
        "destination": group.destination,
        "calls": group.calls,
        "seconds": group.seconds,
    }
