"""Rows of Asterisk's dialects with one thing changed at a time."""

import csv
import io
from datetime import UTC

from domain.cdr import registry
from domain.cdr.record import Leg, Reject
from domain.cdr.source import Source

FIELDS = {
    "accountcode": "00000001",
    "src": "375171234567",
    "dst": "80291234567",
    "dcontext": "from-internal",
    "clid": '"Иванов" <375171234567>',
    "channel": "PJSIP/375171234567-00000001",
    "dstchannel": "PJSIP/carrier-00000002",
    "lastapp": "Dial",
    "lastdata": "PJSIP/carrier",
    "start": "2026-03-10 12:00:00",
    "answer": "2026-03-10 12:00:10",
    "end": "2026-03-10 12:01:10",
    "duration": "70",
    "billsec": "60",
    "disposition": "ANSWERED",
    "amaflags": "DOCUMENTATION",
    "uniqueid": "1773144000.1",
    "userfield": "",
    "peeraccount": "",
    "linkedid": "1773144000.1",
    "sequence": "1",
}
CSV = [name for name in FIELDS if name not in {"peeraccount", "linkedid", "sequence"}]
CSV_NEW = list(FIELDS)
CUSTOM = [
    *("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata"),
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("accountcode", "uniqueid", "userfield", "sequence"),
]


def row(columns=CSV, **changes):
    """One record as a list of fields."""
    values = FIELDS | changes
    return [values[name] for name in columns]


def text(*rows):
    """Records as Asterisk writes them: everything in quotes."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return out.getvalue()


def source(content):
    """A file of this text or these bytes."""
    data = content.encode() if isinstance(content, str) else content
    return Source(lambda: io.BytesIO(data))


def read(content, zone=UTC, name=None):
    """All events of a file, its format told by its content."""
    file = source(content)
    reader = registry.find_format(name) if name else registry.detect(file)
    return list(reader.read(file, zone))


def leg(columns=CSV, zone=UTC, name=None, **changes):
    """The one record of a file of one record."""
    (event,) = read(text(row(columns, **changes)), zone, name)
    assert isinstance(event, Leg), event
    return event


def reason(columns=CSV, **changes):
    """Why a record is rejected."""
    (event,) = read(text(row(columns, **changes)), name="asterisk-csv")
    assert isinstance(event, Reject), event
    return event.reason


def kinds(events):
    """Leg, Reject, Skip, Half, Inner: each event by its first letter."""
    return "".join(type(event).__name__[0] for event in events)
