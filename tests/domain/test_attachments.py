"""Files sent with messages: told by content and name together, names made harmless."""

import io
import struct
import zipfile

import pytest

from domain.attachments import FileKind, FileRefused, harmless_name, look_at

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPG = b"\xff\xd8\xff\xe0" + b"\0" * 20
CSV = "Номер;Сумма\r\n375291234567;1,20\r\n".encode("cp1251")


def packed(*names, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"x")
    return file.getvalue()


ZIP = packed("акт.pdf")
XLSX = packed("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml")
MACROS = packed("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")
MANY = struct.pack("<4s4x4HIIH", b"PK\x05\x06", 0, 0, 60_000, 60_000, 46 * 60_000, 0, 0)
EMPTY_ZIP = packed()


def look(name, content):
    return look_at(name, io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("счет.pdf", PDF, FileKind.PDF),
        ("Счет.PDF", PDF, FileKind.PDF),
        ("a.png", PNG, FileKind.PNG),
        ("a.jpg", JPG, FileKind.JPG),
        ("a.jpeg", JPG, FileKind.JPG),
        ("a.csv", CSV, FileKind.CSV),
        ("a.csv", b"\xef\xbb\xbfa;b\r\n", FileKind.CSV),
        ("a.xlsx", XLSX, FileKind.XLSX),
        ("a.zip", ZIP, FileKind.ZIP),
        ("a.zip", XLSX, FileKind.ZIP),
        ("a.zip", EMPTY_ZIP, FileKind.ZIP),
    ],
)
def test_what_says_the_same_by_name_and_content_is_taken(name, content, kind):
    assert look(name, content) == (name, kind)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"", "file_empty"),
        ("a.pdf", b"<html><script>alert(1)</script>", "file_content"),
        ("a.pdf", b"junk before " + PDF, "file_content"),
        ("a.pdf", b"MZ\x90\0", "file_content"),
        ("a.png", JPG, "file_content"),
        ("a.jpg", b"GIF89a", "file_content"),
        ("a.xlsx", ZIP, "file_content"),
        ("a.xlsx", MACROS, "file_content"),
        ("a.xlsx", PDF, "file_content"),
        ("a.zip", PDF, "file_content"),
        ("a.zip", ZIP[: len(ZIP) // 2], "file_content"),
        ("a.zip", b"PK\x03\x04" + b"\0" * 100, "file_content"),
        ("a.zip", b"PK\x03\x04" + b"\0" * 100 + MANY, "file_content"),
        ("a.csv", b"a;b\0c", "file_content"),
        ("a.csv", b"a;b\r\n" * 20_000 + b"\x00", "file_content"),
        ("a.csv", "a;b".encode("utf-16"), "file_content"),
        ("a.csv", b"  <!DOCTYPE html><script>", "file_content"),
        ("a.csv", b"\xef\xbb\xbf<svg onload=alert(1)>", "file_content"),
        ("a.csv", b"#!/bin/sh\nrm -rf /\n", "file_content"),
        ("a.csv", PDF, "file_content"),
        ("a.exe", b"MZ\x90\0", "file_kind"),
        ("a.html", b"<html>", "file_kind"),
        ("a.svg", b"<svg>", "file_kind"),
        ("a.xlsm", MACROS, "file_kind"),
        ("a.pdf.exe", PDF, "file_kind"),
        ("a.pdf\u202e", b"MZ", "file_content"),
        ("pdf", PDF, "file_kind"),
        ("", PDF, "file_kind"),
        (".pdf", PDF, "file_kind"),
        ("a.pdf/", PDF, "file_kind"),
        ("a.pdf\0.exe", PDF, "file_kind"),
    ],
)
def test_everything_else_is_refused_by_its_reason(name, content, code):
    with pytest.raises(FileRefused) as refused:
        look(name, content)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("..\\..\\boot.pdf", "boot.pdf"),
        ("/data/uploads/x.pdf", "x.pdf"),
        ("C:\\Users\\Иван\\Счет №5.pdf", "Счет №5.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
        ('a";filename="b.pdf', "a_;filename=_b.pdf"),
        ("счет\u202efdp.exe", "счетfdp.exe"),
        ("a\u200b\u2066b.pdf", "ab.pdf"),
        ("  a \t b .pdf ", "a b.pdf"),
        ("...", "file"),
        ("\x00\x01", "file"),
        ("a" * 300 + ".pdf", "a" * 96 + ".pdf"),
        ("<script>.csv", "_script_.csv"),
        ("e\u0301.pdf", "\u00e9.pdf"),
    ],
)
def test_a_name_is_made_harmless(name, plain):
    assert harmless_name(name) == plain
    assert harmless_name(plain) == plain


def test_the_file_can_be_read_from_its_start_afterwards():
    for name, content in (("a.csv", CSV), ("a.zip", ZIP), ("a.xlsx", XLSX), ("a.pdf", PDF)):
        file = io.BytesIO(content)
        look_at(name, file)
        assert file.read() == content
