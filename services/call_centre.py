"""«Мобильный колл-центр»: which numbers are in it and when it works, which the operator keeps, and
what a period of calls comes to.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.call_centre import (
    SLOT_MIN,
    USUAL_HOURS,
    Day,
    Figures,
    Hours,
    MemberKind,
    Missed,
    left_alone,
    total,
)
from domain.errors import AlreadyExists, NotFound
from domain.holidays import is_holiday
from domain.periods import DateRange, month_of, month_start
from models import Client, Subscriber, User
from models_subscribers import CentreHours, CentreNumber
from services import audit, call_centre_days
from services.audit import AuditEventKind, By
from services.scopes import whole_company
from services.transactions import lock_client, write_tx

HOLIDAYS_AHEAD = 60  # days


class Period(StrEnum):
    """What the statistics can be asked for."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    PREVIOUS = "previous"


class Member(NamedTuple):
    """A number of the call centre."""

    subscriber: Subscriber
    kind: MemberKind
    group: str


@dataclass(frozen=True)
class Report:
    """A period of a call centre."""

    days: DateRange
    open_hours: Figures  # calls within working hours, and those outside
    closed_hours: Figures
    by_hour: list[Figures]  # 24
    by_member: dict[int, Figures]
    left_alone: list[Missed]
    nameless: int

    @property
    def all(self) -> Figures:
        """The whole period."""
        return total([self.open_hours, self.closed_hours])


# --- Numbers and hours ----------------------------------------------------------------------------


def members_of(client: Client) -> list[Member]:
    """The client's numbers in the service: lines first, then employees, by group and number."""
    rows = (
        CentreNumber.of(client, CentreNumber, Subscriber)
        .join(Subscriber)
        .order_by(
            CentreNumber.kind.desc(), CentreNumber.group_name, Subscriber.number, Subscriber.id
        )
    )
    return [Member(row.subscriber, MemberKind(row.kind), row.group_name) for row in rows]


def add(
    client: Client,
    subscriber: Subscriber,
    kind: MemberKind,
    group: str = "",
    *,
    user: User | None = None,
    ip: str = "",
    now: datetime,
) -> None:
    """Put a number of the client into the service; raises `AlreadyExists`."""
    with write_tx():
        lock_client(client)  # of two clicks the second finds what the first has done
        if CentreNumber.of(client).where(CentreNumber.subscriber == subscriber).exists():
            raise AlreadyExists(what="number", name=subscriber.number)
        CentreNumber.create(
            client=client, subscriber=subscriber, kind=kind, group_name=group, added_at=now
        )
        _note(AuditEventKind.CENTRE_NUMBER_ADDED, client, subscriber, By(now=now, user=user, ip=ip))


def remove(
    client: Client,
    subscriber: Subscriber,
    *,
    user: User | None = None,
    ip: str = "",
    now: datetime,
) -> None:
    """Take a number out of the service; raises `NotFound`."""
    with write_tx():
        own = (CentreNumber.client == client) & (CentreNumber.subscriber == subscriber)
        if not CentreNumber.delete().where(own).execute():
            raise NotFound(what="number", name=subscriber.number)
        by = By(now=now, user=user, ip=ip)
        _note(AuditEventKind.CENTRE_NUMBER_REMOVED, client, subscriber, by)


def _note(event: AuditEventKind, client: Client, subscriber: Subscriber, by: By) -> None:
    audit.record_by(event, by, client=client, subject=f"subscriber:{subscriber.id}")


def hours_of(client: Client) -> Hours:
    """When the client's call centre works."""
    row = CentreHours.of(client).first()
    if row is None:
        return USUAL_HOURS
    week = tuple(None if span is None else (span[0], span[1]) for span in row.week)
    return Hours(week, row.works_on_holidays)


