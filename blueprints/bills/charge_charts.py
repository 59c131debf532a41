"""The drawings of «Начисления за текущий период»: what is drawn, in which words it is told, and
the table behind it. How it is drawn: `domain/charts.py`, `templates/macros/chart.html`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from flask import url_for

from blueprints.bills.charge_choice import link_to
from domain.billing.forecast import is_day_off
from domain.charts import NARROW, WIDE, Bars, Columns, bars, columns
from domain.formats import format_date, format_money, format_phone, format_price
from domain.money import KOPECK, to_kopecks
from services import charges
from services.charge_sheet import Sheet
from services.charges import Day, Destination
from texts import destination_group_text, gettext

TOP = 10


class Table(NamedTuple):
    """What stands behind a drawing."""

    heads: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]
    foot: Sequence[str]
    links: Sequence[tuple[str, str]]  # of rows: where one leads ("": nowhere) and what is there


class Figure(NamedTuple):
    """One drawing, for wide screens and for phones, and its table."""

    key: str
    title: str
    told: str  # what it says, in a sentence
    wide: Columns | Bars | None  # None: there is nothing to draw
    narrow: Columns | Bars | None
    values: Sequence[str]  # at the ends of bars
    marks: Sequence[bool]  # columns that are drawn lighter: days off
    table: Table


def figures_of(sheet: Sheet) -> list[Figure]:
    """By day, by destination, and the numbers whose calls cost most."""
    by_day = [_by_day(sheet)] if sheet.is_whole else []  # days are kept of the company only
    return [*by_day, _by_destination(sheet), _by_number(sheet)]


def _by_day(sheet: Sheet) -> Figure:
    days = charges.days_of(sheet)
    values = [day.micros for day in days]
    labels = [str(day.day.day) for day in days]
    best = max(days, key=lambda day: day.micros or 0)
    total = sum(value or 0 for value in values)
    told = gettext("There are no paid calls yet.")
    if total:
        told = gettext("%(sum)s BYN in all. Most on %(day)s: %(most)s BYN.") % {
            "sum": format_money(to_kopecks(total)),
            "day": format_date(best.day),
            "most": format_money(to_kopecks(best.micros or 0)),
        }
    off = gettext("day off")
    rows = [
        (
            format_date(day.day) + (f", {off}" if is_day_off(day.day) else ""),
            str(day.calls) if day.micros is not None else gettext("no data"),
            format_price(day.micros) if day.micros is not None else gettext("no data"),
        )
        for day in days
    ]
    return Figure(
        "days",
        gettext("Cost of calls by day"),
        told,
        columns(values, labels, WIDE) if total else None,
        columns(values, labels, NARROW) if total else None,
        [],
        [is_day_off(day.day) for day in days],
        Table(
            _heads(gettext("Day"), gettext("Calls")),
            rows,
            (gettext("Total"), str(sum(day.calls for day in days)), format_price(total)),
            [_link_to_day(day, row[0]) for day, row in zip(days, rows, strict=True)],
        ),
    )


def _link_to_day(day: Day, words: str) -> tuple[str, str]:
    if not day.calls:
        return "", ""
    return link_to(whom=None, day=day.day), gettext("Calls of %(day)s") % {"day": words}


def _by_destination(sheet: Sheet) -> Figure:
    found = charges.destinations_of(sheet)
    paid = [row for row in found if row.micros > 0]
    return _of_bars(
        "destinations",
        gettext("Cost of calls by destination"),
        [destination_group_text(row.group) for row in paid],
        [row.micros for row in paid],
        Table(
            _heads(gettext("Destination"), gettext("Calls")),
            [
                (destination_group_text(row.group), str(row.calls), format_price(row.micros))
                for row in found
            ],
            (
                gettext("Total"),
                str(sum(row.calls for row in found)),
                format_price(sum(row.micros for row in found)),
            ),
            [_link_to_destination(row) for row in found],
        ),
    )


def _link_to_destination(row: Destination) -> tuple[str, str]:
    words = {"destination": destination_group_text(row.group)}
    told = gettext("%(destination)s: calls of the month") % words
    return link_to(whom=None, group=row.group), told


def _by_number(sheet: Sheet) -> Figure:
    found = charges.top_numbers(sheet, TOP)
    sums = [row.sums["out"] for row in found]
    names = [format_phone(row.subscriber.number) for row in found]
    rows = [
        (f"{name}, {row.subscriber.full_name}".rstrip(", "), str(calls), format_money(cost))
        for name, row, cost in zip(names, found, sums, strict=True)
        for calls in (row.sums["out_calls"],)
    ]
    calls = str(sum(row.sums["out_calls"] for row in found))
    return _of_bars(
        "numbers",
        gettext("Numbers whose calls cost most"),
        names,
        [cost * KOPECK for cost in sums],
        Table(
            _heads(gettext("Number"), gettext("Calls")),
            rows,
            (gettext("Together"), calls, format_money(sum(sums))),
            [(url_for("bills.charges.number", subscriber=row.subscriber.id), "") for row in found],
        ),
    )


def _of_bars(
    key: str,
    title: str,
    names: list[str],
    values: list[int],
    table: Table,
) -> Figure:
    told = gettext("There are no paid calls yet.")
    if values:
        told = gettext("Most: %(name)s, %(sum)s BYN.") % {
            "name": names[0],
            "sum": format_money(to_kopecks(values[0])),
        }
    return Figure(
        key,
        title,
        told,
        bars(values, names, WIDE.width) if values else None,
        bars(values, names, NARROW.width) if values else None,
        [format_money(to_kopecks(value)) for value in values],
        [],
        table,
    )


def _heads(what: str, how_many: str) -> list[tuple[str, str]]:
    return [(what, ""), (how_many, "num"), (gettext("Without VAT, BYN"), "num")]
