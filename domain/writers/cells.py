"""What the writers of call detail share: texts as a cell can hold them, and the values of a
report's head. Where they stand on a sheet or page is each writer's own.
"""

import re
from collections.abc import Sequence

from domain.call_detail import ReportHead, Totals, Wording
from domain.formats import format_date, format_moment, format_money

CELL_CHARACTERS = 32_767  # Excel's limit
INLINE_EXCLUDED = 20  # more numbers than that get a list of their own

_SPACES = re.compile(r"[\t\r\n]")
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """`text` as a cell can hold it: no control characters, not longer than Excel allows.

    >>> clean("=1+1\\x00"), clean("a\\tb")
    ('=1+1', 'a b')
    """
    if not text.isprintable():
        text = _UNWRITABLE.sub("", _SPACES.sub(" ", text))
    return text[:CELL_CHARACTERS]


def head_values(head: ReportHead, totals: Totals, wording: Wording) -> dict[str, str | int]:
    """The values of the head by the names of `HEAD_LABELS`, in that order. What hides nothing does
    not speak of it.
    """
    hidden = {"hidden_peers": wording.hidden_peers} if head.hides_peers else {}
    return {
        "client": clean(head.client_name),
        "account": clean(head.account_no),
        "order": head.order_number,
        "period": f"{format_date(head.period.start)} – {format_date(head.period.end)}",
        "zone": str(head.zone),
        "direction": wording.choices[head.direction],
        **hidden,
        "selected": len(totals.numbers),
        "excluded": _excluded(head.excluded),
        "made_at": format_moment(head.made_at),
        "data_until": format_moment(head.data_until) if head.data_until else "—",
        "rows": totals.rows,
        "control_sum": totals.control_sum,
        **_cost(totals),
    }


def _cost(totals: Totals) -> dict[str, str | int]:
    """What the calls cost, if they can cost anything; calls without a price are told of."""
    if totals.costs is None:
        return {}
    whole = totals.costs.whole
    unrated = {"unrated": totals.unrated} if totals.unrated else {}
    return {
        "cost": f"{format_money(whole.net)} BYN",
        "vat": f"{format_money(whole.vat)} BYN",
        "cost_with_vat": f"{format_money(whole.total)} BYN",
        **unrated,
    }


def _excluded(numbers: Sequence[str]) -> str | int:
    if len(numbers) > INLINE_EXCLUDED:
        return len(numbers)
    return "; ".join(map(clean, numbers)) or "—"
