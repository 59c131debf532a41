"""Values of a plan file, and how it is told where a mistake stands."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from domain.errors import InvalidValue
from domain.money import KOPECK, read_micros
from domain.rating.tariff import DAY_S

CLOCK = re.compile("[0-9]{1,2}:[0-9]{1,2}")
GREATEST = 10_000_000  # minutes of a package, and all that is less: a column holds its seconds


def price(told: object) -> int:
    """Micros of a price: nothing, or more."""
    micros = money(told)
    if micros < 0:
        raise bad(f"a price is not less than nothing: {told!r}")
    return micros


def money(told: object) -> int:
    """Micros."""
    if not isinstance(told, str):
        raise bad(f'money is written in quotes, as "0.0600", not {told!r}')
    return read_micros(told)


def kopecks(told: object) -> int:
    """Kopecks of a fee."""
    micros = money(told)
    if micros % KOPECK:
        raise bad(f"a fee has no parts of a kopeck: {told!r}")
    return micros // KOPECK


def whole(told: object, what: str) -> int:
    """A whole number, not below nothing."""
    if type(told) is not int or not 0 <= told <= GREATEST:
        raise bad(f"{what} is a whole number, not {told!r}")
    return told


def day(told: object) -> date | None:
    """A day, or none."""
    if told is None or type(told) is date:
        return told
    raise bad(f"a day is written as 2026-03-01, not {told!r}")


def flag(told: Mapping[str, Any], name: str) -> bool:
    """`true` or `false`, which it is unless told."""
    found = told.get(name, False)
    if type(found) is not bool:
        raise bad(f"{name} is true or false, not {found!r}")
    return found


def text(told: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text."""
    found = told.get(name, default)
    if not isinstance(found, str):
        raise bad(f"{name} is written in quotes, not {found!r}")
    return found


def texts(told: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, empty unless told."""
    found = told.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise bad(f'{name} is a list, as ["local"], not {found!r}')
    return found


def table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table in a table, empty unless told."""
    found = told.get(name, {})
    if not isinstance(found, Mapping):
        raise bad(f"{name} is a table, not {found!r}")
    return found


def clock(told: object) -> int:
    """Seconds of the day."""
    hours, _, minutes = str(told).partition(":")
    if not CLOCK.fullmatch(str(told)) or int(minutes) > 59:
        raise bad(f"a time is written as 18:00, not {told!r}")
    seconds = int(hours) * 3600 + int(minutes) * 60
    if seconds > DAY_S:
        raise bad(f"a day has 24 hours: {told!r}")
    return seconds


# --- What is wrong, and where ---------------------------------------------------------------------


def check_texts(told: object) -> None:
    """Refuse a NUL: no text of ours has one."""
    if isinstance(told, Mapping):
        told = [*told, *told.values()]
    if isinstance(told, list):
        for each in told:
            check_texts(each)
    elif isinstance(told, str) and "\0" in told:
        raise bad("a NUL in a text")


def bad(sentence: str) -> InvalidValue:
    """A mistake."""
    return InvalidValue(sentence, what="plan", value="")


def check_names(told: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse a name that means nothing."""
    if unknown := sorted(told.keys() - known):
        raise bad(f"{unknown[0]!r} means nothing; known: {', '.join(sorted(known))}")


def needed(told: Mapping[str, Any], name: str) -> Any:
    """A value that has to be there."""
    if name not in told:
        raise bad(f"it lacks {name!r}")
    return told[name]


@contextmanager
def within(place: str) -> Iterator[None]:
    """Put the place before what is wrong there."""
    try:
        yield
    except InvalidValue as error:
        raise bad(f"{place}: {error}") from error


def items(told: Mapping[str, Any], name: str, source: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The tables of `[[name]]`, each with its place in the file."""
    found = told.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise bad(f"{name} is a list of tables: [[{name}]]")
    head = re.compile(rf"\s*\[\[\s*{name}\s*\]\]")
    lines = [n for n, line in enumerate(source.splitlines(), 1) if head.match(line)]
    if len(lines) != len(found):  # written in another way: the line is not known
        return [(f"[[{name}]] {n}", item) for n, item in enumerate(found, 1)]
    return [
        (f"[[{name}]] {n}, line {line}", item)
        for n, (line, item) in enumerate(zip(lines, found, strict=True), 1)
    ]
