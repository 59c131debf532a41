"""«Начисления за текущий период» as a file: the figures of the screen, of chosen numbers, as they
stand when the file is made. What a form looks like is decided in `domain/writers/`.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import current_app

from domain.formats import format_date, format_duration, format_integer, format_moment, format_money
from domain.orders import FileFormat, OrderKind
from domain.periods import month_of
from domain.writers import figure_files
from domain.writers.figure_files import Document
from domain.writers.figures import Figures, Form, Head, Row
from models import Client, Order, OrderSubscriber, Subscriber
from services import charge_making, clock, scopes
from services.charge_sheet import Sheet, of_numbers
from services.rendering import Progress, Renderer, Report
from services.transactions import read_tx
from texts import current_language, month_text
from texts import gettext as _

Writer = Callable[[Path, Document], None]
# Columns of the sheet, and their least width on paper.
MONEY, TIME, COUNT = Form.MONEY, Form.DURATION, Form.COUNT
COLUMNS = (
    ("fee", MONEY, 42.0),
    ("out_calls", COUNT, 32.0),
    ("out_s", TIME, 40.0),
    ("out", MONEY, 42.0),
    ("international", MONEY, 44.0),
    ("in_calls", COUNT, 32.0),
    ("in_s", TIME, 40.0),
    ("package_s", TIME, 40.0),
    ("left_s", TIME, 40.0),
    ("one_off", MONEY, 40.0),
    ("instalment", MONEY, 44.0),
    ("net", MONEY, 42.0),
    ("vat", MONEY, 40.0),
    ("total", MONEY, 44.0),
    ("forecast", MONEY, 46.0),
    ("unrated", COUNT, 32.0),
)
NUMBER_WIDTH = 56.0


def _render(
    write: Writer, order: Order, path: Path, made_at: datetime, progress: Progress
) -> Report:
    progress(0, None)
    with read_tx():
        client = Client.get_by_id(order.client_id)
        sheet = charge_making.make(client, _moment(order, made_at))
        progress(0, None)
        chosen = _chosen(order)
        if scopes.of_user(order.user) is not None:  # nothing that is the company's as a whole
            sheet = of_numbers(sheet, chosen)
        places = [n for n, key in enumerate(sheet.ids) if key in chosen]
        sums = _sums(sheet, places)
        title = _("Charges of {month}").format(month=month_text(sheet.period.start))
        facts = _facts(order, client, sheet, sums, made_at)
        figures = _figures(client, sheet, places, sums)
        write(path, _document(order, title, facts, figures, made_at))
    return Report(_display_name(order, sheet), len(places), _summary(sheet, sums, places))


RENDERERS: dict[tuple[OrderKind, FileFormat], Renderer] = {
    (OrderKind.CHARGES, FileFormat.XLSX): partial(_render, figure_files.write_xlsx),
    (OrderKind.CHARGES, FileFormat.CSV): partial(_render, figure_files.write_csv),
    (OrderKind.CHARGES, FileFormat.PDF): partial(_render, figure_files.write_pdf),
}


def _moment(order: Order, made_at: datetime) -> datetime:
    """The moment whose figures are told: that of the file, as long as the month lasts."""
    month = month_of(date.fromisoformat(order.params["month"]))
    _start, after = month.bounds(clock.zone())
    return clock.local(min(made_at, after - timedelta(seconds=1)))


def _chosen(order: Order) -> frozenset[int]:
    rows = OrderSubscriber.select(OrderSubscriber.subscriber).where(OrderSubscriber.order == order)
    return frozenset(key for (key,) in rows.tuples())


def _is_whole(sheet: Sheet, places: Collection[int]) -> bool:
    """Whether all numbers of the month are told: then what is no number's is told, too."""
    return sheet.is_whole and len(places) == len(sheet.ids)


def _sums(sheet: Sheet, places: Collection[int]) -> dict[str, int]:
    """Of the numbers told; of all of them, what the company as a whole has to pay."""
    names = [name for name, _form, _width in COLUMNS if name in sheet.columns]
    if _is_whole(sheet, places):
        return {name: sheet.sum(name) for name in names}
    return {name: sum(sheet.columns[name][n] for n in places) for name in names}


def _figures(
    client: Client, sheet: Sheet, places: Collection[int], sums: dict[str, int]
) -> Figures:
    words, short = _columns(), _short_columns()
    is_whole = _is_whole(sheet, places)
    heads = [
        Head(_("Phone number"), Form.TEXT, NUMBER_WIDTH),
        Head(_("Full name"), Form.TEXT, 0.0),
        *(Head(words[name], form, width, short.get(name, "")) for name, form, width in COLUMNS),
    ]
    rest = sheet.rest("total") or sheet.rest("forecast") if is_whole else 0
    name = _("Total of the company") if is_whole else _("Total of the numbers chosen")
    return Figures(
        title=_("By number"),
        heads=heads,
        rows=_rows(client, sheet, places, has_rest=bool(rest)),
        count=len(places) + bool(rest),
        total=(name, None, *(sums.get(column) for column, *_ in COLUMNS)),
    )


