"""How values are written for people, in the language spoken now: dates, durations, sizes, money,
phone numbers, masked addresses. Russian and Belarusian write alike.
"""

import re
from datetime import date, datetime
from decimal import Decimal

from domain.languages import current_language

NBSP = "\u00a0"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {"en": ("B", "KB", "MB")}
_OWN_UNITS = ("Б", "КБ", "МБ")
_EMAIL = re.compile(r"[^\s<>@:;,()]+@[^\s<>@:;,()]+")


def format_date(day: date) -> str:
    """ДД.ММ.ГГГГ; in English the month is a word, for 03/09 is read in two ways.

    >>> format_date(date(2026, 3, 9))
    '09.03.2026'
    """
    if _is_english():
        return f"{day.day}{NBSP}{_MONTHS[day.month - 1]}{NBSP}{day.year}"
    return f"{day:%d.%m.%Y}"


def format_moment(moment: datetime) -> str:
    """ДД.ММ.ГГГГ чч:мм of a moment that is already in the reader's zone."""
    return f"{format_date(moment)} {moment:%H:%M}"


def format_second(moment: datetime) -> str:
    """ДД.ММ.ГГГГ чч:мм:сс of a moment that is already in the reader's zone."""
    return f"{format_date(moment)} {moment:%H:%M:%S}"


def format_integer(number: int) -> str:
    """Thousands parted by a no-break space, in English by a comma.

    >>> format_integer(1234567).replace(NBSP, "_")
    '1_234_567'
    """
    parted = f"{number:,}"
    return parted if _is_english() else parted.replace(",", NBSP)


def format_duration(seconds: int) -> str:
    """ч:мм:сс.

    >>> format_duration(3725)
    '1:02:05'
    """
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def format_size(size: int) -> str:
    """Bytes as Б, КБ or МБ.

    >>> format_size(219136).replace(NBSP, "_")
    '214_КБ'
    """
    byte, kilobyte, megabyte = _UNITS.get(current_language(), _OWN_UNITS)
    if size < 1024:
        return f"{size}{NBSP}{byte}"
    if size < 1024 * 1024:
        return f"{round(size / 1024)}{NBSP}{kilobyte}"
    return f"{size / 1024 / 1024:.1f}{NBSP}{megabyte}".replace(".", _point())


def format_phone(number: str) -> str:
    """A Belarusian number in groups, anything else as it is.

    >>> format_phone("375291234567").replace(NBSP, "_")
    '375_29_123-45-67'
    """
    if len(number) == 12 and number.isdigit() and number.startswith("375"):
        return f"375{NBSP}{number[3:5]}{NBSP}{number[5:8]}-{number[8:10]}-{number[10:]}"
    return number


def mask_email(address: str) -> str:
    """First character and three asterisks for the name and the domain, whatever their length.

    >>> mask_email("buh@romashka.by")
    'b***@r***.by'
    """
    name, _, domain = address.partition("@")
    host, dot, top = domain.rpartition(".")
    if not dot:
        host, top = domain, ""
    return f"{name[:1]}***@{host[:1]}***{dot}{top}"


def mask_emails(text: str) -> str:
    """Each address in a text masked: servers repeat addresses in their answers.

    >>> mask_emails("550 5.1.1 <buh@romashka.by>: no such user")
    '550 5.1.1 <b***@r***.by>: no such user'
    """
    return _EMAIL.sub(lambda found: mask_email(found.group()), text)


def format_value(value: object) -> str:
    """A value inside a sentence."""
    if isinstance(value, datetime):
        return format_moment(value)
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, int | Decimal):
        return format_integer(value) if isinstance(value, int) else str(value)
    return str(value)


def format_money(kopecks: int) -> str:
    """Roubles and kopecks after a comma, thousands parted by a no-break space; in English with a
    point and commas.

    >>> format_money(123456705).replace(NBSP, "_"), format_money(-5)
    ('1_234_567,05', '-0,05')
    """
    roubles, rest = divmod(abs(kopecks), 100)
    return f"{'-' * (kopecks < 0)}{format_integer(roubles)}{_point()}{rest:02}"


def format_percent(hundredths: int) -> str:
    """Hundredths of a per cent, without zeros at the end.

    >>> format_percent(2500).replace(NBSP, "_"), format_percent(2333).replace(NBSP, "_")
    ('25_%', '23,33_%')
    """
    whole, rest = divmod(hundredths, 100)
    number = f"{whole}{_point()}{rest:02}".rstrip("0").rstrip(_point())
    return f"{number}%" if _is_english() else f"{number}{NBSP}%"


def format_price(micros: int) -> str:
    """Micros as roubles: two places at least, and as many as there are.

    >>> format_price(125000), format_price(12_000_000), format_price(-1)
    ('0,125', '12,00', '-0,000001')
    """
    roubles, rest = divmod(abs(micros), 1_000_000)
    places = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{'-' * (micros < 0)}{format_integer(roubles)}{_point()}{places}"


def format_decimal(amount: Decimal) -> str:
    """Roubles with all their places, two at least.

    >>> format_decimal(Decimal("0.0012345")), format_decimal(Decimal("0.5"))
    ('0,0012345', '0,50')
    """
    whole, _, places = f"{amount.normalize():f}".partition(".")
    return f"{whole}{_point()}{places.ljust(2, '0')}"


def _is_english() -> bool:
    return current_language() == "en"


def _point() -> str:
    return "." if _is_english() else ","
