"""The drawings of the home page: what is drawn, and in which words it is told. The tables behind
them stand in the template.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.billing.forecast import is_day_off
from domain.charts import NARROW, WIDE, Bars, Columns, bars, columns
from domain.formats import format_date, format_integer, format_money, format_phone
from domain.money import to_kopecks
from services.charges import Day, Destination
from services.home_figures import Compared, TopNumber
from texts import destination_group_text, gettext


class Drawing(NamedTuple):
    """A chart; bars are drawn once, columns for phones too."""

    key: str
    title: str
    told: str  # what it says, in a sentence
    wide: Columns | None
    narrow: Columns | Bars
    values: Sequence[str]  # at the ends of bars
    marks: Sequence[bool]  # columns that are drawn lighter: days off


def of_days(days: list[Day]) -> Drawing | None:
    """Calls by day; None when there were none."""
    total = sum(day.calls for day in days)
    if not total:
        return None
    values = [None if day.micros is None else day.calls for day in days]
    labels = [str(day.day.day) for day in days]
    best = max(days, key=lambda day: day.calls)
    told = gettext("%(calls)s calls in all. Most on %(day)s: %(most)s.") % {
        "calls": format_integer(total),
        "day": format_date(best.day),
        "most": format_integer(best.calls),
    }
    return Drawing(
        "home-days",
        gettext("Calls by day"),
        told,
        columns(values, labels, WIDE),
        columns(values, labels, NARROW),
        [],
        [is_day_off(day.day) for day in days],
    )


def of_comparison(compared: Compared | None) -> Drawing | None:
    """The cost of two months; None when there was none."""
    if compared is None or not (compared.sums.micros or compared.last.micros):
        return None
    names = [
        f"{format_date(days.start)} – {format_date(days.end)}"
        for days in (compared.days, compared.last_days)
    ]
    return _of_bars(
        "home-months",
        gettext("This month and the last"),
        gettext("Cost of calls without VAT, BYN."),
        names,
        [compared.sums.micros, compared.last.micros],
    )


def of_destinations(destinations: list[Destination]) -> Drawing | None:
    """The cost by destination; None when nothing was paid."""
    paid = [row for row in destinations if row.micros > 0]
    names = [destination_group_text(row.group) for row in paid]
    title = gettext("Cost of calls by destination")
    return _of_dearest("home-destinations", title, names, [row.micros for row in paid])


def of_numbers(numbers: list[TopNumber]) -> Drawing | None:
    """The numbers whose calls cost most; None when nothing was paid."""
    names = [format_phone(row.subscriber.number) for row in numbers]
    title = gettext("Numbers whose calls cost most")
    return _of_dearest("home-numbers", title, names, [row.micros for row in numbers])


def _of_dearest(key: str, title: str, names: list[str], values: list[int]) -> Drawing | None:
    if not values:
        return None
    told = gettext("Most: %(name)s, %(sum)s BYN.") % {
        "name": names[0],
        "sum": format_money(to_kopecks(values[0])),
    }
    return _of_bars(key, title, told, names, values)


def _of_bars(key: str, title: str, told: str, names: list[str], values: list[int]) -> Drawing:
    drawn = bars(values, names, NARROW.width)
    return Drawing(
        key, title, told, None, drawn, [format_money(to_kopecks(value)) for value in values], []
    )
