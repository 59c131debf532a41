"""What the browser is given: the pinned htmx, small files, colours that can be read."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parent.parent / "static"
HTMX_SHA384 = "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"
CSS = (STATIC / "cabinet.css").read_text(encoding="utf-8")
TEXT_ON = [
    ("ink", "bg"),
    ("ink", "page"),
    ("ink", "surface"),
    ("ink", "tint"),
    ("ink-2", "bg"),
    ("ink-2", "page"),
    ("ink-2", "surface"),
    ("brand", "bg"),
    ("brand", "surface"),
    ("brand", "info-bg"),
    ("brand", "tint"),
    ("brand-ink", "brand"),
    ("brand-ink", "brand-strong"),
    ("header-ink", "header-bg"),
    ("header-ink-2", "header-bg"),
    ("ok", "ok-bg"),
    ("warn", "warn-bg"),
    ("bad", "bad-bg"),
    ("bad", "bg"),
    ("ink", "ok-bg"),
    ("ink", "warn-bg"),
    ("ink", "bad-bg"),
]
MARKS_ON = [("edge", "bg"), ("edge", "surface"), ("focus", "bg"), ("focus", "page")]


def colours():
    """Custom properties that are colours, in light and in dark."""
    light, dark = CSS.split("@media screen and (prefers-color-scheme: dark)")
    found = re.compile(r"--([\w-]+): (#[0-9a-f]{3,6});")
    first = dict(found.findall(light))
    return {"light": first, "dark": first | dict(found.findall(dark.split("@layer base")[0]))}


def luminance(colour):
    """Relative luminance of #rgb or #rrggbb, as WCAG defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_htmx_is_the_pinned_file():
    digest = hashlib.sha384((STATIC / "vendor" / "htmx-4.0.1.min.js").read_bytes()).digest()
    assert base64.b64encode(digest).decode() == HTMX_SHA384


def test_our_own_files_stay_small():
    assert len(CSS.encode()) <= 16 * 1024
    script = (STATIC / "cabinet.js").read_text(encoding="utf-8")
    assert len(script.splitlines()) <= 60


def test_nothing_is_fetched_from_elsewhere_or_from_data():
    for path in (*STATIC.glob("*.css"), *STATIC.glob("*.js")):
        assert not re.search(r"url\(|@import|https?:", path.read_text(encoding="utf-8")), path.name


def test_black_on_white_is_measured_right():
    assert round(contrast("#000", "#ffffff"), 2) == 21
    assert round(contrast("#767676", "#fff"), 2) == 4.54


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [(*pair, 4.5) for pair in TEXT_ON] + [(*pair, 3.0) for pair in MARKS_ON],
)
def test_colours_can_be_told_apart(scheme, text, ground, least):
    palette = colours()[scheme]
    assert contrast(palette[text], palette[ground]) >= least
