"""What a tariff consists of. Money is micros, durations seconds, moments UTC epoch seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from domain.errors import InvalidValue
from domain.money import PLACES, Rounding

DAY_S = 86_400
HOLIDAY = 7  # beside the weekdays 0 (Monday) to 6
ON_NET = "onnet"  # the prefix, and the group, of calls between numbers of this operator


class Step(NamedTuple):
    """What a call costs from its `from_s`-th second on: `price` for each `per_s`, by started
    increments of `increment_s`.
    """

    from_s: int
    price: int
    per_s: int = 60
    increment_s: int = 60


class Window(NamedTuple):
    """Other steps at some hours of some days, in the operator's zone: `[from_s, to_s)` of the
    day. `days` holds weekdays and `HOLIDAY`.
    """

    days: frozenset[int]
    from_s: int
    to_s: int
    steps: tuple[Step, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of calls to numbers that begin with `prefix`."""

    prefix: str
    steps: tuple[Step, ...]
    name: str = ""  # of the destination: «Россия, мобильные»
    group: str = ""  # destination group: local, mobile, international …
    origin: str = ""  # only for calls from numbers that begin so
    connect_fee: int = 0  # of an answered call
    free_s: int = 0  # increments that start before are free
    grace_s: int = 0  # a call no longer than this is free
    minimum_s: int = 0  # a shorter call costs as much as one of this length
    cap: int | None = None  # the most that a call can cost; what goes on longer is free
    windows: tuple[Window, ...] = ()
    valid_from: int | None = None  # half-open; None: since ever
    valid_to: int | None = None
    id: int | None = None  # of the row it came from

    def is_valid(self, at: int) -> bool:
        """Whether it holds at that moment."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_to is None or at < self.valid_to
        )


class RoundingRule(NamedTuple):
    """How the price of a call is rounded: once, at its end."""

    mode: Rounding = Rounding.HALF_UP
    places: int = PLACES


TO_A_MICRO = RoundingRule()


@dataclass(frozen=True, slots=True)
class Package:
    """Seconds that a subscription includes each month, and what the seconds after them cost."""

    code: str
    quota_s: int
    name: str = ""
    is_shared: bool = False  # by all numbers of the client, else for each by itself
    groups: frozenset[str] = frozenset()  # of destinations; empty: all
    overage: tuple[Step, ...] = ()  # empty: the rate's own steps

    def covers(self, rate: Rate) -> bool:
        """Whether calls at this rate use it."""
        return not self.groups or rate.group in self.groups


@dataclass(frozen=True)
class Version:
    """A tariff plan as it is from a day on."""

    plan: str
    valid_from: date
    rates: tuple[Rate, ...] = ()
    packages: tuple[Package, ...] = ()
    rounding: RoundingRule = TO_A_MICRO
    incoming: tuple[Rate, ...] = ()  # usually none: incoming calls are free
    id: int | None = None


def check_steps(steps: Iterable[Step]) -> None:
    """Raise `InvalidValue` unless the steps start at 0, rise, and each ends where one of its
    increments does: then it is never in doubt which of two steps a second belongs to.
    """
    previous: Step | None = None
    for step in steps:
        if step.increment_s < 1 or step.per_s < 1:
            raise _bad(f"a step of {step.increment_s} s for each {step.per_s} s")
        if previous is None and step.from_s != 0:
            raise _bad("the first step starts with the call")
        if previous is not None:
            length = step.from_s - previous.from_s
            if length <= 0 or length % previous.increment_s:
                raise _bad(f"a step of {length} s in increments of {previous.increment_s} s")
        previous = step
    if previous is None:
        raise _bad("no price")


def check_rate(rate: Rate) -> None:
    """Raise `InvalidValue` for a rate that cannot be meant."""
    check_steps(rate.steps)
    for window in rate.windows:
        check_steps(window.steps)
        if not 0 <= window.from_s < window.to_s <= DAY_S:
            raise _bad("a window that ends before it begins")
        if not window.days <= frozenset(range(8)):
            raise _bad("a window on a day that there is not")
    if not (rate.prefix.isdecimal() or rate.prefix in {"", ON_NET}):
        raise _bad(f"the prefix {rate.prefix!r}")


def _bad(what: str) -> InvalidValue:
    return InvalidValue(f"{what} cannot be", what="tariff", value=what)
