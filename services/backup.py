"""Everything of a cabinet in one file, made while it runs: the rows as a SQLite database, whichever
they lie in, the files that rows name, the secret. Putting it back is `restoring.py`.

The file is a tar. `backup.json`, its last member, tells what else is in it, with digests: without
it the file is no backup. It takes its name when all of it is on the disk.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from flask import current_app
from peewee import SqliteDatabase

from config import Config
from models import Artefact, db
from services import audit, database, faults, moving, processes, storage
from services.audit import AuditEventKind
from services.moving import CannotCopy
from services.transactions import write_tx

FORM = 1  # of the file
DATABASE, SECRET, CONTENTS = "cabinet.db", "secret", "backup.json"
FOLDERS = ("art", "uploads", "feedback", "demo")  # of the data dir: files that rows name
WORK = ".cabinet-backup.part"  # beside the file: what a killed one leaves, the next one clears
CHUNK = 1 << 20
LARGEST_CONTENTS = 512 << 20

Place = Callable[[str], IO[bytes] | None]  # an open file to write a member into, or None


class CannotBackUp(Exception):
    """There is no backup, or it is none; the message is one sentence that says why."""


@dataclass(frozen=True)
class Member:
    """A file of the backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Contents:
    """What `backup.json` says."""

    made_at: str
    migrations: tuple[str, ...]  # the version of the tables
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(member.size for member in self.members)


def make(target: Path, *, now: datetime) -> Contents:
    """Write everything into the new file `target`. Raises `CannotBackUp`: then there is none."""
    if target.exists():
        raise CannotBackUp(f"{target} is there already: give another name")
    with _told(target), _working(target.parent) as work:
        snapshot = work / DATABASE
        _copy_rows(snapshot, now)
        faults.reach("backup.rows_copied")
        with storage.atomic_file(work / "whole.tar") as written:
            contents = _write(written, snapshot, now)
            written.chmod(0o600)
        faults.reach("backup.written")
        try:
            os.link(work / "whole.tar", target)  # which never takes another's place
        except FileExistsError as error:
            raise CannotBackUp(f"{target} is there already: give another name") from error
        storage.sync_folder(target.parent)
    with write_tx():
        audit.record(
            AuditEventKind.BACKUP_MADE, now=now, files=len(contents.members), bytes=contents.size
        )
    return contents


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Say in words what the system refuses: no room, no right."""
    try:
        yield
    except OSError as error:
        raise CannotBackUp(f"{target} cannot be written: {error.strerror or error}") from error
    except (sqlite3.Error, CannotCopy) as error:
        raise CannotBackUp(f"{target} cannot be written: {error}") from error


@contextmanager
def _working(folder: Path) -> Iterator[Path]:
    """A folder for what is not whole yet, of one backup at a time, on the disk of the file."""
    work = folder / WORK
    work.mkdir(mode=0o700, exist_ok=True)
    lock = processes.hold_lock(work / "lock")
    if lock is None:
        raise CannotBackUp(f"another backup is being written in {folder}")
    with lock:
        for path in work.iterdir():
            if path.name != "lock":
                path.unlink()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _copy_rows(snapshot: Path, now: datetime) -> None:
    """All rows as they are at one moment; writers go on."""
    if isinstance(db.obj, SqliteDatabase):
        with closing(sqlite3.connect(db.obj.database, timeout=database.BUSY_TIMEOUT_S)) as source:
            source.execute("VACUUM INTO ?", (str(snapshot),))
    else:
        with moving.opened(f"sqlite:///{snapshot}") as target:
            moving.copy_all(target, now=now)
            target.execute_sql("PRAGMA journal_mode = DELETE")  # one file, without a log
    snapshot.chmod(0o600)


def _write(path: Path, snapshot: Path, now: datetime) -> Contents:
    """Files come after the rows that name them: what was made since is nobody's, and does no harm.
    What was removed since is told to the copied rows, which come last.
    """
    data_dir = _config().data_dir
    with tarfile.open(path, "w") as archive:
        members = [_add(archive, SECRET, data_dir / SECRET)]
        for file in _files(data_dir):
            name = PurePosixPath(file.relative_to(data_dir)).as_posix()
            try:
                members.append(_add(archive, name, file))
            except FileNotFoundError:
                continue
        _note_removed(snapshot, {member.name for member in members})
        members.append(_add(archive, DATABASE, snapshot))
        contents = Contents(now.isoformat(), database.applied(), tuple(members))
        text = json.dumps({"form": FORM, **asdict(contents)}, ensure_ascii=False, indent=1)
        _add_text(archive, CONTENTS, text.encode(), now)
    return contents


def _files(data_dir: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((data_dir / folder).rglob("*")):
            hidden = path.name.startswith(".") or path.suffix == storage.TEMPORARY_SUFFIX
            if path.is_file() and not path.is_symlink() and not hidden:
                yield path


def _add(archive: tarfile.TarFile, name: str, path: Path) -> Member:
    """One file, its digest taken from the very bytes that are written."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = state.st_size, int(state.st_mtime), 0o600
        reader = Digesting(file)
        archive.addfile(info, reader)
    return Member(name, info.size, reader.sha256.hexdigest())


