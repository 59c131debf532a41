"""Bank details of both sides of an invoice: their shape and check digits."""

import re

IBAN_LENGTH = 28  # of Belarus
_IBAN = re.compile(r"BY\d{2}[A-Z0-9]{4}\d{4}[A-Z0-9]{16}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


def is_iban(text: str) -> bool:
    """Whether `text` is a Belarusian account number with right check digits (ISO 13616, mod 97).

    >>> is_iban("BY13 NBRB 3600 9000 0000 2Z00 AB00"), is_iban("BY14NBRB3600900000002Z00AB00")
    (True, False)
    """
    plain = plain_iban(text)
    if not _IBAN.fullmatch(plain):
        return False
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def plain_iban(text: str) -> str:
    """Without the spaces that people write.

    >>> plain_iban("by13 nbrb 3600")
    'BY13NBRB3600'
    """
    return "".join(text.split()).upper()


def format_iban(text: str) -> str:
    """In groups of four.

    >>> format_iban("BY13NBRB3600900000002Z00AB00")
    'BY13 NBRB 3600 9000 0000 2Z00 AB00'
    """
    plain = plain_iban(text)
    return " ".join(plain[n : n + 4] for n in range(0, len(plain), 4))


def is_bic(text: str) -> bool:
    """Whether `text` has the shape of a bank's code (ISO 9362).

    >>> is_bic("NBRBBY2X"), is_bic("NBRB")
    (True, False)
    """
    return _BIC.fullmatch(text) is not None
