"""Phone numbers: one normal form for the many ways of writing them, and lists typed by people.

Whether a number exists or whose it is, is not known here.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

COUNTRY = "375"
FULL_LENGTH = 12  # 375 and nine digits
# What may follow 8 0, 0 or nothing at home: area codes, VoIP and mobile networks.
HOME_CODES = frozenset({"15", "16", "17", "21", "22", "23", "24", "25", "29", "33", "44"})
LONGEST = 15  # digits of an international number, E.164
SHORTEST_ABROAD = 8  # digits after 00 or 8 10: fewer are an extension that begins so

_DECORATION = re.compile(
    r"[\s\u00a0\u202f\u2000-\u200d\u2060\ufeff()\[\]./~'’`\u2010-\u2015\u2212-]+"
)
_DIGITS = re.compile(r"\+?[0-9]+")
_FULL = re.compile(r"375[0-9]{9}")
_EXTENSION = re.compile(r"[\w.*#+@-]{1,64}")


def normal_form(raw: str) -> str:
    """The normal form of a number as dialled, shown or typed: digits from the country code on.

    Extensions, service numbers and names stay as they are. Only codes in use at home are taken
    for home numbers, so that other countries' numbers of that length are left alone.

    >>> [normalise(n) for n in ("+375 (17) 123-45-67", "8 (017) 123-45-67", "0171234567")]
    ['375171234567', '375171234567', '375171234567']
    >>> [normalise(n) for n in ("101", "client1", "00 48 22 123 45 67")]
    ['101', 'client1', '48221234567']
    """
    digits = raw if raw.isdigit() else _DECORATION.sub("", raw)
    if not _DIGITS.fullmatch(digits):
        return raw.replace("\u00a0", " ").strip(" \t\r\n'")
    if digits.startswith("+"):
        return _without_trunk_zero(digits[1:])
    for prefix in ("810", "00"):
        if digits.startswith(prefix) and len(digits) >= len(prefix) + SHORTEST_ABROAD:
            return _without_trunk_zero(digits[len(prefix) :])
    for prefix in ("80", "0", ""):
        home = digits.removeprefix(prefix) if digits.startswith(prefix) else ""
        if len(home) == FULL_LENGTH - len(COUNTRY) and home[:2] in HOME_CODES:
            return COUNTRY + home
    return _without_trunk_zero(digits)


# Numbers repeat. Who remembers them in a way of their own takes `normal_form`.
normalise = lru_cache(maxsize=65536)(normal_form)


def _without_trunk_zero(digits: str) -> str:
    """375 0 17 … as 375 17 …"""
    if len(digits) == FULL_LENGTH + 1 and digits.startswith(COUNTRY + "0"):
        return COUNTRY + digits[4:]
    return digits


def is_full(number: str) -> bool:
    """Whether a normal form is a whole Belarusian number: 375 and nine digits."""
    return _FULL.fullmatch(number) is not None


def is_well_formed(number: str) -> bool:
    """Whether a normal form can be anybody's number: digits, or a name without spaces."""
    return _EXTENSION.fullmatch(number) is not None


# --- Lists typed by people ------------------------------------------------------------------------


class Verdict(StrEnum):
    """What became of one entry. `FOREIGN` is for those who know whose numbers they are."""

    OK = "ok"
    REPEATED = "repeated"
    MALFORMED = "malformed"
    FOREIGN = "foreign"


class Problem(StrEnum):
    """Why an entry is malformed."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"  # signs that no number and no extension has


class Hint(NamedTuple):
    """«11 цифр, нужно 12»."""

    problem: Problem
    digits: int
    needed: int  # 0: nothing to say about length


class Entry(NamedTuple):
    """One entry of a list. `number` is its normal form, also when malformed."""

    ordinal: int  # from 1
    typed: str
    number: str
    verdict: Verdict
    hint: Hint | None = None


def read_list(text: str) -> list[Entry]:
    """The entries of a typed list, each with its verdict.

    `;` `,` tabs and new lines always part entries. A space parts only what is a number by
    itself: `375291234567 375291234568` are two, `8 (017) 200-12-34` is one.

    >>> [(e.number, str(e.verdict)) for e in read_list("101; +375 29 123-45-67, 37529123456 101")]
    [('101', 'ok'), ('375291234567', 'ok'), ('37529123456', 'malformed'), ('101', 'repeated')]
    """
    entries: list[Entry] = []
    seen: set[str] = set()
    for typed in _parts(text):
        number = normalise(typed)
        hint = _hint(number)
        if hint:
            verdict = Verdict.MALFORMED
        else:
            verdict = Verdict.REPEATED if number in seen else Verdict.OK
            seen.add(number)
        entries.append(Entry(len(entries) + 1, typed, number, verdict, hint))
    return entries


def _parts(text: str) -> Iterator[str]:
    for chunk in re.split(r"[;,\t\r\n\v\f\u2028\u2029]+", text):
        words = chunk.strip("'\" \u00a0").split()
        if len(words) == 1:
            yield words[0].strip("'\"")
        elif words:
            yield from _join_words(words)


def _join_words(words: list[str]) -> Iterator[str]:
    """Put the words of a chunk together to full numbers; what is left stands as typed."""
    left: list[str] = []
    at = 0
    while at < len(words):
        end = _full_number_end(words, at)
        if end or (left and words[at].startswith("+")):
            yield from _leftover(left)
            left = []
        if end:
            yield " ".join(words[at:end])
            at = end
        else:
            left.append(words[at])
            at += 1
    yield from _leftover(left)


def _full_number_end(words: list[str], start: int) -> int:
    """Index after the words from `start` on that make up one full number, or 0."""
    joined = ""
    for end in range(start, len(words)):
        joined += words[end]
        if len(joined) > 2 * LONGEST or (end > start and words[end].startswith("+")):
            return 0
        if is_full(normalise(joined)):
            return end + 1
    return 0


def _leftover(words: list[str]) -> Iterator[str]:
    """Words that make no full number: extensions side by side, or one number gone wrong."""
    starts_number = bool(words) and words[0] in {"8", "80", "0", "00", "810", COUNTRY}
    pieces = any(len(word) < 3 or not _EXTENSION.fullmatch(word) or "-" in word for word in words)
    if len(words) > 1 and (starts_number or pieces or words[0].startswith("+")):
        yield " ".join(words)
    else:
        yield from words


def _hint(number: str) -> Hint | None:
    """What is wrong with the form of an entry's number, if anything."""
    if is_full(number):
        return None
    if not _DIGITS.fullmatch(number):
        return None if _EXTENSION.fullmatch(number) else Hint(Problem.CHARACTERS, 0, 0)
    digits = len(number.removeprefix("+"))
    needed = LONGEST
    for prefix, length in ((COUNTRY, FULL_LENGTH), ("80", 11), ("0", 10)):
        if number.startswith(prefix) and digits > 6:
            needed = length
            break
    if digits > needed:
        return Hint(Problem.TOO_LONG, digits, needed)
    if digits < needed < LONGEST:
        return Hint(Problem.TOO_SHORT, digits, needed)
    return None
