"""The states of a tariff's version and of a call's price."""

from enum import IntEnum, StrEnum


class VersionState(StrEnum):
    """A draft may change and prices nothing; a published version prices calls and never changes."""

    DRAFT = "draft"
    PUBLISHED = "published"


class CallRating(IntEnum):
    """How a call got its price, or why it has none. Null in the table: not looked at yet."""

    FREE = 1  # nobody answered, or it came in: nothing to pay by nature
    PRICED = 2
    NO_PLAN = 3  # answered, and the subscriber had no tariff then
    NO_RATE = 4  # answered, and the tariff knows no price for that number
    WAIVED = 5  # without a price, and the operator does without it


UNRATED = frozenset({CallRating.NO_PLAN, CallRating.NO_RATE})
