"""Taking an import out again, as if its file had never been read. Reading is in `imports.py`.

Each leg belongs to the import that told it first, so calls made of nothing else vanish and the
others are computed anew. A later file that told the same leg was counted a repeat and left nothing:
reading that file again brings the leg back. Numbers that were discovered stay the client's.
"""

from dataclasses import dataclass
from datetime import date, datetime

from domain.errors import NotFound, NothingToRollBack
from domain.imports import STORING_STATES, ImportState
from models import ImportRun, UnmatchedLeg, User, WaitingHalf
from services import audit, call_store, clock
from services.audit import AuditEventKind
from services.call_book import CallBook
from services.transactions import write_tx

BATCH = 5_000  # calls in one transaction
FIRST_KEY = (-1, -1, -1)  # before that of any call
REPEATED_SHOWN = 20


@dataclass(frozen=True)
class RolledBack:
    """What has been taken out by this call. `repeated`: files that told some of it again."""

    removed: int  # calls without a leg left
    changed: int  # calls that have legs of other files too
    unmatched: int  # legs that were nobody's, and halves that waited
    repeated: list[ImportRun]


def find_run(run_id: int) -> ImportRun:
    """The import with that number; raises `NotFound`."""
    run = ImportRun.get_or_none(ImportRun.id == run_id)
    if run is None:
        raise NotFound(what="import", name=run_id)
    return run


def check_stored(run: ImportRun) -> None:
    """Raise `NothingToRollBack` for an import that has left nothing in the table."""
    if run.state not in STORING_STATES:
        raise NothingToRollBack(run=run.id, state=run.state)


def repeated_by(run: ImportRun) -> list[ImportRun]:
    """Later files of the same exchange with records that were there already: maybe this one's."""
    query = ImportRun.select().where(
        ImportRun.exchange == run.exchange_id,
        ImportRun.id > run.id,
        ImportRun.state == ImportState.DONE,
        ImportRun.duplicates > 0,
    )
    return list(query.order_by(ImportRun.id).limit(REPEATED_SHOWN))


def roll_back(
    run: ImportRun, *, user: User | None = None, ip: str = "", now: datetime
) -> RolledBack:
    """Take out what `run` brought. Call it inside `import_turns.one_at_a_time`; killed anywhere and
    repeated, it goes on. Raises `NothingToRollBack`.
    """
    check_stored(run)
    with write_tx():
        ImportRun.update(state=ImportState.ROLLING_BACK).where(ImportRun.id == run.id).execute()
    removed = changed = 0
    book, after = CallBook(), FIRST_KEY
    while after is not None:
        with write_tx():
            done = call_store.take_out(run.exchange, run.id, book, after=after, limit=BATCH)
        removed, changed, after = removed + done.gone, changed + done.changed, done.last
    book.catch_up(*_days_of(run))
    with write_tx():
        kept = sum(
            model.delete().where(model.import_run == run).execute()
            for model in (UnmatchedLeg, WaitingHalf)
        )
        ImportRun.update(state=ImportState.ROLLED_BACK, rolled_back_at=now, error="").where(
            ImportRun.id == run.id
        ).execute()
        audit.record(
            AuditEventKind.IMPORT_ROLLED_BACK,
            now=now,
            user=user,
            client=run.client_id,
            subject=f"import_run:{run.id}",
            ip=ip,
            removed=removed,
            changed=changed,
            unmatched=kept,
        )
    return RolledBack(removed, changed, kept, repeated_by(run))


def _days_of(run: ImportRun) -> tuple[date, date] | tuple[()]:
    """First and last day of its calls, so far as they were counted; nothing without any."""
    if run.first_at is None or run.last_at is None:
        return ()
    first, last = (clock.local(clock.from_epoch(at)).date() for at in (run.first_at, run.last_at))
    return first, last
