"""The map of a file's columns that a person writes for the format `generic`: a small TOML file.
Each mistake in it is one sentence. What a map says is applied in `generic`.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any

from domain.cdr.record import CallDirection, Disposition
from domain.cdr.times import parse_zone
from domain.errors import InvalidValue

Column = str | int  # a title, or a position counted from 1

LARGEST_MAP = 1 << 16  # bytes
EPOCHS: Mapping[str, int] = MappingProxyType({"epoch": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000})
UNITS: Mapping[str, float] = MappingProxyType({"s": 1, "ms": 0.001, "min": 60, "clock": 0})
DELIMITERS: Mapping[str, str] = MappingProxyType(
    {",": ",", ";": ";", "\t": "\t", "tab": "\t", "|": "|", "auto": ""}
)
_WORDS: Mapping[str, Disposition] = {
    disposition.name.lower(): disposition for disposition in Disposition
}
_DIRECTIONS: Mapping[str, CallDirection] = {"out": CallDirection.OUT, "in": CallDirection.IN}
_SAMPLE = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


class MapMistake(InvalidValue):
    """What is wrong with a map, in one sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, what="map", value="")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column holds what. Either caller and called, or own, peer and direction."""

    start: Column
    caller: Column | None = None
    called: Column | None = None
    own: Column | None = None
    peer: Column | None = None
    direction: Column | None = None
    answer: Column | None = None
    end: Column | None = None
    duration: Column | None = None  # ring included
    billable: Column | None = None
    disposition: Column | None = None
    uid: Column | None = None
    account: Column | None = None

    def named(self) -> dict[str, Column]:
        """The columns that the map names."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, kw_only=True)
class ColumnMap:
    """How to read one kind of file."""

    columns: Columns
    delimiter: str = ""  # empty: told by content
    header: bool = True
    skip_lines: int = 0
    comment: str = "#"
    time_format: str = "%Y-%m-%d %H:%M:%S"
    zone: tzinfo | None = None  # None: that of the import
    unit: str = "s"
    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    other_disposition: Disposition | None = None
    directions: Mapping[str, CallDirection] = field(default_factory=dict)


