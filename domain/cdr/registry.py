"""The formats that are read: a new one is a module of its own and a line here."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Protocol

from domain.cdr.asterisk import ASTERISK_CSV, ASTERISK_CUSTOM
from domain.cdr.asterisk_db import ASTERISK_DB
from domain.cdr.avaya_smdr import AVAYA_SMDR
from domain.cdr.broadworks_xml import BROADWORKS_XML
from domain.cdr.cucm import CUCM
from domain.cdr.freeswitch_csv import FREESWITCH_CSV
from domain.cdr.freeswitch_json import FREESWITCH_JSON
from domain.cdr.generic import GENERIC
from domain.cdr.grandstream_json import GRANDSTREAM_JSON
from domain.cdr.kamailio_acc import KAMAILIO_ACC
from domain.cdr.opensips_flat import OPENSIPS_FLAT
from domain.cdr.record import Half, Inner, Leg, Reject, Skip
from domain.cdr.source import Source
from domain.cdr.threecx import THREE_CX
from domain.cdr.yeastar_json import YEASTAR_JSON
from domain.errors import InvalidValue

CERTAIN_ENOUGH = 0.25  # share of a file's first records that must have a format's shape


class Format(Protocol):
    """A reader of one exchange's files."""

    name: str

    def recognises(self, source: Source) -> float:
        """How sure it is that the file is of this format, 0 to 1: by content, never by name."""
        ...

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Half | Inner | Reject | Skip]:
        """One event per line (in XML and JSON: per record), in the order of the file."""
        ...


FORMATS: Mapping[str, Format] = {
    reader.name: reader
    for reader in (
        ASTERISK_CSV,
        ASTERISK_CUSTOM,
        ASTERISK_DB,
        FREESWITCH_CSV,
        FREESWITCH_JSON,
        THREE_CX,
        CUCM,
        AVAYA_SMDR,
        BROADWORKS_XML,
        KAMAILIO_ACC,
        OPENSIPS_FLAT,
        YEASTAR_JSON,
        GRANDSTREAM_JSON,
        GENERIC,
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
