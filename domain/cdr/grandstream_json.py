"""Grandstream UCM and GDMS: `{"cdr_root": [...]}` of the CDR interface, legs of one call by their
session.
"""

from collections.abc import Iterator
from datetime import tzinfo

from domain.cdr.asterisk import DISPOSITIONS, NO_TIME, whole_seconds
from domain.cdr.json_records import Broken, Record, read_records, sample_records, text_of
from domain.cdr.legs import leg_of
from domain.cdr.record import (
    Disposition,
    Inner,
    Leg,
    Nonsense,
    Reject,
    check_timing,
    reject,
    stable_hash,
)
from domain.cdr.source import Source
from domain.cdr.times import LocalTimes
from domain.msisdn import normalise

ROOT = "cdr_root"
_OWN_KEYS = {"session", "channel_ext", "dstchannel_ext", "action_type", "action_owner"}


class GrandstreamJson:
    """A reader of the interface's answers, also several in one file. Times are local."""

    name = "grandstream-json"

    def recognises(self, source: Source) -> float:
        """The share of sample objects that are such records, 0 to 1."""
        sample = sample_records(source, ROOT)
        return sum(_is_record(record) for record in sample) / max(len(sample), 1)

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Inner | Reject]:
        """One event per record; a call in parts is a record for each part."""
        times = LocalTimes(zone)
        records = (part for record in read_records(source, ROOT) for part in _parts(record))
        for line, record in enumerate(records, 1):
            if record is None:
                yield Inner(line)
                continue
            if isinstance(record, Broken):
                yield Reject(line, str(record))
                continue
            try:
                yield _leg(record, times)
            except ValueError as error:
                yield reject(line, _shown(record), str(error))


def _is_record(record: Record) -> bool:
    if "main_cdr" in record:
        return True
    return {"AcctId", "src", "dst"} <= record.keys() and bool(_OWN_KEYS & record.keys())


def _parts(record: Record | Broken) -> Iterator[Record | Broken | None]:
    """A call told in parts as its parts; the sum of them, the main record, is None."""
    parts = []
    if not isinstance(record, Broken):
        parts = [part for key, part in record.items() if key.startswith("sub_cdr")]
    parts = [part for part in parts if isinstance(part, dict)]
    if parts:
        yield None
        yield from parts
    elif not isinstance(record, Broken) and isinstance(record.get("main_cdr"), dict):
        yield record["main_cdr"]
    else:
        yield record


def _shown(record: Record) -> list[str]:
    keys = ("AcctId", "session", "uniqueid", "src", "dst", "start", "answer", "end", "disposition")
    return [text_of(record, key) for key in keys]


def _leg(record: Record, times: LocalTimes) -> Leg:
    """The normal form of one record; raises `ValueError` with the reason."""
    uniqueid = text_of(record, "uniqueid")
    uid = text_of(record, "session") or uniqueid
    a_raw, b_raw = text_of(record, "src"), text_of(record, "dst")
    if not uid:
        raise Nonsense("no session")
    disposition = DISPOSITIONS.get(text_of(record, "disposition").upper())
    if disposition is None:
        raise Nonsense("unknown disposition")
    start, answer, end = (text_of(record, key) for key in ("start", "answer", "end"))
    started_at = times.start(start, uniqueid)
    duration_s = whole_seconds(text_of(record, "duration")) or 0
    billable_s = whole_seconds(text_of(record, "billsec")) or 0
    if end in NO_TIME:
        raise Nonsense("no end")
    ended_at = times.epoch(end, started_at + duration_s)
    is_answered = disposition == Disposition.ANSWERED and answer not in NO_TIME
    answered_at = times.epoch(answer, ended_at - billable_s) if is_answered else None
    timing = check_timing(started_at, answered_at, ended_at, duration_s, billable_s, disposition)
    a_end, b_end = _endpoints(record, a_raw, b_raw)
    channel = text_of(record, "dstchannel")
    b_number = normalise(b_raw)
    return leg_of(
        uid=uid,
        leg=stable_hash(started_at, b_number, channel, int(disposition), timing.billable_s),
        started_at=started_at,
        timing=timing,
        disposition=disposition,
        a_raw=a_raw,
        b_raw=b_raw,
        account=text_of(record, "accountcode"),
        context=text_of(record, "dcontext"),
        a_endpoint=a_end,
        b_endpoint=b_end,
    )


def _endpoints(record: Record, a_raw: str, b_raw: str) -> tuple[str, str]:
    """Our side under its own number, the other under the name of its trunk."""
    kind = text_of(record, "userfield").lower()
    a_end = text_of(record, "src_trunk_name") if kind == "inbound" else a_raw
    b_end = text_of(record, "dst_trunk_name") if kind == "outbound" else b_raw
    return (a_end, b_end) if kind in {"internal", "inbound", "outbound"} else ("", "")


GRANDSTREAM_JSON = GrandstreamJson()
