"""Which payment that has come in is the one that a client has told of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

MOST_DAYS_LATE = 45  # a payment order is under way for a day or two; a statement may come late
MOST_DAYS_EARLY = 3  # the day was mistyped


@dataclass(frozen=True)
class Told:
    """A payment order as the client names it; `amount` in kopecks."""

    number: str
    day: date
    amount: int


def plain_number(text: str) -> str:
    """A number of a payment order without what people and banks write around it.

    >>> plain_number(" № 000А-17 ")
    'а-17'
    >>> plain_number("000")
    '0'
    """
    plain = "".join(text.casefold().replace("№", "").split())
    return plain.lstrip("0") or plain[-1:]


def find(number: str, day: date, amount: int, told: Sequence[Told]) -> int | None:
    """The place of the one that a payment of `number` ("": not known), received on `day`, is; None
    when it is none of them, or without a number may be several.
    """
    near = [
        (abs((day - each.day).days), place)
        for place, each in enumerate(told)
        if each.amount == amount
        and -MOST_DAYS_EARLY <= (day - each.day).days <= MOST_DAYS_LATE
        and (not number or plain_number(number) == plain_number(each.number))
    ]
    if not near or (not number and len(near) > 1):
        return None
    return min(near)[1]
