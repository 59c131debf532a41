"""The tables of a plan file, one by one: what they mean says `plan_file.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.money import PLACES, Rounding
from domain.rating.deck_file import DeckRate, default_group
from domain.rating.plan_prices import CALL, Cost, read_cost, read_steps
from domain.rating.plan_values import (
    bad,
    check_names,
    clock,
    day,
    flag,
    kopecks,
    money,
    needed,
    price,
    table,
    text,
    texts,
    whole,
    within,
)
from domain.rating.tariff import HOLIDAY, Package, RoundingRule, Step

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = {name: number for number, name in enumerate(WEEKDAYS)} | {"holiday": HOLIDAY}
KNOWN = {
    name: frozenset(keys.split())
    for name, keys in {
        "": "plan valid_from rounding deck fees packages hours rates",
        "rounding": "mode places",
        "fees": "code name amount per once service ranges volume",
        "packages": "code name minutes shared groups overage",
        "hours": "name days from to prices prefixes",
        "rates": "prefix name group origin price per increments tiers connect_fee free_s grace_s"
        " minimum_s cap valid_from valid_to",
    }.items()
}
BY_DEFAULT = (Step(0, 0),)  # whose increments a price beyond a package has
INSTEAD_OF_TIERS = ("price", "per", "increments")


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


@dataclass(frozen=True)
class Hours:
    """Hours of days at which calls cost something else."""

    name: str
    days: frozenset[int]
    from_s: int
    to_s: int
    groups: Mapping[str, Cost]
    prefixes: Mapping[str, Cost]

    def cost_of(self, rate: DeckRate) -> Cost | None:
        """What calls at this rate cost then; None: what they always do."""
        return self.prefixes.get(rate.prefix) or self.groups.get(rate.group)


def read_rounding(told: Mapping[str, Any]) -> RoundingRule:
    """`rounding`."""
    check_names(told, KNOWN["rounding"])
    try:
        mode = Rounding(told.get("mode", Rounding.HALF_UP))
    except ValueError:
        raise bad(f"there is no rounding {told['mode']!r}") from None
    places = whole(told.get("places", PLACES), "places")
    if places > PLACES:
        raise bad(f"calls are rounded to {PLACES} places at the most")
    return RoundingRule(mode, places)


def read_fee(item: Mapping[str, Any]) -> Fee:
    """A table of `[[fees]]`."""
    per = text(item, "per", "subscriber")
    if per not in {"subscriber", "client"}:
        raise bad(f'a fee is per "subscriber" or "client", not {per!r}')
    ranges = _ranges(item)
    if ranges and per == "client":
        raise bad("ranges count numbers: the fee is per subscriber")
    return Fee(
        str(needed(item, "code")),
        str(needed(item, "name")),
        0 if ranges else kopecks(needed(item, "amount")),
        not flag(item, "once"),
        per == "client",
        text(item, "service", "telecom"),
        ranges,
        flag(item, "volume"),
    )


def _ranges(item: Mapping[str, Any]) -> tuple[tuple[int | None, int, int], ...]:
    """Up to how many units (the last: "", all the rest), what each costs, and the range once."""
    found, below = [], 0
    told = item.get("ranges", [])
    if not isinstance(told, list) or not all(isinstance(r, list) and len(r) == 3 for r in told):
        raise bad('ranges are written as [[10, "3.50", "0"], ["", "3.00", "0"]]')
    for number, (top, each, flat) in enumerate(told, 1):
        with within(f"range {number}"):
            is_last = number == len(told)
            if is_last != (top == ""):
                raise bad('the last range has no end: "", and only that one')
            if not is_last and whole(top, "units") <= below:
                raise bad(f"it ends at {top!r}, not after {below}")
            below = below if is_last else top
            found.append((None if is_last else top, money(each), money(flat)))
    return tuple(found)


def read_package(item: Mapping[str, Any]) -> Package:
    """A table of `[[packages]]`."""
    overage = ()
    if "overage" in item:
        with within("overage"):
            overage = read_cost(item["overage"]).paid_as(BY_DEFAULT)
    return Package(
        str(needed(item, "code")),
        whole(needed(item, "minutes"), "minutes") * 60,
        str(item.get("name", "")),
        flag(item, "shared"),
        frozenset(texts(item, "groups")),
        overage,
    )


def read_hours(item: Mapping[str, Any]) -> Hours:
    """A table of `[[hours]]`."""
    needed(item, "days")
    days = texts(item, "days")
    if unknown := [day for day in days if day not in DAYS]:
        raise bad(f"there is no day {unknown[0]!r}: {', '.join(DAYS)}")
    if "prefixes" not in item:
        needed(item, "prices")
    start, end = clock(item.get("from", "00:00")), clock(item.get("to", "24:00"))
    if start >= end:
        raise bad("hours end after they begin; over midnight they are two")
    return Hours(
        str(item.get("name", "")),
        frozenset(DAYS[day] for day in days),
        start,
        end,
        _costs(item, "prices"),
        _costs(item, "prefixes"),
    )


def _costs(item: Mapping[str, Any], name: str) -> dict[str, Cost]:
    found = {}
    for whose, told in table(item, name).items():
        with within(f"{name}, {whose}"):
            found[whose] = read_cost(told)
    return found


def read_rate(item: Mapping[str, Any]) -> tuple[DeckRate, str]:
    """A table of `[[rates]]`, with its origin."""
    prefix = str(needed(item, "prefix"))
    steps, connect_fee = _steps(item)
    rate = DeckRate(
        prefix,
        str(item.get("name", "")),
        str(item.get("group") or default_group(prefix)),
        steps,
        connect_fee,
        *(whole(item.get(name, 0), name) for name in ("free_s", "grace_s", "minimum_s")),
        cap=price(item["cap"]) if "cap" in item else None,
        valid_from=day(item.get("valid_from")),
        valid_to=day(item.get("valid_to")),
    )
    if rate.valid_from and rate.valid_to and rate.valid_to < rate.valid_from:
        raise bad("its last day lies before the first")
    return rate, str(item.get("origin", ""))


def _steps(item: Mapping[str, Any]) -> tuple[tuple[Step, ...], int]:
    """Steps and connect fee. A price per call is a connect fee, and seconds that cost nothing."""
    connect_fee = price(item.get("connect_fee", "0"))
    if "tiers" in item:
        if told := [name for name in INSTEAD_OF_TIERS if name in item]:
            raise bad(f"tiers say their prices themselves: leave {told[0]!r} out")
        if not isinstance(item["tiers"], list):
            raise bad('tiers are a list: [{price = "0.10"}, {from_s = 180, price = "0.05"}]')
        return read_cost(item["tiers"]).steps, connect_fee
    if item.get("per") != CALL:
        if "per" in item and not connect_fee:
            needed(item, "price")
        return read_steps(item), connect_fee
    if "connect_fee" in item:
        raise bad("a price per call is its connect fee: say one of them")
    fee = price(needed(item, "price"))
    return read_steps({**item, "price": "0", "per": "minute"}), fee
