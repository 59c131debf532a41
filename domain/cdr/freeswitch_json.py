"""FreeSWITCH's mod_json_cdr: an object a call, alone in a file, one a line, or in an array. Times
are taken from the epochs, which know no zone.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import unquote

from domain.cdr import freeswitch
from domain.cdr.asterisk import whole_seconds
from domain.cdr.json_records import Broken, read_records, text_of
from domain.cdr.record import Leg, Nonsense, Reject, Skip, check_timing, reject
from domain.cdr.source import Source
from domain.cdr.times import YEARS


class FreeswitchJson:
    """A reader of mod_json_cdr."""

    name = "freeswitch-json"

    def recognises(self, source: Source) -> float:
        """1 for JSON with the names of this format; a record may be longer than the head."""
        head = source.head.lstrip("\ufeff \t\r\n[")
        has_names = '"variables"' in head and any(
            name in head for name in ('"callflow"', '"start_epoch"', '"hangup_cause"')
        )
        return 1.0 if head.startswith("{") and has_names else 0.0

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip]:  # noqa: ARG002
        """One event per object."""
        for ordinal, record in enumerate(read_records(source), 1):
            if isinstance(record, Broken):
                yield Reject(ordinal, str(record))
                continue
            try:
                yield _leg(record)
            except ValueError as error:
                yield reject(ordinal, [str(dict(record))], str(error))


def _leg(record: Mapping[str, Any]) -> Leg:
    """The normal form of one record; raises `ValueError` with the reason."""
    variables = _Variables(record.get("variables"))
    profile = _Variables(_profile(record))
    started_at = _epoch(variables, "start")
    ended_at = _epoch(variables, "end")
    if started_at is None or ended_at is None:
        raise Nonsense("no start or end")
    answered_at = _epoch(variables, "answer")
    duration_s = whole_seconds(variables["duration"])
    billable_s = whole_seconds(variables["billsec"])
    if duration_s is None:
        duration_s = ended_at - started_at
    if billable_s is None:
        billable_s = 0 if answered_at is None else ended_at - answered_at
    talked = answered_at is not None or billable_s > 0
    disposition = freeswitch.disposition_of(variables["hangup_cause"], talked=talked)
    # A leg that another one originated bears its id beside its own.
    uid = variables["call_uuid"] or variables["uuid"]
    if not uid:
        raise Nonsense("no id")
    return freeswitch.make_leg(
        a_raw=profile["caller_id_number"]
        or variables["caller_id_number"]
        or variables["sip_from_user"],
        b_raw=profile["destination_number"]
        or variables["destination_number"]
        or variables["sip_to_user"],
        account=variables["accountcode"],
        context=profile["context"] or variables["user_context"],
        uid=uid,
        started_at=started_at,
        timing=check_timing(started_at, answered_at, ended_at, duration_s, billable_s, disposition),
        disposition=disposition,
    )


class _Variables:
    """Values by name as text; mod_json_cdr encodes them as URLs do."""

    def __init__(self, values: object) -> None:
        self._values = values if isinstance(values, dict) else {}

    def __getitem__(self, name: str) -> str:
        return unquote(text_of(self._values, name)).replace("\0", "").strip()


def _profile(record: Mapping[str, Any]) -> object:
    """The caller's profile of the first part of the call."""
    flow = record.get("callflow")
    first = flow[0] if isinstance(flow, list) and flow else flow
    return first.get("caller_profile") if isinstance(first, dict) else None


def _epoch(variables: _Variables, name: str) -> int | None:
    """Seconds, None for what never came; microseconds where there are no seconds."""
    text, divisor = variables[f"{name}_epoch"], 1
    if not text:
        text, divisor = variables[f"{name}_uepoch"], 1_000_000
    if text in ("", "0"):
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise Nonsense("unreadable time")
    seconds = int(text) // divisor
    if seconds > 1 << 33 or str(datetime.fromtimestamp(seconds, UTC).year) not in YEARS:
        raise Nonsense("unreadable time")
    return seconds


FREESWITCH_JSON = FreeswitchJson()
