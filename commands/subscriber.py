"""`flask subscriber add`, `change`, `import` and `end`: numbers of clients."""

from datetime import datetime, time
from pathlib import Path

import click
from flask.cli import AppGroup

from commands.refusals import content_of, on_database
from domain.subscriber_file import MISTAKES_SHOWN
from domain.subscribers import NUMBER_PLAN, SubscriberStatus
from models import Subscriber
from services import accounts, clock, subscriber_changes, subscriber_import, subscribers
from services.audit import By
from services.subscriber_changes import SubscriberChanges
from services.subscriber_import import SubscribersRefused
from texts import language, subscriber_mistake_text

DAY = click.DateTime(["%Y-%m-%d", "%d.%m.%Y"])
group = AppGroup("subscriber", help="Numbers of clients.")


@group.command("add")
@click.argument("account")
@click.argument("number")
@click.option("--name", default="", help="Ф.И.О.")
@click.option("--plan", help=f"Plan of the number.  [default: {NUMBER_PLAN}]")
@click.option("--connection", help="The client's «SIP-соединение» that the number belongs to.")
@click.option("--from", "first_day", type=DAY, help="First day; without it, it always was theirs.")
@on_database
def add(
    account: str,
    number: str,
    name: str,
    plan: str | None,
    connection: str | None,
    first_day: datetime | None,
) -> None:
    """Give the client with ACCOUNT a NUMBER, written in any way. One that was taken from that
    client comes back as if it had not been, unless another client has had it since.
    """
    client = accounts.find_client(account)
    owner = subscribers.find_subscriber(client, connection) if connection else None
    start = first_day and _midnight(first_day)
    if ended := subscriber_changes.find_ended(client, number):
        _give_back(ended, name, plan, owner, start)
        return
    added = subscribers.add_subscriber(
        client,
        number,
        full_name=name,
        plan=plan or NUMBER_PLAN,
        connection=owner,
        valid_from=start,
        now=clock.now(),
    )
    click.echo(f"{added.number} is a number of {client.name}")


def _give_back(
    ended: Subscriber,
    name: str,
    plan: str | None,
    connection: Subscriber | None,
    start: datetime | None,
) -> None:
    if plan and plan != ended.plan:
        raise click.UsageError(
            f"{ended.number} comes back with its plan, {ended.plan}; another one from a day on:"
            " `flask tariff assign`."
        )
    changes: SubscriberChanges = {}
    if name:
        changes["full_name"] = name
    if connection:
        changes["connection"] = connection
    by = By(now=clock.now())
    since = subscriber_changes.reopen_subscriber(ended, first_day=start, by=by, **changes)
    click.echo(
        f"{ended.number} is a number of {ended.client.name} again, as if it had not ended on"
        f" {clock.local(since):%Y-%m-%d}: calls and fees since then are theirs. Calls that were"
        " kept without an owner are matched by `flask cdr rematch`."
    )


@group.command("change")
@click.argument("number")
@click.option("--client", "account", help="Account of the client, when several have the number.")
@click.option("--name", help="Ф.И.О.")
@click.option("--connection", help="«SIP-соединение» that it belongs to, or `none`.")
@click.option(
    "--status",
    type=click.Choice([status.value for status in SubscriberStatus]),
    help="What is shown; a closed number is still the client's until `flask subscriber end`.",
)
@click.option("--reason", help="«Причина статуса»; who becomes active without one has none.")
@on_database
def change(number: str, account: str | None, connection: str | None, **options: str | None) -> None:
    """Change what is given of NUMBER. (Its plan: `flask tariff assign`.)"""
    names = {"name": "full_name", "status": "status", "reason": "status_reason"}
    changes = {names[name]: value for name, value in options.items() if value is not None}
    if not changes and connection is None:
        raise click.UsageError("Nothing to change: give at least one option.")
    subscriber = _one_of(number, account)
    if connection is not None:
        changes["connection"] = (
            None
            if connection.casefold() == "none"
            else subscribers.find_subscriber(subscriber.client, connection)
        )
    by = By(now=clock.now())
    changed = subscriber_changes.change_subscriber(subscriber, by=by, **changes)
    words = ", ".join(name.replace("_", " ") for name in changed) or "nothing, it was so already"
    click.echo(f"changed: {words}")


def _one_of(number: str, account: str | None) -> Subscriber:
    if account:
        return subscribers.find_subscriber(accounts.find_client(account), number)
    held = subscribers.held_by(number)
    if len(held) > 1:
        owners = ", ".join(row.client.account_no for row in held)
        raise click.UsageError(f"Several clients have {number}: give --client ({owners}).")
    return held[0]


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--client", "account", required=True, help="Whose numbers they are.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be stored.")
@on_database
def import_numbers(file: Path, account: str, dry_run: bool) -> None:  # noqa: FBT001 - an option
    """Add the numbers of a CSV FILE that are new, change what differs. Titles: number (номер), name
    (Ф.И.О.), connection (соединение), status (статус), reason (причина статуса). An empty cell
    leaves what is held, `-` empties it. Safe to repeat; a file with a mistake is refused whole.
    """
    client = accounts.find_client(account)
    content = content_of(file)
    try:
        by = By(now=clock.now())
        told = subscriber_import.import_subscribers(client, content, dry_run=dry_run, by=by)
    except SubscribersRefused as refused:
        with language("en"):
            for mistake in refused.mistakes[:MISTAKES_SHOWN]:
                click.echo(f"line {mistake.line}: {subscriber_mistake_text(mistake)}", err=True)
        raise
    if told.ignored:
        click.echo(f"columns not read: {', '.join(told.ignored)}")
    for new in told.added:
        click.echo("\t".join(filter(None, ("added", new.number, new.full_name))))
    for number, names in told.changed:
        click.echo(f"changed\t{number}\t{', '.join(names).replace('_', ' ')}")
    click.echo(f"{len(told.added)} added, {len(told.changed)} changed, {told.same} as they were")
    if dry_run:
        click.echo("Nothing was stored.")


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
