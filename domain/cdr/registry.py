"""The formats that are read: a new one is a module of its own and a line here."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Protocol

from domain.cdr.asterisk import ASTERISK_CSV, ASTERISK_CUSTOM
from domain.cdr.record import Leg, Reject, Skip
from domain.cdr.source import Source
from domain.errors import InvalidValue

CERTAIN_ENOUGH = 0.25  # share of a file's first records that must have a format's shape


class Format(Protocol):
    """A reader of one exchange's files."""

    name: str

    def recognises(self, source: Source) -> float:
        """How sure it is that the file is of this format, 0 to 1: by content, never by name."""
        ...

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per line (in XML and JSON: per record), in the order of the file."""
        ...


FORMATS: Mapping[str, Format] = {
    reader.name: reader
    for reader in (
        ASTERISK_CSV,
        ASTERISK_CUSTOM,
    )
}


class UnknownFormat(InvalidValue):
    """No reader knows the file, or there is no format of that name."""


def detect(source: Source) -> Format:
    """The format of a file; raises `UnknownFormat`."""
    best = max(FORMATS.values(), key=lambda reader: reader.recognises(source))
    if best.recognises(source) <= CERTAIN_ENOUGH:
        raise UnknownFormat("no known format", what="format", value="auto")
    return best


def find_format(name: str) -> Format:
    """The format called `name`; raises `UnknownFormat`."""
    if name not in FORMATS:
        raise UnknownFormat(f"no format {name!r}", what="format", value=name)
    return FORMATS[name]
