"""Packages of included seconds in the course of a month: what is used, what is left, and when they
will be at their end.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from domain.periods import DateRange
from domain.rating.tariff import Package


class PackageUse(NamedTuple):
    """A package that the numbers of a client share."""

    name: str
    quota_s: int
    used_s: int
    ends_on: date | None  # when it is used up at this pace, if within the month

    @property
    def left_s(self) -> int:
        """What it still pays."""
        return self.quota_s - self.used_s


def attributed(packages: Sequence[Package], seconds: Counter[str]) -> list[int]:
    """How much of what packages have paid, in seconds by destination group, is of each package, in
    the order in which they pay. It is taken out of `seconds`.
    """
    taken = []
    for package in packages:
        left = package.quota_s
        for group in sorted(seconds):
            if left and (not package.groups or group in package.groups):
                part = min(left, seconds[group])
                seconds[group] -= part
                left -= part
        taken.append(package.quota_s - left)
    return taken


def shared_packages(
    plans: Iterable[Sequence[Package]], used: Counter[str], period: DateRange, until: date
) -> Iterator[PackageUse]:
    """The packages that numbers share, with `used` seconds by destination group. The days before
    `until` tell how soon they will be at their end.
    """
    shared = {package.code: package for packages in plans for package in packages}
    common = [package for package in shared.values() if package.is_shared]
    known = (until - period.start).days
    for package, used_s in zip(common, attributed(common, used), strict=True):
        ends_on = None
        if used_s >= package.quota_s:
            ends_on = until
        elif known and used_s:
            day = until + timedelta(days=(package.quota_s - used_s) * known // used_s)
            ends_on = day if day in period else None
        yield PackageUse(package.name or package.code, package.quota_s, used_s, ends_on)
