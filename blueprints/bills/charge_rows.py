"""Rows of «Начисления за текущий период» as texts. A page has thousands of cells: their words are
asked for once a page, and the template only sets them out.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flask import url_for

from domain.formats import format_duration, format_money
from services.charge_sheet import Sheet
from services.charges import Row
from texts import N_, gettext, ngettext

HEADS = (  # title, column
    (N_("Monthly fee"), "fee"),
    (N_("Outgoing calls"), "out"),
    (N_("of them abroad"), "international"),
    (N_("Incoming calls"), "in_s"),
    (N_("From packages"), "package_s"),
    (N_("One-off"), "one_off"),
    (N_("Instalment"), "instalment"),
    (N_("Without VAT"), "net"),
    (N_("VAT"), "vat"),
    (N_("Total"), "total"),
    (N_("Forecast"), "forecast"),
)
QUIET = {"international", "package_s", "one_off", "instalment"}  # on phones nothing of them is told
TIMES = {"in_s", "package_s"}  # columns without money


class Cell(NamedTuple):
    """A figure, what stands under it, and what must be seen."""

    title: str
    css: str
    text: str
    small: str = ""
    warning: str = ""


class Line(NamedTuple):
    """A number of the list."""

    url: str
    number: str
    full_name: str
    plan: str
    cells: list[Cell]


def titles() -> list[tuple[str, str]]:
    """Titles of the columns in the language of the page, each with its column."""
    return [(gettext(title), column) for title, column in HEADS]


def lines_of(rows: Iterable[Row]) -> Iterator[Line]:
    """The rows of a page."""
    heads = titles()
    by_month, left = gettext("for the month %(sum)s"), gettext("left %(time)s")
    url = url_for("bills.charges.number", subscriber=0).removesuffix("0/")
    for subscriber, sums, left_s in rows:
        small = {
            "fee": by_month % {"sum": format_money(sums["fee_month"])},
            "out": _calls(sums["out_calls"], sums["out_s"]),
            "in_s": _calls(sums["in_calls"], sums["in_s"]),
            "package_s": "" if left_s is None else left % {"time": format_duration(left_s)},
        }
        warning = unrated_text(sums["unrated"])
        cells = [
            Cell(
                title,
                "num none" if column in QUIET and not sums[column] else "num",
                _figure(column, sums[column]),
                small.get(column, ""),
                warning if column == "out" else "",
            )
            for title, column in heads
        ]
        place = f"{url}{subscriber.id}/"
        yield Line(place, subscriber.number, subscriber.full_name, subscriber.plan, cells)


def sums_of(sheet: Sheet, *, only_rest: bool) -> list[Cell]:
    """The last rows of the list: what is no number's, or everything."""
    take = sheet.rest if only_rest else sheet.sum
    return [
        Cell(title, "num", "" if column in TIMES else format_money(take(column)))
        for title, column in titles()
    ]


def unrated_text(count: int) -> str:
    """Calls without a price are said to be such: a price of 0 they have not."""
    if not count:
        return ""
    words = ngettext("without a price: %(num)d call", "without a price: %(num)d calls", count)
    return words % {"num": count}


def _figure(column: str, value: int) -> str:
    if column == "in_s":
        return format_money(0)
    return format_duration(value) if column in TIMES else format_money(value)


def _calls(count: int, seconds: int) -> str:
    """Calls and how long they took."""
    if not count:
        return ""
    words = ngettext("%(num)d call", "%(num)d calls", count) % {"num": count}
    return f"{words}, {format_duration(seconds)}"
