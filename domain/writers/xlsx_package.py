"""The parts of an XLSX package that would tell when it was made: set to a given moment."""

from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PROPERTIES = "docProps/core.xml"
ENTRY_TIME = (1980, 1, 1, 0, 0, 0)  # the zip format's own zero; the writer uses it too
_CORE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cp:coreProperties \
xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" \
xmlns:dcmitype="http://purl.org/dc/dcmitype/" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>\
<dcterms:modified xsi:type="dcterms:W3CDTF">{moment}</dcterms:modified></cp:coreProperties>
"""


def pin_properties(path: Path, made_at: datetime) -> None:
    """Write `made_at` (aware) as the workbook's times of creation and change.

    The writer knows no option for it. It puts the properties behind the sheets, so the file is cut
    there and only its small tail written again: the sheets are neither read nor compressed twice.
    """
    moment = f"{made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    with ZipFile(path, "a") as package:
        start = package.getinfo(PROPERTIES).header_offset
        tail = [entry for entry in package.infolist() if entry.header_offset >= start]
        parts = {entry.filename: package.read(entry) for entry in tail}
        parts[PROPERTIES] = _CORE.format(moment=moment).encode()
        for entry in tail:
            package.filelist.remove(entry)
            del package.NameToInfo[entry.filename]
        package.start_dir = start  # where appending begins, and the old tail is cut off
        for name, content in parts.items():
            package.writestr(_entry(name), content)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, ENTRY_TIME)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3  # Unix, on whatever system this runs
    entry.external_attr = 0o644 << 16
    return entry
