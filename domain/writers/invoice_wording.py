"""The words of an invoice's files, in the language of the document."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.billing.invoice import InvoiceContent, Line
from domain.formats import format_date

LABELS = (
    *("operator", "client", "unp", "address", "bank", "iban", "bic", "account", "contract"),
    *("opening", "charged", "closing", "ahead", "due_on", "subscribers", "outside"),
    *("payment", "payment_no", "charged_words", "to_pay_words", "nothing_to_pay"),
)
COLUMNS = (
    *("ordinal", "name", "quantity", "duration", "net", "vat_percent", "vat", "gross"),
    *("number", "full_name", "plan", "fees", "calls", "calls_net", "other"),
)


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
    labels: Mapping[str, str]  # by LABELS
    columns: Mapping[str, str]  # by COLUMNS
    parts: Mapping[str, str]  # «calls», «duration», «net»: columns of one line of calls
    vat_line: str  # with {percent}
    total: str
    sheets: tuple[str, str]  # names of the workbook's
    annex: str  # the title of the annex
    annex_elsewhere: str  # with {count}: said where it is too long for paper
    page: str  # with {page} and {pages}
    verify: str  # with {url}
    verify_url: str
    line_kinds: Mapping[str, str]  # LineKind → a word before the name where the name is not enough

    def title_of(self, content: InvoiceContent) -> str:
        """«Счет № … от …»."""
        words = self.credit_title if content.corrects else self.title
        return words.format(number=content.number, date=format_date(content.issued_on))

    def subtitle_of(self, content: InvoiceContent) -> str:
        """What it is for; of a credit note also what it corrects."""
        period = self.period.format(month=self.month)
        corrects = self.corrects.format(number=content.corrects) if content.corrects else ""
        return f"{period.removesuffix('.')}. {corrects}" if corrects else period

    def contract_of(self, content: InvoiceContent) -> str:
        """Number of the contract, and its day where it is known."""
        if content.contract_date is None:
            return content.contract_no
        day = format_date(content.contract_date)
        return self.contract.format(number=content.contract_no, date=day)

    def line_name(self, line: Line) -> str:
        """What a line is for. Its kind stands before the name, unless the name says it."""
        kind = self.line_kinds.get(line.kind, "")
        return (
            f"{kind}: {line.name}" if kind and kind.lower() not in line.name.lower() else line.name
        )

    def closing_of(self, content: InvoiceContent) -> tuple[str, int]:
        """What is left in the end: «К оплате» or «Переплата», and how much, never below nothing."""
        name = "closing" if content.closing >= 0 else "ahead"
        return self.labels[name], abs(content.closing)
