"""Files of call records sent through the browser: kept, confirmed, removed in time.

The row of an import says what is to be done next; `upload_work.py` does it.
"""

import csv
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from flask import current_app

from config import Config
from domain.cdr.archives import Member
from domain.cdr.dates import DateOrder
from domain.cdr.registry import UnknownFormat
from domain.errors import NothingToRollBack
from domain.imports import LOADABLE_STATES, WORK_STATES, ImportState
from models import Client, ImportRun, User
from services import audit, import_requests, imports, queue, storage
from services.audit import AuditEventKind
from services.imports import ImportRequest
from services.transactions import write_tx

UNDOABLE_STATES = (ImportState.DONE, ImportState.FAILED)  # nobody is at work on these
ORPHAN_AFTER = timedelta(days=1)
NOTHING_READ: Mapping[str, object] = {
    **dict.fromkeys(
        (
            *("lines", "calls", "accepted", "duplicates", "rejected", "unmatched", "skipped"),
            *("bytes_read", "attempts", "zone_error_s"),
        ),
        0,
    ),
    "error": "",
    "rejects": [],
    "first_at": None,
    "last_at": None,
}


@dataclass(frozen=True, kw_only=True)
class Upload:
    """How to understand uploaded files, and what to do with them."""

    zone: str
    format_name: str = "auto"
    dates: DateOrder | None = None
    exchange_name: str = ""
    client: Client | None = None
    check_only: bool = True


def _config() -> Config:
    return current_app.config["CABINET"]


def path_of(run: ImportRun) -> Path:
    """Where the uploaded file of an import lies."""
    return _config().upload_dir / run.upload_key / "file"


def rejects_path(run: ImportRun) -> Path:
    """Where all its refused lines are: line, reason, fields."""
    return _config().upload_dir / run.upload_key / "rejects.csv"


# --- Taking files ---------------------------------------------------------------------------------


def take(
    name: str, stream: BinaryIO, upload: Upload, *, user: User, ip: str, now: datetime
) -> list[ImportRun]:
    """Keep a file that was sent, with an import for each file of records in it.

    Raises `UnknownFormat` when there is none, `RefusedArchive`, `InvalidValue` for an exchange
    that is another client's: then nothing is kept.
    """
    key = secrets.token_hex(16)
    folder = _config().upload_dir / key
    try:
        with storage.atomic_file(folder / "file") as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        found = _readable(name, folder / "file", upload)
        runs = _add_runs(key, name, found, upload, user=user, ip=ip, now=now)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for run in runs:
        queue.hint_import(run.id)
    return runs


def _readable(name: str, path: Path, upload: Upload) -> list[Member]:
    """The files of call records in a file."""
    request = ImportRequest(path=path, zone=upload.zone, format_name=upload.format_name)
    found = [
        member
        for member in imports.look_inside(path)
        if imports.is_readable(replace(request, member=member))
    ]
    if not found:
        raise UnknownFormat("no call records", what="format", value=name)
    return found


def _add_runs(
    key: str,
    name: str,
    found: list[Member],
    upload: Upload,
    *,
    user: User,
    ip: str,
    now: datetime,
) -> list[ImportRun]:
    """A row for each file, each with a folder of its own."""
    keys = [key, *(secrets.token_hex(16) for _ in found[1:])]
    first = _config().upload_dir / key / "file"
    for other in keys[1:]:
        path = _config().upload_dir / other / "file"
        path.parent.mkdir(mode=0o700)
        os.link(first, path)
    runs = []
    with write_tx():
        exchange = import_requests.keep_exchange(upload.exchange_name, upload.client)
        for each, member in zip(keys, found, strict=True):
            run = ImportRun.create(
                exchange=exchange,
                client=upload.client,
                file_name=f"{name}/{member.name}" if member.name else name,
                file_sha256="",
                format=upload.format_name,
                zone=upload.zone,
                dates=upload.dates or "",
                state=ImportState.TO_CHECK if upload.check_only else ImportState.TO_LOAD,
                user=user,
                upload_key=each,
                size=first.stat().st_size,
                started_at=now,
            )
            _note(AuditEventKind.RECORDS_UPLOADED, run, user=user, ip=ip, now=now)
            runs.append(run)
    return runs


def load(run: ImportRun, *, force_zone: bool, user: User, ip: str, now: datetime) -> bool:
    """Have a checked file stored, or one that failed tried again; False when it is too late."""
    fresh = NOTHING_READ if run.state == ImportState.CHECKED else {"attempts": 0, "error": ""}
    values = {**fresh, "state": ImportState.TO_LOAD, "force_zone": force_zone}
    with write_tx():
        changed = (
            ImportRun.update(values)
            .where(ImportRun.id == run.id, ImportRun.upload_key != "")
            .where(ImportRun.state == run.state, ImportRun.state.in_(LOADABLE_STATES))
            .execute()
        )
        if changed:
            _note(AuditEventKind.IMPORT_CONFIRMED, run, user=user, ip=ip, now=now)
    if changed:
        queue.hint_import(run.id)
    return bool(changed)


def ask_rollback(run: ImportRun, *, user: User, ip: str, now: datetime) -> None:
    """Have an import taken out by a job. Raises `NothingToRollBack`, also for one under way."""
    with write_tx():
        changed = (
            ImportRun.update(state=ImportState.ROLLING_BACK, attempts=0, error="")
            .where(ImportRun.id == run.id, ImportRun.state.in_(UNDOABLE_STATES))
            .execute()
        )
        if not changed:
            raise NothingToRollBack(run=run.id, state=run.state)
        _note(AuditEventKind.IMPORT_ROLLBACK_ASKED, run, user=user, ip=ip, now=now)
    queue.hint_import(run.id)


def _note(kind: AuditEventKind, run: ImportRun, *, user: User, ip: str, now: datetime) -> None:
    subject = f"import_run:{run.id}"
    audit.record(kind, now=now, user=user, client=run.client_id, subject=subject, ip=ip)


def rejects(run: ImportRun) -> Iterator[list[str]]:
    """All refused lines that are known of an import: line, reason, fields."""
    path = rejects_path(run)
    if not run.upload_key or not path.is_file():
        yield from ([str(each["line"]), each["reason"]] for each in run.rejects)
        return
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


# --- Clearing away --------------------------------------------------------------------------------


def remove_expired(*, now: datetime) -> int:
    """Remove uploaded files some days after they were read, and what no row knows of."""
    before = now - timedelta(days=_config().ARTEFACT_DAYS)
    over = ImportRun.select().where(
        ImportRun.upload_key != "",
        ImportRun.state.not_in(WORK_STATES),
        ImportRun.started_at <= before,
        ImportRun.finished_at.is_null() | (ImportRun.finished_at <= before),
    )
    runs = list(over)
    for run in runs:
        shutil.rmtree(_config().upload_dir / run.upload_key, ignore_errors=True)
        with write_tx():
            ImportRun.update(upload_key="").where(ImportRun.id == run.id).execute()
    return len(runs) + _remove_orphans(now)


def _remove_orphans(now: datetime) -> int:
    oldest = (now - ORPHAN_AFTER).timestamp()
    folder = _config().upload_dir
    if not folder.is_dir():
        return 0
    old = {path.name: path for path in folder.iterdir() if path.stat().st_mtime < oldest}
    known = (
        {key for (key,) in ImportRun.select(ImportRun.upload_key).tuples().iterator()}
        if old
        else set()
    )
    orphans = [path for name, path in old.items() if name not in known]
    for path in orphans:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(orphans)
