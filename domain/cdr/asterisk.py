"""Asterisk's two kinds of Master.csv: cdr_csv (account code first) and cdr_custom (caller id
first). Which one a file is, its content tells.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import NamedTuple

from domain.cdr.asterisk_usual import UsualRows
from domain.cdr.asterisk_words import DIALS, DISPOSITIONS, EMPTY, NO_TIME, Layout
from domain.cdr.ids import ContentIds
from domain.cdr.legs import leg_of
from domain.cdr.record import (
    Disposition,
    Inner,
    Leg,
    Nonsense,
    Reject,
    Skip,
    Timing,
    check_timing,
    endpoint_of,
    reject,
    stable_hash,
)
from domain.cdr.source import Source
from domain.cdr.times import LocalTimes, uid_epoch
from domain.msisdn import normalise

MISTAKEN_WIDTHS = frozenset({17, 20})  # the last of these may be an id or the user field
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,9}(\.\d+)?", re.ASCII)
_UNIQUE_ID = re.compile(r"(?:\S+-)?\d{9,10}\.\d+", re.ASCII)


class Told(NamedTuple):
    """What a record says beside times and the way it ended."""

    account: str
    src: str
    dst: str
    context: str
    channel: str
    dstchannel: str
    uniqueid: str
    linkedid: str
    application: str | None  # the last one that held the call; None: it is not told


_CSV = {"account": 0, "src": 1, "dst": 2, "context": 3, "channel": 5, "start": 9}
_CUSTOM = {"account": 15, "src": 1, "dst": 2, "context": 3, "channel": 4, "start": 8}


class Asterisk:
    """A reader of one kind of Master.csv. `layouts` by the number of columns: the ids and
    `newcdrcolumns` (peer account, linked id, sequence) can be switched on and off.
    """

    def __init__(self, name: str, layouts: Mapping[int, Layout]) -> None:
        self.name = name
        self._layouts = layouts

    def recognises(self, source: Source) -> float:
        """The share of sample rows that have this shape, 0 to 1."""
        rows = [row for row in source.sample() if not _is_no_record(row)]
        return sum(self._fits(row) for row in rows) / len(rows) if rows else 0.0

    def _fits(self, row: list[str]) -> bool:
        layout = self._layouts.get(len(row))
        if layout is None:
            return False
        start, answer, end, _duration, _billsec, disposition = row[layout.start : layout.start + 6]
        return (
            _STAMP.match(start) is not None
            and all(_STAMP.match(t) or t.strip() in NO_TIME | EMPTY for t in (answer, end))
            and disposition.strip().upper() in DISPOSITIONS
        )

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip | Inner]:
        """One event per physical line."""
        times, ids = LocalTimes(zone), ContentIds()
        usual = {
            width: UsualRows(layout, times)
            for width, layout in self._layouts.items()
            if layout.uniqueid is not None and width not in MISTAKEN_WIDTHS
        }
        width = 0
        for line, row in enumerate(source.rows(), 1):
            if source.is_cut and len(row) < width:
                yield reject(line, row, "the line is cut off")
                continue
            width = len(row)
            if width in usual:
                try:
                    leg = usual[width].leg(row)
                except (LookupError, ValueError):
                    pass  # the plain path below says what the row is
                else:
                    yield leg
                    continue
            layout = self._layout_of(row)
            if layout is None:
                yield self._other(line, row)
                continue
            if is_inner(row[layout.channel], row[layout.linkedid] if layout.linkedid else ""):
                yield Inner(line)
                continue
            try:
                yield read_leg(row, layout, times, ids)
            except ValueError as error:
                yield self._other(line, row, str(error))

    def _layout_of(self, row: list[str]) -> Layout | None:
        layout = self._layouts.get(len(row))
        if (
            layout
            and layout.uniqueid is not None
            and len(row) in MISTAKEN_WIDTHS
            and not _UNIQUE_ID.fullmatch(row[layout.uniqueid].strip())
        ):
            return layout._replace(uniqueid=None)  # there it is the user field that is switched on
        return layout

    def _other(self, line: int, row: list[str], reason: str = "") -> Reject | Skip:
        """What a line is that gives no record."""
        if _is_no_record(row):
            return Skip(line)
        widths = f"{min(self._layouts)} to {max(self._layouts)}"
        return reject(line, row, reason or f"{len(row)} columns instead of {widths}")


def _is_no_record(row: list[str]) -> bool:
    """Blank, comment, or a header that somebody added."""
    if not any(row) or row[0].startswith("#"):
        return True
    return {"src", "dst"} <= {field.strip().lower() for field in row}


def read_leg(row: list[str], layout: Layout, times: LocalTimes, ids: ContentIds) -> Leg:
    """The normal form of one row; raises `ValueError` with the reason."""
    row = ["" if field in EMPTY else field.strip() for field in row]
    account, src, dst, context, channel, at, uid_at, linked_at = (*layout,)
    uniqueid = row[uid_at] if uid_at is not None else ""
    told = Told(
        row[account],
        row[src],
        row[dst],
        row[context],
        row[channel],
        row[channel + 1],
        uniqueid,
        row[linked_at] if linked_at is not None else "",
        row[channel + 2],
    )
    disposition = far_end(row[at + 5], told.dstchannel, told.application)
    started_at, timing = _timing(row[at : at + 5], times, uniqueid, disposition)
    return make_leg(told, started_at, timing, disposition, ids)


def far_end(word: str, dstchannel: str | None, application: str | None) -> Disposition:
    """How a call ended for the far end. An application (voice mail, queue, menu) that answered
    is no far end: the call has a duration and nothing to bill. Dial has one, whether the record
    names its channel or not. None: it is not told.
    """
    disposition = DISPOSITIONS.get(word.upper())
    if disposition is None:
        raise Nonsense("unknown disposition")
    by_machine = dstchannel == "" and (application is None or application.lower() not in DIALS)
    if disposition == Disposition.ANSWERED and by_machine:
        return Disposition.NO_ANSWER
    return disposition


def is_inner(channel: str, linkedid: str) -> bool:
    """Whether a record is the second half of a Local channel, whose call the first half's record
    tells. A linked id joins the two.
    """
    joined = linkedid and linkedid not in EMPTY
    return not joined and channel.endswith(";2") and channel.startswith("Local/")


def make_leg(
    told: Told, started_at: int, timing: Timing, disposition: Disposition, ids: ContentIds
) -> Leg:
    """The leg: the same in whichever format of one exchange it was told."""
    account, src, dst, context, channel, dstchannel, uniqueid, linkedid, _ = told
    b_number = normalise(dst)
    uid = linkedid or uniqueid
    uid = uid or ids.of(started_at, normalise(src), b_number, timing, disposition)
    return leg_of(
        uid=uid,
        leg=stable_hash(started_at, b_number, dstchannel, int(disposition), timing.billable_s),
        started_at=started_at,
        timing=timing,
        disposition=disposition,
        a_raw=src,
        b_raw=dst,
        account=account,
        context=context,
        a_endpoint=endpoint_of(channel),
        b_endpoint=endpoint_of(dstchannel),
    )


def _timing(
    fields: list[str], times: LocalTimes, uniqueid: str, disposition: Disposition
) -> tuple[int, Timing]:
    """The start, and what is checked of the other times. `fields`: start, answer, end, duration,
    billsec.
    """
    start, answer, end, duration, billsec = fields
    duration_s, billable_s = whole_seconds(duration), whole_seconds(billsec)
    started_at = times.epoch(start)
    if start[:10] in times.uneven_days:  # the id was made at the start: it knows which hour
        near = uid_epoch(uniqueid)
        if near is None and end not in NO_TIME:
            near = times.epoch(end) - (duration_s or 0)
        started_at = times.epoch(start, near)
    near_end = started_at + (duration_s or 0)
    ended_at, answered_at = later_stamps(answer, end, times, near_end, billable_s or 0)
    if duration_s is None:
        duration_s = ended_at - started_at
    if billable_s is None:
        billable_s = 0 if answered_at is None else ended_at - answered_at
    timing = check_timing(started_at, answered_at, ended_at, duration_s, billable_s, disposition)
    return started_at, timing


def later_stamps(
    answer: str, end: str, times: LocalTimes, near_end: int, billable_s: int
) -> tuple[int, int | None]:
    """End and answer as epoch seconds. Where the clock showed a time twice, the counters tell."""
    if end in NO_TIME:
        raise Nonsense("no end")
    ended_at = times.epoch(end, near_end)
    return ended_at, None if answer in NO_TIME else times.epoch(answer, ended_at - billable_s)


def whole_seconds(text: str) -> int | None:
    """Whole seconds of a counter, None without one."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Nonsense("duration is not a number")
    return int(float(text)) if float(text) >= 0 else -1


ASTERISK_CSV = Asterisk(
    "asterisk-csv",
    {
        16: Layout(**_CSV, uniqueid=None),
        17: Layout(**_CSV, uniqueid=16),
        18: Layout(**_CSV, uniqueid=16),
        19: Layout(**_CSV, uniqueid=None, linkedid=17),
        20: Layout(**_CSV, uniqueid=16, linkedid=18),
        21: Layout(**_CSV, uniqueid=16, linkedid=19),
    },
)
ASTERISK_CUSTOM = Asterisk(
    "asterisk-custom",
    {18: Layout(**_CUSTOM, uniqueid=16), 19: Layout(**_CUSTOM, uniqueid=16)},
)
