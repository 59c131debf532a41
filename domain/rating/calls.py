"""The price of one call, with the reasons.

A call is paid by increments: a started one is paid whole, at the price of the moment at which it
starts. So a call across the border of two prices is split there, no second is paid twice, and the
seconds that are paid (`billed_s`) stand beside the real ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from domain.money import rounded
from domain.rating.calendar import Calendar
from domain.rating.tariff import TO_A_MICRO, Package, Rate, RoundingRule, Step, Window

Seconds = int | Fraction
NEVER = 1 << 62


class Part(NamedTuple):
    """Increments of a call at one price."""

    from_s: Seconds  # of the call
    increments: int
    step: Step
    window: str = ""  # name of the hours, when they decided
    is_free: bool = False  # of the rate's free seconds

    @property
    def seconds(self) -> int:
        """Paid length."""
        return self.increments * self.step.increment_s

    @property
    def exact(self) -> Fraction:
        """Price in micros, not rounded."""
        return Fraction(0 if self.is_free else self.seconds * self.step.price, self.step.per_s)


class Use(NamedTuple):
    """Seconds of a call that a package pays."""

    package: Package
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs, in micros, and why."""

    rate: Rate
    micros: int
    billed_s: Seconds
    exact: Fraction = Fraction(0)  # before the cap and the rounding
    parts: tuple[Part, ...] = ()
    connect_fee: int = 0
    is_capped: bool = False
    uses: tuple[Use, ...] = ()  # seconds of billed_s that packages pay

    @property
    def package_s(self) -> Seconds:
        """Seconds that packages pay."""
        return sum(use.seconds for use in self.uses)


def price_call(
    rate: Rate,
    duration_s: Seconds,
    *,
    started_at: int = 0,
    calendar: Calendar | None = None,
    rounding: RoundingRule = TO_A_MICRO,
) -> Price:
    """Price of a call of `duration_s`, answered at `started_at` (epoch seconds, of matter only to
    rates with windows, as is `calendar`). A call without duration costs nothing, no fee either.
    """
    if duration_s <= max(0, rate.grace_s):
        return Price(rate, 0, 0)
    needed = max(duration_s, rate.minimum_s)
    parts = tuple(_parts(rate, needed, started_at, calendar))
    exact = sum((part.exact for part in parts), Fraction(rate.connect_fee))
    is_capped = rate.cap is not None and exact > rate.cap
    micros = rounded(rate.cap if is_capped else exact, places=rounding.places, mode=rounding.mode)
    billed_s = parts[-1].from_s + parts[-1].seconds
    return Price(rate, micros, billed_s, exact, parts, rate.connect_fee, is_capped)


def _parts(
    rate: Rate, needed: Seconds, started_at: int, calendar: Calendar | None
) -> Iterator[Part]:
    at: Seconds = 0
    while at < needed:
        steps, until, window = rate.steps, NEVER, ""
        if rate.windows:
            if calendar is None:
                raise ValueError("a rate by the hour needs a calendar")
            found, border = calendar.window_at(rate.windows, started_at + int(at))
            steps, until, window = _in_window(rate, found, border - started_at)
        step, end = _step_at(steps, at)
        is_free = at < rate.free_s
        until = min(until, end, rate.free_s if is_free else NEVER, needed)
        increments = -(-(until - at) // step.increment_s)
        yield Part(at, int(increments), step, window, is_free)
        at += increments * step.increment_s


def _in_window(rate: Rate, window: Window | None, until: int) -> tuple[Sequence[Step], int, str]:
    return (window.steps, until, window.name) if window else (rate.steps, until, "")


def _step_at(steps: Sequence[Step], at: Seconds) -> tuple[Step, int]:
    """The step in which a second of the call lies, and the second at which the next begins."""
    found, end = steps[0], NEVER
    for step in steps[1:]:
        if step.from_s > at:
            end = step.from_s
            break
        found = step
    return found, end


def price_beyond(
    price: Price,
    uses: Sequence[Use],
    overage: tuple[Step, ...] = (),
    *,
    started_at: int = 0,
    calendar: Calendar | None = None,
    rounding: RoundingRule = TO_A_MICRO,
) -> Price:
    """The same call when packages pay for its first seconds, as `uses` says: what is beyond costs
    what a call of that length costs by `overage`, or by the rate's own steps where there is none.
    A call wholly inside costs nothing, no connect fee either.
    """
    rate, inside = price.rate, sum(use.seconds for use in uses)
    beyond = price.billed_s - inside
    if not beyond:
        return Price(rate, 0, price.billed_s, uses=tuple(uses))
    rest = price_call(
        _overage(rate, overage),
        beyond,
        started_at=started_at + int(inside),
        calendar=calendar,
        rounding=rounding,
    )
    return replace(rest, rate=rate, billed_s=inside + rest.billed_s, uses=tuple(uses))


def _overage(rate: Rate, steps: tuple[Step, ...]) -> Rate:
    """The rate beyond a package: its free and shortest seconds have been used up inside."""
    windows = () if steps else rate.windows
    return replace(
        rate, steps=steps or rate.steps, windows=windows, free_s=0, grace_s=0, minimum_s=0
    )


def billable_seconds(exact: Fraction | float) -> int:
    """Whole seconds of a measured time: a started second counts, a time before zero does not.

    >>> billable_seconds(90.000001), billable_seconds(90.0), billable_seconds(-30)
    (91, 90, 0)
    """
    return max(0, int(-(-exact // 1)))
