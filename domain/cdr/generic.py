"""Files of any program, read by a map of their columns (`column_map`)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from domain.cdr.asterisk import EMPTY, NO_TIME
from domain.cdr.column_map import EPOCHS, UNITS, ColumnMap, MapMistake
from domain.cdr.ids import ContentIds
from domain.cdr.legs import leg_of
from domain.cdr.record import (
    CallDirection,
    Disposition,
    Leg,
    Nonsense,
    Reject,
    Skip,
    Timing,
    check_timing,
    reject,
    stable_hash,
)
from domain.cdr.source import Source
from domain.cdr.times import YEARS, LocalTimes
from domain.msisdn import normalise

_NOTHING = NO_TIME | EMPTY | {"-"}
_FIRST, _LAST = (int(datetime(int(f(YEARS)), 1, 1, tzinfo=UTC).timestamp()) for f in (min, max))
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d\d)(?:\.\d+)?", re.ASCII)
_EPOCH = re.compile(r"\d{1,17}(?:[.,]\d{1,9})?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(?:[.,]\d{1,9})?", re.ASCII)


class Generic:
    """A reader by a map. Without one it recognises nothing and reads nothing."""

    name = "generic"

    def __init__(self, column_map: ColumnMap | None = None) -> None:
        self._map = column_map

    def recognises(self, source: Source) -> float:  # noqa: ARG002
        """Never: a file of this format is named by who imports it."""
        return 0.0

    def read(self, source: Source, zone: tzinfo) -> Iterator[Leg | Reject | Skip]:
        """One event per physical line. Raises `MapMistake` at once, also for a title that the
        file does not have.
        """
        if self._map is None:
            raise MapMistake("the format generic needs a map of the columns: --map FILE")
        places = _places(self._map, source)
        return _Reading(self._map, places, zone).events(source)


def _places(column_map: ColumnMap, source: Source) -> dict[str, int]:
    """Where each field stands in a row, counted from 0."""
    named = column_map.columns.named()
    titles: list[str] = []
    if column_map.header:
        rows = source.rows(column_map.delimiter or None)
        for _line, row in zip(range(column_map.skip_lines), rows, strict=False):
            del row
        titles = next((row for row in rows if not _is_aside(row, column_map)), [])
    by_title = {title.strip().lower(): place for place, title in reversed([*enumerate(titles)])}
    places = {}
    for name, column in named.items():
        if isinstance(column, int):
            places[name] = column - 1
        elif column.strip().lower() in by_title:
            places[name] = by_title[column.strip().lower()]
        else:
            has = ", ".join(title.strip() for title in titles[:30]) or "none"
            raise MapMistake(f"columns.{name}: the file has no column {column!r}; it has {has}")
    return places


def _is_aside(row: list[str], column_map: ColumnMap) -> bool:
    """Blank or comment."""
    return not any(row) or bool(column_map.comment and row[0].startswith(column_map.comment))


class _Reading:
    """One pass over a file."""

    def __init__(self, column_map: ColumnMap, places: dict[str, int], zone: tzinfo) -> None:
        self._map, self._places = column_map, places
        self._zone = column_map.zone or zone
        self._times = LocalTimes(self._zone)
        self._ids = ContentIds()

    def events(self, source: Source) -> Iterator[Leg | Reject | Skip]:
        is_header_due = self._map.header
        needed = max(self._places.values()) + 1
        rows = source.rows(self._map.delimiter or None)
        for line, row in enumerate(rows, 1):
            if line <= self._map.skip_lines or _is_aside(row, self._map):
                yield Skip(line)
            elif is_header_due:
                is_header_due = False
                yield Skip(line)
            elif len(row) < needed:
                yield reject(line, row, f"{len(row)} columns instead of {needed}")
            else:
                try:
                    yield self._leg(row)
                except ValueError as error:
                    yield reject(line, row, str(error))

    def _value(self, row: list[str], name: str) -> str:
        place = self._places.get(name)
        text = "" if place is None else row[place].strip()
        return "" if text in _NOTHING else text

    def _leg(self, row: list[str]) -> Leg:
        """The normal form of one row; raises `ValueError` with the reason."""
        a_raw, b_raw = self._sides(row)
        started_at = self._moment(self._value(row, "start"))
        if started_at is None:
            raise Nonsense("no start")
        disposition = self._disposition(row)
        timing = self._timing(row, started_at, disposition)
        a_number, b_number = normalise(a_raw), normalise(b_raw)
        uid = self._value(row, "uid")
        uid = uid or self._ids.of(started_at, a_number, b_number, timing, disposition)
        a_end, b_end = self._own_sides(row, a_raw, b_raw)
        return leg_of(
            uid=uid,
            leg=stable_hash(started_at, a_number, b_number, int(disposition), timing.billable_s),
            started_at=started_at,
            timing=timing,
            disposition=disposition,
            a_raw=a_raw,
            b_raw=b_raw,
            account=self._value(row, "account"),
            a_endpoint=a_end,
            b_endpoint=b_end,
        )

    def _direction(self, row: list[str]) -> CallDirection | None:
        if "direction" not in self._places:
            return None
        direction = self._map.directions.get(self._value(row, "direction").lower())
        if direction is None:
            raise Nonsense("a direction that the map does not know")
        return direction

    def _sides(self, row: list[str]) -> tuple[str, str]:
        """Caller and called."""
        direction = self._direction(row)
        if direction is None:
            return self._value(row, "caller"), self._value(row, "called")
        own, peer = self._value(row, "own"), self._value(row, "peer")
        return (own, peer) if direction == CallDirection.OUT else (peer, own)

    def _own_sides(self, row: list[str], a_raw: str, b_raw: str) -> tuple[str, str]:
        """Our number as a device, where the map tells which it is: for `--discover`."""
        direction = self._direction(row)
        if direction is None:
            return "", ""
        return (a_raw, "") if direction == CallDirection.OUT else ("", b_raw)

    def _disposition(self, row: list[str]) -> Disposition:
        """By the word of the file; without one a call with an answer or a billable second was
        answered.
        """
        if "disposition" in self._places:
            word = self._value(row, "disposition").lower()
            found = self._map.dispositions.get(word, self._map.other_disposition)
            if found is None:
                raise Nonsense("a disposition that the map does not know")
            return found
        talked = self._moment(self._value(row, "answer")) or self._seconds(row, "billable")
        return Disposition.ANSWERED if talked else Disposition.NO_ANSWER

    def _timing(self, row: list[str], started_at: int, disposition: Disposition) -> Timing:
        """What the file does not tell follows from the rest."""
        answered_at = self._moment(self._value(row, "answer"), started_at)
        ended_at = self._moment(self._value(row, "end"), started_at)
        duration_s, billable_s = self._seconds(row, "duration"), self._seconds(row, "billable")
        if ended_at is None:
            lasted_s = duration_s
            if lasted_s is None:
                lasted_s = (answered_at or started_at) - started_at + (billable_s or 0)
            ended_at = started_at + lasted_s
        if duration_s is None:
            duration_s = ended_at - started_at
        if billable_s is None:
            billable_s = ended_at - (started_at if answered_at is None else answered_at)
        return check_timing(started_at, answered_at, ended_at, duration_s, billable_s, disposition)

    def _moment(self, text: str, near: int | None = None) -> int | None:
        """UTC epoch seconds, None without a time."""
        if not text:
            return None
        form = self._map.time_format
        if form in EPOCHS:
            if not _EPOCH.fullmatch(text):
                raise Nonsense("unreadable time")
            moment = int(re.split("[.,]", text)[0]) // EPOCHS[form] or None
            if moment and not _FIRST <= moment < _LAST:
                raise Nonsense("unreadable time")
            return moment
        try:
            read = datetime.strptime(text, form)  # noqa: DTZ007 - local by design
        except ValueError:
            raise Nonsense("unreadable time") from None
        if str(read.year) not in YEARS:
            raise Nonsense("unreadable time")
        if read.tzinfo is not None:
            return int(read.timestamp())
        return self._times.epoch(f"{read:%Y-%m-%d %H:%M:%S}", near)

    def _seconds(self, row: list[str], name: str) -> int | None:
        """Whole seconds, None without a value."""
        text = self._value(row, name)
        if not text:
            return None
        if self._map.unit == "clock":
            found = _CLOCK.fullmatch(text)
            if not found:
                raise Nonsense("duration is not h:mm:ss")
            return int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3])
        if not _NUMBER.fullmatch(text):
            raise Nonsense("duration is not a number")
        seconds = float(text.replace(",", ".")) * UNITS[self._map.unit]
        return round(seconds) if self._map.unit == "min" else int(seconds // 1)


GENERIC = Generic()
