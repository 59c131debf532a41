"""Whether an invoice says what the calls say: its lines beside the priced calls and the sums kept
of them, and the name of each difference. Calls are micros, what comes out is kopecks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.money import to_kopecks


class Reason(StrEnum):
    """Why the call detail of a month makes another sum than its invoice."""

    LATER = "later"  # calls that came after the invoice was formed: they are on the next one
    CHANGED = "changed"  # calls on it that have been changed or taken out since
    ROUNDING = "rounding"  # of the sums above: less than a kopeck each
    ROLL_UP = "roll_up"  # the kept sums are not those of the calls: a fault of ours


class Figures(NamedTuple):
    """A destination group as each of the three tells it."""

    group: str
    line: int  # kopecks on the invoice
    counted: int  # micros: the calls that the line was made of, as they are priced now
    later: int  # micros: calls of the same month that were stored after
    kept: int | None  # micros of the roll-up; None for what it does not tell: calls that came late
    calls: int = 0  # on the line
    later_calls: int = 0


@dataclass(frozen=True)
class Compared:
    """A group in kopecks. `reasons` make `detail - invoice`, and ROLL_UP `charges - detail`."""

    group: str
    is_late: bool
    invoice: int
    detail: int
    charges: int | None
    reasons: tuple[tuple[Reason, int], ...]
    later_calls: int = 0

    @property
    def difference(self) -> int:
        """What the call detail has more than the invoice."""
        return self.detail - self.invoice


def compare(figures: Figures) -> Compared:
    """Name what differs.

    >>> compare(Figures("local", 12, 120_000, 0, 120_000)).reasons
    ()
    >>> compare(Figures("local", 12, 120_000, 60_000, 180_000)).reasons
    ((<Reason.LATER: 'later'>, 6),)
    """
    detail = to_kopecks(figures.counted + figures.later)
    charges = None if figures.kept is None else to_kopecks(figures.kept)
    later = to_kopecks(figures.later)
    changed = to_kopecks(figures.counted) - figures.line
    told = (
        (Reason.LATER, later),
        (Reason.CHANGED, changed),
        (Reason.ROUNDING, detail - figures.line - later - changed),
        (Reason.ROLL_UP, 0 if charges is None else charges - detail),
    )
    return Compared(
        group=figures.group,
        is_late=figures.kept is None,
        invoice=figures.line,
        detail=detail,
        charges=charges,
        reasons=tuple(reason for reason in told if reason[1]),
        later_calls=figures.later_calls,
    )


def total_of(rows: Sequence[Compared]) -> Compared:
    """All groups together: each reason once."""
    sums: dict[Reason, int] = {}
    for row in rows:
        for reason, amount in row.reasons:
            sums[reason] = sums.get(reason, 0) + amount
    return Compared(
        group="",
        is_late=False,
        invoice=sum(row.invoice for row in rows),
        detail=sum(row.detail for row in rows),
        charges=sum(row.detail if row.charges is None else row.charges for row in rows),
        reasons=tuple((reason, sums[reason]) for reason in Reason if sums.get(reason)),
        later_calls=sum(row.later_calls for row in rows),
    )
