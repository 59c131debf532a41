"""What the card of an import shows: a word, how far it is, when to look again, what can be done."""

from dataclasses import dataclass

from blueprints.operator.reasons import import_error_text, zone_error_text
from domain.imports import LOADABLE_STATES, WORK_STATES, ImportState
from models import ImportRun
from services import clock, overview, uploads
from texts import N_, gettext

POLL_S = 2
STATE_WORDS = {
    ImportState.TO_CHECK: N_("Being checked now"),
    ImportState.TO_LOAD: N_("Waits to be stored"),
    ImportState.RUNNING: N_("Being stored"),
    ImportState.ROLLING_BACK: N_("Being taken out"),
    ImportState.CHECKED: N_("Checked, not stored"),
    ImportState.DONE: N_("Stored"),
    ImportState.FAILED: N_("Failed"),
    ImportState.ROLLED_BACK: N_("Taken out"),
}
TONES = {
    ImportState.DONE: "ok",
    ImportState.CHECKED: "warn",
    ImportState.FAILED: "bad",
}


@dataclass(frozen=True)
class ImportCard:
    """One import at one moment."""

    run: ImportRun
    state: str
    tone: str
    poll_s: int  # 0: nothing to wait for
    percent: int | None
    error: str
    zone_error: str
    same: ImportRun | None  # the same file, stored before
    first: object  # moments of the first and last call
    last: object
    can_load: bool
    needs_force: bool
    can_roll_back: bool
    has_upload: bool


def state_text(run: ImportRun) -> str:
    """The state in a word."""
    return gettext(STATE_WORDS[ImportState(run.state)])


def state_tone(run: ImportRun) -> str:
    """Class of the tag that shows it."""
    return TONES.get(ImportState(run.state), "")


def draw(run: ImportRun, *, may_import: bool) -> ImportCard:
    """The card of `run`."""
    has_upload = bool(run.upload_key)
    can_load = may_import and has_upload and run.state in LOADABLE_STATES
    return ImportCard(
        run=run,
        state=state_text(run),
        tone=state_tone(run),
        poll_s=POLL_S if run.state in WORK_STATES else 0,
        percent=_percent(run),
        error=import_error_text(run) if run.error else "",
        zone_error=zone_error_text(run),
        same=overview.find_same(run),
        first=None if run.first_at is None else clock.from_epoch(run.first_at),
        last=None if run.last_at is None else clock.from_epoch(run.last_at),
        can_load=can_load,
        needs_force=can_load and bool(run.zone_error_s),
        can_roll_back=may_import and run.state in uploads.UNDOABLE_STATES,
        has_upload=has_upload,
    )


def _percent(run: ImportRun) -> int | None:
    """Of the bytes; None while that is not known."""
    if run.state not in (ImportState.TO_CHECK, ImportState.RUNNING) or not run.size:
        return None
    return min(99, 100 * run.bytes_read // run.size) if run.bytes_read else None
