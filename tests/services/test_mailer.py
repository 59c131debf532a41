"""Letters: what is frozen, read back by Python's own parser."""

import email
import email.policy
import hashlib
import random
import shutil
from dataclasses import replace
from datetime import datetime
from email.header import decode_header, make_header
from email.utils import parseaddr
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup

from models import Artefact
from services import mailer
from tests.factories import make_order

NOW = datetime(2026, 3, 10, 14, 6, tzinfo=ZoneInfo("Europe/Minsk"))
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT = bytes(range(256)) * 40
SUMMARY = {
    "numbers": 2,
    "calls": 1234,
    "control_sum": 100_000,
    "data_until": "2026-03-10T13:59:00+03:00",
    "by_direction": {
        "out": {"calls": 1200, "answered": 1000, "duration_s": 100_500, "billable_s": 99_000},
        "in": {"calls": 34, "answered": 30, "duration_s": 1100, "billable_s": 1000},
    },
    "cost": {"billed_s": 100_200, "net": 123_456, "vat": 30_864, "total": 154_320, "unrated": 3},
}


@pytest.fixture
def order(client_row):
    return make_order(client_row, number=12, key="abcdef", email="buh@romashka.by", made_at=NOW)


@pytest.fixture
def artefact(order, config):
    path = config.artefact_dir / order.key / "1.xlsx"
    shutil.rmtree(config.artefact_dir, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    return Artefact.create(
        order=order,
        path=f"{order.key}/1.xlsx",
        display_name="Детализация 2026-03-01–2026-03-10 № 12.xlsx",
        media_type=XLSX,
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        summary=SUMMARY,
        made_at=NOW,
        expires_at=NOW.replace(day=17),
    )


@pytest.fixture
def change(app, config, monkeypatch):
    """Change settings for one test."""

    def apply(**values):
        monkeypatch.setitem(app.config, "CABINET", replace(config, **values))

    return apply


@pytest.fixture
def letter(order, artefact, config):
    """Compose the letter and parse what was frozen."""

    def compose(ordinal=1):
        frozen = mailer.compose(order, artefact, ordinal=ordinal, now=NOW)
        content = (config.artefact_dir / frozen.path).read_bytes()
        assert frozen.size == len(content)
        assert frozen.sha256 == hashlib.sha256(content).hexdigest()
        return frozen, email.message_from_bytes(content, policy=email.policy.default), content

    return compose


def text_of(message, subtype="plain"):
    return message.get_body((subtype,)).get_content()


def test_the_head_says_who_what_and_that_a_machine_wrote_it(letter):
    frozen, message, _ = letter()
    assert message["Subject"] == (
        "Детализация звонков за период 01.03.2026 – 10.03.2026, заказ № 12"
    )
    assert message["From"] == "cabinet@localhost"
    assert message["To"] == frozen.recipient == "buh@romashka.by"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == frozen.message_id == "<oabcdef.1@127.0.0.1>"
    assert not message.defects


def test_the_file_arrives_whole_under_its_russian_name(letter):
    (attachment,) = letter()[1].iter_attachments()
    assert attachment.get_filename() == "Детализация 2026-03-01–2026-03-10 № 12.xlsx"
    assert attachment.get_content_type() == XLSX
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_content() == CONTENT


def test_the_bytes_can_pass_any_server(letter):
    content = letter()[2]
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    longest = max(content.split(b"\r\n"), key=len)
    assert len(longest) <= 78 or longest == f"Content-Type: {XLSX}".encode()  # cannot be broken


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 10_240])
def test_a_file_stands_in_the_letter_as_the_standard_library_puts_it(app, base, size):
    """The quick way of it against the plain one, beside a second file."""
    letter = mailer.Letter(
        "s", recipients=["a@example.by"], body="b", html="<p>b</p>", sender="c@example.by"
    )
    letter.msgId = "<1@example.by>"
    for n, data in enumerate([(CONTENT * 4)[:size], b"other"]):
        letter.attach(f"{n}.bin", "application/octet-stream", data)
    seen = []
    for make in (letter.as_bytes, lambda: letter._message().as_bytes()):
        random.seed(1)  # the boundaries between the parts
        seen.append(make())
    assert seen[0] == seen[1]


def test_a_long_subject_keeps_its_spaces(letter, monkeypatch, app):
    words = "Детализация звонков за период с первого по последний день месяца " * 5
    monkeypatch.setattr(mailer, "gettext", lambda _msgid: words)
    assert letter()[1]["Subject"] == words.strip()


def test_composed_again_the_letter_keeps_its_message_id(letter):
    assert letter()[0].message_id == letter()[0].message_id
    assert letter(ordinal=2)[0].message_id == "<oabcdef.2@127.0.0.1>"


def test_both_bodies_carry_the_sums(letter):
    _, message, _ = letter()
    html = BeautifulSoup(text_of(message, "html"), "html.parser").get_text(" ", strip=True)
    for body in (text_of(message), html):
        for word in ("№ 12", "Исходящие+Входящие", "1\u00a0200", "27:55:00", "27:30:00", "34"):
            assert word in body
        assert "Это автоматическое письмо" in body
        assert "http://127.0.0.1:8000/" in body


def test_subject_and_bodies_hold_no_phone_number_and_no_name_of_the_client(letter, client_row):
    _, message, _ = letter()
    for text in (message["Subject"], text_of(message), text_of(message, "html")):
        assert "375" not in text
        assert client_row.name not in text


def test_a_letter_about_no_calls_says_so(letter, artefact):
    artefact.summary = {**SUMMARY, "calls": 0}
    _, message, _ = letter()
    assert "За выбранный период звонков нет." in text_of(message)
    assert "За выбранный период звонков нет." in text_of(message, "html")


