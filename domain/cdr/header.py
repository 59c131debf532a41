"""Files whose first line names the columns: which delimiter they have, and where each column is."""

from collections.abc import Iterable
from typing import NamedTuple

from domain.cdr.asterisk import EMPTY
from domain.cdr.source import DELIMITERS, Source

NEAR_TOP = 5  # lines among which the header is looked for


class Header(NamedTuple):
    """The columns of a file by their names in small letters."""

    delimiter: str
    columns: dict[str, int]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def value(self, row: list[str], *names: str) -> str:
        """The first of these columns that is there and not empty, else ""."""
        for name in names:
            at = self.columns.get(name)
            if at is not None and at < len(row) and (text := row[at].strip()):
                return text if text not in EMPTY else ""
        return ""


def find_header(source: Source, needed: Iterable[Iterable[str]]) -> Header | None:
    """The header that has a column of each group of names, or None."""
    groups = [set(group) for group in needed]
    for delimiter in DELIMITERS:
        for row in source.sample(delimiter)[:NEAR_TOP]:
            names = names_of(row)
            if all(group & names.keys() for group in groups):
                return Header(delimiter, names)
    return None


def names_of(row: list[str]) -> dict[str, int]:
    """Positions by name; of a name that comes twice the first."""
    names = [field.strip().strip("\ufeff'\"").lower() for field in row]
    return {name: at for at, name in reversed(list(enumerate(names))) if name}
