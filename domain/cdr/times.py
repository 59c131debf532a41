"""Local times of exchanges as UTC epoch seconds: by a zone with its gaps and folds."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import InvalidValue

YEARS = frozenset(map(str, range(2000, 2060)))  # others are a clock that was never set
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_EPOCH = re.compile(r"\d{9,10}", re.ASCII)
_EPOCHS = range(
    int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(2060, 1, 1, tzinfo=UTC).timestamp()),
)
_UID_EPOCH = re.compile(r"(?:^|-)(\d{9,10})\.\d+$", re.ASCII)
_UID_MILLISECONDS = re.compile(r"0{5}([0-9A-F]{11})_[0-9A-F]+", re.ASCII)


def parse_zone(text: str) -> tzinfo:
    """An IANA name or ±HH:MM as a zone; raises `InvalidValue`."""
    if found := _OFFSET.fullmatch(text):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if offset <= timedelta(hours=14) and int(found[3]) < 60:
            return timezone(-offset if found[1] == "-" else offset)
    try:
        return UTC if text == "UTC" else ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValue(f"no time zone {text!r}", what="zone", value=text) from error


def read_epoch(text: str) -> int:
    """UTC epoch seconds as an exchange writes them; `ValueError` for a clock that was never set."""
    if not _EPOCH.fullmatch(text) or int(text) not in _EPOCHS:
        raise ValueError("unreadable time")
    return int(text)


def uid_epoch(uid: str) -> int | None:
    """The moment at which an id was made: of Asterisk `1690325492.2`, `A2B03-1473278510.32`; of
    3CX `00000171DEDAF013_2482`, milliseconds in hexadecimal.
    """
    if found := _UID_EPOCH.search(uid):
        return int(found[1])
    found = _UID_MILLISECONDS.fullmatch(uid)
    return int(found[1], 16) // 1000 if found else None


def zone_error_s(starts: Iterable[tuple[int, str]]) -> int:
    """By how much the starts of records, given with their ids, lie after the moments in the ids:
    a multiple of 15 minutes that most of them agree on, else 0. Not 0: the zone is wrong.
    """
    errors = Counter(
        round((start - made) / 900) * 900 for start, uid in starts if (made := uid_epoch(uid))
    )
    for error, count in errors.most_common(1):
        return error if count > 0.8 * errors.total() else 0
    return 0


_MINUTES = {f" {n // 60:02}:{n % 60:02}": n * 60 for n in range(1440)}  # of the day, in seconds
SECONDS = {f":{n:02}": n for n in range(60)}


class LocalTimes:
    """Reads `YYYY-MM-DD HH:MM:SS` of one zone; midnights are remembered.

    A time that comes twice (clocks put back) is the one nearer to `near`, without it the first.
    A time that never was (clocks put forward, the exchange's clock was not yet) is counted by
    the offset that held before.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._midnights: dict[str, int] = {}  # days of one offset only
        self.uneven_days: set[str] = set()

    def epoch(self, text: str, near: int | None = None) -> int:
        """UTC epoch seconds, fractions dropped; `ValueError` for what is no time."""
        try:
            return self._midnights[text[:10]] + _MINUTES[text[10:16]] + SECONDS[text[16:]]
        except KeyError:
            return self._read(text, near)

    def even_minute(self, text: str) -> int:
        """As `epoch` of `YYYY-MM-DD HH:MM`; `KeyError` for what is no minute of a day that is known
        and had one offset.
        """
        return self._midnights[text[:10]] + _MINUTES[text[10:]]

    def start(self, text: str, uid: str) -> int:
        """As `epoch`; in the hour that comes twice the id of the call, which was made at the
        start, knows which it was.
        """
        moment = self.epoch(text)
        return self.epoch(text, uid_epoch(uid)) if text[:10] in self.uneven_days else moment

    def _read(self, text: str, near: int | None) -> int:
        found = _STAMP.fullmatch(text)
        if not found or found[1] not in YEARS:
            raise ValueError("unreadable time")
        moment = datetime(*map(int, found.groups()), tzinfo=self.zone)  # type: ignore[arg-type]
        first, second = (int(moment.replace(fold=fold).timestamp()) for fold in (0, 1))
        self._remember(text[:10], moment)
        if second > first and near is not None:
            return min((first, second), key=lambda seconds: abs(seconds - near))
        return first

    def _remember(self, day: str, moment: datetime) -> None:
        midnight = moment.replace(hour=0, minute=0, second=0)
        if midnight.utcoffset() == (midnight + timedelta(days=1)).utcoffset():
            self._midnights[day] = int(midnight.timestamp())
        else:
            self.uneven_days.add(day)
