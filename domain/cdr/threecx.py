"""3CX's call history: 27 columns, with a header or without. The rows come in no order."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from domain.cdr.dates import FileTimes, find_order, is_stamp
from domain.cdr.ids import ContentIds
from domain.cdr.legs import leg_of
from domain.cdr.record import (
    Disposition,
    Leg,
    Nonsense,
    Reject,
    Skip,
    check_timing,
    reject,
    stable_hash,
)
from domain.cdr.source import Source
from domain.cdr.times import uid_epoch
from domain.msisdn import normalise

COLUMNS = (
    *("historyid", "callid", "duration", "time_start", "time_answered", "time_end"),
    *("reason_terminated", "from_no", "to_no", "from_dn", "to_dn", "dial_no", "reason_changed"),
    *("final_number", "final_dn", "bill_code", "bill_rate", "bill_cost", "bill_name", "chain"),
    *("from_type", "to_type", "final_type", "from_dispname", "to_dispname", "final_dispname"),
    "missed_queue_calls",
)
_USUAL = {name: place for place, name in enumerate(COLUMNS)}
_NEEDED = {"callid", "time_start", "time_answered", "time_end", "from_no", "to_no"}
_OUTSIDE = "external"


class ThreeCx:
    """A reader of 3CX's call history."""

    name = "3cx"

    def recognises(self, source: Source) -> float:
        """The share of sample rows that have this shape, 0 to 1."""
        rows = source.sample()
        columns = _columns_of(rows)
        rows = [row for row in rows if not _is_no_record(row)]
        if not rows:
            return 1.0 if columns is not _USUAL else 0.0
        return sum(_fits(row, columns) for row in rows) / len(rows)

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per physical line. Raises `UnclearDates` at once."""
        columns = _columns_of(source.sample())
        order = source.dates or find_order(_stamps(source, columns))
        return _events(source, columns, FileTimes(zone, order))


def _columns_of(sample: list[list[str]]) -> Mapping[str, int]:
    """Places of the columns: by the header, without one the usual ones."""
    for row in sample[:5]:
        names = {title.strip().lower(): place for place, title in enumerate(row)}
        if names.keys() >= _NEEDED:
            return names
    return _USUAL


def _width(columns: Mapping[str, int]) -> int:
    """How many fields a row must have; a header may name a column twice, or leave names out."""
    return max(columns.values()) + 1


def _is_no_record(row: list[str]) -> bool:
    """Blank, comment or header."""
    return not any(row) or row[0].startswith("#") or {"callid", "time_start"} <= _names(row)


def _names(row: list[str]) -> set[str]:
    return {title.strip().lower() for title in row}


def _fits(row: list[str], columns: Mapping[str, int]) -> bool:
    """Whether a row has its times and kinds of parties where they belong."""
    if len(row) < _width(columns):
        return False
    kinds = [row[columns[name]] for name in ("from_type", "to_type") if name in columns]
    return (
        is_stamp(row[columns["time_start"]])
        and is_stamp(row[columns["time_end"]])
        and (is_stamp(row[columns["time_answered"]]) or not row[columns["time_answered"]].strip())
        and all(kind.isalpha() for kind in kinds)
    )


def _stamps(source: Source, columns: Mapping[str, int]) -> Iterator[tuple[str, int | None]]:
    """The dates of a file with the moments in the calls' ids."""
    sample = [row for row in source.sample() if _fits(row, columns)]
    is_plain = all(row[columns["time_start"]].strip()[:4].isdecimal() for row in sample)
    for row in sample if is_plain else source.rows():
        if _fits(row, columns):
            made_at = uid_epoch(row[columns["callid"]].strip())
            yield row[columns["time_start"]].strip(), made_at


def _events(
    source: Source, columns: Mapping[str, int], times: FileTimes
) -> Iterator[Leg | Reject | Skip]:
    ids, width = ContentIds(), _width(columns)
    for line, row in enumerate(source.rows(), 1):
        if _is_no_record(row):
            yield Skip(line)
        elif len(row) < width:
            yield reject(line, row, f"{len(row)} columns instead of {width}")
        else:
            try:
                yield _leg(_Record(row, columns), times, ids)
            except ValueError as error:
                yield reject(line, row, str(error))


class _Record:
    """One row by the names of its columns."""

    def __init__(self, row: list[str], columns: Mapping[str, int]) -> None:
        self._row, self._columns = row, columns

    def __getitem__(self, name: str) -> str:
        place = self._columns.get(name)
        return "" if place is None else self._row[place].strip()

    def is_outside(self, side: str) -> bool:
        """Whether the calling ("from") or the called ("to") party is no part of the exchange."""
        kind = self[f"{side}_type"].lower()
        return kind == _OUTSIDE if kind else not self[f"{side}_no"].startswith("Ext.")

    def number(self, side: str) -> str:
        return self[f"{side}_no"].removeprefix("Ext.")

    def device(self, side: str, number: str) -> str:
        """The extension, or the trunk: a call that got no trunk bears the number in its place."""
        trunk = self[f"{side}_dn"]
        if self.is_outside(side):
            return "" if trunk in (number, self.number(side)) else trunk
        return number


def _leg(record: _Record, times: FileTimes, ids: ContentIds) -> Leg:
    """The normal form of one row; raises `ValueError` with the reason."""
    a_raw, b_raw = record.number("from"), record.number("to")
    if record.is_outside("to"):
        b_raw = record["dial_no"] or b_raw
    answer, end = record["time_answered"], record["time_end"]
    if not end:
        raise Nonsense("no end")
    started_at = times.start(record["time_start"], record["callid"])
    ended_at = times.epoch(end, started_at)
    if ended_at < started_at:
        raise Nonsense("end before start")
    answered_at = times.epoch(answer, started_at) if answer else None
    if answered_at is not None and answered_at > ended_at:
        raise Nonsense("answer outside the call")
    billable_s = 0 if answered_at is None else ended_at - answered_at
    disposition = _disposition(record["reason_terminated"], answered=bool(answer))
    timing = check_timing(
        started_at, answered_at, ended_at, ended_at - started_at, billable_s, disposition
    )
    a_number, b_number = normalise(a_raw), normalise(b_raw)
    uid = record["callid"] or ids.of(started_at, a_number, b_number, timing, disposition)
    return leg_of(
        uid=uid,
        leg=stable_hash(started_at, b_number, int(disposition), timing.billable_s),
        started_at=started_at,
        timing=timing,
        disposition=disposition,
        a_raw=a_raw,
        b_raw=b_raw,
        a_endpoint=record.device("from", a_raw),
        b_endpoint=record.device("to", b_raw),
    )


def _disposition(reason: str, *, answered: bool) -> Disposition:
    """Answered if there was an answer; else the reason says why not."""
    if answered:
        return Disposition.ANSWERED
    reason = reason.lower()
    if "busy" in reason:
        return Disposition.BUSY
    if "cancel" in reason or reason == "terminatedbysrc":
        return Disposition.CANCELLED
    if "answer" in reason or not reason.startswith("failed"):
        return Disposition.NO_ANSWER
    return Disposition.FAILED


THREE_CX = ThreeCx()
