"""VAT by kind of service and day: the law of Belarus, and what the operator has set beside it."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from domain.errors import InvalidValue

TELECOM, GOODS = "telecom", "goods"


class VatRule(NamedTuple):
    """From a day on, this many per cent."""

    service: str
    valid_from: date
    percent: Decimal


# Tax Code, article 122: telecommunications for subscribers, and what has no rate of its own.
LAW = (
    VatRule(TELECOM, date(2016, 4, 1), Decimal(25)),
    VatRule(GOODS, date(2010, 1, 1), Decimal(20)),
)


def vat_percent(service: str, day: date, own: Iterable[VatRule] = ()) -> Decimal:
    """VAT on `service` on `day`. What the operator has set (`own`) goes before the law of the
    same day. Raises `InvalidValue` when nothing is known.

    >>> vat_percent("telecom", date(2026, 3, 1)), vat_percent("goods", date(2026, 3, 1))
    (Decimal('25'), Decimal('20'))
    """
    fitting = [
        (rule.valid_from, order, rule.percent)
        for order, rules in enumerate((LAW, own))
        for rule in rules
        if rule.service == service and rule.valid_from <= day
    ]
    if not fitting:
        raise InvalidValue(f"no VAT is known for {service}", what="vat", value=service)
    return max(fitting)[2]
