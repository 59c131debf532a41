"""Shapes of what identifies a client and a user: account number, УНП, bank details, e-mail address,
login.

All checks raise `InvalidValue`. They tell whether a value can be one, not whether it is in use.
"""

import re

from domain.billing.requisites import IBAN_LENGTH, is_bic, is_iban, plain_iban
from domain.errors import InvalidValue

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_UNP = re.compile(r"[0-9]{9}")
_WORD = re.compile(r"[^\s\x00-\x1f\x7f]{1,64}")
_LINE = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]{1,255}")
_EMAIL_LENGTH = 254


def check_email(address: str) -> str:
    """An address that mail can be sent to: ASCII, one @, nothing that breaks a header.

    >>> check_email("buh@romashka.by")
    'buh@romashka.by'
    """
    if len(address) > _EMAIL_LENGTH or not _EMAIL.fullmatch(address):
        raise InvalidValue(what="e-mail (name@host)", value=_shown(address))
    return address


def check_unp(unp: str) -> str:
    """УНП: nine digits. (Its control digit is the tax office's business.)"""
    if not _UNP.fullmatch(unp):
        raise InvalidValue(what="УНП (nine digits)", value=_shown(unp))
    return unp


def check_account_no(account_no: str) -> str:
    """Лицевой счёт: up to 64 characters without spaces."""
    if not _WORD.fullmatch(account_no):
        raise InvalidValue(what="account (64 characters, no spaces)", value=_shown(account_no))
    return account_no


def check_name(name: str) -> str:
    """A name in one line, not empty; spaces around it are taken off."""
    name = name.strip()
    if not _LINE.fullmatch(name):
        raise InvalidValue(what="name (one line)", value=_shown(name))
    return name


def check_detail(text: str) -> str:
    """One line that may be empty (a contract's number, an address); spaces around it go."""
    return check_name(text) if text.strip() else ""


def check_iban(text: str) -> str:
    """An account's number without its spaces; it may be empty.

    >>> check_iban("by13 nbrb 3600 9000 0000 2z00 ab00")
    'BY13NBRB3600900000002Z00AB00'
    """
    plain = plain_iban(text)
    if plain and not is_iban(plain):
        what = f"IBAN (BY, {IBAN_LENGTH} characters, check digits that fit)"
        raise InvalidValue(what=what, value=_shown(text))
    return plain


def check_bic(text: str) -> str:
    """A bank's code; it may be empty."""
    plain = text.strip().upper()
    if plain and not is_bic(plain):
        raise InvalidValue(what="BIC (8 or 11 letters and digits)", value=_shown(text))
    return plain


def fold_login(login: str) -> str:
    """A login as it is stored and compared: case does not matter.

    >>> fold_login(" Demo ")
    'demo'
    """
    return login.strip().casefold()


def check_login(login: str) -> str:
    """A login in its stored form: up to 64 characters without spaces."""
    folded = fold_login(login)
    if not _WORD.fullmatch(folded):
        raise InvalidValue(what="login (64 characters, no spaces)", value=_shown(login))
    return folded


def _shown(value: str) -> str:
    """A refused value as it may stand in a sentence on one line."""
    return ascii(value) if not value.isprintable() or not value else value
