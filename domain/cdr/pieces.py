"""A file's text in pieces of some size, for formats without lines: an array may be one line."""

import io
from collections.abc import Iterator

from domain.cdr.source import Source

PIECE = 1 << 18  # characters


def pieces(source: Source) -> Iterator[str]:
    """The text of a file, in the encoding that it was found to have."""
    errors = "replace" if source._encoding == "utf-16" else "cabinet-windows-1251"
    with source._open() as file, io.TextIOWrapper(file, source._encoding, errors) as text:
        while piece := text.read(PIECE):
            yield piece
