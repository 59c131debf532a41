"""The words of a call detail's files. What they stand in: `domain/writers/`."""

from domain.call_detail import Totals, Wording
from domain.cdr.record import CallDirection, Disposition
from domain.formats import format_integer, format_money, format_percent
from domain.orders import Direction
from domain.rating.states import CallRating
from texts import current_language, destination_group_text, month_text
from texts import gettext as _


def direction_text(direction: Direction) -> str:
    """«Тип детализации», as step 1 of the wizard names it."""
    return {
        Direction.OUT: _("Outgoing"),
        Direction.IN: _("Incoming"),
        Direction.BOTH: _("Outgoing+Incoming"),
    }[direction]


def cost_words(cost: dict[str, int] | None) -> list[tuple[str, str]]:
    """What a letter tells of the money: names with sums. Nothing of incoming calls alone."""
    if cost is None:
        return []
    words = [
        (_("Cost without VAT"), f"{format_money(cost['net'])} BYN"),
        (_("VAT"), f"{format_money(cost['vat'])} BYN"),
        (_("Cost with VAT"), f"{format_money(cost['total'])} BYN"),
    ]
    if cost["unrated"]:
        words.append((_("Calls without a price"), format_integer(cost["unrated"])))
    return words


def wording_of(totals: Totals) -> Wording:
    """The words of a file in the language spoken now."""
    return Wording(
        title=_("Call detail"),
        summary_sheet=_("Summary sheet"),
        calls_sheet=_("Calls sheet"),
        excluded_sheet=_("Excluded numbers"),
        labels=_labels(),
        columns=(
            _("Date of the call"),
            _("Time of the call"),
            _("Direction of the call"),
            _("Subscriber number"),
            _("Full name of the subscriber"),
            _("Other side"),
            _("Result of the call"),
            _("Duration of the call"),
            _("Billable duration"),
            _("Record ID"),
            _("Destination"),
            _("Price of a minute without VAT"),
            _("Paid duration"),
            _("From a package"),
            _("Cost without VAT"),
        ),
        paper_columns={
            2: _("Dir. of call"),
            7: _("Dur. of call"),
            8: _("Bill. dur."),
            11: _("Min. w/o VAT"),
            12: _("Paid dur."),
            13: _("From pack."),
            14: _("Cost w/o VAT"),
        },
        costs_sheet=_("Costs sheet"),
        by_destination=_("by destination"),
        by_number=_("by number"),
        cost_rule=_(
            "Outgoing calls in BYN. The sum of a destination is rounded to kopecks, VAT is counted "
            "on them together; calls without a price are not in them."
        ),
        unpriced={
            None: _("not rated yet"),
            CallRating.NO_PLAN: _("without a price"),
            CallRating.NO_RATE: _("without a price"),
            CallRating.WAIVED: _("not charged"),
        },
        cost_columns=_cost_columns(totals),
        group_name=destination_group_text,
        month_name=month_text,
        directions={
            CallDirection.OUT: _("Outgoing call"),
            CallDirection.IN: _("Incoming call"),
        },
        choices={each: direction_text(each) for each in Direction},
        results={
            Disposition.ANSWERED: _("Call answered"),
            Disposition.NO_ANSWER: _("Call not answered"),
            Disposition.BUSY: _("Number busy"),
            Disposition.FAILED: _("Call failed"),
            Disposition.CANCELLED: _("Call cancelled"),
        },
        sums={
            Direction.OUT: (
                _("Outgoing: calls"),
                _("Outgoing: answered"),
                _("Outgoing: duration"),
                _("Outgoing: billable duration"),
            ),
            Direction.IN: (
                _("Incoming: calls"),
                _("Incoming: answered"),
                _("Incoming: duration"),
                _("Incoming: billable duration"),
            ),
        },
        sum_columns=(
            _("Calls"),
            _("of them answered"),
            _("Total duration"),
            _("Billable"),
        ),
        all_numbers=_("All numbers"),
        no_calls=_("There were no calls in this period"),
        hidden_peers=_("the last 3 digits are hidden"),
        page=_("Page {page} of {pages}"),
        language=current_language(),
    )


def _labels() -> dict[str, str]:
    return {
        "client": _("Client name"),
        "account": _("Account number"),
        "order": _("Order number"),
        "period": _("Period of the report"),
        "zone": _("Time zone"),
        "direction": _("Type of call detail"),
        "hidden_peers": _("Who called"),
        "selected": _("Numbers selected"),
        "excluded": _("Excluded numbers"),
        "made_at": _("Made at"),
        "data_until": _("Data until"),
        "rows": _("Calls in the report"),
        "control_sum": _("Control sum (billable seconds)"),
        "cost": _("Cost without VAT"),
        "vat": _("VAT"),
        "cost_with_vat": _("Cost with VAT"),
        "unrated": _("Calls without a price"),
    }


def _cost_columns(totals: Totals) -> dict[str, str]:
    percents = totals.costs.percents if totals.costs else ()
    (percent,) = percents if len(percents) == 1 else (None,)
    return {
        "group": _("Destination"),
        "month": _("Month of the calls"),
        "calls": _("Calls with a price"),
        "billed": _("Paid duration"),
        "package": _("From a package"),
        "net": _("Cost without VAT"),
        "vat": _("VAT")
        if percent is None
        else _("VAT {percent}").format(percent=format_percent(percent)),
        "total": _("Cost with VAT"),
        "unrated": _("Calls without a price"),
    }
