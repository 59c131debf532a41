"""How goods that are paid by and by come to their end before the last part."""

from enum import StrEnum


class PlanEnd(StrEnum):
    """What becomes of the parts that stand on no bill."""

    REPAID = "repaid"  # one sum, due on the day of the end
    CALLED_OFF = "called_off"  # never billed
