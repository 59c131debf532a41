"""BroadWorks accounting files: an XML element `cdrData` per record, with modules of fields."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from domain.cdr.causes import unanswered_by_q850
from domain.cdr.legs import leg_of
from domain.cdr.record import (
    ROUNDING_S,
    Disposition,
    Leg,
    Nonsense,
    Reject,
    Skip,
    check_timing,
    stable_hash,
)
from domain.cdr.source import Source
from domain.cdr.times import YEARS
from domain.cdr.xml_records import BrokenXml, Fields, read_elements

RECORD = "cdrData"
# Beginning and end of a file, and what is told of long calls while they last: the Normal record
# that follows has the whole call.
_NO_CALLS = frozenset({"Start", "End", "Long Duration", "Failover"})
_OPENING = re.compile(r"<(broadWorksCDR|cdrData)[\s>]")
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,3}))?", re.ASCII)
_CAUSE = re.compile(r"\d{1,3}", re.ASCII)


class BroadworksXml:
    """A reader of accounting files. Times are UTC: `systemTimeZone` and `userTimeZone` only tell
    what a clock on the wall would have shown.
    """

    name = "broadworks-xml"

    def recognises(self, source: Source) -> float:
        """1 for XML with an element of this format, else 0."""
        head = source.head.lstrip("\ufeff \t\r\n")
        return float(head.startswith("<") and _OPENING.search(head) is not None)

    def read(self, source: Source, _zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per record."""
        for line, fields in enumerate(read_elements(source.pieces(), RECORD), 1):
            if isinstance(fields, BrokenXml):
                yield Reject(line, fields.reason)
            elif _text(fields, "headerModule", "type") in _NO_CALLS:
                yield Skip(line)
            else:
                try:
                    yield _leg(fields)
                except ValueError as error:
                    shown = [f"{name}={text.strip()[:200]}" for (_, name), text in fields.items()]
                    yield Reject(line, str(error), shown[:50])


def _text(fields: Fields, module: str, *names: str) -> str:
    for name in names:
        if text := fields.get((module, name), "").strip():
            return text
    return ""


def _leg(fields: Fields) -> Leg:
    """The normal form of one record; raises `ValueError` with the reason."""
    if _text(fields, "headerModule", "type") != "Normal":
        raise Nonsense("unknown type of record")

    def basic(*names: str) -> str:
        return _text(fields, "basicModule", *names)

    is_terminating = basic("direction") == "Terminating"
    a_raw = basic("callingNumber") or ("" if is_terminating else basic("userNumber"))
    b_raw = basic("calledNumber", "dialedDigits")
    uid = _uid(fields)
    started_ms, ended_ms = _milliseconds(basic("startTime")), _milliseconds(basic("releaseTime"))
    answered_ms = None
    if basic("answerIndicator").startswith("Yes"):  # Yes-PostRedirection, too
        answered_ms = _milliseconds(basic("answerTime"))
    disposition = Disposition.ANSWERED if answered_ms else _unanswered(basic("terminationCause"))
    if answered_ms and not started_ms - ROUNDING_S * 1000 <= answered_ms <= ended_ms:
        raise Nonsense("answer outside the call")
    timing = check_timing(
        started_ms // 1000,
        answered_ms and answered_ms // 1000,
        ended_ms // 1000,
        (ended_ms - started_ms) // 1000,
        (ended_ms - answered_ms) // 1000 if answered_ms else 0,
        disposition,
    )
    a_end, b_end = _endpoints(basic("userNumber"), basic("direction"), a_raw, b_raw)
    return leg_of(
        uid=uid,
        leg=stable_hash(_record_id(fields)),
        started_at=started_ms // 1000,
        timing=timing,
        disposition=disposition,
        a_raw=a_raw,
        b_raw=b_raw,
        account=_text(fields, "centrexModule", "group") or basic("userId"),
        a_endpoint=a_end,
        b_endpoint=b_end,
    )


def _uid(fields: Fields) -> str:
    """Of a call between two users, which is two records, the same in both."""
    local = _text(fields, "basicModule", "localCallId")
    remote = _text(fields, "basicModule", "remoteCallId")
    if local and remote:
        system = _text(fields, "recordId", "systemId")
        return "/".join((system, *sorted((local, remote))))
    return _record_id(fields)


def _record_id(fields: Fields) -> str:
    counter = _text(fields, "recordId", "eventCounter")
    if not counter:
        raise Nonsense("no eventCounter")
    # The counter begins anew some day: the moment of writing keeps the ids apart.
    system, written_at = (_text(fields, "recordId", name) for name in ("systemId", "date"))
    return f"{system}-{counter}-{written_at}"


def _milliseconds(text: str) -> int:
    """UTC epoch milliseconds of yyyymmddHHMMSS.mmm; raises `ValueError`."""
    found = _STAMP.fullmatch(text)
    if not found or found[1] not in YEARS:
        raise Nonsense("unreadable time")
    moment = datetime(*map(int, found.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type]
    return int(moment.timestamp()) * 1000 + int((found[7] or "0").ljust(3, "0"))


def _unanswered(cause: str) -> Disposition:
    return unanswered_by_q850(int(cause)) if _CAUSE.fullmatch(cause) else Disposition.NO_ANSWER


def _endpoints(user: str, direction: str, a_raw: str, b_raw: str) -> tuple[str, str]:
    """The user whose record it is, is our side."""
    if direction == "Originating" or (user and user == a_raw):
        return a_raw, ""
    if direction == "Terminating" or (user and user == b_raw):
        return "", b_raw
    return "", ""


BROADWORKS_XML = BroadworksXml()
