"""OpenSIPS (and OpenSER) accounting by db_flatstore: one event a line, fields parted by `|`."""

import re
from collections.abc import Iterator
from datetime import tzinfo
from itertools import islice

from domain.cdr.pairing import OpenHalves
from domain.cdr.record import Half, Leg, Nonsense, Reject, Skip
from domain.cdr.sip_events import METHODS, SipEvent, read_event, user_of
from domain.cdr.source import SAMPLE_ROWS, Source
from domain.cdr.times import read_epoch

# method, from tag, to tag, Call-ID, reply code, reason, epoch; then what the operator added
FIXED = 7
_CALLER = 8  # the usual additions: kind of account, caller, called
_EPOCH = re.compile(r"\d{9,10}", re.ASCII)
_NUMBER = re.compile(r"(?:sips?:|tel:|<).+|\+?\d{2,20}", re.ASCII | re.IGNORECASE)


class OpenSipsFlat:
    """A reader of flatstore files. Times are epochs, so that no zone is needed."""

    name = "opensips-flat"

    def recognises(self, source: Source) -> float:
        """The share of sample lines that are events, 0 to 1."""
        lines = (line.strip() for line in islice(source.head.splitlines(), SAMPLE_ROWS))
        rows = [line.split("|") for line in lines if line and not line.startswith("#")]
        return sum(map(_is_event, rows)) / len(rows) if rows else 0.0

    def read(self, source: Source, _zone: tzinfo) -> Iterator[Leg | Half | Reject | Skip]:
        """One event per physical line."""
        halves = OpenHalves()
        for line, text in enumerate(map(str.strip, source.lines()), 1):
            if not text or text.startswith("#"):
                yield Skip(line)
                continue
            row = [field.strip() for field in text.split("|")]
            try:
                yield read_event(_event(line, row), halves)
            except ValueError as error:
                yield Reject(line, str(error), row[:50])


def _is_event(row: list[str]) -> bool:
    return (
        len(row) >= FIXED
        and row[0].strip() in METHODS
        and _EPOCH.fullmatch(row[FIXED - 1].strip()) is not None
    )


def _event(line: int, row: list[str]) -> SipEvent:
    """One line; raises `Nonsense`."""
    if len(row) < FIXED:
        raise Nonsense(f"{len(row)} columns instead of {FIXED} or more")
    method, from_tag, to_tag, call_id, code = row[:5]
    account = row[FIXED] if len(row) > FIXED else ""
    tags = from_tag, to_tag
    return SipEvent(line, method, tags, call_id, code, read_epoch(row[6]), *_numbers(row), account)


def _numbers(row: list[str]) -> tuple[str, str]:
    """Caller and called: where they usually stand, else the first two that look like numbers."""
    usual = row[_CALLER : _CALLER + 2]
    if len(usual) == 2 and all(usual) and len(row) in (12, 13):
        return user_of(usual[0]), user_of(usual[1])
    found = [field for field in row[FIXED:] if _NUMBER.fullmatch(field)][:2]
    return (user_of(found[0]), user_of(found[1])) if len(found) == 2 else ("", "")


OPENSIPS_FLAT = OpenSipsFlat()
