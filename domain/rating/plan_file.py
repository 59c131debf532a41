"""A whole tariff plan in one TOML file: fees, packages, hours, prices; or a deck beside it.

    plan = "SIP-номер"
    valid_from = 2026-03-01
    rounding = {mode = "half_up", places = 4}
    deck = "prices.csv"                      # or [[rates]] below, or both

    [[fees]]
    code = "number"
    name = "Абонентская плата за номер"
    amount = "3.50"                          # without VAT, a month
    per = "subscriber"                       # or "client"

    [[packages]]
    code = "home"
    name = "300 минут по Беларуси"
    minutes = 300
    shared = true                            # by all numbers of a client
    groups = ["local", "mobile"]
    overage = "0.05"                         # a minute beyond; left out: the usual price

    [[hours]]
    name = "Льготное время"
    days = ["sat", "sun", "holiday"]
    from = "00:00"
    to = "24:00"
    prices = {local = "0.03", mobile = "0.08"}   # a minute, by destination group

    [[rates]]
    prefix = "375"                           # "onnet": between numbers of this operator
    name = "Беларусь"
    price = "0.0600"
    increments = "60/60"

Each mistake is one sentence.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.errors import InvalidValue
from domain.money import KOPECK, PLACES, Rounding, read_micros
from domain.rating.deck_file import DeckRate, Mistake, default_group, read_deck
from domain.rating.tariff import (
    DAY_S,
    HOLIDAY,
    Package,
    Rate,
    RoundingRule,
    Step,
    Window,
    check_rate,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = {name: number for number, name in enumerate(WEEKDAYS)} | {"holiday": HOLIDAY}
KNOWN = {
    "": {"plan", "valid_from", "rounding", "deck", "fees", "packages", "hours", "rates"},
    "rounding": {"mode", "places"},
    "fees": {"code", "name", "amount", "per", "once", "service", "ranges", "volume"},
    "packages": {"code", "name", "minutes", "shared", "groups", "overage"},
    "hours": {"name", "days", "from", "to", "prices"},
    "rates": {
        *("prefix", "name", "group", "origin", "price", "connect_fee", "increments"),
        *("free_s", "grace_s", "minimum_s", "cap", "valid_from", "valid_to"),
    },
}


@dataclass(frozen=True)
class Fee:
    """What is paid beside the calls. `amount` is kopecks without VAT."""

    code: str
    name: str
    amount: int
    is_monthly: bool = True
    is_per_client: bool = False
    service: str = "telecom"
    ranges: tuple[tuple[int | None, int, int], ...] = ()
    is_volume: bool = False


@dataclass
class PlanFile:
    """What was read of a plan. `plan` and `valid_from` are None where the file does not say."""

    plan: str | None = None
    valid_from: date | None = None
    rounding: RoundingRule | None = None
    fees: list[Fee] | None = None
    packages: list[Package] | None = None
    rates: list[tuple[DeckRate, str]] = field(default_factory=list)  # with the origin
    hours: list[tuple[str, frozenset[int], int, int, dict[str, int]]] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def windows_of(self, rate: DeckRate) -> tuple[Window, ...]:
        """The hours at which calls of the rate's group have another price."""
        return tuple(
            Window(
                days,
                start,
                end,
                tuple(step._replace(price=prices[rate.group], per_s=60) for step in rate.steps),
                name,
            )
            for name, days, start, end, prices in self.hours
            if rate.group in prices
        )


