"""What calls cost, as two tables under the same heads: by destination as on the invoice, and by
number. Workbook and paper set them out, each in its way.
"""

from domain.call_costs import Cost, Costs
from domain.call_detail import COST_COLUMNS, NumberTotals, Totals, Wording
from domain.writers.figures import Figures, Form, Head, Row

FORMS = (Form.COUNT, *(Form.DURATION,) * 2, *(Form.MONEY,) * 3, Form.COUNT)
WIDTHS = (54.0, 86.0, 66.0, 92.0, 74.0, 92.0, 64.0)  # on paper


def by_destination(totals: Totals, costs: Costs, wording: Wording) -> Figures:
    """A row for each month and group of destinations: the lines of the invoice."""
    rows = [
        (
            wording.group_name(line.group),
            wording.month_name(line.month),
            *(line.calls, line.billed_s, line.package_s, line.net, None, None, None),
        )
        for line in costs.lines
    ]
    heads = (
        Head(wording.cost_columns["group"], Form.TEXT, 0.0),
        Head(wording.cost_columns["month"], Form.TEXT, 76.0),
    )
    return _figures(wording.by_destination, heads, rows, totals, costs, wording)


def by_number(totals: Totals, costs: Costs, wording: Wording) -> Figures:
    """A row for each number, also one whose calls cost nothing."""
    rows = [_number(number) for number in totals.numbers]
    heads = (Head(wording.columns[3], Form.TEXT, 72.0), Head(wording.columns[4], Form.TEXT, 0.0))
    return _figures(wording.by_number, heads, rows, totals, costs, wording)


def _figures(
    title: str,
    texts: tuple[Head, Head],
    rows: list[Row],
    totals: Totals,
    costs: Costs,
    wording: Wording,
) -> Figures:
    names = COST_COLUMNS[2:]
    heads = [*texts]
    heads += [
        Head(wording.cost_columns[name], form, width)
        for name, form, width in zip(names, FORMS, WIDTHS, strict=True)
    ]
    total = (wording.all_numbers, None, *_sums(costs.whole), totals.unrated or None)
    return Figures(title=title, heads=heads, rows=rows, count=len(rows), total=total)


def _number(number: NumberTotals) -> Row:
    return (number.number, number.full_name, *_sums(number.cost), number.unrated or None)


def _sums(cost: Cost) -> Row:
    return (cost.calls, cost.billed_s, cost.package_s, cost.net, cost.vat, cost.total)
