"""A QR code as the path of an SVG inside a page: no picture, no inline style."""

from dataclasses import dataclass
from itertools import groupby

from domain.writers.pdf_qr import QUIET, modules


@dataclass(frozen=True)
class QrPath:
    """`d` of a path in a view box of `size` by `size`, quiet zone included."""

    size: int
    d: str


def qr_path(text: str) -> QrPath:
    """Runs of dark modules, row by row."""
    rows = modules(text)
    parts = []
    for y, row in enumerate(rows, QUIET):
        x = QUIET
        for is_dark, run in groupby(row):
            length = sum(1 for _ in run)
            if is_dark:
                parts.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return QrPath(len(rows) + 2 * QUIET, "".join(parts))
