"""A backup put back into an empty data dir and an empty database of either kind.

What may have happened since the backup was made is not repeated by itself: letters that were still
to go are held for the operator, and everybody signs in again.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from flask import current_app
from peewee import Database, OperationalError, PeeweeException, SqliteDatabase

from config import Config
from domain.orders import OPEN_STATES, UNMAILED_KINDS, MailState, OrderState
from models import Mail, Notice, Order, UserSession, db
from models_access import AccessLink, SecondStep
from models_all import ALL_MODELS
from services import access_links, audit, backup, claims, database, faults, moving, storage
from services.audit import AuditEventKind
from services.backup import DATABASE, FOLDERS, SECRET, CannotBackUp, Contents
from services.transactions import write_tx

WORK = ".restore.part"  # in the data dir: its presence tells of a restore that was killed
HELD = "mail_unconfirmed"
# What a data dir may hold before: nothing of it is anybody's data.
HARMLESS = frozenset({WORK, SECRET, "logs", "faults", "run.lock", "imports.lock"})


def restore(path: Path, *, now: datetime) -> tuple[Contents, int]:
    """Put a backup back; what it holds, and how many letters are held. The database is not
    connected.

    Raises `CannotBackUp` before anything of the backup can be seen.
    """
    data_dir, target = _config().data_dir, db.obj
    _refuse_data(data_dir, target)
    try:
        with _unpacked(path, data_dir) as (work, contents):
            held = _bring_up_to_date(work / DATABASE, path, contents, now)
            faults.reach("restore.unpacked")
            _place_files(work, data_dir)
            faults.reach("restore.placing")
            _place_rows(work / DATABASE, target, now)
    except OSError as error:
        raise CannotBackUp(f"{data_dir}: {error.strerror or error}") from error
    return contents, held


def _refuse_data(data_dir: Path, target: Database) -> None:
    if table := _table_with_rows(target):
        raise CannotBackUp(f"the database has rows, in {table}: a backup goes into an empty one")
    kept = {*HARMLESS, *(path.name for path in _database_files(target, data_dir))}
    if (data_dir / WORK).exists():  # killed: all there is came from a backup
        kept |= set(FOLDERS)
    there = sorted(entry.name for entry in data_dir.iterdir() if entry.name not in kept)
    if there:
        raise CannotBackUp(f"{data_dir} is not empty ({there[0]}): a backup goes into an empty one")


def _table_with_rows(target: Database) -> str:
    """The first table of ours that has rows; "" when there is none."""
    if isinstance(target, SqliteDatabase) and not Path(target.database).exists():
        return ""
    try:
        with target.connection_context():
            tables = set(target.get_tables())
            for model in ALL_MODELS:
                name = model._meta.table_name
                one = f'SELECT 1 FROM "{name}" LIMIT 1'  # noqa: S608 - names of our own
                if name in tables and target.execute_sql(one).fetchone():
                    return name
    except PeeweeException as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotBackUp(f"the database cannot be used: {reason}") from error
    return ""


def _database_files(target: Database, data_dir: Path) -> list[Path]:
    path = Path(target.database) if isinstance(target, SqliteDatabase) else data_dir / DATABASE
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


@contextmanager
def _unpacked(path: Path, data_dir: Path) -> Iterator[tuple[Path, Contents]]:
    """The files of a backup in a folder of the data dir, each checked."""
    work = data_dir / WORK
    if work.exists():
        for name in (WORK, *FOLDERS):
            shutil.rmtree(data_dir / name, ignore_errors=True)
    work.mkdir(mode=0o700)

    def place(name: str) -> IO[bytes]:
        target = work / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = target.open("xb")
        target.chmod(0o600)
        return file

    try:
        yield work, backup.read(path, place)
    except BaseException:
        for name in FOLDERS:
            shutil.rmtree(data_dir / name, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _bring_up_to_date(path: Path, archive: Path, contents: Contents, now: datetime) -> int:
    """The tables of this version, and nothing that goes out by itself."""
    newer = sorted(set(contents.migrations) - set(database.known()))
    if newer:
        raise CannotBackUp(
            f"{archive} was made by a newer version of the cabinet (tables {newer[-1]}): "
            "bring this one up to date first"
        )
    try:
        source = database.make_database(f"sqlite:///{path}")
        with source.connection_context(), moving.bound_to(source):
            database.upgrade(source)
            (verdict,) = source.execute_sql("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise CannotBackUp(f"{archive} is damaged: {verdict}")
            with write_tx():
                held = _hold_letters()
                _end_visits(now)
                audit.record(AuditEventKind.BACKUP_RESTORED, now=now, made_at=contents.made_at)
            source.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    except OperationalError as error:
        raise CannotBackUp(f"{archive} cannot be put back: {error}") from error
    return held


def _hold_letters() -> int:
    """Nobody knows what was sent since: the operator decides, letter by letter."""
    waiting = Order.state.in_(OPEN_STATES) & Order.kind.not_in(list(UNMAILED_KINDS))
    orders = Order.across_clients(Order.id).where(waiting)
    Mail.update(state=MailState.UNKNOWN).where(
        Mail.order.in_(orders), Mail.state.in_((MailState.READY, MailState.SENDING))
    ).execute()
    held = (
        Order.update(state=OrderState.UNCONFIRMED, reason=HELD, **claims.NOBODYS)
        .where(waiting)
        .execute()
    )
    notices = (
        Notice.update(state=MailState.UNKNOWN, next_try_at=None, reason=HELD, **claims.NOBODYS)
        .where(Notice.next_try_at.is_null(is_null=False))
        .execute()
    )
    return held + notices


def _end_visits(now: datetime) -> None:
    """Whoever signed out, or used a link, since the backup must not find that undone."""
    UserSession.delete().execute()
    SecondStep.delete().execute()
    AccessLink.update(closed_at=now).where(
        AccessLink.kind != access_links.LinkKind.INVITATION, AccessLink.closed_at.is_null()
    ).execute()


def _place_files(work: Path, data_dir: Path) -> None:
    for name in FOLDERS:
        if (work / name).exists():
            (work / name).replace(data_dir / name)
    (work / SECRET).replace(data_dir / SECRET)
    storage.sync_folder(data_dir)


def _place_rows(path: Path, target: Database, now: datetime) -> None:
    """Last of all, and at once: before it, the database is an empty one."""
    if isinstance(target, SqliteDatabase):
        own, *logs = _database_files(target, path.parent)
        for log in logs:
            log.unlink(missing_ok=True)
        if own.parent.stat().st_dev != path.stat().st_dev:
            with storage.atomic_file(own) as temporary:
                shutil.copyfile(path, temporary)
        else:
            path.replace(own)
        storage.sync_folder(own.parent)
        return
    source = database.make_database(f"sqlite:///{path}")
    try:
        with source.connection_context(), moving.bound_to(source), target.connection_context():
            moving.copy_all(target, now=now)
    except (moving.CannotCopy, PeeweeException) as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotBackUp(f"the database takes it not: {reason}") from error


def _config() -> Config:
    return current_app.config["CABINET"]
