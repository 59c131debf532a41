"""A whole tariff plan in one TOML file: fees, packages, hours, prices; or a deck beside it.

    plan = "SIP-номер"
    valid_from = 2026-03-01
    rounding = {mode = "half_up", places = 4}
    deck = "prices.csv"                      # or [[rates]] below, or both

    [[fees]]
    code = "number"
    name = "Абонентская плата за номер"
    amount = "3.50"                          # without VAT; a month, or once = true
    per = "subscriber"                       # or "client"
    service = "telecom"                      # decides on the VAT: `flask vat list`

    [[fees]]
    code = "lines"
    name = "Линии"                           # up to how many, each, once
    ranges = [[10, "3.50", "0"], ["", "3.00", "0"]]
    volume = false                           # true: all at the price of the range reached

    [[packages]]
    code = "home"
    name = "300 минут по Беларуси"
    minutes = 300
    shared = true                            # by all numbers of a client
    groups = ["local", "mobile"]
    overage = "0.05"                         # beyond; left out: the usual price

    [[hours]]
    name = "Льготное время"
    days = ["sat", "sun", "holiday"]
    from = "00:00"
    to = "24:00"
    prices = {local = "0.03", mobile = "0.08"}   # by destination group
    prefixes = {7 = "0.30"}                      # of [[rates]] or the deck; goes before its group

    [[rates]]
    prefix = "375"                           # "onnet": between numbers of this operator
    name = "Беларусь"
    price = "0.0600"
    per = "minute"                           # or "second", or "call"
    increments = "60/1"                      # the first, then each
    connect_fee = "0.01"
    free_s = 5                               # increments that start before are free
    grace_s = 2                              # a call no longer than this is free
    minimum_s = 30                           # a shorter call costs as much as one of this length
    cap = "5.00"                             # no call costs more

    [[rates]]
    prefix = "7"                             # by duration, in the place of price and increments
    tiers = [{price = "0.50", increments = "60/1"}, {from_s = 180, price = "0.30"}]

A price in `overage`, `prices` and `prefixes` is a text (a minute; hours keep the increments of the
rate), or a table, or a list of tiers: domain.rating.plan_prices. Each mistake is one sentence, with
its place.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.rating.deck_file import DeckRate, Mistake, read_deck
from domain.rating.plan_prices import CALL
from domain.rating.plan_tables import (
    KNOWN,
    Fee,
    Hours,
    read_fee,
    read_hours,
    read_package,
    read_rate,
    read_rounding,
)
from domain.rating.plan_values import bad, check_names, check_texts, day, items, table, text, within
from domain.rating.tariff import Package, Rate, RoundingRule, Window, check_rate


@dataclass
class PlanFile:
    """What was read of a plan. `plan` and `valid_from` are None where the file does not say."""

    plan: str | None = None
    valid_from: date | None = None
    rounding: RoundingRule | None = None
    fees: list[Fee] | None = None
    fee_places: list[str] = field(default_factory=list)  # where each of them stands
    packages: list[Package] | None = None
    rates: list[tuple[DeckRate, str]] = field(default_factory=list)  # with the origin
    hours: list[Hours] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def windows_of(self, rate: DeckRate) -> tuple[Window, ...]:
        """The hours at which calls of the rate have another price."""
        return tuple(
            Window(hours.days, hours.from_s, hours.to_s, cost.paid_as(rate.steps), hours.name)
            for hours in self.hours
            if (cost := hours.cost_of(rate)) is not None
        )


def read_plan(source: str, open_deck: Callable[[str], bytes]) -> PlanFile:
    """Read a plan; `open_deck` gives the content of a deck by the name in the file. Raises
    `InvalidValue` with one sentence for what cannot be meant; mistakes of a deck are listed.
    """
    try:
        told = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise bad(f"not a TOML file: {error}") from None
    check_texts(told)
    check_names(told, KNOWN[""])
    plan = PlanFile(plan=text(told, "plan") or None, valid_from=day(told.get("valid_from")))
    if "rounding" in told:
        with within("rounding"):
            plan.rounding = read_rounding(table(told, "rounding"))
    if "fees" in told:
        plan.fees = _each(told, "fees", source, read_fee)
        plan.fee_places = [place for place, _item in items(told, "fees", source)]
    if "packages" in told:
        plan.packages = _each(told, "packages", source, read_package)
    plan.hours = _each(told, "hours", source, read_hours)
    if "deck" in told:
        deck = read_deck(open_deck(text(told, "deck")))
        plan.mistakes, plan.ignored = deck.mistakes, deck.ignored
        plan.rates = [(rate, "") for rate in deck.rates.values()]
    _add_rates(plan, told, source)
    _check_hours(plan, told, source)
    return plan


def _each(
    told: Mapping[str, Any], name: str, source: str, read: Callable[[Mapping[str, Any]], Any]
) -> list[Any]:
    """Each table of a list, read; a mistake in it has its place."""
    found = []
    for place, item in items(told, name, source):
        with within(place):
            check_names(item, KNOWN[name])
            found.append(read(item))
    return found


def _add_rates(plan: PlanFile, told: Mapping[str, Any], source: str) -> None:
    """The file's own rates beside the deck's; a price that is told twice is refused."""
    places = {}
    for rate, origin in plan.rates:
        places[rate.prefix, origin, rate.valid_from] = "the deck"
        with within(f"the deck, prefix {rate.prefix}"):
            check_rate(as_rate(rate, origin, plan.windows_of(rate)))
    for place, item in items(told, "rates", source):
        with within(place):
            check_names(item, KNOWN["rates"])
            rate, origin = read_rate(item)
            key = rate.prefix, origin, rate.valid_from
            if key in places:
                raise bad(f"the prefix {rate.prefix} has a price already: {places[key]}")
            places[key] = place
            windows = plan.windows_of(rate)
            if windows and item.get("per") == CALL:
                raise bad(f"{windows[0].name or 'hours'} cannot change a price per call")
            check_rate(as_rate(rate, origin, windows))
            plan.rates.append((rate, origin))


def _check_hours(plan: PlanFile, told: Mapping[str, Any], source: str) -> None:
    """Hours name prefixes that there are. (Groups may be those of another deck.)"""
    known = {rate.prefix for rate, _origin in plan.rates}
    for (place, _item), hours in zip(items(told, "hours", source), plan.hours, strict=True):
        if not plan.mistakes and (unknown := sorted(hours.prefixes.keys() - known)):
            raise bad(f"{place}: no rate has the prefix {unknown[0]!r}")


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
