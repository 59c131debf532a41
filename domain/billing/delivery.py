"""How a client gets its documents: what for, by which methods, and the states of a change."""

from datetime import datetime
from enum import StrEnum


class DeliveryPurpose(StrEnum):
    """What a client's address is for. (Notices go to each person's own.)"""

    BILLS = "bills"
    DETAIL = "detail"  # call details and charges: from the application for the cabinet


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


class Stage(StrEnum):
    """Where a change stands at a moment: its state, and what the clock makes of it."""

    WAITING = "waiting"  # for the new address to be confirmed
    HELD = "held"  # confirmed; its time has not come
    DONE = "done"  # it has taken effect, and may have been followed by others since
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_pending(self) -> bool:
        """Whether it can still be cancelled."""
        return self in (Stage.WAITING, Stage.HELD)


def stage(
    state: ChangeState,
    *,
    confirm_until: datetime | None,
    effective_at: datetime | None,
    now: datetime,
) -> Stage:
    """A change holds from the very moment `effective_at`; its link works up to `confirm_until`."""
    if state == ChangeState.ASKED:
        is_open = confirm_until is not None and now < confirm_until
        return Stage.WAITING if is_open else Stage.EXPIRED
    if state == ChangeState.CONFIRMED:
        return Stage.DONE if effective_at is not None and effective_at <= now else Stage.HELD
    return Stage(state)
