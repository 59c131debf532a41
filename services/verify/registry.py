"""The list of invariants, and running it. To add one: a function that yields a sentence for
each breach, with `@check` on it, in the module of its subject. It only reads.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from services.transactions import read_tx

SHOWN = 100  # breaches of one invariant


class Breach(NamedTuple):
    """One piece of data that breaks an invariant."""

    check: str
    detail: str


CHECKS: dict[str, Callable[[], Iterator[str]]] = {}


def check(function: Callable[[], Iterator[str]]) -> Callable[[], Iterator[str]]:
    """Take an invariant into the list; its name says what holds."""
    CHECKS[function.__name__] = function
    return function


def run() -> list[Breach]:
    """All breaches, the first hundred of each invariant, seen in one state of the data."""
    with read_tx():
        return [
            Breach(name, detail)
            for name, function in CHECKS.items()
            for detail in islice(function(), SHOWN)
        ]
