"""An invoice on A4 paper: both sides, what is paid for, VAT, balances, the sum in words, a code by
which the paper is checked; then what each number has on it. Made of the frozen content alone, so
it is the same bytes whenever it is made.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from domain.billing.invoice import AnnexRow, InvoiceContent, LineKind, Party
from domain.billing.lines import line_vats
from domain.billing.requisites import format_iban
from domain.billing.words import in_words
from domain.formats import format_date, format_duration, format_money, format_percent
from domain.writers.cells import clean
from domain.writers.invoice_wording import InvoiceWording
from domain.writers.pdf_tables import BAND, GREY, INK, RULE, STRIPE
from domain.writers.pdf_texts import BOLD, PLAIN, load_fonts

LONGEST_ANNEX = 500  # numbers on paper; more of them are for the workbook
PADDING = 6.0  # of ReportLab's frames
WIDTH = A4[0] - 30 * mm
QR = 26 * mm
ANNEX_CHUNK = 40  # rows laid out at a time
LINE_COLUMNS = ("ordinal", "name", "quantity", "duration", "net", "vat_percent", "vat", "gross")
ANNEX_COLUMNS = ("number", "full_name", "plan", "fees", "calls", "calls_net", "other", "net")
ANNEX_TEXTS = frozenset({"number", "full_name", "plan"})

_TEXT = ParagraphStyle("text", fontName=PLAIN, fontSize=8.5, leading=11, textColor=HexColor(INK))
_SMALL = ParagraphStyle("small", _TEXT, fontSize=7.5, leading=9.5, textColor=HexColor(GREY))
_CELL = ParagraphStyle("cell", _TEXT, fontSize=8, leading=9.8)
_RIGHT = ParagraphStyle("right", _CELL, alignment=TA_RIGHT)
_STRONG = ParagraphStyle("strong", _TEXT, fontName=BOLD)
_STRONG_RIGHT = ParagraphStyle("strong-right", _RIGHT, fontName=BOLD)
_TITLE = ParagraphStyle("title", _STRONG, fontSize=14, leading=18)
_HEAD = ParagraphStyle("head", _STRONG, fontSize=7.5, leading=9)
_HEAD_RIGHT = ParagraphStyle("head-right", _HEAD, alignment=TA_RIGHT)
_HEADING = ParagraphStyle("heading", _STRONG, fontSize=10, leading=13, spaceBefore=8, spaceAfter=3)


def write(
    path: Path, content: InvoiceContent, annex: Sequence[AnnexRow], wording: InvoiceWording
) -> None:
    """Write the document to `path`. Raises `OSError` when the disk is full."""
    load_fonts()
    title = _title(content, wording)
    document = SimpleDocTemplate(
        str(path),
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
        Paragraph(_plain(title), _TITLE),
        Paragraph(_plain(_subtitle(content, wording)), _TEXT),
        Spacer(1, 4 * mm),
        _parties(content, wording),
        Spacer(1, 4 * mm),
        _lines(content, wording),
        Spacer(1, 3 * mm),
        KeepTogether([_balance(content, wording), Spacer(1, 4 * mm), _foot(content, wording)]),
        *_annex(annex, content, wording),
    ]
    foot = f"{title} · {clean(content.client.name)}"
    document.build(story, canvasmaker=_numbered(foot, wording))


def _title(content: InvoiceContent, wording: InvoiceWording) -> str:
    words = wording.credit_title if content.corrects else wording.title
    return words.format(number=content.number, date=format_date(content.issued_on))


def _subtitle(content: InvoiceContent, wording: InvoiceWording) -> str:
    period = wording.period.format(month=wording.month)
    corrects = wording.corrects.format(number=content.corrects) if content.corrects else ""
    return f"{period}. {corrects}" if corrects else period


def _plain(text: str) -> str:
    """For a paragraph: what people wrote is text, not markup."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- The first page -------------------------------------------------------------------------------


