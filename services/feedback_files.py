"""Files sent along with messages of feedback: looked at, kept below `<data dir>/feedback` by names
that nobody chose, handed out, swept. A file without a row is garbage and goes after a day.
"""

import errno
import logging
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from flask import current_app
from peewee import fn

from config import Config
from domain.attachments import FileKind, FileRefused, look_at
from domain.errors import NoSpaceForFiles, NoSpaceLeft
from models import Client, User
from models_feedback import FeedbackFile, FeedbackThread
from services import audit, leftovers, space, storage
from services.audit import AuditEventKind
from services.transactions import write_tx

log = logging.getLogger(__name__)

ORPHAN_AFTER = timedelta(days=1)  # longer than any request takes
MB = 1 << 20


@dataclass(frozen=True)
class Incoming:
    """A file as it was sent."""

    name: str
    stream: BinaryIO


@dataclass(frozen=True)
class Kept:
    """A file that is stored, and has no row yet."""

    name: str
    display_name: str
    kind: FileKind
    size: int
    sha256: str


def folder() -> Path:
    """Where they lie, all in one folder."""
    return _config().feedback_dir


def path_of(file: FeedbackFile) -> Path:
    """Where a file lies."""
    return folder() / file.name


@contextmanager
def keeping(files: Sequence[Incoming]) -> Iterator[list[Kept]]:
    """Store files; when what is done inside fails, they are removed again.

    Raises `FileRefused`, `NoSpaceForFiles`: then nothing is kept.
    """
    checked = _checked(files)
    kept: list[Kept] = []
    try:
        with _for_want_of_space():
            if checked:
                space.check_disk()
            for file, display_name, kind in checked:
                kept.append(_keep(file, display_name, kind))
        yield kept
    except BaseException:
        for each in kept:
            (folder() / each.name).unlink(missing_ok=True)
        raise


@contextmanager
def _for_want_of_space() -> Iterator[None]:
    """Say in words of files that the disk is full."""
    try:
        yield
    except NoSpaceLeft as error:
        raise NoSpaceForFiles from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpaceForFiles from error
        raise


def _checked(files: Sequence[Incoming]) -> list[tuple[Incoming, str, FileKind]]:
    """All of them, before one is stored."""
    config = _config()
    if len(files) > config.FEEDBACK_FILES:
        raise FileRefused("file_count", limit=config.FEEDBACK_FILES)
    checked = []
    for file in files:
        found = look_at(file.name, file.stream)
        if file.stream.seek(0, 2) > config.FEEDBACK_FILE_MB * MB:
            raise FileRefused("file_size", name=found.name, limit=config.FEEDBACK_FILE_MB)
        checked.append((file, found.name, found.kind))
    return checked


def _keep(file: Incoming, display_name: str, kind: FileKind) -> Kept:
    name = secrets.token_hex(16)
    path = folder() / name
    file.stream.seek(0)
    with storage.atomic_file(path) as temporary:
        with temporary.open("xb") as target:
            shutil.copyfileobj(file.stream, target, 1 << 20)
        temporary.chmod(0o600)
        size, sha256 = temporary.stat().st_size, storage.sha256_of(temporary)
    return Kept(name, display_name, kind, size, sha256)


def check_quota(client: Client, coming: Sequence[Kept]) -> None:
    """Raise `FileRefused` when the files of the client's threads would take more than they may."""
    limit_mb = _config().FEEDBACK_QUOTA_MB
    if not (coming and limit_mb):
        return
    threads = FeedbackThread.of_company(client, FeedbackThread.id)
    there = FeedbackFile.select(fn.SUM(FeedbackFile.size)).where(FeedbackFile.thread.in_(threads))
    if (there.scalar() or 0) + sum(file.size for file in coming) > limit_mb * MB:
        raise FileRefused("files_quota", limit=limit_mb)


# --- Handing out ----------------------------------------------------------------------------------


def find(thread: FeedbackThread, file_id: int) -> FeedbackFile | None:
    """A file of a thread, as long as it lies there as it was sent."""
    file = FeedbackFile.get_or_none(FeedbackFile.thread == thread, FeedbackFile.id == file_id)
    if file is None or not path_of(file).is_file():
        return None
    if storage.sha256_of(path_of(file)) != file.sha256:
        log.error("feedback file %s is not the file that was sent", file.id)
        return None
    return file


def note_download(
    file: FeedbackFile, client_id: int, *, user: User, ip: str, now: datetime
) -> None:
    """Write down who fetched a file."""
    with write_tx():
        audit.record(
            AuditEventKind.FILE_DOWNLOADED,
            now=now,
            user=user,
            client=client_id,
            subject=f"feedback_file:{file.id}",
            ip=ip,
        )


# --- Sweeping -------------------------------------------------------------------------------------


def remove_orphans(*, now: datetime) -> int:
    """Remove what is a day old and in no row: of requests that were killed. Looks once an hour:
    files of feedback are kept for good.
    """
    if not folder().is_dir() or not leftovers.is_time(".looked-at-feedback", now=now):
        return 0
    oldest = (now - ORPHAN_AFTER).timestamp()
    old = {path.name: path for path in folder().iterdir() if path.stat().st_mtime < oldest}
    if not old:
        return 0
    known = {name for (name,) in FeedbackFile.select(FeedbackFile.name).tuples().iterator()}
    orphans = [path for name, path in old.items() if name not in known and path.is_file()]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def _config() -> Config:
    return current_app.config["CABINET"]
