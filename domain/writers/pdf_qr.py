"""A QR code on a PDF page. ReportLab knows how to make one; drawn as one path it takes a fraction
of the time of its widget, which is several hundred shapes and made twice.
"""

from functools import lru_cache
from itertools import groupby

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.platypus import Flowable

QUIET = 4  # modules of white around it, as scanners need


@lru_cache(maxsize=64)
def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The rows of a code that says `text`: True is dark."""
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    return tuple(tuple(map(bool, row)) for row in code.modules)


class QrCode(Flowable):
    """A square of `size` points with its quiet zone."""

    def __init__(self, text: str, size: float) -> None:
        super().__init__()
        self.text = text
        self.width = self.height = size

    def draw(self) -> None:
        """Draw runs of dark modules, row by row."""
        rows = modules(self.text)
        step = self.width / (len(rows) + 2 * QUIET)
        path = self.canv.beginPath()
        for n, row in enumerate(rows, 1):
            column = QUIET
            for is_dark, run in groupby(row):
                length = sum(1 for _ in run)
                if is_dark:
                    x, y = column * step, self.height - (QUIET + n) * step
                    path.rect(x, y, length * step, step)
                column += length
        self.canv.setFillGray(0)
        self.canv.drawPath(path, stroke=0, fill=1)
