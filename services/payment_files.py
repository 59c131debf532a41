"""Files of «Платежи» and «Информация по рассрочке»: the tables as CSV and XLSX, and the text of a
payment order to copy into a bank's program.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from flask import current_app

from domain.billing.requisites import format_iban
from domain.billing.words import in_words
from domain.formats import format_date, format_money
from domain.languages import OWN, language
from domain.orders import FileFormat
from domain.writers import figure_files
from domain.writers.figure_files import Document
from domain.writers.figures import Figures, Form, Head
from models import Client
from services import clock
from services.instalment_list import Told
from services.instalments import EMPLOYEE
from services.payment_list import Entry
from texts import current_language, gettext

_ = gettext
WRITERS = {FileFormat.CSV: figure_files.write_csv, FileFormat.XLSX: figure_files.write_xlsx}
LINE = "\r\n"


def payments_file(
    client: Client, entries: Sequence[Entry], methods: dict[str, str], form: FileFormat
) -> bytes:
    """The payments with what each went to."""
    heads = [
        Head(_("Day"), Form.TEXT, 0),
        Head(_("No. of the payment order"), Form.TEXT, 0),
        Head(_("Date of the payment order"), Form.TEXT, 0),
        Head(_("Sum, BYN"), Form.MONEY, 0),
        Head(_("Way of payment"), Form.TEXT, 0),
        Head(_("What it is for"), Form.TEXT, 0),
        Head(_("Went to bills"), Form.TEXT, 0),
        Head(_("Paid ahead, BYN"), Form.MONEY, 0),
    ]
    rows = [
        (
            format_date(entry.payment.paid_on),
            entry.payment.document_no,
            format_date(entry.payment.document_on) if entry.payment.document_on else "",
            entry.payment.amount,
            methods.get(entry.payment.method, entry.payment.method),
            entry.payment.purpose,
            "; ".join(f"{part.number}: {format_money(part.amount)}" for part in entry.parts),
            entry.ahead,
        )
        for entry in entries
    ]
    total = (_("Total"), "", "", sum(entry.payment.amount for entry in entries), *("",) * 3, None)
    figures = Figures(title=_("Payments"), heads=heads, rows=rows, count=len(rows), total=total)
    return _bytes_of(client, figures, form)


def instalments_file(client: Client, plans: Sequence[Told], form: FileFormat) -> bytes:
    """The schedules of all plans, a row for each part."""
    heads = [
        Head(_("Contract"), Form.TEXT, 0),
        Head(_("Goods"), Form.TEXT, 0),
        Head(_("Part"), Form.COUNT, 0),
        Head(_("Due on"), Form.TEXT, 0),
        Head(_("Sum with VAT, BYN"), Form.MONEY, 0),
        Head(_("Bill"), Form.TEXT, 0),
        Head(_("Left to pay, BYN"), Form.MONEY, 0),
        Head(_("Payer"), Form.TEXT, 0),
    ]
    payers = {"client": _("the company, by its bills"), EMPLOYEE: _("the employee, on no bill")}
    rows = [
        (
            told.plan.contract_no,
            told.plan.goods,
            part.row.ordinal,
            format_date(part.row.due_on),
            part.row.amount,
            part.number,
            part.left,
            payers[told.plan.payer],
        )
        for told in plans
        for part in told.parts
    ]
    figures = Figures(title=_("Instalments"), heads=heads, rows=rows, count=len(rows))
    return _bytes_of(client, figures, form)


def _bytes_of(client: Client, figures: Figures, form: FileFormat) -> bytes:
    config = current_app.config["CABINET"]
    now = clock.local(clock.now())
    document = Document(
        title=figures.title,
        facts=[(_("Client name"), client.name), (_("Account number"), client.account_no)],
        figures=figures,
        note=_("All sums are in BYN."),
        author=config.OPERATOR_NAME,
        foot="",
        page_words="",
        sheet=figures.title,
        language=current_language(),
        made_at=now,
    )
    with TemporaryDirectory(dir=config.data_dir) as folder:
        path = Path(folder) / f"table.{form}"
        WRITERS[form](path, document)
        return path.read_bytes()


# --- Paying ---------------------------------------------------------------------------------------


class Requisites(NamedTuple):
    """What a bank is to be told. `amount`: kopecks; 0: the client fills it in."""

    payee: str
    unp: str
    bank: str
    iban: str
    bic: str
    purpose: str
    amount: int

    @property
    def are_known(self) -> bool:
        """Whether one can pay by them."""
        return bool(self.iban)

    @language(OWN)
    def text(self) -> str:
        """Line by line, for a QR code: text to copy, in no bank's own format, and in the
        language of the country's papers, whoever looks at it.
        """
        lines = [
            (_("Payee"), self.payee),
            (_("UNP"), self.unp),
            (_("IBAN"), self.iban),
            (_("BIC"), self.bic),
            (_("Bank"), self.bank),
            (_("Purpose of payment"), self.purpose),
            (_("Sum, BYN"), format_money(self.amount) if self.amount else ""),
        ]
        return "\n".join(f"{label}: {value}" for label, value in lines if value)


def requisites_of(client: Client, amount: int, bills: Sequence[str]) -> Requisites:
    """The operator's requisites, with the purpose of a payment for `bills`."""
    config = current_app.config["CABINET"]
    parts = ["Оплата услуг электросвязи"]
    if bills:
        parts[0] += f" по счету № {', '.join(bills)}"
    parts.append(f"лицевой счет {client.account_no}")
    if client.contract_no:
        parts.append(f"договор № {client.contract_no}")
    return Requisites(
        config.OPERATOR_NAME,
        config.OPERATOR_UNP,
        config.OPERATOR_BANK,
        config.OPERATOR_IBAN,
        config.OPERATOR_BIC,
        ", ".join(parts),
        max(0, amount),
    )


@language(OWN)
def payment_order(client: Client, requisites: Requisites, now: datetime) -> bytes:
    """A payment order as text; what only the client knows is a line to fill in. Russian, as the
    country's papers are; no bank's program was tried with it.
    """
    blank = "________________"
    amount, own_bank = requisites.amount, (client.bank, client.bic)
    rows = [
        ("Сумма и валюта", f"{format_money(amount)} BYN" if amount else f"{blank} BYN"),
        ("Сумма прописью", in_words(amount) if amount else blank),
        ("Плательщик", client.name),
        ("УНП плательщика", client.unp),
        ("Счет плательщика (IBAN)", format_iban(client.iban) or blank),
        ("Банк-отправитель, код (BIC)", ", ".join(filter(None, own_bank)) or blank),
        ("Бенефициар", requisites.payee),
        ("УНП бенефициара", requisites.unp or blank),
        ("Счет бенефициара (IBAN)", format_iban(requisites.iban) or blank),
        ("Банк-получатель", requisites.bank or blank),
        ("Код банка-получателя (BIC)", requisites.bic or blank),
        ("Назначение платежа", requisites.purpose),
        ("Код платежа", blank),
        ("Очередь платежа", blank),
    ]
    width = max(len(label) for label, _value in rows) + 2
    lines = [
        f"ПЛАТЕЖНОЕ ПОРУЧЕНИЕ № ______ от {clock.local(now):%d.%m.%Y}",
        "",
        *(f"{label + ':':<{width}}{value}" for label, value in rows),
        "",
    ]
    return LINE.join(lines).encode("utf-8-sig")
