"""Rate decks as carriers send them: CSV under the headers of several systems. A deck with a mistake
in it is refused whole, each mistake with its line; nothing is guessed about a price.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.errors import InvalidValue
from domain.money import read_micros
from domain.msisdn import COUNTRY
from domain.rating.tariff import ON_NET, Step
from domain.tables import decode

LONGEST_PREFIX = 15
DEFAULT_INCREMENT_S = 60
MISTAKES_SHOWN = 100
_WHOLE = re.compile("[0-9]{1,6}")

# What a column means, by its title without case, spaces and signs.
TITLES: Mapping[str, str] = MappingProxyType(
    {
        title: meaning
        for meaning, titles in {
            "prefix": (
                "prefix code destinationprefix dialprefix dialcode numberprefix"
                " префикс код кодназначения"
            ),
            "country_code": "countrycode кодстраны",
            "area_codes": "areacodes areacode cities коды",
            "name": "destination destinationname name country description направление назначение",
            "group": "group destinationgroup category группа группанаправлений",
            "minute": (
                "perminutecost ppm rate price priceperminute ratecost costperminute voiceinusd"
                " voice ценазаминуту цена тариф стоимостьминуты"
            ),
            "second": "pricepersecond persecondcost pps ценазасекунду",
            "call": (
                "connectcost connectfee connectioncost ppc ratesurcharge surcharge setupfee"
                " ценазавызов засоединение платазасоединение"
            ),
            "increments": "increments billing billingincrement интервалы тарификация",
            "first": (
                "initialincrement initial initialinterval firstincrement initialinc первыйинтервал"
            ),
            "next": (
                "increment rateincrement resolution voiceunitinseconds nextincrement"
                " nextinterval subsequent шаг интервал следующийинтервал"
            ),
            "free": "includedseconds freeseconds бесплатныесекунды",
            "grace": "gracetime grace ratenochargetime nochargetime нетарифицируемыесекунды",
            "minimum": "minimal minimum rateminimum minimumseconds минимум",
            "cap": "cap maxcost maximum пределзавызов",
            "valid_from": (
                "effectivedate effectivefrom effective validfrom startdate датаначала действуетс"
            ),
            "valid_to": (
                "effectivetill effectiveto validto enddate expirydate датаокончания действуетпо"
            ),
            "multiplier": "multiplier",
            "addition": "addition",
        }.items()
        for title in titles.split()
    }
)
# Columns that change a price in a way of their own: only what changes nothing is understood.
NEUTRAL: Mapping[str, frozenset[str]] = MappingProxyType(
    {"multiplier": frozenset({"", "1"}), "addition": frozenset({"", "0"})}
)
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
_SIGNS = re.compile(r"[\W_]+")


class DeckRate(NamedTuple):
    """A price for one prefix, as told on a line. Dates are days of the operator's zone, the last
    one included.
    """

    prefix: str
    name: str
    group: str
    steps: tuple[Step, ...]
    connect_fee: int = 0
    free_s: int = 0
    grace_s: int = 0
    minimum_s: int = 0
    cap: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class Mistake(NamedTuple):
    """What is wrong with a line. `code` is one of those in `texts.DECK_MISTAKES`; `other` is the
    line that it contradicts.
    """

    line: int
    code: str
    value: str = ""
    other: int = 0


@dataclass
class DeckFile:
    """What was read of a deck."""

    rates: dict[tuple[str, date | None], DeckRate] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    repeated: int = 0  # lines that say once more what one before them says
    ignored: list[str] = field(default_factory=list)  # titles of columns without a meaning here

    @property
    def is_good(self) -> bool:
        """Whether it can be taken."""
        return bool(self.rates) and not self.mistakes


def read_deck(content: bytes) -> DeckFile:
    """Read a deck: UTF-8 or Windows-1251, parted by `,` `;` or tabs, titles on its first line.

    Raises `InvalidValue` when the titles name no prefix or no price.
    """
    text = decode(content)
    if "\0" in text:  # two bytes a letter, or no text
        raise InvalidValue("a NUL in the text", what="rates", value="NUL")
    rows = _rows(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    _line, titles = next(rows, (1, []))
    meanings = [TITLES.get(_SIGNS.sub("", title.casefold())) for title in titles]
    _check_titles(meanings)
    deck = DeckFile(
        ignored=[t for t, m in zip(titles, meanings, strict=True) if m is None and t.strip()]
    )
    lines: dict[tuple[str, date | None], int] = {}
    for line, row in rows:
        if any(cell.strip() for cell in row):
            _take(deck, meanings, row, line, lines)
    return deck


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows of a `csv.reader` with the numbers of their lines."""
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        told = f"line {reader.line_num}: {error}"
        raise InvalidValue(told, what="rates", value=told) from error


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _check_titles(meanings: list[str | None]) -> None:
    named = set(meanings)
    if "prefix" not in named:
        raise InvalidValue("no column holds the prefix", what="deck_prefix", value="")
    if not named & {"minute", "second", "call"}:
        raise InvalidValue("no column holds the price", what="deck_price", value="")


def _take(
    deck: DeckFile,
    meanings: list[str | None],
    row: list[str],
    line: int,
    lines: dict[tuple[str, date | None], int],
) -> None:
    """Add what a line tells, or the mistake in it."""
    try:
        for rate in _read_row(meanings, row):
            key = rate.prefix, rate.valid_from
            known = deck.rates.setdefault(key, rate)
            if lines.setdefault(key, line) != line:
                _check_same_price(known, rate, lines[key])
                deck.repeated += 1
    except _Bad as bad:
        if len(deck.mistakes) < MISTAKES_SHOWN:
            deck.mistakes.append(Mistake(line, bad.code, bad.value, bad.other))


