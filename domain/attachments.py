"""Files that people send along with a message: which kinds are taken, told by content and not by
name alone, and names made harmless. Nothing of a file is ever unpacked, shown or run here.
"""

import struct
import unicodedata
import zipfile
from enum import StrEnum
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple

from domain.errors import DomainError


class FileKind(StrEnum):
    """What is taken, by the extension it is known by."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JPG = "jpg"
    PNG = "png"
    ZIP = "zip"


class FileRefused(DomainError):
    """A file that is not taken; `values`: name and, for some codes, limit."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        super().__init__(code, **values)


MEDIA_TYPES = {
    FileKind.PDF: "application/pdf",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileKind.CSV: "text/csv",
    FileKind.JPG: "image/jpeg",
    FileKind.PNG: "image/png",
    FileKind.ZIP: "application/zip",
}
LONGEST_NAME = 100  # signs
MOST_MEMBERS = 10_000
LARGEST_DIRECTORY = 4 << 20  # bytes of a zip's list of members, which is read whole
_EXTENSIONS = {**{kind.value: kind for kind in FileKind}, "jpeg": FileKind.JPG}
_STARTS = {
    FileKind.PDF: (b"%PDF-",),
    FileKind.JPG: (b"\xff\xd8\xff",),
    FileKind.PNG: (b"\x89PNG\r\n\x1a\n",),
    FileKind.XLSX: (b"PK\x03\x04",),
    FileKind.ZIP: (b"PK\x03\x04", b"PK\x05\x06"),
}
_TEXT_CONTROLS = frozenset(b"\t\n\r")
_NOT_TEXT = bytes(sign for sign in range(32) if sign not in _TEXT_CONTROLS) + b"\x7f"
# Texts that are something else: programs and pages.
_OTHER_TEXTS = (b"<", b"#!", b"%pdf-", b"{\\rtf", b"mime-version:", b"mz")
_FORBIDDEN = '<>:"/\\|?*'  # in names of files, by one system or another
_BLOCK = 1 << 16
_ZIP_TAIL = 22 + 65535 + 20  # the end record with the longest comment, and its 64-bit locator
_XLSX_PARTS = frozenset({"[Content_Types].xml", "xl/workbook.xml"})


class Found(NamedTuple):
    """A file that is taken."""

    name: str  # harmless, with the extension
    kind: FileKind


def look_at(name: str, file: BinaryIO) -> Found:
    """What a file is, when its name and its content say the same. Raises `FileRefused`."""
    plain = harmless_name(name)
    kind = _EXTENSIONS.get(PurePosixPath(plain).suffix.lower().lstrip("."))
    if kind is None:
        raise FileRefused("file_kind", name=plain)
    file.seek(0)
    start = file.read(_BLOCK)
    if not start:
        raise FileRefused("file_empty", name=plain)
    is_right = _is_text(file, start) if kind is FileKind.CSV else start.startswith(_STARTS[kind])
    if is_right and kind in (FileKind.XLSX, FileKind.ZIP):
        is_right = _is_archive(file, kind)
    file.seek(0)
    if not is_right:
        raise FileRefused("file_content", name=plain, kind=kind.value.upper())
    return Found(plain, kind)


def harmless_name(name: str) -> str:
    """A file's name as it is shown and offered: no path, nothing invisible, nothing turned round.

    >>> harmless_name("..\\\\..\\\\etc/passwd.csv")
    'passwd.csv'
    >>> harmless_name("счет\\u202efdp.exe")
    'счетfdp.exe'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    visible = "".join(" " if sign.isspace() else sign for sign in last)
    kept = "".join(
        "_" if sign in _FORBIDDEN else sign
        for sign in unicodedata.normalize("NFC", visible)
        if unicodedata.category(sign)[0] != "C" and unicodedata.category(sign) not in ("Zl", "Zp")
    )
    plain = " ".join(kept.split()).strip(". ")
    stem, dot, extension = plain.rpartition(".")
    if not dot:
        return plain[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - len(extension) - 1].strip() or 'file'}.{extension[:16]}"


def _is_text(file: BinaryIO, start: bytes) -> bool:
    """Whether the whole of it is text of an 8-bit code, and no page or program by its start."""
    words = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if words.startswith(_OTHER_TEXTS):
        return False
    file.seek(0)
    while block := file.read(_BLOCK):
        if len(block.translate(None, _NOT_TEXT)) != len(block):
            return False
    return True


def _is_archive(file: BinaryIO, kind: FileKind) -> bool:
    """Whether a zip can be read and, for a workbook, is one without macros."""
    if not _has_bounded_directory(file):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        return False
    if kind is FileKind.ZIP:
        return True
    return names >= _XLSX_PARTS and not any("vbaproject" in name.lower() for name in names)


def _has_bounded_directory(file: BinaryIO) -> bool:
    """The list of members is read whole: look at its size before."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _ZIP_TAIL))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22 or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        return False  # none, or a 64-bit one, which no file of this size needs
    count, directory = struct.unpack_from("<HI", tail, at + 10)
    return count <= MOST_MEMBERS and directory <= min(LARGEST_DIRECTORY, size)