@pytest.mark.parametrize(
    ("form", "media_type", "sentence"),
    [
        ("xlsx", XLSX, "Книга Excel: лист «Сводка»"),
        ("pdf", "application/pdf", "Документ PDF: сводка с итогами и таблица всех звонков."),
        ("csv", "text/csv", "всего 1\u00a0234; контрольная сумма"),
    ],
)
def test_the_letter_names_the_form_of_the_file(letter, order, artefact, form, media_type, sentence):
    order.params = {**order.params, "format": form}
    artefact.media_type = f"{media_type}; charset=utf-8" if form == "csv" else media_type
    artefact.display_name = f"Детализация № 12.{form}"
    _, message, _ = letter()
    assert sentence in text_of(message)
    assert sentence in text_of(message, "html")
    assert ("100\u00a0000. Итоги – в этом письме." in text_of(message)) is (form == "csv")
    (attachment,) = message.iter_attachments()
    assert attachment.get_content_type() == media_type
    assert attachment.get_filename() == f"Детализация № 12.{form}"
    assert attachment.get_payload(decode=True) == CONTENT


def test_the_letter_with_a_csv_of_no_calls_says_that_it_has_no_rows(letter, order, artefact):
    order.params = {**order.params, "format": "csv"}
    artefact.summary = {**SUMMARY, "calls": 0}
    assert "только названия столбцов" in text_of(letter()[1])


def test_a_file_too_large_becomes_a_link_to_the_public_address(letter, artefact, change):
    change(PUBLIC_URL="https://lk.example.by/cabinet/", MAIL_ATTACHMENT_LIMIT_MB=15)
    artefact.size = 15 * 1024 * 1024 * 3 // 4  # fits, but for the line ends of base64
    frozen, message, content = letter()
    assert list(message.iter_attachments()) == []
    assert len(content) < 20_000
    link = "https://lk.example.by/cabinet/orders/abcdef"
    assert link in text_of(message)
    page = BeautifulSoup(text_of(message, "html"), "html.parser")
    assert [a["href"] for a in page.select("a")] == [link]
    assert "17.03.2026 14:06" in text_of(message)
    assert frozen.message_id == "<oabcdef.1@lk.example.by>"


def test_the_host_of_a_request_changes_nothing(letter, app, artefact):
    artefact.size = 10**9
    with app.test_request_context("/", base_url="http://evil.example/"):
        _, message, content = letter()
    assert b"evil" not in content
    assert "evil" not in text_of(message)


def test_the_sender_may_have_a_russian_name(letter, change):
    change(MAIL_FROM="Оператор связи «Ромашка» <lk@romashka.by>")
    # Python's newer parser leaves a space between two encoded words of a name; RFC 2047 does not
    name, address = parseaddr(email.message_from_bytes(letter()[2])["From"])
    assert str(make_header(decode_header(name))) == "Оператор связи «Ромашка»"
    assert address == "lk@romashka.by"


def test_hostile_words_are_words_in_the_html(letter, change):
    change(OPERATOR_NAME="<script>alert(1)</script>")
    assert "<script" not in text_of(letter()[1], "html")


# --- Header injection -----------------------------------------------------------------------------

INJECTIONS = [
    *("x\r\nBcc: evil@example.com", "x\nBcc: evil@example.com", "x\rBcc: evil@example.com"),
    *("\r\n", "\n", "\r", "x\r\n", "x\n\n<html>", "x\r\n\r\nbody", "\r\nx", "x\r\n x", "x\n\tx"),
    *("x\x00y", "x\x0by", "x\x0cy", "x\x1cy", "x\x1dy", "x\x1ey", "x\x85y", "x\u2028y", "x\u2029y"),
    *("x\x7fy", "x\x1b[31m", "x\ud800y", "x\r\nContent-Type: text/html\r\n\r\n<script>", "\x08"),
]


@pytest.mark.parametrize("text", INJECTIONS, ids=repr)
@pytest.mark.parametrize("place", ["recipient", "name", "subject", "sender", "key"])
def test_a_line_end_in_a_header_stops_the_letter(
    order, artefact, config, change, monkeypatch, text, place
):
    match place:
        case "recipient":
            order.email = f"buh{text}@romashka.by"
        case "name":
            artefact.display_name = f"Отчет{text}.xlsx"
        case "subject":
            monkeypatch.setattr(mailer, "_template", lambda *_: f"a{text}b")
        case "sender":
            change(MAIL_FROM=f"Связь{text} <lk@romashka.by>")
        case "key":
            order.key = f"abc{text}def"
    with pytest.raises(ValueError, match=r"header|address"):
        mailer.compose(order, artefact, ordinal=1, now=NOW)
    assert not list(config.artefact_dir.rglob("mail-*"))


@pytest.mark.parametrize(
    "address", ["", "buh", "@romashka.by", "buh@", "a@b.by, c@d.by", "<a@b.by>"]
)
def test_what_is_no_address_stops_the_letter(order, artefact, address):
    order.email = address
    with pytest.raises(ValueError, match="address"):
        mailer.compose(order, artefact, ordinal=1, now=NOW)


def test_the_letter_as_it_reads(order, artefact, letter, golden):
    _, message, _ = letter()
    head = "".join(f"{name}: {message[name]}\n" for name in message if name != "Content-Type")
    parts = []
    for part in message.walk():
        if part.is_multipart():
            parts.append(f"== {part.get_content_type()}\n")
        elif part.get_content_disposition() == "attachment":
            parts.append(f"== {part.get_content_type()} {part.get_filename()}\n")
        else:
            parts.append(f"== {part.get_content_type()}\n{part.get_content()}")
    golden("call_detail_mail.txt", (head + "".join(parts)).replace("\r\n", "\n"))
