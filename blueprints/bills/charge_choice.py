"""Which calls the address of «Начисления: звонки» asks for, and the addresses that lead there."""

import re
from dataclasses import dataclass
from datetime import date

from flask import abort, request, url_for

from blueprints.chosen import EVERYBODY, chosen, narrows
from blueprints.paths import row_id
from domain.periods import DateRange, month_of, month_start
from models import Subscriber
from services.charge_calls import Choice, Place

PLACE = re.compile(r"(\d{1,15})-(\d{1,10})-(\d{1,19})", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """The list as the address asks for it. `misread`: a day that cannot be looked at, as typed."""

    choice: Choice
    open_days: DateRange
    before: Place | None
    misread: str = ""

    @classmethod
    def of_address(cls, today: date) -> "Asked":
        """404 for what no page of ours leads to; a day may be typed."""
        values = request.args
        open_days = DateRange(month_start(today, 1), month_of(today).end)
        typed = values.get("day", "").strip()[:20]
        day = _day(typed)
        misread = typed if typed and (day is None or day not in open_days) else ""
        month = _month(values.get("month", ""), today)
        if day and not misread:
            month = day.replace(day=1)
        group = values.get("group", "")
        choice = Choice(month, None if misread else day, group, narrows(values.get("whose")))
        return cls(choice, open_days, _place(values.get("before", "")), misread)

    @property
    def today(self) -> date:
        """A day of the present month."""
        return self.open_days.end

    def arguments(self) -> dict[str, str]:
        """The address without its page."""
        choice = self.choice
        values = {
            "day": choice.day.isoformat() if choice.day else "",
            "month": f"{choice.month:%Y-%m}" if not choice.day and not self.is_present else "",
            "group": choice.group,
            "whose": EVERYBODY if choice.chosen != chosen() else "",
        }
        return {name: value for name, value in values.items() if value}

    @property
    def is_present(self) -> bool:
        """Whether it is the present month."""
        return self.choice.month == month_start(self.today)


def link_to(*, whom: Subscriber | None, day: date | None = None, group: str = "") -> str:
    """The address of the calls of a figure that is of `whom`, or of all numbers."""
    values = {"day": day.isoformat() if day else "", "group": group}
    if whom != chosen():
        values["whose"] = EVERYBODY
    return url_for("bills.charges.calls", **{name: each for name, each in values.items() if each})


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def _month(typed: str, today: date) -> date:
    known = {f"{month:%Y-%m}": month for month in (month_start(today), month_start(today, 1))}
    if typed and typed not in known:
        abort(404)
    return known.get(typed, month_start(today))


def _place(typed: str) -> Place | None:
    found = PLACE.fullmatch(typed)
    if typed and not found:
        abort(404)
    try:
        return Place(*map(row_id, found.groups())) if found else None
    except ValueError:
        abort(404)
