"""Charts as geometry: columns and bars in the units of an SVG's viewBox, for a template to draw.
Nothing here knows colours or words; every value stands in a table beside the drawing as well.
"""

from collections.abc import Sequence
from typing import NamedTuple

MOST_TICKS = 5
STEPS = (1, 2, 5)


class Frame(NamedTuple):
    """Size of a drawing and of its margins. Two of them, for wide screens and for phones, keep
    letters readable: they grow and shrink with the drawing.
    """

    width: int
    height: int
    left: int  # for the numbers of the axis
    bottom: int  # for the names of columns
    every: int  # so many columns apart stand their names


WIDE = Frame(640, 240, 64, 28, 5)
NARROW = Frame(320, 220, 56, 28, 10)
TOP, RIGHT = 12, 10  # room above the columns and beside them, for letters


class Column(NamedTuple):
    """A column; without a value it is a gap, and `height` is None."""

    x: float
    y: float
    width: float
    height: float | None
    label: str  # under it; most have none


class Tick(NamedTuple):
    """A line of the axis."""

    y: float
    value: int


class Columns(NamedTuple):
    """A chart of columns."""

    frame: Frame
    columns: list[Column]
    ticks: list[Tick]
    base: float  # y of the axis


class Bar(NamedTuple):
    """A bar under its name."""

    y: float  # of the line of words
    width: float
    name: str


class Bars(NamedTuple):
    """A chart of bars, each as wide as its share of the greatest."""

    width: int
    height: int
    bars: list[Bar]


def round_ticks(top: int) -> list[int]:
    """Round values from 0 to `top` or a little beyond it, five at the most above 0.

    >>> round_ticks(340), round_ticks(7), round_ticks(0)
    ([0, 100, 200, 300, 400], [0, 2, 4, 6, 8], [0])
    """
    if top <= 0:
        return [0]
    power = 1
    while True:
        for factor in STEPS:
            step = factor * power
            count = -(-top // step)
            if count <= MOST_TICKS:
                return [step * n for n in range(count + 1)]
        power *= 10


def columns(values: Sequence[int | None], labels: Sequence[str], frame: Frame) -> Columns:
    """Columns from 0 up; None is a gap, not a nought."""
    ticks = round_ticks(max((value for value in values if value is not None), default=0))
    base = frame.height - frame.bottom
    room, top = base - TOP, ticks[-1] or 1
    step = (frame.width - frame.left - RIGHT) / max(1, len(values))
    drawn = [
        Column(
            x=round(frame.left + n * step + step * 0.15, 1),
            y=round(base - room * max(0, value or 0) / top, 1),
            width=round(step * 0.7, 1),
            height=None if value is None else round(room * max(0, value) / top, 1),
            label=labels[n] if n == 0 or (n + 1) % frame.every == 0 else "",
        )
        for n, value in enumerate(values)
    ]
    axis = [Tick(round(base - room * value / top, 1), value) for value in ticks]
    return Columns(frame, drawn, axis, base)


class Span(NamedTuple):
    """A bar to the right of an axis for more, to the left for less."""

    x: float
    width: float
    axis: float
    is_less: bool


def spans(values: Sequence[int], width: int) -> list[Span]:
    """Bars on both sides of a common axis, the longest as long as there is room.

    >>> [(span.x, span.width) for span in spans([30, -10], 80)]
    [(20.0, 60.0), (0.0, 20.0)]
    """
    low, high = min([0, *values]), max([0, *values])
    scale = width / ((high - low) or 1)
    axis = -low * scale
    return [
        Span(
            round(axis + min(0, value) * scale, 1),
            round(max(1.0, abs(value) * scale), 1),
            round(axis, 1),
            value < 0,
        )
        for value in values
    ]


ROW = 46  # a line of words, a bar, and room
LETTER = 8  # width of a letter, about


def bars(values: Sequence[int], names: Sequence[str], width: int) -> Bars:
    """Bars under their names. A name too long for its line is cut: the table has it whole."""
    top = max(values, default=0) or 1
    letters = (width - 100) // LETTER
    drawn = [
        Bar(ROW * n + 16, round(max(1, width * max(0, value) / top), 1), _cut(names[n], letters))
        for n, value in enumerate(values)
    ]
    return Bars(width, ROW * len(drawn), drawn)


def _cut(text: str, letters: int) -> str:
    """
    >>> _cut("Россия", 6), _cut("Россия, мобильные", 8)
    ('Россия', 'Россия,…')
    """
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"
