"""Rows of the table `acc` (and `missed_calls`) of Kamailio and OpenSIPS, exported as CSV with a
header: the columns are found by their names.
"""

import re
from collections.abc import Iterator
from datetime import tzinfo

from domain.cdr.header import Header, find_header, names_of
from domain.cdr.pairing import OpenHalves
from domain.cdr.record import Half, Leg, Nonsense, Reject, Skip, reject
from domain.cdr.sip_events import SipEvent, read_event, user_of
from domain.cdr.source import Source
from domain.cdr.times import LocalTimes, read_epoch
from domain.errors import InvalidValue

_CALL_ID = ("callid", "call_id")
_CODE = ("sip_code", "code")
_TIME = ("time", "acc_time")
_NEEDED = (("method",), ("from_tag",), ("to_tag",), _CALL_ID, _CODE, _TIME)
# As the sample configurations of both call them; a number as dialled before one as routed.
_CALLER = ("src_user", "caller", "caller_id", "from_user", "src", "a", "from_uri", "fu", "account")
_CALLED = (
    *("dst_ouser", "dst_user", "callee", "callee_id", "to_user", "ruri_user", "dst", "b"),
    *("destination", "to_uri", "ru"),
)
_ACCOUNT = ("account", "accountcode", "src_domain")
_EPOCH = re.compile(r"(\d{9,10})(?:\.\d+)?", re.ASCII)


class KamailioAcc:
    """A reader of exported accounting rows. Times are local unless they are epochs."""

    name = "kamailio-acc"

    def recognises(self, source: Source) -> float:
        """1 with a header that has the table's own columns, else 0."""
        return float(find_header(source, _NEEDED) is not None)

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Half | Reject | Skip]:
        """One event per physical line."""
        header = find_header(source, _NEEDED)
        if header is None:
            raise InvalidValue("no header names the columns of acc", what="file", value=self.name)
        halves, times = OpenHalves(), LocalTimes(zone)
        for line, row in enumerate(source.rows(header.delimiter), 1):
            if not any(row) or row[0].startswith("#") or names_of(row) == header.columns:
                yield Skip(line)
                continue
            try:
                yield read_event(_event(line, row, header, times), halves)
            except ValueError as error:
                yield reject(line, row, str(error))


def _event(line: int, row: list[str], header: Header, times: LocalTimes) -> SipEvent:
    """One row; raises `Nonsense`."""
    if len(row) < len(header.columns) // 2:
        raise Nonsense(f"{len(row)} columns instead of {len(header.columns)}")
    time = header.value(row, *_TIME)
    epoch = _EPOCH.fullmatch(time)
    return SipEvent(
        line,
        header.value(row, "method").upper(),
        (header.value(row, "from_tag"), header.value(row, "to_tag")),
        header.value(row, *_CALL_ID),
        header.value(row, *_CODE),
        read_epoch(epoch[1]) if epoch else times.epoch(time),
        user_of(header.value(row, *_CALLER)),
        user_of(header.value(row, *_CALLED)),
        header.value(row, *_ACCOUNT),
    )


KAMAILIO_ACC = KamailioAcc()
