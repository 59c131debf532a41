"""The words of an invoice's files, in the language of the document."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InvoiceWording:
    """What stands between the values. `{}` places are filled by the writers."""

    language: str
    title: str  # with {number} and {date}
    credit_title: str  # the same of a credit note
    corrects: str  # with {number}
    period: str  # with {month}
    month: str  # the month in words: «март 2026 г.»
    contract: str  # with {number} and {date}
    labels: Mapping[str, str]  # LABELS → words
    columns: Mapping[str, str]  # COLUMNS → heads
    vat_line: str  # with {percent}
    total: str
    annex: str  # the title of the annex
    annex_elsewhere: str  # with {count}: said where it is too long for paper
    page: str  # with {page} and {pages}
    verify: str  # with {url}
    verify_url: str
    line_kinds: Mapping[str, str]  # LineKind → a word before the name where the name is not enough


LABELS = (
    *("operator", "client", "unp", "address", "bank", "iban", "bic", "account", "contract"),
    *("due_on", "opening", "charged", "paid", "closing", "ahead", "in_words", "payments"),
    *("payment", "roubles", "subscribers"),
)
COLUMNS = (
    *("ordinal", "name", "quantity", "duration", "net", "vat_percent", "vat", "gross"),
    *("number", "full_name", "plan", "fees", "calls", "calls_net", "other"),
)
