"""Packed files: what is read, and what is refused before a record of it is."""

import gzip
import io
import shutil
import zipfile
from datetime import UTC

import pytest

from domain.cdr import archives, registry
from domain.cdr.archives import RefusedArchive, members
from domain.cdr.source import Source
from tests.domain.cdr.dialects import kinds, row, text

MASTER = text(*[row()] * 50)


def packed(*files, method=zipfile.ZIP_DEFLATED, change=None):
    """A zip of (name, content)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name, (2026, 3, 10, 12, 0, 0))
            info.compress_type = method
            if change:
                change(info)
            archive.writestr(info, content)
    return out.getvalue()


def inside(data):
    return members(lambda: io.BytesIO(data))


def records(member):
    source = Source(member.open)
    return kinds(registry.detect(source).read(source, UTC))


def test_a_plain_file_is_itself():
    (member,) = inside(MASTER.encode())
    assert member.name == ""
    assert records(member) == "L" * 50


@pytest.mark.parametrize("parts", [1, 3])
def test_what_gzip_holds_is_read(parts):
    data = b"".join(gzip.compress(MASTER.encode()) for _ in range(parts))
    (member,) = inside(data)
    assert records(member) == "L" * 50 * parts


def test_each_file_of_a_zip_is_read_by_its_name():
    data = packed(("2026/03/Master.csv", MASTER), ("readme.txt", "hello"), ("empty/", ""))
    found = inside(data)
    assert [member.name for member in found] == ["2026/03/Master.csv", "readme.txt"]
    assert records(found[0]) == "L" * 50
    with pytest.raises(registry.UnknownFormat):
        registry.detect(Source(found[1].open))


def test_files_that_are_told_twice_are_both_read():
    with pytest.warns(UserWarning, match="Duplicate"):
        data = packed(("a.csv", MASTER), ("a.csv", text(row())))
    assert [records(member) for member in inside(data)] == ["L" * 50, "L"]


def link(info):
    info.external_attr = 0o120777 << 16


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packed(("../Master.csv", MASTER)), "leads out"),
        (packed(("/etc/Master.csv", MASTER)), "leads out"),
        (packed(("a\\..\\Master.csv", MASTER)), "leads out"),
        (packed(("C:\\Master.csv", MASTER)), "leads out"),
        (packed(("Master.csv", "/etc/passwd"), change=link), "is a link"),
        (packed(("Master.csv", MASTER), method=zipfile.ZIP_BZIP2), "unusual"),
        (packed(("inner.zip", packed(("a.csv", MASTER)))), "archive in an archive"),
        (packed(("inner.csv", gzip.compress(MASTER.encode()))), "archive in an archive"),
        (gzip.compress(packed(("a.csv", MASTER))), "archive in an archive"),
        (gzip.compress(gzip.compress(MASTER.encode())), "archive in an archive"),
        (gzip.compress(b"\0" * 257 + b"ustar" + b"\0" * 300), "archive in an archive"),
        (packed(*((f"{n}.csv", "x") for n in range(1001))), "more than 1000 files"),
        (packed(), "no file"),
        (packed(("a.csv", MASTER))[:-30], "damaged"),
        (b"PK\x03\x04" + b"junk" * 20, "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_could_harm_is_refused_before_a_record_is_read(data, words):
    with pytest.raises(RefusedArchive, match=words):
        inside(data)


def test_a_password_is_refused():
    data = bytearray(packed(("a.csv", MASTER)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    with pytest.raises(RefusedArchive, match="password"):
        inside(bytes(data))


@pytest.fixture
def small(monkeypatch):
    """Limits small enough to try."""
    monkeypatch.setattr(archives, "RATIO_COUNTS_FROM", 1 << 20)
    monkeypatch.setattr(archives, "LARGEST_UNPACKED", 2 << 20)


BOMBS = [("much from little", b"0" * (3 << 19), "100 times"), ("too large", None, "larger than")]


def large():
    """Text that does not shrink to a hundredth."""
    return b"".join(b"%d,%d\n" % (n, n * n) for n in range(200_000))


@pytest.mark.parametrize(("content", "words"), [b[1:] for b in BOMBS], ids=[b[0] for b in BOMBS])
def test_a_zip_that_declares_too_much_is_refused_unread(small, content, words):
    with pytest.raises(RefusedArchive, match=words):
        inside(packed(("a.csv", content or large())))


@pytest.mark.parametrize(("content", "words"), [b[1:] for b in BOMBS], ids=[b[0] for b in BOMBS])
def test_a_gzip_is_given_up_where_it_gets_too_much(small, content, words):
    (member,) = inside(gzip.compress(content or large()))
    out = io.BytesIO()
    with pytest.raises(RefusedArchive, match=words), member.open() as file:
        shutil.copyfileobj(file, out)
    assert out.tell() <= (2 << 20 if content is None else 1 << 20)


def test_a_zip_that_declares_too_little_gives_no_more_than_that(small):
    data = bytearray(packed(("a.csv", b"0" * (4 << 20))))
    size = (4 << 20).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(RefusedArchive, match="damaged"):
        inside(bytes(data))


def test_many_equal_records_are_no_bomb():
    data = gzip.compress((text(row()) * 20_000).encode())
    assert len(text(row())) * 20_000 > 100 * len(data)
    assert records(inside(data)[0]) == "L" * 20_000


@pytest.mark.parametrize("cut", [20, 200])
def test_a_damaged_gzip_is_named(cut):
    data = gzip.compress(large())[:-cut]
    (member,) = inside(data)
    with pytest.raises(RefusedArchive, match="damaged"), member.open() as file:
        shutil.copyfileobj(file, io.BytesIO())
