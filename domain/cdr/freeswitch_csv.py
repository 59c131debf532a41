"""FreeSWITCH's mod_cdr_csv by the templates it comes with: example, snom, linksys and asterisk. It
escapes nothing; files that went through a spreadsheet have lost the seconds.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import NamedTuple

from domain.cdr import freeswitch
from domain.cdr.asterisk import NO_TIME, whole_seconds
from domain.cdr.broken_quotes import readings
from domain.cdr.dates import FileTimes, find_order, has_seconds, is_stamp
from domain.cdr.record import ROUNDING_S, Leg, Nonsense, Reject, Skip, Timing, check_timing, reject
from domain.cdr.source import Source

_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{4,}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class Template(NamedTuple):
    """Where the fields stand, counted from 0."""

    account: int
    caller: int
    context: int  # the called number stands before it
    start: int  # answer and end follow, then duration, billsec, cause
    uuid: int


_EXAMPLE = Template(account=12, caller=1, context=3, start=4, uuid=10)
_TEMPLATES: Mapping[int, Template] = {
    15: _EXAMPLE,
    17: _EXAMPLE,  # linksys
    20: _EXAMPLE,  # snom
    18: Template(account=0, caller=1, context=3, start=9, uuid=16),  # asterisk
}


class FreeswitchCsv:
    """A reader of mod_cdr_csv."""

    name = "freeswitch-csv"

    def recognises(self, source: Source) -> float:
        """The share of sample rows that have this shape, 0 to 1."""
        rows = [row for row in source.sample() if not _is_no_record(row)]
        return sum(map(_fits, rows)) / len(rows) if rows else 0.0

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per physical line. Raises `UnclearDates` at once."""
        order = source.dates or find_order(_stamps(source))
        return self._events(source, FileTimes(zone, order))

    def _events(self, source: Source, times: FileTimes) -> Iterator[Leg | Reject | Skip]:
        pairs = zip(source.rows(), source.lines(), strict=False)
        for line, (row, text) in enumerate(pairs, 1):
            if _is_no_record(row):
                yield Skip(line)
                continue
            mended = _mended(row, text, source.delimiter)
            try:
                yield _leg(mended, times)
            except ValueError as error:
                yield reject(line, mended, str(error))


def _is_no_record(row: list[str]) -> bool:
    """Blank, comment, or a header that somebody added."""
    return not any(row) or row[0].startswith("#") or {"uuid", "billsec"} <= {*map(str.lower, row)}


def _fits(row: list[str]) -> bool:
    """Whether a row has times, a cause and an id where a template puts them."""
    template = _TEMPLATES.get(len(row))
    if template is None:
        return False
    start, answer, end, *_counters, cause = row[template.start : template.start + 6]
    return (
        is_stamp(start)
        and all(is_stamp(text) or not text.strip() for text in (answer, end))
        and _CAUSE.fullmatch(cause.strip()) is not None
        and _UUID.fullmatch(row[template.uuid].strip()) is not None
    )


def _mended(row: list[str], text: str, delimiter: str) -> list[str]:
    if _fits(row):
        return row
    return next(filter(_fits, readings(text, delimiter)), row)


def _stamps(source: Source) -> Iterator[tuple[str, None]]:
    """The dates of a file: all of them, unless the first ones begin with the year."""
    sample = [row for row in source.sample() if _fits(row)]
    is_plain = all(row[_TEMPLATES[len(row)].start].strip()[:4].isdecimal() for row in sample)
    for row in sample if is_plain else source.rows():
        if _fits(row):
            yield row[_TEMPLATES[len(row)].start].strip(), None


def _leg(row: list[str], times: FileTimes) -> Leg:
    """The normal form of one row; raises `ValueError` with the reason."""
    template = _TEMPLATES.get(len(row))
    if template is None:
        raise Nonsense(f"{len(row)} columns instead of {', '.join(map(str, _TEMPLATES))}")
    row = [field.strip() for field in row]
    start, answer, end, duration, billsec, cause = row[template.start : template.start + 6]
    if not _CAUSE.fullmatch(cause):
        raise Nonsense("no cause of the end of the call")
    if not row[template.uuid]:
        raise Nonsense("no id")
    duration_s, billable_s = whole_seconds(duration), whole_seconds(billsec)
    talked = answer not in NO_TIME or bool(billable_s)
    disposition = freeswitch.disposition_of(cause, talked=talked)
    started_at = times.epoch(start)
    timing = _timing(times, (start, answer, end), (duration_s, billable_s), disposition)
    return freeswitch.make_leg(
        a_raw=row[template.caller],
        b_raw=row[template.context - 1],
        account=row[template.account].strip('"'),  # snom's template puts a blank before it
        context=row[template.context],
        uid=row[template.uuid],
        started_at=started_at,
        timing=timing,
        disposition=disposition,
    )


def _timing(
    times: FileTimes,
    stamps: tuple[str, str, str],
    counters: tuple[int | None, int | None],
    disposition: int,
) -> Timing:
    """Checked times. Stamps cut to the minute only have to be near what the counters say."""
    start, answer, end = stamps
    duration_s, billable_s = counters
    if end in NO_TIME:
        raise Nonsense("no end")
    started_at = times.epoch(start)
    ended_at = times.epoch(end, started_at + (duration_s or 0))
    answered_at = None
    if answer not in NO_TIME:
        answered_at = times.epoch(answer, ended_at - (billable_s or 0))
    if duration_s is None:
        duration_s = ended_at - started_at
    if billable_s is None:
        billable_s = 0 if answered_at is None else ended_at - answered_at
    is_cut = not has_seconds(start) or not has_seconds(end)
    if is_cut and abs(ended_at - started_at - duration_s) < 60 + ROUNDING_S:
        ended_at, answered_at = started_at + duration_s, None
    return check_timing(started_at, answered_at, ended_at, duration_s, billable_s, disposition)


FREESWITCH_CSV = FreeswitchCsv()
