"""`flask user add` and `flask user password`: who may sign in."""

import sys

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.roles import Role
from services import accounts, clock, passwords

group = AppGroup("user", help="People who sign in.")
CLIENT_ROLE_NAMES = {
    "administrator": Role.CLIENT_ADMINISTRATOR,
    "accountant": Role.ACCOUNTANT,
    "viewer": Role.VIEWER,
}
OPERATOR_ROLE_NAMES = {"administrator": Role.OPERATOR_ADMINISTRATOR, "clerk": Role.CLERK}
password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Take the password from the first line of the input."
)


@group.command("add")
@click.argument("login")
@click.option("--client", "account", help="Account number of the client the user belongs to.")
@click.option("--operator", "is_operator", is_flag=True, help="One of the operator's own people.")
@click.option(
    "--role",
    required=True,
    help="With --client: administrator, accountant or viewer; with --operator: administrator or "
    "clerk.",
)
@click.option("--name", "full_name", default="", help="The person's name, shown on the pages.")
@password_stdin
@on_database
def add(
    *,
    login: str,
    account: str | None,
    is_operator: bool,
    role: str,
    full_name: str,
    password_stdin: bool,
) -> None:
    """Add a user with LOGIN and print the password.

    A client's administrator and accountant order and fetch call details, a viewer only looks. The
    operator's administrator does everything on the operator's pages, a clerk all but imports.
    """
    if is_operator == (account is not None):
        raise click.UsageError("Give either --client ACCOUNT or --operator.")
    names = OPERATOR_ROLE_NAMES if is_operator else CLIENT_ROLE_NAMES
    if role not in names:
        raise click.BadParameter(f"{role!r} is not one of {', '.join(names)}.", param_hint="--role")
    password = _read_password() if password_stdin else None
    client = accounts.find_client(account) if account is not None else None
    _user, password = accounts.add_user(
        login=login,
        role=names[role],
        client=client,
        password=password,
        full_name=full_name,
        now=clock.now(),
    )
    _show(password, given=password_stdin)


@group.command("password")
@click.argument("login")
@password_stdin
@on_database
def password(login: str, *, password_stdin: bool) -> None:
    """Give LOGIN a new password, print it, and end all sessions of that user."""
    user = accounts.find_user(login)
    given = _read_password() if password_stdin else None
    _show(accounts.set_password(user, password=given, now=clock.now()), given=password_stdin)


def _read_password() -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not passwords.MIN_LENGTH <= len(line) <= passwords.MAX_LENGTH:
        raise click.BadParameter(
            f"from {passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters are needed.",
            param_hint="--password-stdin",
        )
    return line


def _show(password: str, *, given: bool) -> None:
    if not given:  # whoever typed it knows it
        click.echo(f"password: {password}")
