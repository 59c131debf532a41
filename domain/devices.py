"""What a browser says of itself, as a person names it: «Chrome, Windows». A guess, for a list."""

import re

BROWSERS = (
    ("YaBrowser", "Yandex"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
SHOWN = 40


def device_name(user_agent: str) -> str:
    """Browser and system; for a program that is no browser the first word of what it says.

    >>> device_name("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36")
    'Chrome, Windows'
    >>> device_name("curl/8.5.0")
    'curl/8.5.0'
    """
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    known = ", ".join(filter(None, (browser, system)))
    return known or (re.split(r"[\s(]", user_agent.strip())[0][:SHOWN] if user_agent else "")


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((shown for mark, shown in names if mark in text), "")
