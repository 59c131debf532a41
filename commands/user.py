"""`flask user`: who may sign in, with which role and password, and who is signed in no longer."""

import sys

import click
from flask.cli import AppGroup

from commands.refusals import on_database
from domain.roles import Role
from services import accounts, clock, own_address, passwords, second_factor
from services.audit import By

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
@click.option("--email", default="", help="Their own address, for letters about their access.")
@password_stdin
@on_database
def add(
    *,
    login: str,
    account: str | None,
    is_operator: bool,
    role: str,
    full_name: str,
    email: str,
    password_stdin: bool,
) -> None:
    """Add a user with LOGIN and print the password.

    A client's administrator and accountant order and fetch call details, a viewer only looks. The
    operator's administrator does everything on the operator's pages, a clerk all but imports.
    """
    if is_operator == (account is not None):
        raise click.UsageError("Give either --client ACCOUNT or --operator.")
    chosen = _role(role, OPERATOR_ROLE_NAMES if is_operator else CLIENT_ROLE_NAMES)
    password = _read_password() if password_stdin else None
    client = accounts.find_client(account) if account is not None else None
    _user, password = accounts.add_user(
        login=login,
        role=chosen,
        client=client,
        password=password,
        full_name=full_name,
        email=email,
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


@group.command("change")
@click.argument("login")
@click.option("--role", help="As in `flask user add`.")
@click.option("--enable/--disable", "is_active", default=None, help="Whether they may sign in.")
@on_database
def change(login: str, *, role: str | None, is_active: bool | None) -> None:
    """Give LOGIN another role, shut that user out or let them in again: from their next click."""
    if role is None and is_active is None:
        raise click.UsageError("Nothing to change: give at least one option.")
    user = accounts.find_user(login)
    names = CLIENT_ROLE_NAMES if user.client_id else OPERATOR_ROLE_NAMES
    changed = accounts.change_user(
        user, role=role and _role(role, names), is_active=is_active, now=clock.now()
    )
    words = ", ".join({"is_active": "sign-in"}.get(name, name) for name in changed)
    click.echo(f"changed: {words or 'nothing, it was so already'}")


@group.command("sign-out")
@click.argument("login")
@on_database
def sign_out(login: str) -> None:
    """End all sessions of LOGIN, on whatever machine."""
    ended = accounts.end_sessions(accounts.find_user(login), now=clock.now())
    click.echo(f"sessions ended: {ended}")


@group.command("email")
@click.argument("login")
@click.argument("address")
@on_database
def email(login: str, address: str) -> None:
    """Name the own ADDRESS of LOGIN, to which letters about their access go. You vouch for it: no
    letter asks for a confirmation; the address before is told.
    """
    own_address.set_by_operator(accounts.find_user(login), address, now=clock.now())
    click.echo("changed")


@group.command("factor-off")
@click.argument("login")
@on_database
def factor_off(login: str) -> None:
    """Let LOGIN in without a code: telephone and recovery codes are lost. Ask who it is first."""
    was_there = second_factor.remove(accounts.find_user(login), by=By(now=clock.now()))
    click.echo("removed" if was_there else "there was none")


def _role(name: str, names: dict[str, Role]) -> Role:
    if name not in names:
        raise click.BadParameter(f"{name!r} is not one of {', '.join(names)}.", param_hint="--role")
    return names[name]


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
