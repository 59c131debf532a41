"""Why a call costs what it costs, as figures for whoever puts them into words."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from domain.money import ROUBLE, as_decimal, rounded
from domain.rating.calls import Price
from domain.rating.tariff import Version


@dataclass(frozen=True)
class ExplainedPart:
    """Increments of a call at one price; money in roubles."""

    from_s: int
    seconds: int
    increments: int
    increment_s: int
    price: Decimal
    per_s: int
    hours: str
    is_free: bool
    sum: Decimal


@dataclass(frozen=True)
class Explanation:
    """Everything that made a price; money in roubles, without VAT but for `vat` and `total`."""

    plan: str
    valid_from: date
    prefix: str
    destination: str
    group: str
    seconds: int  # as talked
    billed_s: int  # as paid, by increments
    connect_fee: Decimal
    parts: tuple[ExplainedPart, ...]
    packages: tuple[tuple[str, int], ...]  # name, seconds that it paid
    is_capped: bool
    exact: Decimal | None  # None: it has no end as a decimal
    rounding_mode: str
    rounding_places: int
    price: Decimal
    vat_percent: Decimal
    vat: Decimal
    total: Decimal

    def as_json(self) -> dict[str, Any]:
        """For programs: money as texts."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def explain(price: Price, version: Version, seconds: int, vat_percent: Decimal) -> Explanation:
    """Put the reasons of a price together."""
    vat = rounded(Fraction(price.micros) * Fraction(vat_percent) / 100)
    return Explanation(
        version.plan,
        version.valid_from,
        price.rate.prefix,
        price.rate.name,
        price.rate.group,
        seconds,
        int(price.billed_s),
        as_decimal(price.connect_fee),
        tuple(
            ExplainedPart(
                int(part.from_s),
                part.seconds,
                part.increments,
                part.step.increment_s,
                as_decimal(part.step.price),
                part.step.per_s,
                part.window,
                part.is_free,
                as_decimal(rounded(part.exact)),
            )
            for part in price.parts
        ),
        tuple((use.package.name or use.package.code, int(use.seconds)) for use in price.uses),
        price.is_capped,
        _exact(price.exact),
        version.rounding.mode,
        version.rounding.places,
        as_decimal(price.micros),
        vat_percent,
        as_decimal(vat),
        as_decimal(price.micros + vat),
    )


def _exact(micros: Fraction) -> Decimal | None:
    denominator = micros.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator != 1:
        return None
    return Decimal(micros.numerator) / (Decimal(micros.denominator) * ROUBLE)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | date):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
