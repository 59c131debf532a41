"""Yeastar S-series and Cloud PBX: the event `NewCdr`, a JSON object per call."""

from collections.abc import Iterator
from datetime import tzinfo

from domain.cdr.asterisk import whole_seconds
from domain.cdr.json_records import Broken, Record, read_records, sample_records, text_of
from domain.cdr.record import (
    LONGEST_ID,
    Disposition,
    Leg,
    Nonsense,
    Reject,
    Skip,
    check_timing,
    stable_hash,
)
from domain.cdr.source import Source
from domain.cdr.times import LocalTimes, uid_epoch
from domain.msisdn import normalise

# The exchange's own spelling
_DURATION = "callduraction"
_TALK = "talkduraction"
_DISPOSITIONS = {
    "ANSWERED": Disposition.ANSWERED,
    "ANSWERD": Disposition.ANSWERED,
    "NO ANSWER": Disposition.NO_ANSWER,
    "NO ANSWERED": Disposition.NO_ANSWER,
    "VOICEMAIL": Disposition.NO_ANSWER,
    "BUSY": Disposition.BUSY,
    "FAILED": Disposition.FAILED,
}


class YeastarJson:
    """A reader of collected `NewCdr` events. Times are local."""

    name = "yeastar-json"

    def recognises(self, source: Source) -> float:
        """The share of sample objects that are such events, 0 to 1."""
        sample = sample_records(source)
        return sum({"timestart", _DURATION} <= r.keys() for r in sample) / max(len(sample), 1)

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per JSON object."""
        times = LocalTimes(zone)
        for line, record in enumerate(read_records(source), 1):
            if isinstance(record, Broken):
                yield Reject(line, str(record))
                continue
            try:
                yield _leg(record, times)
            except ValueError as error:
                yield Reject(line, str(error), _shown(record))


def _shown(record: Record) -> list[str]:
    keys = ("callid", "timestart", "callfrom", "callto", _DURATION, _TALK, "status", "type")
    return [text_of(record, key)[:200] for key in keys]


def _leg(record: Record, times: LocalTimes) -> Leg:
    """The normal form of one event; raises `ValueError` with the reason."""
    uid, start = text_of(record, "callid", "cdrid"), text_of(record, "timestart")
    a_raw, b_raw = text_of(record, "callfrom"), text_of(record, "callto")
    if not uid:
        raise Nonsense("no callid")
    if len(uid) + len(a_raw) + len(b_raw) > LONGEST_ID:
        raise Nonsense("a number or id is too long")
    status = text_of(record, "status").upper()
    if status not in _DISPOSITIONS:
        raise Nonsense("unknown status")
    disposition = _DISPOSITIONS[status]
    started_at = times.epoch(start)
    if start[:10] in times.uneven_days:  # the id was made at the start: it knows which hour
        started_at = times.epoch(start, uid_epoch(uid))
    duration_s = whole_seconds(text_of(record, _DURATION)) or 0
    talk_s = whole_seconds(text_of(record, _TALK)) or 0
    if talk_s > duration_s:
        raise Nonsense("talked longer than the call lasted")
    ended_at = started_at + duration_s
    timing = check_timing(started_at, None, ended_at, duration_s, talk_s, disposition)
    kind = text_of(record, "type").lower()
    from_trunk = text_of(record, "srctrunkname")
    to_trunk = text_of(record, "desttrunkname", "dsttrunkname", "dsttrcunkname")
    return Leg(
        started_at,
        timing.answered_at,
        timing.ended_at,
        a_raw,
        b_raw,
        normalise(a_raw),
        normalise(b_raw),
        timing.duration_s,
        timing.billable_s,
        int(disposition),
        uid,
        stable_hash(started_at, normalise(b_raw), to_trunk, int(disposition), timing.billable_s),
        a_endpoint=a_raw if kind in {"internal", "outbound"} else from_trunk,
        b_endpoint=b_raw if kind in {"internal", "inbound"} else to_trunk,
    )


YEASTAR_JSON = YeastarJson()
