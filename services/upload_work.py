"""What jobs do with uploaded files of call records: one step of an import at a time, as its row
says. Reading itself is in `imports.py`, taking out in `rollback.py`.
"""

import csv
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from flask import current_app

from config import Config
from domain.cdr.archives import members
from domain.cdr.dates import DateOrder
from domain.cdr.record import Reject
from domain.errors import DomainError
from domain.imports import WORK_STATES, ImportState
from models import ImportRun
from services import clock, import_turns, imports, queue, rollback, storage
from services.imports import REJECTS_KEPT, ImportRequest, Outcome
from services.transactions import write_tx
from services.uploads import NOTHING_READ, path_of, rejects_path

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
MOST_WAITING = 10  # hints in the queue; with more of them nobody needs another


def _config() -> Config:
    return current_app.config["CABINET"]


def due() -> list[ImportRun]:
    """Imports that a job has something to do for, the oldest first."""
    ours = (ImportRun.upload_key != "") | (ImportRun.state == ImportState.ROLLING_BACK)
    query = ImportRun.select().where(ImportRun.state.in_(WORK_STATES), ours)
    return list(query.order_by(ImportRun.id))


def hint_due() -> int:
    """Wake a worker for the oldest import that nobody works on."""
    runs = due()
    if not runs or (queue.waiting() or 0) >= MOST_WAITING:
        return 0
    try:
        with import_turns.one_at_a_time(_config().data_dir, import_turns.do_not_wait):
            pass
    except import_turns.ImportsBusy:
        return 0  # whoever is at work hints at the next one
    return int(queue.hint_import(runs[0].id))


def work(run_id: int, *, time_over: type[Exception]) -> None:
    """Do the next step of an import, unless it needs none or somebody else is changing records.

    `time_over` is what ends a job that takes too long: then the step goes on in the next one.
    """
    try:
        with import_turns.one_at_a_time(_config().data_dir, import_turns.do_not_wait):
            run = _begin(run_id)
            if run is not None:
                _do_step(run, time_over)
    except import_turns.ImportsBusy:
        return
    for other in due()[:1]:
        queue.hint_import(other.id)


def _begin(run_id: int) -> ImportRun | None:
    """Count an attempt at a row; None when nothing is to be done, or it was tried too often."""
    run = next((run for run in due() if run.id == run_id), None)
    if run is None:
        return None
    if run.attempts >= _config().MAX_ATTEMPTS:
        _set(run, state=ImportState.FAILED, error="worker_lost")
        return None
    _set(run, attempts=run.attempts + 1)
    return run


def _do_step(run: ImportRun, time_over: type[Exception]) -> None:
    state = ImportState(run.state)
    step = {ImportState.TO_CHECK: _check, ImportState.ROLLING_BACK: _roll_back}.get(state, _store)
    try:
        step(run)
    except time_over:
        _set(run, state=ImportState.RUNNING if step is _store else state)
    except DomainError as error:
        error_s = error.values.get("error_s", 0)
        _fail(run, state, type(error).__name__, zone_error_s=error_s)
    except Exception as error:
        log.exception("import %s", run.id)
        _fail(run, state, f"{type(error).__name__}: {error}"[:255])


def _fail(run: ImportRun, state: ImportState, error: str, **values: object) -> None:
    if state == ImportState.TO_CHECK:
        values = {**NOTHING_READ, **values}
    _set(run, **values, state=ImportState.FAILED, error=error)


def _set(run: ImportRun, **values: object) -> None:
    with write_tx():
        ImportRun.update(values).where(ImportRun.id == run.id).execute()


def _check(run: ImportRun) -> None:
    outcome = _read(run, dry_run=True)
    _set(
        run,
        **outcome.counts,
        lines=outcome.lines,
        calls=outcome.calls,
        format=outcome.format,
        file_sha256=outcome.sha256,
        first_at=outcome.first,
        last_at=outcome.last,
        zone_error_s=outcome.zone_error_s,
        rejects=[{"line": r.line, "reason": r.reason} for r in outcome.rejects[:REJECTS_KEPT]],
        bytes_read=run.size,
        state=ImportState.CHECKED,
    )


def _store(run: ImportRun) -> None:
    _read(run, dry_run=False)
    _set(run, bytes_read=run.size, attempts=0)


def _roll_back(run: ImportRun) -> None:
    rollback.roll_back(run, now=clock.now())


def _read(run: ImportRun, *, dry_run: bool) -> Outcome:
    """Read the file of an import, with its progress in the row and its refused lines beside it."""
    opened = _Opened(path_of(run))
    name = run.file_name.partition("/")[2]
    found = [member for member in members(opener=opened) if member.name == name]
    request = ImportRequest(
        path=Path(run.file_name.partition("/")[0]),
        member=found[0],
        zone=run.zone,
        format_name=run.format,
        dates=DateOrder(run.dates) if run.dates else None,
        exchange_name=run.exchange.name,
        client=run.client,
        dry_run=dry_run,
        force_zone=run.force_zone,
        run=None if dry_run else run,
    )
    progress = _progress(run, opened)
    with _rejects_file(rejects_path(run)) as write:
        return imports.import_file(request, now=clock.now(), on_progress=progress, on_reject=write)


class _Opened:
    """Opens a file and knows how far the last reader of it has come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: BinaryIO | None = None

    def __call__(self) -> BinaryIO:
        self._last = self._path.open("rb")
        return self._last

    def position(self) -> int:
        """Bytes read of the file."""
        return 0 if self._last is None or self._last.closed else self._last.tell()


def _progress(run: ImportRun, opened: _Opened) -> Callable[[int], None]:
    written_at = time.monotonic()

    def write(_lines: int) -> None:
        nonlocal written_at
        if time.monotonic() - written_at >= PROGRESS_EVERY_S:
            written_at = time.monotonic()
            _set(run, bytes_read=opened.position())

    return write


@contextmanager
def _rejects_file(path: Path) -> Iterator[Callable[[Reject], None]]:
    with (
        storage.atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        yield lambda reject: writer.writerow((reject.line, reject.reason, *reject.row))
