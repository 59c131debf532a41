"""The try-out mailbox: an SMTP server on loopback that keeps each message as a file, and reading
what it kept. For trying the cabinet out; a real mail server takes its place in production.
"""

import asyncio
import email.policy
import errno
import os
import re
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from services import clock, storage

ADDRESS = "127.0.0.1"  # never another: nobody signs in to this server
SIZE_LIMIT = 50 * 1024 * 1024  # bytes
FILE_NAME = re.compile(r"(\d{6,})\.eml")
HEADER_BYTES = 64 * 1024
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Kept:
    """A message in the list: what its headers say."""

    number: int
    size: int  # bytes
    at: datetime  # when it was kept, UTC
    sender: str
    recipient: str
    subject: str


# --- Keeping --------------------------------------------------------------------------------------


def keep(folder: Path, content: bytes) -> int:
    """Write a message under the next free number and return the number.

    The file is whole or not there, and no two messages take one number, whoever else is writing.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f"incoming.{secrets.token_hex(8)}{storage.TEMPORARY_SUFFIX}"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        number = max(numbers(folder), default=0) + 1
        while True:
            try:
                os.link(temporary, path_of(folder, number))  # unlike a rename, never over another
            except FileExistsError:
                number += 1
            else:
                return number
    finally:
        temporary.unlink(missing_ok=True)


class KeepingHandler:
    """What aiosmtpd asks: one file per message, whoever it is for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name for it
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        """Keep the message before saying 250; say 452 when there is no room for it."""
        try:
            number = keep(self._folder, envelope.original_content or b"")
        except OSError as error:
            if error.errno in DISK_FULL:
                return "452 4.3.1 Insufficient system storage"
            return f"451 4.3.0 Cannot keep the message: {error.strerror}"
        return f"250 2.0.0 Kept as {path_of(self._folder, number).name}"


async def serve(folder: Path, port: int) -> None:
    """Take messages until SIGTERM or SIGINT; `OSError` when nobody can listen on the port."""
    loop = asyncio.get_running_loop()
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    handler = KeepingHandler(folder)
    server = await loop.create_server(
        lambda: SMTP(
            handler,
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            hostname="localhost",
            loop=loop,
        ),
        ADDRESS,
        port,
    )
    await asked_to_stop.wait()
    server.close()


# --- Reading --------------------------------------------------------------------------------------


def path_of(folder: Path, number: int) -> Path:
    """File of a message."""
    return folder / f"{number:06}.eml"


def numbers(folder: Path) -> Iterator[int]:
    """Numbers of the kept messages, in no order."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a million Path objects for nothing
    except FileNotFoundError:
        return
    for name in names:
        if found := FILE_NAME.fullmatch(name):
            yield int(found[1])


def newest(folder: Path, *, limit: int, before: int | None = None) -> list[Kept]:
    """Up to `limit` messages, newest first, of those numbered below `before`."""
    chosen = sorted((n for n in numbers(folder) if before is None or n < before), reverse=True)
    return [_summary(folder, number) for number in chosen[:limit]]


def find(folder: Path, number: int) -> tuple[Kept, EmailMessage] | None:
    """A message with its parts; None when there is none of that number."""
    try:
        content = path_of(folder, number).read_bytes()
    except FileNotFoundError:
        return None
    message = BytesParser(policy=email.policy.default).parsebytes(content)
    return _summary(folder, number), message


def leaves(message: EmailMessage) -> list[EmailMessage]:
    """Parts that hold something, in the order of the message."""
    return [part for part in message.walk() if not part.is_multipart()]


def text_of(part: EmailMessage) -> str:
    """A part's text; bytes that its own charset does not know are shown as replaced."""
    content = part.get_payload(decode=True) or b""
    charset = part.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, errors="replace")
    except LookupError:
        return content.decode("utf-8", errors="replace")


def _summary(folder: Path, number: int) -> Kept:
    path = path_of(folder, number)
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        headers = BytesHeaderParser(policy=email.policy.default).parsebytes(file.read(HEADER_BYTES))
    return Kept(
        number=number,
        size=status.st_size,
        at=clock.from_epoch(int(status.st_mtime)),
        sender=str(headers["From"] or ""),
        recipient=str(headers["To"] or ""),
        subject=str(headers["Subject"] or ""),
    )
