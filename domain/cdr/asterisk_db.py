"""Exports of Asterisk's cdr table: by FreePBX, Elastix, MySQL clients and reports of a few columns,
with a header or without.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import NamedTuple

from domain.cdr.asterisk import (
    DISPOSITIONS,
    EMPTY,
    NO_TIME,
    Told,
    far_end,
    is_inner,
    make_leg,
    whole_seconds,
)
from domain.cdr.broken_quotes import readings
from domain.cdr.dates import FileTimes, find_order, has_seconds, is_stamp
from domain.cdr.ids import ContentIds
from domain.cdr.record import Inner, Leg, Nonsense, Reject, Skip, Timing, check_timing, reject
from domain.cdr.source import Source
from domain.cdr.times import uid_epoch

_TITLES: Mapping[str, str] = {
    "calldate": "start",
    "start": "start",
    "answer": "answer",
    "end": "end",
    "src": "src",
    "dst": "dst",
    "dcontext": "context",
    "channel": "channel",
    "dstchannel": "dstchannel",
    "lastapp": "application",
    "duration": "duration",
    "billsec": "billsec",
    "disposition": "disposition",
    "accountcode": "account",
    "uniqueid": "uniqueid",
    "linkedid": "linkedid",
}
_NEEDED = {"start", "src", "dst", "billsec", "disposition"}
_LESS_SURE = 0.9  # of a header that other formats have too
_HEADER_WITHIN = 5  # rows


class Columns(NamedTuple):
    """Where the fields stand in a row of `width`, counted from 0; None: not there."""

    width: int
    start: int
    src: int
    dst: int
    billsec: int
    disposition: int
    duration: int | None = None
    answer: int | None = None
    end: int | None = None
    context: int | None = None
    channel: int | None = None
    dstchannel: int | None = None
    application: int | None = None
    account: int | None = None
    uniqueid: int | None = None
    linkedid: int | None = None

    def fit(self, row: list[str]) -> bool:
        """Whether a row has a time, a way to end and seconds where they belong."""
        return (
            len(row) >= self.width
            and not any(row[self.width :])
            and is_stamp(row[self.start])
            and row[self.disposition].strip().upper() in DISPOSITIONS
            and row[self.billsec].strip().isdecimal()
            and (self.duration is None or row[self.duration].strip().isdecimal())
        )


_DATE_FIRST = Columns(
    12,
    start=0,
    src=2,
    dst=3,
    context=4,
    channel=5,
    dstchannel=6,
    application=7,
    duration=9,
    billsec=10,
    disposition=11,
)  # then amaflags, accountcode, uniqueid, userfield and what FreePBX adds
_MYSQL = Columns(
    26,
    start=10,
    src=3,
    dst=4,
    context=5,
    channel=6,
    dstchannel=7,
    application=8,
    duration=11,
    billsec=12,
    disposition=14,
    account=16,
    uniqueid=17,
    linkedid=19,
)
_REDUCED = Columns(6, start=0, src=1, dst=2, duration=3, billsec=4, disposition=5)


def _without_header(width: int) -> tuple[Columns, ...]:
    """What rows of `width` without titles can be."""
    found = []
    if width in (6, 7):
        found.append(_REDUCED._replace(width=width))
    if width >= 12:
        ids = {"account": 13, "uniqueid": 14} if width > 14 else {}
        linked = {"linkedid": 23} if width == 26 else {}
        found.append(_DATE_FIRST._replace(width=width, **ids, **linked))
    if width == 26:
        found.append(_MYSQL)
    return tuple(found)


def _by_header(row: list[str]) -> Columns | None:
    """The columns that a row of titles names, None if it is no such row."""
    places: dict[str, int] = {}
    for place, title in enumerate(row):
        name = _TITLES.get(title.strip().strip("`").lower())
        if name:
            places.setdefault(name, place)
    if not places.keys() >= _NEEDED:
        return None
    width = max(place for place, title in enumerate(row, 1) if title.strip())
    return Columns(width=width, **places)


class AsteriskDb:
    """A reader of exports of the cdr table. Columns are found by their titles, without titles by
    what stands in them.
    """

    name = "asterisk-db"

    def recognises(self, source: Source) -> float:
        """The share of sample rows that have this shape, 0 to 1."""
        rows = source.sample()
        columns = _columns_of(rows)
        if columns is None:
            return 0.0
        rows = [row for row in rows if _by_header(row) is None and not row[0].startswith("#")]
        share = sum(map(columns.fit, rows)) / len(rows) if rows else 0.5
        titles = {
            title.strip().lower() for row in source.sample()[:_HEADER_WITHIN] for title in row
        }
        return share * (_LESS_SURE if "start" in titles else 1)

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip | Inner]:
        """One event per physical line. Raises `UnclearDates` at once."""
        columns = _columns_of(source.sample())
        if columns is None:
            columns = _REDUCED
        order = source.dates or find_order(_stamps(source, columns))
        return _Reading(columns, FileTimes(zone, order), source.delimiter).events(source)


def _columns_of(sample: list[list[str]]) -> Columns | None:
    """The columns of a file: of its header, else those that most rows fit."""
    for row in sample[:_HEADER_WITHIN]:
        if columns := _by_header(row):
            return columns
    fits = Counter(
        columns for row in sample for columns in _without_header(len(row)) if columns.fit(row)
    )
    return fits.most_common(1)[0][0] if fits else None


def _stamps(source: Source, columns: Columns) -> Iterator[tuple[str, int | None]]:
    """The dates of a file with the moments in the ids. Where the first ones begin with the year,
    they are enough: the others would be rejected.
    """
    sample = [row for row in source.sample() if len(row) > columns.start]
    dates = [row[columns.start].strip() for row in sample if is_stamp(row[columns.start])]
    is_plain = all(text[:4].isdecimal() for text in dates)
    for row in sample if is_plain else source.rows():
        if len(row) >= columns.width and is_stamp(row[columns.start]):
            uid = row[columns.uniqueid].strip() if columns.uniqueid is not None else ""
            yield row[columns.start].strip(), uid_epoch(uid)


class _Reading:
    """One pass over a file."""

    def __init__(self, columns: Columns, times: FileTimes, delimiter: str) -> None:
        self._columns, self._times, self._delimiter = columns, times, delimiter
        self._ids = ContentIds()

    def events(self, source: Source) -> Iterator[Leg | Reject | Skip | Inner]:
        pairs = zip(source.rows(), source.lines(), strict=False)
        for line, (row, text) in enumerate(pairs, 1):
            if not any(row) or row[0].startswith("#"):
                yield Skip(line)
            elif columns := _by_header(row):
                self._columns = columns
                yield Skip(line)
            else:
                yield self._event(line, self._mended(row, text))

    def _mended(self, row: list[str], text: str) -> list[str]:
        """A row that quotes or the delimiter inside of names have torn, put together if it can."""
        columns = self._columns
        if columns.fit(row):
            return row
        others = readings(text, self._delimiter)
        return next((other for other in others if columns.fit(other)), row)

    def _event(self, line: int, row: list[str]) -> Leg | Reject | Inner:
        columns = self._columns
        if len(row) < columns.width or any(row[columns.width :]):
            return reject(line, row, f"{len(row)} columns instead of {columns.width}")
        fields = ["" if field in EMPTY else field.strip() for field in row]
        told = _told(fields, columns)
        if is_inner(told.channel, told.linkedid):
            return Inner(line)
        try:
            return self._leg(fields, told)
        except ValueError as error:
            return reject(line, row, str(error))

    def _leg(self, row: list[str], told: Told) -> Leg:
        """The normal form of one row; raises `ValueError` with the reason."""
        columns = self._columns
        dstchannel = None if columns.dstchannel is None else told.dstchannel
        disposition = far_end(row[columns.disposition], dstchannel, told.application)
        started_at = self._times.start(row[columns.start], told.uniqueid)
        timing = self._timing(row, started_at, disposition)
        return make_leg(told, started_at, timing, disposition, self._ids)

    def _timing(self, row: list[str], started_at: int, disposition: int) -> Timing:
        """The table has no end: it is counted from the start, as the answer is from the end."""
        columns, times = self._columns, self._times
        duration_s = _counter(row, columns.duration)
        billable_s = _counter(row, columns.billsec) or 0
        answer, end = _stamp(row, columns.answer), _stamp(row, columns.end)
        if duration_s is None and not end:
            raise Nonsense("no duration")
        ended_at = started_at + (duration_s or 0)
        if end and (has_seconds(end) or duration_s is None):
            ended_at = times.epoch(end, ended_at)
        answered_at = times.epoch(answer, ended_at - billable_s) if has_seconds(answer) else None
        if duration_s is None:
            duration_s = ended_at - started_at
        return check_timing(started_at, answered_at, ended_at, duration_s, billable_s, disposition)


def _counter(row: list[str], place: int | None) -> int | None:
    return None if place is None else whole_seconds(row[place])


def _stamp(row: list[str], place: int | None) -> str:
    return "" if place is None or row[place] in NO_TIME else row[place]


def _told(row: list[str], columns: Columns) -> Told:
    places = (
        columns.account,
        columns.src,
        columns.dst,
        columns.context,
        columns.channel,
        columns.dstchannel,
        columns.uniqueid,
        columns.linkedid,
    )
    application = None if columns.application is None else row[columns.application]
    told = Told(*("" if place is None else row[place] for place in places), application)
    return told if uid_epoch(told.linkedid) else told._replace(linkedid="")


ASTERISK_DB = AsteriskDb()