def _rows(
    client: Client, sheet: Sheet, places: Collection[int], *, has_rest: bool
) -> Iterator[Row]:
    """The numbers in their order, and what is no number's."""
    at = {sheet.ids[n]: n for n in places}
    query = Subscriber.of(client, Subscriber.id, Subscriber.number, Subscriber.full_name)
    for key, number, full_name in query.order_by(Subscriber.number, Subscriber.id).tuples():
        if (n := at.get(key)) is not None:
            values = {name: column[n] for name, column in sheet.columns.items()}
            values["left_s"] = sheet.left.get(key)
            yield (number, full_name, *(values[name] for name, *_ in COLUMNS))
    if has_rest:
        sums = (sheet.rest(name) if form is MONEY else None for name, form, _width in COLUMNS)
        yield ("", _("Of the company, not of a number"), *sums)


def _document(
    order: Order, title: str, facts: dict[str, str], figures: Figures, made_at: datetime
) -> Document:
    return Document(
        title=title,
        facts=list(facts.items()),
        figures=figures,
        note=_(
            "Preliminary figures in BYN, without VAT but for the last three sums; calls without a "
            "price are in none of them."
        ),
        author=current_app.config["CABINET"].OPERATOR_NAME,
        foot=f"{_('Order number')}: {order.number}",
        page_words=_("Page {page} of {pages}"),
        sheet=_("Charges"),
        language=current_language(),
        made_at=clock.local(made_at),
    )


def _facts(
    order: Order, client: Client, sheet: Sheet, sums: dict[str, int], made_at: datetime
) -> dict[str, str]:
    moment = _moment(order, made_at)
    days = f"{format_date(sheet.period.start)} – {format_date(moment)}"
    until = format_moment(clock.local(sheet.data_until)) if sheet.data_until else "—"
    excluded = scopes.excluded_of(order)
    return {
        _("Client name"): client.name,
        _("Account number"): client.account_no,
        _("Order number"): str(order.number),
        _("Period of the report"): days,
        _("Data as of"): until,
        _("Made at"): format_moment(clock.local(made_at)),
        _("Without VAT"): f"{format_money(sums['net'])} BYN",
        _("Total with VAT"): f"{format_money(sums['total'])} BYN",
        _("Forecast to the end of the month, with VAT"): f"{format_money(sums['forecast'])} BYN",
        **_shared_packages(sheet),
        **(
            {_("Calls without a price"): format_integer(sums["unrated"])} if sums["unrated"] else {}
        ),
        **({_("Excluded numbers"): "; ".join(excluded)} if excluded else {}),
    }


def _shared_packages(sheet: Sheet) -> dict[str, str]:
    """What all numbers of the company have used together; a number's own stands in its row."""
    words = _("%(used)s of %(quota)s, left %(left)s (h:mm:ss)")
    return {
        package.name: words
        % {
            "used": format_duration(package.used_s),
            "quota": format_duration(package.quota_s),
            "left": format_duration(package.left_s),
        }
        for package in sheet.packages
    }


def _columns() -> dict[str, str]:
    return {
        "fee": _("Monthly fee"),
        "out_calls": _("Outgoing: calls"),
        "out_s": _("Outgoing: billable duration"),
        "out": _("Outgoing: cost"),
        "international": _("of them international"),
        "in_calls": _("Incoming: calls"),
        "in_s": _("Incoming: billable duration"),
        "package_s": _("Used of packages"),
        "left_s": _("Left in packages"),
        "one_off": _("One-off"),
        "instalment": _("Instalment"),
        "net": _("Without VAT"),
        "vat": _("VAT"),
        "total": _("Total with VAT"),
        "forecast": _("Forecast, with VAT"),
        "unrated": _("Calls without a price"),
    }


def _short_columns() -> dict[str, str]:
    return {
        "fee": _("Month. fee"),
        "out_calls": _("Out. calls"),
        "out_s": _("Out. time"),
        "out": _("Out. sum"),
        "international": _("of them abroad"),
        "in_calls": _("Inc. calls"),
        "in_s": _("Inc. time"),
        "package_s": _("From pack."),
        "left_s": _("Left in pack."),
        "instalment": _("Instalm."),
        "forecast": _("Forec. of month"),
        "unrated": _("No price"),
    }


def _display_name(order: Order, sheet: Sheet) -> str:
    month = month_text(sheet.period.start).removesuffix(" г.")  # a dot comes before the extension
    name = _("Charges of {month} No. {number}").format(month=month, number=order.number)
    return f"{name}.{order.params['format']}"


# --- The letter -----------------------------------------------------------------------------------


def _summary(sheet: Sheet, sums: dict[str, int], places: Collection[int]) -> dict[str, Any]:
    return {
        "month": sheet.period.start.isoformat(),
        "numbers": len(places),
        "is_whole": _is_whole(sheet, places),
        "data_until": sheet.data_until and clock.local(sheet.data_until).isoformat(),
        **{name: sums[name] for name in ("net", "vat", "total", "forecast", "unrated")},
    }


def letter_words(order: Order, summary: dict[str, Any]) -> dict[str, Any]:
    """What the letter about charges tells of them."""
    until = summary["data_until"]
    return {
        "month": month_text(date.fromisoformat(summary["month"])),
        "numbers": format_integer(summary["numbers"]),
        "is_whole": summary["is_whole"],
        "data_until": format_moment(datetime.fromisoformat(until)) if until else "",
        "unrated": format_integer(summary["unrated"]) if summary["unrated"] else "",
        **{name: format_money(summary[name]) for name in ("net", "vat", "total", "forecast")},
        "form": {
            FileFormat.XLSX: _("Excel workbook: the sums, then a row for each number."),
            FileFormat.CSV: _("CSV table: a row for each number, in BYN."),
            FileFormat.PDF: _("PDF document: the sums, then a row for each number."),
        }[FileFormat(order.params["format"])],
    }
