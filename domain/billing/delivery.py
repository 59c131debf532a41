"""How a client gets its invoices: the methods, and the states of a change."""

from enum import StrEnum


class DeliveryMethod(StrEnum):
    """«Способ доставки»."""

    EMAIL = "email"
    PICKUP = "pickup"  # «на руки»
    POST = "post"
    EDI = "edi"  # ЭДО


class ChangeState(StrEnum):
    """asked → confirmed → (24 hours later it holds); or it ends on the way."""

    ASKED = "asked"  # a letter went to the new address
    CONFIRMED = "confirmed"  # its link was followed; holds from `effective_at` on
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # nobody followed the link in time
