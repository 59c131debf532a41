"""Ways in which money comes in, and the words by which a bank's statement names them. Their names
on pages are `texts.PAYMENT_METHODS`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from domain.errors import InvalidValue

TRANSFER = "transfer"
METHODS = (TRANSFER, "demand", "erip", "correction")
_SIGNS = re.compile(r"[\W_]+")

# By the word without case, spaces and signs, «ё» as «е».
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        word: method
        for method, words in {
            TRANSFER: "transfer paymentorder пп поручение платежноепоручение плацежнаедаручэнне",
            "demand": (
                "demand paymentdemand требование платежноетребование"
                " требованиесакцептом платежноетребованиесакцептом плацежнаепатрабаваннезакцэптам"
            ),
            "erip": "erip ерип аріп системаерип черезерип",
            "correction": "correction корректировка карэкціроўка",
        }.items()
        for word in words.split()
    }
)


def read_method(text: str) -> str:
    """The way that a word names; nothing said is a payment order.

    >>> read_method("ЕРИП"), read_method("Платёжное требование"), read_method(" ")
    ('erip', 'demand', 'transfer')
    """
    word = _SIGNS.sub("", text.casefold().replace("ё", "е"))
    if not word and not text.strip():
        return TRANSFER
    if word not in _WORDS:
        raise InvalidValue(f"no way of payment: {text!r}", what="method", value=text)
    return _WORDS[word]
