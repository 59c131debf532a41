"""Cisco Unified Communications Manager: the flat files of its CDR repository. The columns differ
from release to release and are found by the names in the header.
"""

import re
from collections.abc import Iterator
from datetime import tzinfo

from domain.cdr.asterisk import whole_seconds
from domain.cdr.causes import unanswered_by_q850
from domain.cdr.header import Header, find_header, names_of
from domain.cdr.legs import leg_of
from domain.cdr.record import (
    Disposition,
    Leg,
    Nonsense,
    Reject,
    Skip,
    check_timing,
    stable_hash,
)
from domain.cdr.source import Source
from domain.cdr.times import read_epoch
from domain.errors import InvalidValue
from domain.msisdn import normalise

CALL = "1"
QUALITY = "2"  # a CMR: how the call sounded, not that there was one
_KNOWN = (("cdrrecordtype",), ("globalcallid_callid",))
_CALLS = ("datetimeorigination", "datetimeconnect", "datetimedisconnect", "duration")
_TYPE = re.compile(
    r"(INTEGER|VARCHAR\s*\(\d+\)|UNIQUEIDENTIFIER|BIGINT)?", re.ASCII | re.IGNORECASE
)
# Devices of people: desk phones, Jabber on each kind of machine, analogue ports.
_PHONE = re.compile(r"(SEP|CSF|TCT|BOT|TAB|ATA|VG|AN)[0-9A-Za-z._-]+")


class Cucm:
    """A reader of `cdr_*` files; of `cmr_*` files beside them no record is taken.

    Times are epochs, so that no zone is needed.
    """

    name = "cucm"

    def recognises(self, source: Source) -> float:
        """1 with a header that has the exchange's own columns, else 0."""
        return float(find_header(source, _KNOWN) is not None)

    def read(self, source: Source, _zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per physical line."""
        header = find_header(source, _KNOWN)
        if header is None:
            raise InvalidValue("no header names the columns", what="file", value=self.name)
        for line, row in enumerate(source.rows(header.delimiter), 1):
            if _is_no_call(row, header):
                yield Skip(line)
                continue
            try:
                yield _leg(row, header)
            except ValueError as error:
                yield Reject(line, str(error), [field[:200] for field in row[:60]])


def _is_no_call(row: list[str], header: Header) -> bool:
    """Blank, header, the row of the columns' types, or a CMR."""
    if not any(row) or names_of(row) == header.columns:
        return True
    if header.value(row, "cdrrecordtype") == QUALITY:
        return True
    return len(row) > 1 and all(_TYPE.fullmatch(field.strip()) for field in row)


def _leg(row: list[str], header: Header) -> Leg:
    """The normal form of one record; raises `ValueError` with the reason."""
    if header.value(row, "cdrrecordtype") != CALL:
        raise Nonsense("record type is not 1 (a call) or 2 (its quality)")
    missing = [name for name in _CALLS if name not in header]
    if missing:
        raise Nonsense(f"no column {missing[0]}")
    cluster, manager, call = (
        header.value(row, f"globalcallid_{part}")
        for part in ("clusterid", "callmanagerid", "callid")
    )
    if not call:
        raise Nonsense("no globalCallID_callId")
    a_raw = header.value(row, "callingpartynumber")
    b_raw = header.value(row, "finalcalledpartynumber", "originalcalledpartynumber")
    uid = f"{cluster}-{manager}-{call}"
    started_at = read_epoch(header.value(row, "datetimeorigination"))
    ended_at = read_epoch(header.value(row, "datetimedisconnect"))
    connected = header.value(row, "datetimeconnect")
    answered_at = None if connected in {"", "0"} else read_epoch(connected)
    disposition = Disposition.ANSWERED if answered_at else _unanswered(row, header)
    billable_s = whole_seconds(header.value(row, "duration")) or 0
    lasted_s = ended_at - started_at
    timing = check_timing(
        started_at, answered_at, ended_at, max(lasted_s, 0), billable_s, disposition
    )
    a_device, b_device = (header.value(row, f"{side}devicename") for side in ("orig", "dest"))
    b_number, record_id = normalise(b_raw), header.value(row, "pkid")
    return leg_of(
        uid=uid,
        leg=stable_hash(started_at, a_raw, b_number, b_device, record_id, timing.billable_s),
        started_at=started_at,
        timing=timing,
        disposition=disposition,
        a_raw=a_raw,
        b_raw=b_raw,
        account=header.value(row, "clientmattercode", "authcodedescription"),
        context=header.value(row, "callingpartynumberpartition"),
        a_endpoint=a_raw if _PHONE.fullmatch(a_device) else a_device,
        b_endpoint=b_raw if _PHONE.fullmatch(b_device) else b_device,
    )


def _unanswered(row: list[str], header: Header) -> Disposition:
    """By the cause of the called side, or of the caller who gave up before."""
    for column in ("destcause_value", "origcause_value"):
        cause = whole_seconds(header.value(row, column))
        if cause:
            return unanswered_by_q850(cause)
    return Disposition.CANCELLED


CUCM = Cucm()
