"""How a plan file says what seconds of a call cost.

A price is a text, or a table; tiers are a list of tables, each from a second of the call on:

    "0.0600"                                            # a minute
    {price = "0.0010", per = "second", increments = "1"}
    [{price = "0.10", increments = "60/1"}, {from_s = 180, price = "0.05"}]
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.rating.plan_values import bad, check_names, needed, price, text, whole, within
from domain.rating.tariff import Step, check_steps

MINUTE, SECOND, CALL = "minute", "second", "call"
PER_S = {MINUTE: 60, SECOND: 1}
PRICE_KEYS = frozenset({"price", "per", "increments"})
USUAL = "60/60"  # increments that nobody has named


class Cost(NamedTuple):
    """What the seconds of a call cost. Without increments of its own they are another price's."""

    steps: tuple[Step, ...]
    has_increments: bool = True

    def paid_as(self, others: tuple[Step, ...]) -> tuple[Step, ...]:
        """Its steps, with the increments of `others` where it has none."""
        if self.has_increments:
            return self.steps
        [own] = self.steps
        return tuple(step._replace(price=own.price, per_s=own.per_s) for step in others)


def read_cost(told: object) -> Cost:
    """A price of minutes or seconds, in any of its forms. Raises `InvalidValue`."""
    if isinstance(told, str):
        return Cost((Step(0, price(told)),), has_increments=False)
    if isinstance(told, list):
        return Cost(_tiers(told))
    if not isinstance(told, Mapping):
        raise bad(f'a price is "0.06", a table or a list of tiers, not {told!r}')
    check_names(told, PRICE_KEYS)
    needed(told, "price")
    steps = read_steps(told)
    has_increments = "increments" in told
    return Cost(steps if has_increments else steps[:1], has_increments)


def read_steps(told: Mapping[str, Any], from_s: int = 0) -> tuple[Step, ...]:
    """`price`, `per` and `increments` of a table, from a second on: the first increment, then the
    others.
    """
    per_s = PER_S.get(text(told, "per", MINUTE))
    if per_s is None:
        raise bad(f'a price is per "minute" or "second", not {told["per"]!r}')
    each = price(told.get("price", "0"))
    first_s, next_s = _increments(told.get("increments", USUAL))
    first = Step(from_s, each, per_s, first_s)
    if first_s == next_s:
        return (first,)
    return first, Step(from_s + first_s, each, per_s, next_s)


def _tiers(told: list[Any]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number, tier in enumerate(told, 1):
        with within(f"tier {number}"):
            if not isinstance(tier, Mapping):
                raise bad(f'a tier is a table, as {{from_s = 180, price = "0.05"}}, not {tier!r}')
            check_names(tier, PRICE_KEYS | {"from_s"})
            needed(tier, "price")
            if number > 1:
                needed(tier, "from_s")
            steps += read_steps(tier, whole(tier.get("from_s", 0), "from_s"))
            check_steps(steps)
    if not steps:
        raise bad("there is no tier")
    return tuple(steps)


def _increments(told: object) -> tuple[int, int]:
    first, slash, following = str(told).partition("/")
    following = following if slash else first
    if not (_is_length(first) and _is_length(following)):
        raise bad(f"increments are written as 60/1, not {told!r}")
    return int(first), int(following)


def _is_length(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,6}", text)) and int(text) > 0