class _Bad(Exception):
    def __init__(self, code: str, value: str = "", other: int = 0) -> None:
        super().__init__(code)
        self.code, self.value, self.other = code, value, other


def _check_same_price(known: DeckRate, rate: DeckRate, line: int) -> None:
    """Names may differ: the price is what counts."""
    if known._replace(name="", group="") != rate._replace(name="", group=""):
        raise _Bad("contradiction", rate.prefix, line)


def _read_row(meanings: list[str | None], row: list[str]) -> Iterator[DeckRate]:
    cells = _by_meaning(meanings, row)
    for meaning, neutral in NEUTRAL.items():
        if (value := cells.get(meaning, "")) not in neutral:
            raise _Bad("not_understood", value)
    name = cells.get("name", "")
    if re.fullmatch(r"\d+[.,]\d+", name):
        raise _Bad("shifted", name)
    steps = _read_steps(cells)
    for prefix in _prefixes(cells):
        yield DeckRate(
            prefix,
            name,
            cells.get("group") or default_group(prefix),
            steps,
            connect_fee=_money(cells.get("call", "")) or 0,
            free_s=_seconds(cells.get("free", "")) or 0,
            grace_s=_seconds(cells.get("grace", "")) or 0,
            minimum_s=_minimum(cells),
            cap=_money(cells.get("cap", "")),
            valid_from=_day(cells.get("valid_from", "")),
            valid_to=_day(cells.get("valid_to", "")),
        )


def _by_meaning(meanings: list[str | None], row: list[str]) -> dict[str, str]:
    """Cells by what they mean: of two columns with one meaning the first that is not empty."""
    while len(row) > len(meanings) and not row[-1].strip():
        row = row[:-1]
    if len(row) > len(meanings):
        raise _Bad("too_many_columns", str(len(row)), len(meanings))
    cells: dict[str, str] = {}
    for meaning, cell in zip(meanings, row, strict=False):
        if meaning and cell.strip() and not cells.get(meaning):
            cells[meaning] = cell.strip()
    return cells


def _prefixes(cells: dict[str, str]) -> Iterator[str]:
    """One or several: `52 33,39` are 5233 and 5239, and so are a code and a list beside it."""
    told = cells.get("prefix", "")
    head, _, tails = told.partition(" ")
    tails = tails or cells.get("area_codes", "")
    parts = [part for part in re.split(r"[\s,;]+", tails) if part]
    if not parts:
        head, *more = re.split(r"[,;]", head)
        parts, head = [head, *more], ""
    for part in parts:
        prefix = (head + part).removeprefix("+").removeprefix("00")
        is_number = prefix.isdecimal() and prefix.isascii() and len(prefix) <= LONGEST_PREFIX
        if not is_number and prefix != ON_NET:
            raise _Bad("bad_prefix", told)
        yield prefix


def _read_steps(cells: dict[str, str]) -> tuple[Step, ...]:
    """The price of a minute or second, by the first and the following increments."""
    per_s = 1 if cells.get("second") and not cells.get("minute") else 60
    price = _money(cells.get("minute") or cells.get("second", ""))
    if price is None:
        if not cells.get("call"):
            raise _Bad("no_price")
        price = 0
    first, following = _increments(cells)
    if first == following:
        return (Step(0, price, per_s, following),)
    return Step(0, price, per_s, first), Step(first, price, per_s, following)


def _increments(cells: dict[str, str]) -> tuple[int, int]:
    """First and next, of columns of their own or of one that says `60/1`; OV500 calls the first
    one the least.
    """
    if both := cells.get("increments") or _slashed(cells.get("next", "")):
        first, _, following = both.partition("/")
        pair = _seconds(first), _seconds(following or first)
    else:
        following_s = _seconds(cells.get("next", str(DEFAULT_INCREMENT_S)))
        pair = _seconds(cells.get("first", "")) or following_s, following_s
    if not pair[0] or not pair[1]:
        raise _Bad("bad_seconds", both or "")
    return pair[0], pair[1]


def _slashed(text: str) -> str:
    return text if "/" in text else ""


def _minimum(cells: dict[str, str]) -> int:
    return _seconds(cells.get("minimum", "")) or 0


def _money(text: str) -> int | None:
    if not text:
        return None
    try:
        micros = read_micros(text)
    except InvalidValue:
        raise _Bad("bad_price", text) from None
    if micros < 0:
        raise _Bad("bad_price", text)
    return micros


def _seconds(text: str) -> int | None:
    if not text:
        return None
    if not _WHOLE.fullmatch(text.strip()) or int(text) > 86_400:
        raise _Bad("bad_seconds", text)
    return int(text)


def _day(text: str) -> date | None:
    if not text:
        return None
    for pattern in DATES:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise _Bad("bad_date", text)


MOBILE_CODES = ("25", "29", "33", "44")


def default_group(prefix: str) -> str:
    """The destination group of a prefix, where a deck names none.

    >>> [default_group(p) for p in ("37517", "375", "37529", "7495", "103")]
    ['local', 'local', 'mobile', 'international', 'service']
    """
    if prefix == ON_NET:
        return ON_NET
    if prefix.startswith(COUNTRY):
        return "mobile" if prefix[3:5] in MOBILE_CODES else "local"
    return "service" if prefix[:1] == "1" and len(prefix) == 3 else "international"
