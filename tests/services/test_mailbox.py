"""The try-out mailbox: every message a file, in order, none over another."""

import asyncio
import errno
from concurrent.futures import ThreadPoolExecutor
from email.header import Header

import pytest
from aiosmtpd.smtp import Envelope

from services import mailbox


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def accept(folder, content):
    envelope = Envelope()
    envelope.original_content = content
    return asyncio.run(mailbox.KeepingHandler(folder).handle_DATA(None, None, envelope))


def test_messages_are_kept_in_order_and_to_the_byte(tmp_path):
    folder = tmp_path / "mail"
    assert mailbox.keep(folder, b"Subject: a\r\n\r\n.one\r\n") == 1
    assert mailbox.keep(folder, b"Subject: b\r\n\r\n\xff\r\n") == 2
    assert names(folder) == ["000001.eml", "000002.eml"]
    assert (folder / "000002.eml").read_bytes() == b"Subject: b\r\n\r\n\xff\r\n"


@pytest.mark.parametrize(
    ("there", "next_number"),
    [
        (["000007.eml"], 8),  # numbers go on, and gaps are not filled
        (["000001.eml", "000003.eml"], 4),
        (["999999.eml"], 1_000_000),
        (["1000000.eml", "999999.eml"], 1_000_001),
        (["notes.txt", "12.eml", "incoming.9.part"], 1),
    ],
)
def test_numbers_go_on_after_the_highest(tmp_path, there, next_number):
    for name in there:
        (tmp_path / name).write_bytes(b"")
    assert mailbox.keep(tmp_path, b"x") == next_number


def test_two_messages_never_take_one_number(tmp_path):
    contents = [b"%d" % n for n in range(60)]
    with ThreadPoolExecutor(6) as pool:
        kept = list(pool.map(lambda content: (mailbox.keep(tmp_path, content), content), contents))
    assert sorted(number for number, _ in kept) == list(range(1, 61))
    for number, content in kept:
        assert mailbox.path_of(tmp_path, number).read_bytes() == content


def test_a_kept_message_is_confirmed_by_its_file(tmp_path):
    assert accept(tmp_path, b"Subject: a\r\n\r\n") == "250 2.0.0 Kept as 000001.eml"


def test_a_full_disk_asks_to_try_again(tmp_path, monkeypatch):
    def full(folder, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(mailbox, "keep", full)
    assert accept(tmp_path, b"x").startswith("452 ")


def test_a_folder_that_cannot_be_written_asks_to_try_again(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert accept(tmp_path / "file" / "mail", b"x").startswith("451 ")


def test_the_list_is_newest_first_and_goes_on(tmp_path):
    for n in range(1, 6):
        mailbox.keep(tmp_path, f"Subject: {n}\r\nTo: a@example.by\r\n\r\n".encode())
    first = mailbox.newest(tmp_path, limit=2)
    assert [(kept.number, kept.subject) for kept in first] == [(5, "5"), (4, "4")]
    assert [kept.number for kept in mailbox.newest(tmp_path, limit=9, before=4)] == [3, 2, 1]
    assert mailbox.newest(tmp_path / "none", limit=9) == []


def test_headers_in_russian_are_read(tmp_path):
    subject = "Детализация звонков за период с 01.11.2026 по 23.11.2026, заказ № 1"
    lines = f"Subject: {Header(subject, 'utf-8').encode()}\nTo: Иванов <ivanov@romashka.by>\n\n"
    mailbox.keep(tmp_path, lines.encode())
    kept, _ = mailbox.find(tmp_path, 1)
    assert kept.subject == subject
    assert kept.recipient == "Иванов <ivanov@romashka.by>"
    assert mailbox.find(tmp_path, 2) is None


def test_text_of_an_unknown_charset_is_still_shown(tmp_path):
    content = b"Content-Type: text/plain; charset=x-none\r\n\r\nabc \xd0\xb0\r\n"
    mailbox.keep(tmp_path, content)
    _, message = mailbox.find(tmp_path, 1)
    assert mailbox.text_of(message).strip() == "abc а"
