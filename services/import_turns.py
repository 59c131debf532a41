"""Whose turn it is to change call records: imports, rollbacks and copies never meet."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.transactions import hold_everywhere

IMPORT_LOCK = 0x5349_5002  # of PostgreSQL's advisory locks


class ImportsBusy(Exception):
    """Another process changes call records; raised for those who do not wait."""


def do_not_wait() -> None:
    """For `one_at_a_time`: raise `ImportsBusy` where others would wait."""
    raise ImportsBusy


@contextmanager
def one_at_a_time(data_dir: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the right to change call records, on this machine and on others with the same database.
    It is given back when a process dies, so whatever is found half done by the next holder is
    nobody's.
    """
    with (data_dir / "imports.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        with hold_everywhere(IMPORT_LOCK, waiting):
            yield
