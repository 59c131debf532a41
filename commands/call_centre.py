"""`flask call-centre add`, `remove`, `list` and `hours`: the numbers in the service, and when it
works. The operator keeps both.
"""

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.call_centre import MemberKind, read_hours
from services import accounts, call_centre, clock, subscribers

group = AppGroup("call-centre", help="Numbers and hours of clients' call centres.")


@group.command("add")
@click.argument("account")
@click.argument("number")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in MemberKind]),
    default=MemberKind.EMPLOYEE.value,
    show_default=True,
    help="A number that customers call, or an employee's.",
)
@click.option("--group", "group_name", default="", help="Group of employees.")
@on_database
def add(account: str, number: str, kind: str, group_name: str) -> None:
    """Put NUMBER of the client with ACCOUNT into the call centre."""
    client = accounts.find_client(account)
    subscriber = subscribers.find_subscriber(client, number)
    call_centre.add(client, subscriber, MemberKind(kind), group_name, now=clock.now())
    click.echo(f"{subscriber.number} is in the call centre of {client.name}")


@group.command("remove")
@click.argument("account")
@click.argument("number")
@on_database
def remove(account: str, number: str) -> None:
    """Take NUMBER out of the call centre of the client with ACCOUNT."""
    client = accounts.find_client(account)
    subscriber = subscribers.find_subscriber(client, number)
    call_centre.remove(client, subscriber, now=clock.now())
    click.echo(f"{subscriber.number} is not in the call centre of {client.name}")


@group.command("list")
@click.argument("account")
@on_database
def show(account: str) -> None:
    """The numbers in the call centre of the client with ACCOUNT: number, kind, group, name."""
    for member in call_centre.members_of(accounts.find_client(account)):
        row = member.subscriber
        click.echo(f"{row.number}\t{member.kind}\t{member.group}\t{row.full_name}")


@group.command("hours")
@click.argument("account")
@click.argument("hours")
@click.option("--holidays", is_flag=True, help="State holidays are worked as other days are.")
@on_database
def hours_of(account: str, hours: str, *, holidays: bool) -> None:
    """Working HOURS of the call centre, as "1-5 9:00-18:00; 6 10:00-15:00" (1 is Monday), in
    steps of half an hour.
    """
    client = accounts.find_client(account)
    wanted = read_hours(hours, works_on_holidays=holidays)
    call_centre.set_hours(client, wanted, now=clock.now())
    click.echo(f"hours set for {client.name}")
