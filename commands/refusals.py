"""How commands say no: one sentence, and exit status 1 for a name in use or unknown, 2 for a bad
value.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from flask.cli import with_appcontext

from domain.errors import AlreadyExists, DomainError, NotFound
from models import db
from services import database
from services.import_turns import ImportsBusy
from texts import error_text, language

BUSY = "Call records are being read in, or invoices formed: try again in a minute."
P = ParamSpec("P")
R = TypeVar("R")


def on_database(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command with the settings at hand, the database open, its refusals as sentences."""

    @with_appcontext
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with refusals(), db.connection_context():
            check_tables()
            return command(*args, **kwargs)

    return run


def content_of(file: Path) -> bytes:
    """A file named on the command line; raises `NotFound`."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}", what="file", name=str(file)) from error


def check_tables() -> None:
    """Refuse to work on tables that migrations have still to change."""
    if not database.is_up_to_date():
        raise click.ClickException("The tables are not up to date: run `flask db upgrade`.")


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a rule's refusal into a sentence and an exit status."""
    try:
        yield
    except DomainError as error:
        with language("en"):  # like the rest of what commands print
            refusal = click.ClickException(error_text(error))
        refusal.exit_code = 1 if isinstance(error, AlreadyExists | NotFound) else 2
        raise refusal from error
    except ImportsBusy:
        raise click.ClickException(BUSY) from None
