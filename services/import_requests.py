"""What is asked of an import, what it found, and which exchange its file is of."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from domain.cdr.archives import Member
from domain.cdr.column_map import ColumnMap
from domain.cdr.dates import DateOrder
from domain.cdr.discovery import Candidates
from domain.cdr.record import Reject
from domain.errors import InvalidValue
from models import Client, Exchange, ImportRun

MAIN_EXCHANGE = "main"


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What to read and how to understand it."""

    path: Path
    zone: str
    format_name: str = "auto"
    exchange_name: str = ""  # empty: "main", whoever the client
    client: Client | None = None  # only this client's numbers
    discover: bool = False  # take the numbers of our side for that client's
    dry_run: bool = False
    dates: DateOrder | None = None  # of files whose dates can be read in two ways
    column_map: ColumnMap | None = None  # for the format "generic"
    member: Member | None = None  # of an archive; None: the one file there is
    force_zone: bool = False  # store even what contradicts the moments in the ids
    run: ImportRun | None = None  # the row of an uploaded file

    @property
    def name(self) -> str:
        """What the file is called in front of people."""
        inside = self.member.name if self.member else ""
        return f"{self.path}/{inside}" if inside else str(self.path)

    @property
    def options(self) -> str:
        """What the file's reading depends on beside format and zone, as a short text."""
        spoken = f"{self.dates or ''}|{self.column_map or ''}"
        return "" if spoken == "|" else hashlib.sha256(spoken.encode()).hexdigest()[:32]


@dataclass
class Outcome:
    """What was found in a file. `lines` is the sum of the five counts after `calls`."""

    file: str
    format: str = ""
    lines: int = 0
    calls: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    unmatched: int = 0
    skipped: int = 0
    waiting: int = 0  # of the unmatched: lines that tell half of a call
    first: int | None = None  # start of the first and last call, UTC epoch seconds
    last: int | None = None
    rejects: list[Reject] = field(default_factory=list)  # the first ten thousand
    our_side: list[str] = field(default_factory=list)  # numbers that discovery found
    discovered: list[str] = field(default_factory=list)  # those of them new to the client
    candidates: Candidates | None = None  # when nothing was found that is surely our side
    known_since: datetime | None = None  # when the same file was imported before
    resumed_at: int = 0  # lines that an interrupted import had done
    sha256: str = ""  # of what was read, packed or not
    zone_error_s: int = 0  # by how much the times lie after the ids: not 0 for a wrong zone

    @property
    def counts(self) -> dict[str, int]:
        """The fates of lines."""
        names = ("accepted", "duplicates", "rejected", "unmatched", "skipped")
        return {name: getattr(self, name) for name in names}


class ZoneChanged(InvalidValue):
    """The file is stored already, read in another zone; `values`: run, value (that zone)."""


class ZoneContradicted(InvalidValue):
    """The times contradict the moments in the calls' ids; `values`: error_s, by how much."""


def find_exchange(name: str, client: Client | None) -> Exchange:
    """The exchange called `name`, unsaved when it is new.

    A new one named with a client is that client's; one that is a client's stays so. Without a
    name it is one and the same for everybody, so that a file read for nobody in particular and
    once more for a client is one file, and its calls are stored once.
    """
    name = name or MAIN_EXCHANGE
    exchange = Exchange.get_or_none(Exchange.name == name)
    if exchange is None:
        return Exchange(name=name, client=None if name == MAIN_EXCHANGE else client)
    if client and exchange.client_id not in (None, client.id):
        raise InvalidValue(f"{name} is another client's", what="exchange", value=name)
    return exchange


def keep_exchange(name: str, client: Client | None) -> Exchange:
    """The same, stored; whoever makes it at the same moment makes the same one."""
    exchange = find_exchange(name, client)
    if exchange.id is not None:
        return exchange
    Exchange.insert(name=exchange.name, client=exchange.client_id).on_conflict_ignore().execute()
    return find_exchange(name, client)