def read_plan(text: str, open_deck: Callable[[str], bytes]) -> PlanFile:
    """Read a plan; `open_deck` gives the content of a deck by the name in the file. Raises
    `InvalidValue` with one sentence for what cannot be meant; mistakes of a deck are listed.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(f"not a TOML file: {error}") from None
    _check_names("", told)
    plan = PlanFile(plan=told.get("plan"), valid_from=_day(told.get("valid_from")))
    if "rounding" in told:
        plan.rounding = _rounding(told["rounding"])
    if "fees" in told:
        plan.fees = [_fee(item) for item in _items(told, "fees")]
    if "packages" in told:
        plan.packages = [_package(item) for item in _items(told, "packages")]
    plan.hours = [_hours(item) for item in _items(told, "hours")]
    if "deck" in told:
        deck = read_deck(open_deck(told["deck"]))
        plan.mistakes, plan.ignored = deck.mistakes, deck.ignored
        plan.rates = [(rate, "") for rate in deck.rates.values()]
    plan.rates += [_rate(item) for item in _items(told, "rates")]
    for rate, origin in plan.rates:
        check_rate(as_rate(rate, origin, plan.windows_of(rate)))
    return plan


def as_rate(rate: DeckRate, origin: str = "", windows: tuple[Window, ...] = ()) -> Rate:
    """A rate to be counted with, without its days."""
    return Rate(
        rate.prefix,
        rate.steps,
        rate.name,
        rate.group,
        origin,
        rate.connect_fee,
        rate.free_s,
        rate.grace_s,
        rate.minimum_s,
        rate.cap,
        windows,
    )


def _bad(sentence: str) -> InvalidValue:
    return InvalidValue(sentence, what="plan", value="")


def _check_names(where: str, told: Mapping[str, Any]) -> None:
    if unknown := sorted(told.keys() - KNOWN[where]):
        raise _bad(f"{unknown[0]!r} means nothing{f' in [[{where}]]' if where else ''}")


def _items(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    items = told.get(name, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _bad(f"{name} is a list of tables: [[{name}]]")
    for item in items:
        _check_names(name, item)
    return items


def _needed(item: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in item:
        raise _bad(f"a table of [[{where}]] lacks {name!r}")
    return item[name]


def _day(value: object) -> date | None:
    if value is None or type(value) is date:
        return value
    raise _bad(f"a day is written as 2026-03-01, not {value!r}")


def _micros(value: object) -> int:
    if not isinstance(value, str):
        raise _bad(f'money is written in quotes, as "0.0600", not {value!r}')
    return read_micros(value)


def _kopecks(value: object) -> int:
    micros = _micros(value)
    if micros % KOPECK:
        raise _bad(f"a fee has no parts of a kopeck: {value!r}")
    return micros // KOPECK


def _whole(value: object, what: str) -> int:
    if type(value) is not int or value < 0:
        raise _bad(f"{what} is a whole number, not {value!r}")
    return value


def _rounding(told: Mapping[str, Any]) -> RoundingRule:
    _check_names("rounding", told)
    try:
        mode = Rounding(told.get("mode", Rounding.HALF_UP))
    except ValueError:
        raise _bad(f"there is no rounding {told['mode']!r}") from None
    places = _whole(told.get("places", PLACES), "places")
    if places > PLACES:
        raise _bad(f"calls are rounded to {PLACES} places at the most")
    return RoundingRule(mode, places)


def _fee(item: Mapping[str, Any]) -> Fee:
    per = item.get("per", "subscriber")
    if per not in {"subscriber", "client"}:
        raise _bad(f'a fee is per "subscriber" or "client", not {per!r}')
    ranges = tuple(
        (
            None if top == "" else _whole(top, "units"),
            _micros(price),
            _micros(flat),
        )
        for top, price, flat in item.get("ranges", ())
    )
    return Fee(
        _needed(item, "code", "fees"),
        _needed(item, "name", "fees"),
        0 if ranges else _kopecks(_needed(item, "amount", "fees")),
        not item.get("once", False),
        per == "client",
        item.get("service", "telecom"),
        ranges,
        bool(item.get("volume", False)),
    )


def _package(item: Mapping[str, Any]) -> Package:
    overage = (Step(0, _micros(item["overage"])),) if "overage" in item else ()
    return Package(
        _needed(item, "code", "packages"),
        _whole(_needed(item, "minutes", "packages"), "minutes") * 60,
        item.get("name", ""),
        bool(item.get("shared", False)),
        frozenset(item.get("groups", ())),
        overage,
    )


def _hours(
    item: Mapping[str, Any],
) -> tuple[str, frozenset[int], int, int, dict[str, int]]:
    days = _needed(item, "days", "hours")
    if unknown := [day for day in days if day not in DAYS]:
        raise _bad(f"there is no day {unknown[0]!r}: {', '.join(DAYS)}")
    prices = {group: _micros(price) for group, price in _needed(item, "prices", "hours").items()}
    start, end = _clock(item.get("from", "00:00")), _clock(item.get("to", "24:00"))
    if start >= end:
        raise _bad("hours end after they begin; over midnight they are two")
    return item.get("name", ""), frozenset(DAYS[day] for day in days), start, end, prices


def _clock(text: object) -> int:
    hours, _, minutes = str(text).partition(":")
    if not (hours.isdecimal() and minutes.isdecimal()) or int(minutes) > 59:
        raise _bad(f"a time is written as 18:00, not {text!r}")
    seconds = int(hours) * 3600 + int(minutes) * 60
    if seconds > DAY_S:
        raise _bad(f"a day has 24 hours: {text!r}")
    return seconds


def _rate(item: Mapping[str, Any]) -> tuple[DeckRate, str]:
    prefix = str(_needed(item, "prefix", "rates"))
    price = _micros(item.get("price", "0"))
    first, _, following = str(item.get("increments", "60/60")).partition("/")
    if not (first.isdecimal() and (following or first).isdecimal()):
        raise _bad(f"increments are written as 60/1, not {item['increments']!r}")
    first_s, next_s = int(first), int(following or first)
    steps = (Step(0, price, 60, first_s), Step(first_s, price, 60, next_s))
    rate = DeckRate(
        prefix,
        item.get("name", ""),
        item.get("group") or default_group(prefix),
        steps[:1] if first_s == next_s else steps,
        _micros(item.get("connect_fee", "0")),
        *(_whole(item.get(name, 0), name) for name in ("free_s", "grace_s", "minimum_s")),
        cap=_micros(item["cap"]) if "cap" in item else None,
        valid_from=_day(item.get("valid_from")),
        valid_to=_day(item.get("valid_to")),
    )
    return rate, str(item.get("origin", ""))
