"""PDF read back by a reader that is not the writer's."""

from pypdf import PdfReader
from pypdf.generic import ContentStream


def open_pdf(path):
    return PdfReader(path, strict=True)


def lines_of(page):
    """The lines of a page from top to bottom, each from left to right."""
    found = {}

    def see(text, moved, place, _font, _size):
        if text.strip():
            x, y = place[4] + moved[4], place[5] + moved[5]
            found.setdefault(round(y, 1), []).append((x, text.strip()))

    page.extract_text(visitor_text=see)
    return [" | ".join(text for _, text in sorted(found[y])) for y in sorted(found, reverse=True)]


def places_of(page):
    """(x, y, bytes) of each text set in a table; digits and ASCII are their own codes."""
    place = None
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"Tm":
            place = [float(number) for number in operands[4:]]
        elif operator == b"Tj" and place:
            text = operands[0]
            yield *place, getattr(text, "original_bytes", text)
        elif operator == b"ET":
            place = None