def _parties(content: InvoiceContent, wording: InvoiceWording) -> Table:
    labels = wording.labels
    contract = content.contract_no
    if content.contract_date:
        contract = wording.contract.format(number=contract, date=format_date(content.contract_date))
    ours = _party(content.operator, labels["operator"], wording)
    theirs = _party(content.client, labels["client"], wording)
    theirs += [
        (labels["account"], content.account_no),
        *([(labels["contract"], contract)] if contract else []),
    ]
    cells = [[_facts(ours), _facts(theirs)]]
    table = Table(cells, colWidths=[WIDTH / 2, WIDTH / 2])
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
    return table


def _party(party: Party, role: str, wording: InvoiceWording) -> list[tuple[str, str]]:
    labels = wording.labels
    facts = [
        (labels["unp"], party.unp),
        (labels["address"], party.address),
        (labels["iban"], format_iban(party.iban)),
        (labels["bank"], party.bank),
        (labels["bic"], party.bic),
    ]
    return [(role, party.name), *((name, value) for name, value in facts if value)]


def _facts(facts: Sequence[tuple[str, str]]) -> list[Flowable]:
    (role, name), *rest = facts
    return [
        Paragraph(_plain(role), _SMALL),
        Paragraph(_plain(name), _STRONG),
        *(Paragraph(f"{_plain(label)}: {_plain(value)}", _TEXT) for label, value in rest),
    ]


def _lines(content: InvoiceContent, wording: InvoiceWording) -> Table:
    """What is paid for; VAT of a line is its part of the VAT of its rate."""
    rows: list[list[Any]] = [_heads(LINE_COLUMNS, wording, frozenset({"name"}))]
    for line, vat in zip(content.lines, line_vats(content), strict=True):
        rows.append(
            [
                _number(str(line.ordinal)),
                Paragraph(_plain(_name(line.kind, line.name, wording)), _CELL),
                _number(str(line.quantity)),
                _number(format_duration(line.seconds) if line.seconds else ""),
                _number(format_money(line.net)),
                _number(format_percent(line.vat_percent)),
                _number(format_money(vat)),
                _number(format_money(line.net + vat)),
            ]
        )
    first_sum = len(rows)
    for part in content.vat:
        words = wording.vat_line.format(percent=format_percent(part.percent))
        rows.append(_sum(words, part.net, part.vat, _RIGHT))
    rows.append(_sum(wording.total, content.net, content.vat_sum, _STRONG_RIGHT))
    widths = [8 * mm, 0, 17 * mm, 20 * mm, 24 * mm, 14 * mm, 22 * mm, 25 * mm]
    widths[1] = WIDTH - sum(widths)
    table = LongTable(rows, colWidths=widths, repeatRows=1)
    table.setStyle(
        [
            *_ruled(),
            *(("SPAN", (0, row), (3, row)) for row in range(first_sum, len(rows))),
            ("LINEABOVE", (0, first_sum), (-1, first_sum), 0.8, HexColor(INK)),
        ]
    )
    return table


def _name(kind: LineKind, name: str, wording: InvoiceWording) -> str:
    before = wording.line_kinds.get(kind, "")
    return f"{before}: {name}" if before else name


def _sum(words: str, net: int, vat: int, style: ParagraphStyle) -> list[Any]:
    figures = (net, None, vat, net + vat)
    cells = [Paragraph("" if figure is None else format_money(figure), style) for figure in figures]
    return [Paragraph(_plain(words), style), "", "", "", *cells]


def _heads(names: Sequence[str], wording: InvoiceWording, texts: frozenset[str]) -> list[Paragraph]:
    """Titles of columns, over figures set to the right."""
    return [
        Paragraph(_plain(wording.columns[name]), _HEAD if name in texts else _HEAD_RIGHT)
        for name in names
    ]


def _number(text: str) -> Paragraph:
    return Paragraph(text, _RIGHT)


def _ruled() -> list[tuple]:
    return [
        ("BACKGROUND", (0, 0), (-1, 0), HexColor(BAND)),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(RULE)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]


