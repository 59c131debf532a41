"""An invoice on A4 paper: both sides, what is paid for, VAT, balances, the sum in words, a code by
which the paper is checked; then what each number has on it. Made of the frozen content alone, so
it is the same bytes whenever it is made.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    SimpleDocTemplate,
    Spacer,
)

from domain.billing.invoice import AnnexRow, InvoiceContent
from domain.billing.words import in_words
from domain.formats import format_date, format_money
from domain.writers.cells import clean
from domain.writers.invoice_facts import sides
from domain.writers.invoice_tables import (
    HEADING,
    SMALL,
    STRONG,
    TEXT,
    TITLE,
    WIDTH,
    Lines,
    annex_table,
    balance_table,
    beside,
    lines_table,
)
from domain.writers.invoice_wording import InvoiceWording
from domain.writers.pdf_qr import QrCode
from domain.writers.pdf_tables import GREY
from domain.writers.pdf_texts import PLAIN, clipped, load_fonts

LONGEST_ANNEX = 500  # numbers on paper; more of them are for the workbook
PADDING = 6.0  # of ReportLab's frames
QR = 30 * mm
FOOT_SIZE = 7


def write(
    path: Path, content: InvoiceContent, annex: Sequence[AnnexRow], wording: InvoiceWording
) -> None:
    """Write the document to `path`. Raises `OSError` when the disk is full."""
    load_fonts()
    title = wording.title_of(content)
    made = BytesIO()  # then written at once: on a full disk the library leaves its file open
    document = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=15 * mm - PADDING,
        rightMargin=15 * mm - PADDING,
        topMargin=15 * mm,
        bottomMargin=18 * mm,
        title=title,
        author=clean(content.operator.name),
        subject=clean(content.client.name),
        lang=wording.language,
        invariant=1,
        pageCompression=1,
    )
    story = [
        Lines([(title, TITLE), (wording.subtitle_of(content), TEXT)]),
        Spacer(1, 5 * mm),
        beside([Lines(texts) for texts in _sides(content, wording)], [WIDTH / 2, WIDTH / 2]),
        Spacer(1, 5 * mm),
        lines_table(content, wording),
        Spacer(1, 4 * mm),
        KeepTogether([balance_table(content, wording), Spacer(1, 4 * mm), _foot(content, wording)]),
        *_annex(content, annex, wording),
    ]
    foot = f"{title} · {clean(content.client.name)}"
    document.build(story, canvasmaker=_numbered(foot, wording))
    path.write_bytes(made.getvalue())


def _sides(content: InvoiceContent, wording: InvoiceWording) -> Iterator[list]:
    for role, name, facts in sides(content, wording):
        values = [(f"{label}: {value}", TEXT) for label, value in facts]
        yield [(role, SMALL), (name, STRONG), *values]


def _foot(content: InvoiceContent, wording: InvoiceWording) -> Flowable:
    """The sums in words, until when to pay, and the code to check the paper by."""
    labels = wording.labels
    charged = labels["charged_words"].format(
        sum=in_words(content.total), vat=format_money(content.vat_sum)
    )
    texts = [(charged, TEXT)]
    if content.closing > 0:
        words = labels["to_pay_words"].format(sum=in_words(content.closing))
        texts.append((words, STRONG))
        if not content.corrects:  # what a credit note leaves was due by the day of its invoice
            texts.append((f"{labels['due_on']}: {format_date(content.due_on)}", TEXT))
    else:
        texts.append((labels["nothing_to_pay"], STRONG))
    texts += [("", SMALL), (wording.verify.format(url=wording.verify_url), SMALL)]
    return beside([Lines(texts), QrCode(wording.verify_url, QR)], [WIDTH - QR, QR])


def _annex(
    content: InvoiceContent, annex: Sequence[AnnexRow], wording: InvoiceWording
) -> Iterator[Flowable]:
    if not annex:
        return
    yield CondPageBreak(60 * mm)
    yield Lines([(wording.annex, HEADING)], before=5 * mm, after=1.5 * mm)
    if len(annex) > LONGEST_ANNEX:
        yield Lines([(wording.annex_elsewhere.format(count=len(annex)), TEXT)])
    else:
        yield annex_table(content, annex, wording)


def _numbered(foot: str, wording: InvoiceWording) -> type[Canvas]:
    """A canvas that writes «page n of m» when it knows m."""

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._states: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - ReportLab's name
            self._states.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page, state in enumerate(self._states, 1):
                self.__dict__.update(state)
                self.setFont(PLAIN, FOOT_SIZE)
                self.setFillColor(HexColor(GREY))
                words = wording.page.format(page=page, pages=len(self._states))
                room = WIDTH - 35 * mm
                self.drawString(15 * mm, 10 * mm, clipped(foot, PLAIN, FOOT_SIZE, room))
                self.drawRightString(A4[0] - 15 * mm, 10 * mm, words)
                super().showPage()
            super().save()

    return Numbered
