"""Yeastar S-series and Cloud PBX: the event `NewCdr`, a JSON object per call."""

from collections.abc import Iterator
from datetime import tzinfo

from domain.cdr.asterisk import whole_seconds
from domain.cdr.json_records import Broken, Record, read_records, sample_records, text_of
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
from domain.cdr.times import LocalTimes
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
                yield reject(line, _shown(record), str(error))


def _shown(record: Record) -> list[str]:
    keys = ("callid", "timestart", "callfrom", "callto", _DURATION, _TALK, "status", "type")
    return [text_of(record, key) for key in keys]


def _leg(record: Record, times: LocalTimes) -> Leg:
    """The normal form of one event; raises `ValueError` with the reason."""
    uid, start = text_of(record, "callid", "cdrid"), text_of(record, "timestart")
    a_raw, b_raw = text_of(record, "callfrom"), text_of(record, "callto")
    if not uid:
        raise Nonsense("no callid")
    status = text_of(record, "status").upper()
    if status not in _DISPOSITIONS:
        raise Nonsense("unknown status")
    disposition = _DISPOSITIONS[status]
    started_at = times.start(start, uid)
    duration_s = whole_seconds(text_of(record, _DURATION)) or 0
    talk_s = whole_seconds(text_of(record, _TALK)) or 0
    if talk_s > duration_s:
        raise Nonsense("talked longer than the call lasted")
    ended_at = started_at + duration_s
    timing = check_timing(started_at, None, ended_at, duration_s, talk_s, disposition)
    kind = text_of(record, "type").lower()
    from_trunk = text_of(record, "srctrunkname")
    to_trunk = text_of(record, "desttrunkname", "dsttrunkname", "dsttrcunkname")
    b_number = normalise(b_raw)
    return leg_of(
        uid=uid,
        leg=stable_hash(started_at, b_number, to_trunk, int(disposition), timing.billable_s),
        started_at=started_at,
        timing=timing,
        disposition=disposition,
        a_raw=a_raw,
        b_raw=b_raw,
        a_endpoint=a_raw if kind in {"internal", "outbound"} else from_trunk,
        b_endpoint=b_raw if kind in {"internal", "inbound"} else to_trunk,
    )


YEASTAR_JSON = YeastarJson()
