"""Packed files of call records: .gz and .zip, told by content. What could harm is refused before a
record is read; what is read is read in a stream, so that no file fills the memory.
"""

import gzip
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple

from domain.errors import InvalidValue

Opener = Callable[[], BinaryIO]

# Reading is a stream, so memory sets no limit: these bound the time one file can take. A month of
# five million calls is about 1.5 GiB; a larger file can be unpacked by hand and is read as it is.
LARGEST_UNPACKED = 8 << 30
# Call records shrink to a tenth or a thirtieth, zeros to a thousandth. Below the floor any ratio is
# harmless: files of a few calls repeated shrink as much as bombs.
LARGEST_RATIO = 100
RATIO_COUNTS_FROM = 64 << 20
BLOCK = 1 << 16
MOST_MEMBERS = 1000  # a file an hour for a month
LARGEST_DIRECTORY = 1 << 20  # bytes of a zip's list of members, which is read whole
_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_NESTED = (_GZIP, *_ZIP, b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
_TAR_AT, _TAR = 257, b"ustar"
_PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_TAIL = 22 + 65535 + 20  # a zip's end record with the longest comment, and its 64-bit locator


class RefusedArchive(InvalidValue):
    """An archive that is damaged, or could do harm."""


class Member(NamedTuple):
    """A file inside of an archive, or the file itself when it is none (no name)."""

    name: str
    open: Opener


def members(opener: Opener) -> list[Member]:
    """What there is to read in a file: itself, what a .gz holds, or the files of a .zip.

    Raises `RefusedArchive` for bombs, archives in archives, links, passwords, and names that lead
    out of the archive; `OSError` when the file cannot be read.
    """
    with opener() as file:
        start = file.read(4)
        if start.startswith(_GZIP):
            size = file.seek(0, io.SEEK_END)
            member = Member("", lambda: io.BufferedReader(_Bounded(_unzipped(opener), size), BLOCK))
            _check_no_archive(member)
            return [member]
        if start in _ZIP:
            return _zip_members(opener, file)
    return [Member("", opener)]


def _refuse(why: str) -> RefusedArchive:
    return RefusedArchive(why, what="archive", value="")


# --- Zip ------------------------------------------------------------------------------------------


def _zip_members(opener: Opener, file: BinaryIO) -> list[Member]:
    size = file.seek(0, io.SEEK_END)
    _check_directory(file, size)
    try:
        with zipfile.ZipFile(_Sparing(file)) as archive:  # type: ignore[arg-type]
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _refuse(f"the zip archive is damaged: {error}") from error
    if len(infos) > MOST_MEMBERS:
        raise _too_many()
    for info in infos:
        _check_member(info)
    unpacked = sum(info.file_size for info in infos)
    _check_size(unpacked, size)
    found = [Member(info.filename, _member_opener(opener, info)) for info in infos]
    for member in found:
        _check_no_archive(member)
    if not found:
        raise _refuse("the zip archive holds no file")
    return found


def _check_directory(file: BinaryIO, size: int) -> None:
    """The list of members is read whole: look at its size before."""
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise _refuse("the zip archive is damaged: it has no end")
    count, directory = struct.unpack_from("<HI", tail, at + 10)
    locator = tail[max(0, at - 20) : at]
    if locator.startswith(b"PK\x06\x07"):
        (place,) = struct.unpack_from("<Q", locator, 8)
        file.seek(min(place, size))
        record = file.read(56)
        if len(record) < 56:
            raise _refuse("the zip archive is damaged: it has no end")
        count, directory = struct.unpack_from("<QQ", record, 32)
    if count > MOST_MEMBERS or directory > LARGEST_DIRECTORY:
        raise _too_many()
    file.seek(0)


def _too_many() -> RefusedArchive:
    return _refuse(f"the zip archive has more than {MOST_MEMBERS} files")


class _Sparing:
    """A file of which nobody reads more at once than a list of members may take. `zipfile` reads
    the list whole, and finds its size in another place than the one we looked at when the archive
    lies about where that is.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if 0 <= size <= LARGEST_DIRECTORY else LARGEST_DIRECTORY + 1)
        if len(data) > LARGEST_DIRECTORY:
            raise _too_many()
        return data


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.filename
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not name.isprintable():
        raise _refuse(f"a name in the zip archive leads out of it: {name!r}")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _refuse(f"{name} in the zip archive is a link")
    if info.flag_bits & _ENCRYPTED:
        raise _refuse(f"{name} in the zip archive has a password")
    if info.compress_type not in _PLAIN_METHODS:
        raise _refuse(f"{name} in the zip archive is packed in an unusual way: use deflate")


def _member_opener(opener: Opener, info: zipfile.ZipInfo) -> Opener:
    """Opens one member at its place, without reading the list of all of them again."""

    def open_member() -> BinaryIO:
        file = opener()
        try:
            file.seek(_start_of(file, info))
            member = zipfile.ZipExtFile(file, "r", info, close_fileobj=True)
        except BaseException:
            file.close()
            raise
        return io.BufferedReader(_Bounded(member, 0), BLOCK)

    return open_member


def _start_of(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where the data of a member begin: behind a header of its own."""
    header = b""
    if info.header_offset >= 0:
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        raise _refuse(f"the zip archive is damaged: {info.filename} is not in it")
    mark, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    if mark != _ZIP[0]:
        raise _refuse(f"the zip archive is damaged: {info.filename} is not where it should be")
    return info.header_offset + _LOCAL_HEADER.size + name_length + extra_length


# --- Streams --------------------------------------------------------------------------------------


def _unzipped(opener: Opener) -> BinaryIO:
    packed = opener()
    file = gzip.GzipFile(fileobj=packed)
    file.myfileobj = packed  # closed with it
    return file  # type: ignore[return-value]


def _check_size(unpacked: int, packed: int) -> None:
    if unpacked > LARGEST_UNPACKED:
        raise _refuse(
            f"unpacked it is larger than {LARGEST_UNPACKED >> 30} GiB: unpack it yourself, and "
            "import the file"
        )
    if unpacked > RATIO_COUNTS_FROM and unpacked > packed * LARGEST_RATIO:
        raise _refuse(f"it unpacks to more than {LARGEST_RATIO} times its size: no call records do")


def _check_no_archive(member: Member) -> None:
    with member.open() as file:
        start = file.read(_TAR_AT + len(_TAR))
    if start.startswith(_NESTED) or start[_TAR_AT:] == _TAR:
        raise _refuse(f"{member.name or 'it'} is an archive in an archive: unpack it first")


class _Bounded(io.RawIOBase):
    """A stream out of an archive. What the archive declares is not believed: reading stops with
    `RefusedArchive` where it gets too much. `packed`: bytes of the archive, 0: of a zip, whose
    sizes were looked at and hold, for no member gives more than it declares.
    """

    def __init__(self, file: BinaryIO, packed: int) -> None:
        self._file, self._packed = file, packed
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            data = self._file.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise _refuse(f"the archive is damaged: {error}") from error
        self._read += len(data)
        if self._packed:
            _check_size(self._read, self._packed)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