def set_hours(
    client: Client, hours: Hours, *, user: User | None = None, ip: str = "", now: datetime
) -> None:
    """Keep other working hours; past days are counted by them too."""
    values = {
        CentreHours.week: list(hours.week),
        CentreHours.works_on_holidays: hours.works_on_holidays,
        CentreHours.set_at: now,
    }
    with write_tx():
        CentreHours.insert({CentreHours.client: client, **values}).on_conflict(
            conflict_target=[CentreHours.client], update=values
        ).execute()
        by = By(now=now, user=user, ip=ip)
        kind = AuditEventKind.CENTRE_HOURS_SET
        audit.record_by(kind, by, client=client, subject=f"client:{client.id}")


def holidays_ahead(today: date) -> list[date]:
    """State holidays of the next weeks."""
    days = (today + timedelta(days=n) for n in range(HOLIDAYS_AHEAD))
    return [day for day in days if is_holiday(day)]


# --- Statistics -----------------------------------------------------------------------------------


def days_of(period: Period, today: date) -> DateRange:
    """The days that a name of a period means."""
    if period == Period.TODAY:
        return DateRange(today, today)
    if period == Period.WEEK:
        return DateRange(today - timedelta(days=today.weekday()), today)
    if period == Period.MONTH:
        return DateRange(month_start(today), today)
    return month_of(today, months_back=1)


def report(
    client: Client,
    members: Iterable[Member],
    hours: Hours,
    days: DateRange,
    *,
    today: date,
    only: frozenset[int] | None = None,
) -> Report:
    """What the days come to. With `only` these numbers alone are counted, each for itself.

    Who was missed is looked for up to today: a call back after the period counts as well.
    """
    ids = [member.subscriber.id for member in members]
    known = DateRange(days.start, today)
    with whole_company():  # days are kept for everybody
        return _report(client, ids, hours, days, known, only)


def _report(
    client: Client,
    ids: list[int],
    hours: Hours,
    days: DateRange,
    known: DateRange,
    only: frozenset[int] | None,
) -> Report:
    found = call_centre_days.days_of(client, ids, known, by_slot=only or frozenset())
    counted = (days.end - days.start).days + 1
    sums = _Sums(hours, only)
    alone = left_alone(sums.adding(days, known, found), counted)
    if only is not None:
        alone = [missed for missed in alone if missed.subscriber_id in only]
    return Report(
        days,
        sums.within(hours=True),
        sums.within(hours=False),
        sums.by_hour(),
        sums.by_member(),
        alone,
        sums.nameless if only is None else 0,
    )


class _Sums:
    """Adds days up."""

    def __init__(self, hours: Hours, only: frozenset[int] | None) -> None:
        self._hours, self._only = hours, only
        self._slots: dict[tuple[int, bool], list[Figures]] = {}  # hour, within working hours
        self._members: dict[int, list[Figures]] = {}
        self.nameless = 0

    def adding(self, days: DateRange, known: DateRange, found: Iterable[Day]) -> Iterator[Day]:
        """Hand the days on, and add up those that are asked for."""
        for day, figures in zip(known.days(), found, strict=True):
            if day in days:
                self._add_day(day, figures)
            yield figures

    def _add_day(self, day: date, found: Day) -> None:
        self.nameless += found.nameless
        for key, figures in found.members.items():
            if self._only is None or key in self._only:
                self._members.setdefault(key, []).append(figures)
            if self._only is not None and key in self._only:
                self._add(day, found.slots[key])
        if self._only is None:
            self._add(day, found.all)

    def _add(self, day: date, slots: Mapping[int, Figures]) -> None:
        for slot, figures in slots.items():
            key = slot * SLOT_MIN // 60, self._hours.are_on(day, slot)
            self._slots.setdefault(key, []).append(figures)

    def within(self, *, hours: bool) -> Figures:
        """Calls within working hours, or those outside."""
        return total(
            f for (_, is_open), some in self._slots.items() if is_open is hours for f in some
        )

    def by_hour(self) -> list[Figures]:
        """Of each hour of the day."""
        return [
            total(f for is_open in (True, False) for f in self._slots.get((hour, is_open), ()))
            for hour in range(24)
        ]

    def by_member(self) -> dict[int, Figures]:
        """Of each number."""
        return {key: total(some) for key, some in self._members.items()}
