"""What makers of files agree on with whoever has them made. The makers: `reports.py` (call detail),
`invoice_reports.py`; who calls them: `reports.render`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models import Order

Progress = Callable[[int, int | None], None]  # rows done, rows in all (None: not known yet)


class FormatNotMade(Exception):
    """There is no renderer for this kind and format; wizards offer only `reports.formats_of`."""


@dataclass(frozen=True)
class Rendered:
    """A finished file. `path` is relative to `Config.artefact_dir`, `size` in bytes."""

    path: str
    display_name: str
    media_type: str
    size: int
    sha256: str
    rows: int
    summary: dict[str, Any]  # sums for the letter: no phone numbers, no names


@dataclass(frozen=True)
class Report:
    """What a renderer gives back beside the file."""

    display_name: str
    rows: int
    summary: dict[str, Any]


# (order, where to write, made at, progress): the same order and moment give the same bytes.
Renderer = Callable[[Order, Path, datetime, Progress], Report]
