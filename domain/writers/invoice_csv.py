"""The annex of an invoice as CSV: a row of column names, then a row for each number, and one for
what is no number's, where there is such. Its columns add up to the lines of the invoice.

Like the CSV of a call detail: UTF-8 with a byte order mark, `;`, CRLF, every value quoted, and no
text becomes a formula. Money is roubles with a comma.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from domain.billing.invoice import AnnexRow, InvoiceContent
from domain.writers.call_detail_csv import guarded, phone
from domain.writers.figures import csv_text
from domain.writers.invoice_facts import annex_columns, outside
from domain.writers.invoice_wording import InvoiceWording


def write(
    path: Path, content: InvoiceContent, annex: Sequence[AnnexRow], wording: InvoiceWording
) -> None:
    """Write the table to `path`. Raises `OSError` when the disk is full."""
    columns = annex_columns(content, wording)
    rest = outside(content, annex, wording)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
        rows.writerow([guarded(column.title) for column in columns])
        for row in [*annex, *([rest] if rest else [])]:
            rows.writerow(
                [phone(row.number), *(csv_text(c.form, c.value(row)) for c in columns[1:])]
            )
