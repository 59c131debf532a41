"""Languages that the cabinet speaks, and the one that is spoken now."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LANGUAGES = ("ru", "be", "en")
OWN = "ru"  # of the product: its bills are written in it, and what a person has not chosen
NAMES = {"ru": "Русский", "be": "Беларуская", "en": "English"}  # as their speakers call them
_language: ContextVar[str] = ContextVar("language", default=OWN)


def current_language() -> str:
    """The language spoken now: ru unless somebody says otherwise."""
    return _language.get()


def speak(code: str) -> None:
    """Speak `code` from now on, in this thread."""
    _language.set(code)


@contextmanager
def language(code: str) -> Iterator[None]:
    """Speak `code` while inside."""
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def first_known(*codes: str) -> str:
    """The first of these that is one of ours; ru when none is.

    >>> first_known("", "de", "en", "be"), first_known()
    ('en', 'ru')
    """
    return next((code for code in codes if code in LANGUAGES), OWN)
