"""Texts on PDF pages: the fonts that come with us, and what fits into a width (in points)."""

from functools import cache, lru_cache
from pathlib import Path

from reportlab.pdfbase.pdfmetrics import getFont, registerFont
from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
FONTS = Path(__file__).parent / "fonts"
_BOX = ord("□")  # stands for what the font does not have


@cache
def load_fonts() -> None:
    """Make both faces known to ReportLab, once."""
    for name in (PLAIN, BOLD):
        registerFont(TTFont(name, FONTS / f"{name}.ttf"))


@lru_cache(maxsize=4096)
def clipped(text: str, font: str, size: float, width: float) -> str:
    """`text`, cut with an ellipsis when it is wider than `width` points."""
    text = drawable(text, font)
    if text_width(text, font, size) <= width:
        return text
    fits = min(len(text), int(width))
    while fits and text_width(f"{text[:fits].rstrip()}…", font, size) > width:
        fits -= 1
    return f"{text[:fits].rstrip()}…"


def drawable(text: str, font: str) -> str:
    """`text` with a box for each character that the font does not have."""
    return text.translate(_signs(font))


def text_width(text: str, font: str, size: float) -> float:
    """How many points `text` takes; five times as fast as ReportLab's own in Python."""
    return sum(map(_advances(font).__getitem__, text)) * size / 1000


class _Advances(dict[str, float]):
    """Widths of characters in thousandths of the size; a character is looked up once."""

    def __init__(self, font: str) -> None:
        super().__init__()
        self._face = _face(font)

    def __missing__(self, character: str) -> float:
        width = self._face.charWidths.get(ord(character), self._face.defaultWidth)
        self[character] = width
        return width


class _Signs(dict[int, int]):
    """A table for `str.translate`: characters that can be drawn stay, others become a box."""

    def __init__(self, font: str) -> None:
        super().__init__()
        self._face = _face(font)

    def __missing__(self, code: int) -> int:
        # Of characters beyond four hexadecimal digits ReportLab writes a table no reader takes.
        can_be_drawn = code <= 0xFFFF and code in self._face.charToGlyph
        self[code] = code if can_be_drawn else _BOX
        return self[code]


@cache
def _advances(font: str) -> _Advances:
    return _Advances(font)


@cache
def _signs(font: str) -> _Signs:
    return _Signs(font)


def _face(font: str) -> TTFontFace:
    load_fonts()
    return getFont(font).face


def wrapped(text: str, font: str, size: float, width: float, most: int) -> list[str]:
    """`text` in lines of at most `width` points; what does not fit into `most` lines is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (len(lines) == most or text_width(longer, font, size) <= width):
            lines[-1] = longer
        else:
            lines.append(word)
    return [clipped(line, font, size, width) for line in lines]


def in_lines(text: str, font: str, size: float, width: float, most: int) -> list[str]:
    """All of `text` in lines of at most `width` points: a word too long for one goes on in the
    next. Of a text that needs more than `most` lines the rest is cut.
    """
    lines = [""]
    for word in drawable(text, font).split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(longer, font, size) <= width:
            lines[-1] = longer
            continue
        rest = word
        while rest and len(lines) <= most + 1:
            fits = _fitting(rest, font, size, width)
            lines.append(rest[:fits])
            rest = rest[fits:]
    lines = [line for line in lines if line] or [""]
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][:-1]}…"]


def _fitting(text: str, font: str, size: float, width: float) -> int:
    """How many characters of `text` stand in a line, one at least; up to a hyphen where one is."""
    advances, room = _advances(font), width * 1000 / size
    for fits, sign in enumerate(text):
        room -= advances[sign]
        if room < 0:
            return text.rfind("-", 0, fits) + 1 or fits or 1
    return len(text)
