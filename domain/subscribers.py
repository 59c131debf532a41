"""A subscriber's status and the names of the plans that the product knows by name."""

from enum import StrEnum

CONNECTION_PLAN = "SIP-соединение"
NUMBER_PLAN = "SIP-номер"


class SubscriberStatus(StrEnum):
    """«Статус»: Активный, Заблокированный, Закрытый."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    CLOSED = "closed"


def fold(text: str) -> str:
    """`text` for searching: no case, ё as е, single spaces."""
    return " ".join(text.casefold().replace("ё", "е").split())
