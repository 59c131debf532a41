"""The drawings of «Мобильный колл-центр»: calls by hour of the day, those that were missed, and who
answered how many; each with its table. How they are drawn: `domain/charts.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.call_centre import Figures, Hours, MemberKind
from domain.charts import NARROW, WIDE, Bars, Columns, bars, columns
from domain.formats import format_duration, format_integer, format_percent
from services.call_centre import Member, Report
from texts import N_, gettext, ngettext

WEEKDAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
LABEL_EVERY = 3  # hours
TOP = 15  # employees drawn; the table has all of them


class Figure(NamedTuple):
    """One drawing, for wide screens and for phones, and its table."""

    key: str
    title: str
    told: str  # what it says, in a sentence
    wide: Columns | Bars | None  # None: there is nothing to draw
    narrow: Columns | Bars | None
    values: Sequence[str]  # at the ends of bars
    marks: Sequence[bool]  # columns that are drawn lighter: hours off
    heads: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]


def figures_of(report: Report, members: list[Member], hours: Hours) -> list[Figure]:
    """By hour, missed by hour, and by employee."""
    off = [_is_off(hour, hours) for hour in range(24)]
    employees = [member for member in members if member.kind == MemberKind.EMPLOYEE]
    return [
        _by_hour("hours", gettext("Calls by hour"), [f.calls for f in report.by_hour], report, off),
        _by_hour(
            "missed",
            gettext("Missed calls by hour"),
            [f.missed for f in report.by_hour],
            report,
            off,
        ),
        _by_employee(report, employees),
    ]


def _is_off(hour: int, hours: Hours) -> bool:
    """Whether nobody works at that hour on any weekday."""
    spans = [span for span in hours.week if span]
    return not any(start < (hour + 1) * 60 and hour * 60 < end for start, end in spans)


def _by_hour(
    key: str, title: str, values: list[int], report: Report, off: Sequence[bool]
) -> Figure:
    labels = ["" if hour % LABEL_EVERY else str(hour) for hour in range(24)]
    best = max(range(24), key=lambda hour: values[hour])
    told = gettext("There were none.")
    if total := sum(values):
        told = gettext("%(all)s in all. Most from %(hour)s: %(most)s.") % {
            "all": format_integer(total),
            "hour": _clock(best),
            "most": format_integer(values[best]),
        }
    rows = [
        (
            f"{_clock(hour)}–{_clock(hour + 1)}",
            *map(format_integer, (figures.calls, figures.answered, figures.missed)),
            mean(figures.wait_s, figures.answered),
        )
        for hour, figures in enumerate(report.by_hour)
        if figures.calls
    ]
    heads = [
        (gettext("Hour"), ""),
        (gettext("Calls that came in"), "num"),
        (gettext("Answered"), "num"),
        (gettext("Missed"), "num"),
        (gettext("Waited for the answer"), "num"),
    ]
    return Figure(
        key,
        title,
        told,
        columns(values, labels, WIDE._replace(every=1)) if total else None,
        columns(values, labels, NARROW._replace(every=1)) if total else None,
        [],
        off,
        heads,
        rows,
    )


def _by_employee(report: Report, employees: list[Member]) -> Figure:
    found = [
        (member, report.by_member[member.subscriber.id])
        for member in employees
        if member.subscriber.id in report.by_member
    ]
    found.sort(key=lambda pair: (-pair[1].answered, pair[0].subscriber.number))
    best = [(member, figures) for member, figures in found if figures.answered][:TOP]
    told = gettext("Nobody has answered a call.")
    if best:
        answered = best[0][1].answered
        calls = ngettext("%(num)d call", "%(num)d calls", answered) % {"num": answered}
        told = gettext("Most: %(name)s, %(calls)s.") % {"name": name_of(best[0][0]), "calls": calls}
    values = [figures.answered for _member, figures in best]
    names = [name_of(member) for member, _figures in best]
    return Figure(
        "employees",
        gettext("Answered calls by employee"),
        told,
        bars(values, names, WIDE.width) if best else None,
        bars(values, names, NARROW.width) if best else None,
        [format_integer(value) for value in values],
        [],
        [
            (gettext("Employee"), ""),
            (gettext("Answered"), "num"),
            (gettext("Missed"), "num"),
            (gettext("Average talk"), "num"),
        ],
        [
            (
                name_of(member),
                *map(format_integer, (figures.answered, figures.missed)),
                mean(figures.talk_s, figures.answered),
            )
            for member, figures in found
        ],
    )


def name_of(member: Member) -> str:
    """Number and name."""
    return f"{member.subscriber.number}, {member.subscriber.full_name}".rstrip(", ")


def mean(seconds: int, calls: int) -> str:
    """Seconds a call as ч:мм:сс; a dash when there is none to divide by."""
    return format_duration(round(seconds / calls)) if calls else "–"


def share(part: Figures) -> str:
    """How many of the calls were answered."""
    return format_percent(part.answered * 100 // part.calls * 100) if part.calls else "–"


def week_of(hours: Hours) -> list[tuple[str, str]]:
    """Weekdays and their hours, in words."""
    days = zip(WEEKDAYS, hours.week, strict=True)
    return [
        (gettext(day), f"{_minute(span[0])}–{_minute(span[1])}" if span else gettext("day off"))
        for day, span in days
    ]


def _minute(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


def _clock(hour: int) -> str:
    return f"{hour}:00"
