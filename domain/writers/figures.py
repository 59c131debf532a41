"""Tables of figures as reports have them: columns of a kind, rows of plain values; and how a value
of each kind reads in a CSV, in a cell of a workbook and on paper.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from domain.formats import format_duration, format_integer, format_money
from domain.writers.call_detail_csv import guarded
from domain.writers.cells import clean

DAY_S = 86_400
MONEY_FORMAT, DURATION_FORMAT = "#,##0.00", "[h]:mm:ss"


class Form(Enum):
    """What a column's figures are."""

    TEXT = auto()
    COUNT = auto()
    DURATION = auto()  # seconds
    MONEY = auto()  # kopecks


FORMATS = {Form.MONEY: MONEY_FORMAT, Form.DURATION: DURATION_FORMAT}  # of cells

Row = Sequence[Any]  # a value, or None, for each column


class Head(NamedTuple):
    """The head of a column."""

    title: str
    form: Form
    width: float  # on paper, in points; 0: what the others leave
    paper: str = ""  # a shorter title, for paper


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A table. `total` stands above the rows."""

    title: str
    heads: Sequence[Head]
    rows: Iterable[Row]
    count: int
    total: Row | None = None


def cells_of(figures: Figures, row: Row) -> tuple[Any, ...]:
    """A row as a workbook has it."""
    return tuple(cell(head.form, value) for head, value in zip(figures.heads, row, strict=True))


def texts_of(figures: Figures, row: Row) -> tuple[str, ...]:
    """A row as it stands on paper."""
    return tuple(text(head.form, value) for head, value in zip(figures.heads, row, strict=True))


def cell(form: Form, value: Any) -> Any:
    """A value as a cell of a workbook holds it."""
    if value is None or form is Form.COUNT:
        return value
    if form is Form.TEXT:
        return clean(value) or None
    return value / 100 if form is Form.MONEY else value / DAY_S


def text(form: Form, value: Any) -> str:
    """A value for people."""
    return "" if value is None else _SHOWN[form](value)


def csv_text(form: Form, value: Any) -> str:
    """A value for programs: no spaces between thousands, and nothing becomes a formula."""
    if value is None:
        return ""
    if form is Form.MONEY:
        return f"{'-' * (value < 0)}{abs(value) // 100},{abs(value) % 100:02}"
    return format_duration(value) if form is Form.DURATION else guarded(str(value))


_SHOWN: dict[Form, Callable[[Any], str]] = {
    Form.TEXT: clean,
    Form.COUNT: format_integer,
    Form.MONEY: format_money,
    Form.DURATION: format_duration,
}
