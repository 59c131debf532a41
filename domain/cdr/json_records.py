"""JSON objects of a file, one by one: a line each, an array, or an array under a known key. The
file may be of any size and broken anywhere; memory stays flat.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from domain.cdr.record import Nonsense
from domain.cdr.source import Source

LONGEST_RECORD = 1 << 20  # characters
DEEPEST = 32  # levels of nesting
SAMPLE_RECORDS = 20
_BETWEEN = re.compile(r"[\s,\[\]}\x00\ufeff]*")
_NEXT = re.compile(r"\n[ \t]*(?=[{\[])|\}\s*,\s*(?=\{)")
_OVERLAP = 64  # characters looked at again with the next piece
_FIRST_LOOK = 1 << 14  # characters: nearly every record is shorter
_DEEP_SKIP = 1000  # characters passed over at least in what is nested without end

Record = Mapping[str, Any]


class Broken(Nonsense):
    """Something in the place of a record that is none."""


def read_records(source: Source, wrapper: str = "") -> Iterator[Record | Broken]:
    """Each object of a file, or what is wrong in its place. `wrapper`: the key of an array."""
    return parse_records(source.pieces(), wrapper)


def sample_records(source: Source, wrapper: str = "") -> list[Record]:
    """The first whole objects of a file; none when it is no JSON."""
    if not source.head.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return []
    first = islice(parse_records(iter([source.head]), wrapper), SAMPLE_RECORDS)
    return [record for record in first if not isinstance(record, Broken)]


def parse_records(chunks: Iterable[str], wrapper: str = "") -> Iterator[Record | Broken]:
    """Records of a text in pieces. After a broken one reading goes on with the next that begins
    a line or follows `},`: never before the place of the error, so that no text is read twice.
    """
    enter = re.compile(rf'\{{\s*"{re.escape(wrapper)}"\s*:\s*\[') if wrapper else None
    window = _Window(iter(chunks))
    while window.fill():
        start = _BETWEEN.match(window.text, window.at).end()
        if start == len(window.text):
            window.at = start
            continue
        window.at = start
        window.fill()
        if enter and (found := enter.match(window.text, window.at)):
            window.at = found.end()
            continue
        yield _decode(window)


class _Window:
    """The part of a text around the place that is read."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self.text = ""
        self.at = 0

    def fill(self) -> bool:
        """Have a whole record's length ahead; False at the end of the text."""
        while len(self.text) - self.at < LONGEST_RECORD:
            chunk = next(self._chunks, "")
            if not chunk:
                break
            self.text = self.text[self.at :] + chunk
            self.at = 0
        return self.at < len(self.text)

    def skip_to_next(self, error_at: int) -> None:
        """Go to the next place after `error_at` where a record can begin, however far it is."""
        line = self.text.rfind("\n", self.at + 1, error_at + 1)
        search_from = line if line >= 0 else max(error_at, self.at + 1)
        while not (found := _NEXT.search(self.text, search_from)):
            kept = max(search_from, len(self.text) - _OVERLAP)
            chunk = next(self._chunks, "")
            if not chunk:
                self.at = len(self.text)
                return
            self.text, search_from = self.text[kept:] + chunk, 0
        self.at = found.end()


def _decode(window: _Window) -> Record | Broken:
    """The record where the window stands; moves on behind it."""
    constants: list[str] = []
    start = window.at
    try:
        value, length = _decode_start(window.text, start, _decoder(constants))
    except RecursionError:
        window.skip_to_next(start + _DEEP_SKIP)
        return Broken("nested too deep")
    except json.JSONDecodeError as error:
        window.skip_to_next(start + error.pos)
        if error.pos >= LONGEST_RECORD:
            return Broken("a record longer than a mebibyte")
        return Broken(f"broken JSON: {error.msg}")
    except ValueError:  # a number of thousands of digits
        window.skip_to_next(start + 1)
        return Broken("broken JSON: a number too long")
    window.at = start + length
    if constants:
        return Broken("NaN or Infinity in the place of a number")
    return _checked(value, length)


def _decode_start(text: str, start: int, decoder: json.JSONDecoder) -> tuple[object, int]:
    """The value that begins at `start`, and its length. An error costs as much as what stands
    before it, so little is looked at first.
    """
    piece = text[start : start + _FIRST_LOOK]
    try:
        return decoder.raw_decode(piece)
    except json.JSONDecodeError as error:
        is_cut = error.pos > len(piece) - _OVERLAP or error.msg.startswith("Unterminated")
        if len(piece) < _FIRST_LOOK or not is_cut:
            raise
    return decoder.raw_decode(text[start : start + LONGEST_RECORD + 1])


def _decoder(constants: list[str]) -> json.JSONDecoder:
    """A decoder that notes NaN and Infinity: they are no JSON, though Python reads them."""
    return json.JSONDecoder(parse_constant=constants.append)


def _checked(value: object, length: int) -> Record | Broken:
    if not isinstance(value, dict):
        return Broken("not a JSON object")
    if length > LONGEST_RECORD:
        return Broken("a record longer than a mebibyte")
    return value if _depth(value) <= DEEPEST else Broken("nested too deep")


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def text_of(record: Record, *keys: str) -> str:
    """The first of these values that is there and not empty, as clean text."""
    for key in keys:
        value = record.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = str(value).replace("\0", "").strip()
            if text:
                return text.encode("utf-8", "replace").decode()  # halves of surrogate pairs
    return ""
