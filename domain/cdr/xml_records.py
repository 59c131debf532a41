"""Elements of one kind in an XML file, one by one, each as the texts below it. Nothing outside the
file is ever opened and no entity expanded; memory stays flat.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from xml.parsers import expat

from domain.errors import InvalidValue

DEEPEST = 32  # levels of nesting
LONGEST_TEXT = 1000  # characters of one field; numbers, times and names are shorter
MOST_FIELDS = 1000  # of one record
RESUMED = "resumed"  # stands for the root after an error
_codes = expat.errors.codes
_ROOT_ENDS = frozenset({_codes[expat.errors.XML_ERROR_TAG_MISMATCH]})
_NEXT_DOCUMENT = frozenset(
    {
        _codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT],
        _codes[expat.errors.XML_ERROR_MISPLACED_XML_PI],
    }
)

Fields = Mapping[tuple[str, str], str]  # by the names of the element around and of its own


class BrokenXml(NamedTuple):
    """Something in the place of a record that is none."""

    reason: str


class ForbiddenXml(InvalidValue):
    """The document declares things that no call record needs and attacks are made of."""


def read_elements(pieces: Iterable[str], name: str) -> Iterator[Fields | BrokenXml]:
    """Each element called `name`. After a broken one reading goes on with the next.

    A bare DOCTYPE is passed over. One that declares anything raises `ForbiddenXml`.
    """
    reader = _Reader(name)
    opening = b"<" + name.encode()
    lost, kept = False, b""
    for piece in pieces:
        data = kept + piece.encode("utf-8", "replace")
        kept = b""
        while data:
            if lost:
                at = data.find(opening)
                if at < 0:
                    kept, data = data[-len(opening) :], b""
                    continue
                data, lost = data[at:], False
                reader = _Reader(name, inside=True)
            data, lost = reader.feed(data)
            yield from reader.taken()
    if not lost:
        reader.end()
        yield from reader.taken()


class _Reader:
    """One parser; after an error it is of no use any more and the next one goes on."""

    def __init__(self, name: str, *, inside: bool = False) -> None:
        self._name = name
        self._parser = expat.ParserCreate("utf-8")  # the text is decoded already
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _check_doctype
        self._parser.EntityDeclHandler = _refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.SkippedEntityHandler = self._skipped_entity
        self._path: list[str] = []
        self._fields: dict[tuple[str, str], str] | None = None
        self._level = 0
        self._problem = ""
        self._taken: list[Fields | BrokenXml] = []
        self._fed = 0
        if inside:
            self.feed(f"<{RESUMED}>".encode())

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Read on; what is left after an error, and whether there was one."""
        try:
            self._parser.Parse(data, False)  # noqa: FBT003 - takes no keywords
        except expat.ExpatError as error:
            at = max(self._parser.ErrorByteIndex - self._fed, 0)
            if self._fields is not None or not self._is_between_documents(error.code):
                self._taken.append(BrokenXml(f"broken XML: {expat.ErrorString(error.code)}"))
            self._fields = None
            return data[at:], True
        self._fed += len(data)
        return b"", False

    def _is_between_documents(self, code: int) -> bool:
        """Whether an error is but the end of a root that was not read, or a second document."""
        if len(self._path) == 1 and self._path[0] == RESUMED:
            return code in _ROOT_ENDS
        return not self._path and code in _NEXT_DOCUMENT

    def end(self) -> None:
        """A record that the file breaks off in."""
        if self._fields is not None:
            self._taken.append(BrokenXml("broken XML: the file ends in a record"))

    def taken(self) -> list[Fields | BrokenXml]:
        """What was read since the last time."""
        taken, self._taken = self._taken, []
        return taken

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name)
        if name == self._name:
            if self._fields is not None:
                self._taken.append(BrokenXml("broken XML: a record inside a record"))
            self._fields, self._level, self._problem = {}, len(self._path), ""
        elif len(self._path) > DEEPEST:
            self._problem = "nested too deep"
            if len(self._path) > 100 * DEEPEST:
                raise ForbiddenXml("elements nested without end", what="file", value="")

    def _end(self, name: str) -> None:
        if self._fields is not None and name == self._name and len(self._path) == self._level:
            record = self._fields
            self._taken.append(BrokenXml(self._problem) if self._problem else record)
            self._fields = None
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._fields is None or len(self._path) <= self._level:
            return
        key = self._path[-2], self._path[-1]
        known = self._fields.get(key, "")
        if len(known) + len(text) > LONGEST_TEXT or len(self._fields) > MOST_FIELDS:
            self._problem = self._problem or "a record longer than any is"
        else:
            self._fields[key] = known + text

    def _skipped_entity(self, name: str, _is_parameter: int) -> None:
        self._problem = f"the entity {name[:50]} is not known"


def _check_doctype(_name: str, _system: str | None, _public: str | None, declares: int) -> None:
    if declares:
        _refuse()


def _refuse(*_declaration: object) -> None:
    raise ForbiddenXml("the file declares a document type of its own", what="file", value="")
