"""Files of real exchanges, where they are at hand (CABINET_SAMPLES)."""

import json
import os
from pathlib import Path

import pytest

from domain.cdr import registry
from domain.cdr.joining import Part, join
from domain.cdr.record import Disposition, Leg, Reject, Skip
from domain.cdr.source import Source
from domain.cdr.times import parse_zone

SAMPLES = Path(os.environ["CABINET_SAMPLES"]) if "CABINET_SAMPLES" in os.environ else None
FILES = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))["files"] if SAMPLES else []
KNOWN = [file for file in FILES if file["format"] in registry.FORMATS]
OTHERS = [file for file in FILES if file["format"] not in registry.FORMATS]


def open_sample(file):
    return Source(lambda: (SAMPLES / file["file"]).open("rb"))


@pytest.mark.skipif(not SAMPLES, reason="CABINET_SAMPLES is not set: no files of real exchanges")
def test_there_are_files_of_the_formats_that_are_read():
    assert KNOWN
    without = sorted(registry.FORMATS.keys() - {file["format"] for file in KNOWN})
    print(f"formats without a file here: {', '.join(without)}")  # noqa: T201 - for whoever runs it


@pytest.mark.parametrize("file", KNOWN, ids=lambda file: file["file"])
def test_a_file_is_read_as_its_manifest_says(file):
    source = open_sample(file)
    reader = registry.detect(source)
    events = list(reader.read(source, parse_zone(file["zone"])))
    legs = [event for event in events if isinstance(event, Leg)]
    calls = joined(legs)
    answered = [call for call in calls if call.disposition == Disposition.ANSWERED]
    found = {
        "format": reader.name,
        "records": sum(not isinstance(event, Skip) for event in events),
        "rejected": sum(isinstance(event, Reject) for event in events),
        "calls": len(calls),
        "answered": len(answered),
        "billable_s": sum(call.billable_s for call in answered),
    }
    assert {key: found[key] for key in found.keys() & file.keys()} == {
        key: file[key] for key in found.keys() & file.keys()
    }


@pytest.mark.parametrize("file", OTHERS, ids=lambda file: file["file"])
def test_a_file_of_a_format_not_read_yet_is_refused(file):
    with pytest.raises(registry.UnknownFormat):
        registry.detect(open_sample(file))


def joined(legs):
    """Calls of all legs, as somebody saw them who saw everything."""
    calls = {}
    for leg in legs:
        part = Part(
            leg.started_at,
            leg.ended_at,
            leg.leg,
            leg.answered_at,
            leg.billable_s,
            leg.disposition,
            leg.b_number,
            0,
        )
        calls.setdefault(leg.uid, {})[leg.leg] = part
    return [join(parts.values()) for parts in calls.values()]