def _balance(content: InvoiceContent, wording: InvoiceWording) -> Table:
    labels = wording.labels
    closing = labels["closing"] if content.closing >= 0 else labels["ahead"]
    rows = [(labels["opening"], format_money(content.opening), _CELL, _RIGHT)]
    rows.append((labels["charged"], format_money(content.total), _CELL, _RIGHT))
    for payment in content.payments:
        words = labels["payment"].format(
            date=format_date(payment.paid_on), number=payment.document_no
        )
        rows.append((words.strip(), format_money(-payment.amount), _CELL, _RIGHT))
    rows.append((closing, format_money(abs(content.closing)), _STRONG, _STRONG_RIGHT))
    cells = [
        [Paragraph(_plain(words), style), Paragraph(figure, right)]
        for words, figure, style, right in rows
    ]
    table = Table(cells, colWidths=[WIDTH - 30 * mm, 30 * mm])
    table.setStyle([*_ruled()[1:], ("BACKGROUND", (0, -1), (-1, -1), HexColor(STRIPE))])
    return table


def _foot(content: InvoiceContent, wording: InvoiceWording) -> Table:
    labels = wording.labels
    words: list[Flowable] = []
    if content.closing > 0:
        words = [
            Paragraph(f"{_plain(labels['in_words'])}: {in_words(content.closing)}", _STRONG),
            Paragraph(f"{_plain(labels['due_on'])}: {format_date(content.due_on)}", _TEXT),
        ]
    words += [
        Spacer(1, 2 * mm),
        Paragraph(_plain(wording.verify.format(url=wording.verify_url)), _SMALL),
    ]
    table = Table([[words, _code(wording.verify_url)]], colWidths=[WIDTH - QR, QR])
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
    return table


def _code(url: str) -> Drawing:
    widget = QrCodeWidget(url, barLevel="M")
    left, bottom, right, top = widget.getBounds()
    size = QR - 2 * mm
    drawing = Drawing(
        size, size, transform=[size / (right - left), 0, 0, size / (top - bottom), 0, 0]
    )
    drawing.add(widget)
    return drawing


# --- The annex ------------------------------------------------------------------------------------


def _annex(
    annex: Sequence[AnnexRow], content: InvoiceContent, wording: InvoiceWording
) -> Iterator[Flowable]:
    if not annex:
        return
    yield CondPageBreak(60 * mm)
    yield Paragraph(_plain(wording.annex), _HEADING)
    if len(annex) > LONGEST_ANNEX:
        yield Paragraph(_plain(wording.annex_elsewhere.format(count=len(annex))), _TEXT)
        return
    kinds = {line.ordinal: line.kind for line in content.lines}
    widths = [28 * mm, 0, 27 * mm, 19 * mm, 17 * mm, 19 * mm, 18 * mm, 21 * mm]
    widths[1] = WIDTH - sum(widths)
    for start in count(0, ANNEX_CHUNK):
        rows = annex[start : start + ANNEX_CHUNK]
        if not rows:
            return
        cells: list[list[Any]] = [] if start else [_heads(ANNEX_COLUMNS, wording, ANNEX_TEXTS)]
        cells += [_annex_row(row, kinds) for row in rows]
        table = LongTable(cells, colWidths=widths)
        table.setStyle(_ruled() if not start else _ruled()[1:])
        yield table


def _annex_row(row: AnnexRow, kinds: dict[int, LineKind]) -> list[Any]:
    fees = calls = calls_net = other = 0
    for ordinal, (quantity, _seconds, net) in row.sums.items():
        if kinds[ordinal] is LineKind.FEE:
            fees += net
        elif kinds[ordinal] in {LineKind.CALLS, LineKind.LATE_CALLS}:
            calls, calls_net = calls + quantity, calls_net + net
        else:
            other += net
    return [
        Paragraph(_plain(row.number), _CELL),
        Paragraph(_plain(row.full_name), _CELL),
        Paragraph(_plain(row.plan), _CELL),
        *(_number(format_money(sum_)) for sum_ in (fees,)),
        _number(str(calls)),
        *(_number(format_money(sum_)) for sum_ in (calls_net, other, row.net)),
    ]


# --- Every page -----------------------------------------------------------------------------------


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
                self.setFont(PLAIN, 7)
                self.setFillColor(HexColor(GREY))
                self.drawString(15 * mm, 10 * mm, foot[:110])
                words = wording.page.format(page=page, pages=len(self._states))
                self.drawRightString(A4[0] - 15 * mm, 10 * mm, words)
                super().showPage()
            super().save()

    return Numbered