def parse_map(text: bytes) -> ColumnMap:
    """The map in a TOML file; raises `MapMistake`."""
    if len(text) > LARGEST_MAP:
        raise MapMistake("the map is larger than 64 KiB: is it the map?")
    try:
        table = tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise MapMistake("the map is not UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MapMistake(f"the map is not TOML: {error}") from error
    known = {"columns", "file", "time", "duration", "disposition", "direction"}
    _check_keys(table, known, "the map")
    for name in known & table.keys():
        if not isinstance(table[name], dict):
            raise MapMistake(f"{name} is a table of its own: write [{name}]")
    found = ColumnMap(
        columns=_columns(table.get("columns", {})),
        **_file(table.get("file", {})),
        **_time(table.get("time", {})),
        **_duration(table.get("duration", {})),
        **_dispositions(table.get("disposition", {})),
        **_directions(table.get("direction", {})),
    )
    _check_whole(found)
    return found


def _check_keys(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for key in table:
        if key not in known:
            names = ", ".join(sorted(known))
            raise MapMistake(f"{where} has no key {key!r}; there are {names}")


def _columns(table: Mapping[str, Any]) -> Columns:
    _check_keys(table, [f.name for f in fields(Columns)], "[columns]")
    for name, value in table.items():
        if isinstance(value, str) and value.strip():
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 1000:
            raise MapMistake(
                f"columns.{name} is neither a title nor a position counted from 1: {value!r}"
            )
    if "start" not in table:
        raise MapMistake("columns.start is missing: which column holds the beginning of a call?")
    return Columns(**table)


def _file(table: Mapping[str, Any]) -> dict[str, Any]:
    known = {"delimiter": str, "header": bool, "skip_lines": int, "comment": str}
    _check_keys(table, known, "[file]")
    for name, kind in known.items():
        _check_kind(table, "file", name, kind)
    found = dict(table)
    if "delimiter" in found:
        if found["delimiter"] not in DELIMITERS:
            raise MapMistake('file.delimiter is one of "," ";" "tab" "|" "auto"')
        found["delimiter"] = DELIMITERS[found["delimiter"]]
    if found.get("skip_lines", 0) < 0:
        raise MapMistake("file.skip_lines is a number of lines, 0 or more")
    return found


def _check_kind(table: Mapping[str, Any], where: str, name: str, kind: type) -> None:
    value = table.get(name)
    if value is not None and (not isinstance(value, kind) or (kind is int and value is True)):
        words = {str: "a text", bool: "true or false", int: "a whole number", dict: "a table"}
        raise MapMistake(f"{where}.{name} is {words[kind]}, not {value!r}")


def _time(table: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(table, {"format", "zone"}, "[time]")
    _check_kind(table, "time", "format", str)
    _check_kind(table, "time", "zone", str)
    found: dict[str, Any] = {}
    if "format" in table:
        found["time_format"] = _time_format(table["format"])
    if "zone" in table:
        try:
            found["zone"] = parse_zone(table["zone"])
        except InvalidValue as error:
            raise MapMistake(
                f"time.zone: {error}; write a name like Europe/Minsk or an offset like +03:00"
            ) from error
    return found


def _time_format(text: str) -> str:
    """The format, when it tells a moment to the minute at least."""
    if text in EPOCHS:
        return text
    try:
        read = datetime.strptime(_SAMPLE.strftime(text), text)  # noqa: DTZ007 - local by design
    except (ValueError, OverflowError):
        read = None
    if read is None or read.replace(tzinfo=UTC) != _SAMPLE:
        raise MapMistake(
            f"time.format {text!r} does not tell a whole date and time: write one like "
            f'"%d.%m.%Y %H:%M:%S", or {", ".join(EPOCHS)}'
        )
    return text


def _duration(table: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(table, {"unit"}, "[duration]")
    if "unit" in table and table["unit"] not in UNITS:
        raise MapMistake(f"duration.unit is one of {', '.join(UNITS)}")
    return dict(table)


def _dispositions(table: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(table, {*_WORDS, "other"}, "[disposition]")
    table = dict(table)
    other = table.pop("other", None)
    if other is not None and other not in _WORDS:
        raise MapMistake(f"disposition.other is one of {', '.join(_WORDS)}")
    return {
        "dispositions": _by_word(table, "disposition", _WORDS.__getitem__),
        "other_disposition": None if other is None else _WORDS[other],
    }


def _directions(table: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(table, _DIRECTIONS, "[direction]")
    return {"directions": _by_word(table, "direction", _DIRECTIONS.__getitem__)}


def _by_word(table: Mapping[str, Any], where: str, meaning: Callable[[str], Any]) -> dict[str, Any]:
    """What each word of the file means, in small letters."""
    found: dict[str, Any] = {}
    for name, words in table.items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise MapMistake(f'{where}.{name} is a list of words: ["…", "…"]')
        for word in words:
            if found.setdefault(word.strip().lower(), meaning(name)) != meaning(name):
                raise MapMistake(f"[{where}] gives the word {word!r} two meanings")
    return found


def _check_whole(found: ColumnMap) -> None:
    """What has to come together."""
    columns = found.columns
    by_sides = columns.caller is not None and columns.called is not None
    by_owner = None not in (columns.own, columns.peer, columns.direction)
    named = columns.named()
    if by_sides == by_owner or (by_sides and named.keys() & {"own", "peer", "direction"}):
        raise MapMistake(
            "[columns] names either caller and called, or own, peer and direction: all of one, "
            "none of the other"
        )
    if by_owner and set(found.directions.values()) != set(CallDirection):
        raise MapMistake("[direction] says which words mean out and which mean in")
    if not named.keys() & {"end", "duration", "billable"}:
        raise MapMistake("[columns] names end, duration or billable: how long did a call last?")
    if columns.disposition is not None and not found.dispositions:
        raise MapMistake("[disposition] says which words of that column mean answered")
    if columns.disposition is None and not named.keys() & {"answer", "billable"}:
        raise MapMistake(
            "[columns] names disposition, answer or billable: which calls were answered?"
        )
    if not found.header and any(isinstance(place, str) for place in named.values()):
        raise MapMistake("without a header (file.header = false) columns are positions, not titles")