def _add_text(archive: tarfile.TarFile, name: str, content: bytes, now: datetime) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(now.timestamp()), 0o600
    archive.addfile(info, io.BytesIO(content))


class Digesting:
    """A file that takes the digest of what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        content = self._file.read(size)
        self.sha256.update(content)
        return content


def _note_removed(snapshot: Path, names: set[str]) -> None:
    """Files whose time ended between the copy of the rows and that of the files."""
    removed = Artefact.select(Artefact.id, Artefact.path, Artefact.removed_at).where(
        Artefact.removed_at.is_null(is_null=False)
    )
    gone = [(row.id, row.removed_at) for row in removed if f"art/{row.path}" not in names]
    copy = database.make_database(f"sqlite:///{snapshot}")
    with copy.connection_context(), moving.bound_to(copy), write_tx():
        for artefact_id, removed_at in gone:
            Artefact.update(removed_at=removed_at).where(
                Artefact.id == artefact_id, Artefact.removed_at.is_null()
            ).execute()


# --- Reading --------------------------------------------------------------------------------------


def check(path: Path) -> Contents:
    """Whether a file is a whole backup, bit by bit. Raises `CannotBackUp`."""
    return read(path, lambda _name: None)


def read(path: Path, place: Place) -> Contents:
    """Go through a backup once and write its members where `place` says.

    Raises `CannotBackUp` for a file that is no backup, or is damaged: what was placed is worth
    nothing then.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            found, text = _members(archive, place)
    except tarfile.TarError as error:
        raise CannotBackUp(f"{path} is no backup, or only a part of one: {error}") from error
    except FileNotFoundError as error:
        raise CannotBackUp(f"{path} is not there") from error
    if text is None:
        raise CannotBackUp(f"{path} is no backup, or only a part of one")
    contents = _contents(path, text)
    for member in contents.members:
        if found.pop(member.name, None) != member:
            raise CannotBackUp(f"{path} is damaged: {member.name} is missing or changed")
    if found:
        raise CannotBackUp(f"{path} is damaged: {min(found)} is not of it")
    return contents


def _members(archive: tarfile.TarFile, place: Place) -> tuple[dict[str, Member], bytes | None]:
    found: dict[str, Member] = {}
    for info in archive:
        source = archive.extractfile(info) if info.isreg() else None
        if source is None or info.name in found or not _is_ours(info.name):
            raise tarfile.ReadError(f"{info.name!r} does not belong there")
        if info.name == CONTENTS:
            return found, source.read(LARGEST_CONTENTS)
        reader = Digesting(source)
        with place(info.name) or nullcontext() as target:
            _pour(reader, target)
        found[info.name] = Member(info.name, info.size, reader.sha256.hexdigest())
    return found, None


def _pour(source: Digesting, target: IO[bytes] | None) -> None:
    while chunk := source.read(CHUNK):
        if target is not None:
            target.write(chunk)
    if target is not None:
        target.flush()
        os.fsync(target.fileno())


def _is_ours(name: str) -> bool:
    """A name that `make` gives: nothing outside the data dir, nothing that is not data."""
    if name in (DATABASE, SECRET, CONTENTS):
        return True
    parts = name.split("/")
    is_plain = all(part and not part.startswith(".") for part in parts) and "\0" not in name
    return is_plain and len(parts) > 1 and parts[0] in FOLDERS


def _contents(path: Path, text: bytes) -> Contents:
    try:
        values = json.loads(text)
        if values.pop("form") > FORM:
            raise CannotBackUp(f"{path} was made by a newer version of the cabinet")
        members = tuple(Member(**member) for member in values.pop("members"))
        return Contents(values["made_at"], tuple(values["migrations"]), members)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotBackUp(f"{path} is damaged: {CONTENTS} cannot be read") from error


def _config() -> Config:
    return current_app.config["CABINET"]
